"""Deciding on a rule, and what is told of others' decisions: what page and command line call."""

from __future__ import annotations

from dataclasses import dataclass

from pld_app.wiring import App
from pld_core.blind import dispute_words, told_after
from pld_core.models import Actor, Decision, Judgement, RevisionState, RuleDossier
from pld_core.permissions import Step, guarded_app

WITHHELD = (
    "Somebody has approved this revision first. Who, when and why, and what they left on it, is shown after your own "
    "decision."
)


@dataclass(frozen=True)
class Decided:
    """A recorded decision, the state that it led to, and what is told of the first one if that was kept back."""

    decision: Decision
    state: RevisionState
    told: str

    @property
    def words(self) -> str:
        """What became of the rule; beside it the page shows what is told."""
        return f"{self.decision.rule_id} is {self.state.label} (decision {self.decision.id})"


@guarded_app(Step.JUDGE)
def decide(app: App, judgement: Judgement) -> Decided:
    """Record a verdict; raises as `RuleStore.judge` does."""
    withheld = app.store.rules.dossier(judgement.rule_id, app.actor).withheld
    decision = app.store.rules.judge(judgement, app.actor)
    now = app.store.rules.dossier(decision.rule_id, app.actor)
    return Decided(decision, now.summary.state, told_after(decision, now.decisions) if withheld else "")


def voices_words(dossier: RuleDossier, actor: Actor) -> str:
    """Return what the reader has to know of others' decisions on the newest revision; empty for nothing."""
    if dossier.withheld:
        return WITHHELD
    made = [d for d in dossier.decisions if d.revision_hash == dossier.head.hash]
    own = next((d for d in reversed(made) if d.reviewer == actor.name), None)
    told = told_after(own, made) if own is not None and own is made[-1] else ""
    if not told and dossier.summary.state is RevisionState.DISPUTED:
        return dispute_words(made, actor)
    return told
