"""The effect of a rule on the student, for commands, jobs and pages: what is known, what it takes, measuring it."""

from __future__ import annotations

from dataclasses import dataclass

from pld_app import wiring
from pld_app.wiring import App
from pld_core import measuring
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.calls import Limits
from pld_core.effect import Effect, StoredEffect, Trial
from pld_core.models import RuleDossier
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress

NOT_CHANCE = 0.05
"""The usual level of a test; the p value stands beside the words."""


@dataclass(frozen=True)
class ShownEffect:
    """A measured effect, and what of its basis is another one now; nothing if it still holds."""

    stored: StoredEffect
    changes: tuple[str, ...]

    @property
    def warning(self) -> str:
        """Say what it was measured for, empty if it still holds."""
        return f"Measured for {' and '.join(self.changes)}: measure it again." if self.changes else ""


def shown(app: App, dossier: RuleDossier) -> tuple[ShownEffect, ...]:
    """Return the newest effect of a rule on each student that it was measured with, newest first."""
    newest: dict[str, StoredEffect] = {}
    for stored in app.store.effects.of_rule(dossier.summary.id):
        newest.setdefault(stored.effect.student.name, stored)
    if not newest:
        return ()
    now = measuring.standing_basis(app.store, dossier)
    return tuple(ShownEffect(stored, stored.effect.basis.changes(now)) for stored in newest.values())


def trial_of(app: App, dossier: RuleDossier) -> Trial:
    """Return what is to be measured for a rule as it stands; asks and sends nothing.

    Always by the built-in embedder, whatever the settings say: validation texts go to no server for it.

    Raises:
        InvalidInput: the task has no validation examples.
    """
    return wiring.run_async(measuring.plan(app.store, TfidfEmbedder(), dossier))


@guarded_app(Step.MEASURE_EFFECT)
def measure(app: App, rule_id: str, student: str, report: Progress) -> StoredEffect:
    """Measure what the newest revision of a rule does to a student; what was answered before is not asked again.

    Raises:
        BackendError, InvalidInput: as `measuring.measure` and `trial_of`; the answers so far are kept.
    """
    dossier = app.store.rules.dossier(rule_id, app.actor)
    limits = Limits(in_flight=app.settings.in_flight(student))

    async def work() -> StoredEffect:
        trial = await measuring.plan(app.store, TfidfEmbedder(), dossier)
        async with wiring.student_backend(app, student) as chat:
            return await measuring.measure(app.store, chat, trial, report, app.actor, limits)

    return wiring.run_async(work())


# --- in words ---------------------------------------------------------------------------------------------------------


def chance_words(effect: Effect) -> str:
    """Say whether the changed answers may be chance."""
    if effect.p_value is None:
        return "No answer changed between right and wrong."
    verdict = "hardly chance" if effect.p_value < NOT_CHANCE else "this may be chance"
    return f"Of the answers that changed: {verdict} (exact McNemar test, p = {effect.p_value:.2g})."


def unusable_words(effect: Effect) -> str:
    """Say how many answers state no label, empty if all do."""
    parts = [f"{number:,} {status.value}" for status, number in effect.unusable.items()]
    return f"Answers without a label, counted as wrong: {', '.join(parts)}." if parts else ""
