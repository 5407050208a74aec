"""What makes a decision obsolete besides other evidence: another guideline, other labels, an overlapping rule. Pure.

An approved revision goes stale; half a decision (a first approval, a dispute) is begun again. What nobody has decided
on, and what is final, is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.label_set import LabelChange
from pld_core.models import RevisionState
from pld_core.review import Action

UPSET = {
    RevisionState.APPROVED: Action.MARK_STALE,
    RevisionState.FIRST_APPROVED: Action.BEGIN_AGAIN,
    RevisionState.DISPUTED: Action.BEGIN_AGAIN,
}
"""What becomes of a revision that somebody decided on, when what was decided beside is another now."""
NAMED = 12
"""So many rules are named in a sentence."""


@dataclass(frozen=True)
class Decided:
    """A revision that somebody decided on; its state is one of `UPSET`."""

    rule_id: str
    revision_hash: str
    labels: tuple[str, ...]
    state: RevisionState


@dataclass(frozen=True)
class Consequence:
    """What becomes of one revision, and why, in one sentence without its full stop."""

    decided: Decided
    cause: str

    @property
    def step(self) -> Action:
        return UPSET[self.decided.state]


@dataclass(frozen=True)
class Effects:
    """What a change makes of the decisions of a task, in the order of the rules' numbers."""

    consequences: tuple[Consequence, ...] = ()

    @property
    def stale(self) -> tuple[str, ...]:
        """The ids of approved rules that go stale, each once."""
        return self._rules(Action.MARK_STALE)

    @property
    def begun_again(self) -> tuple[str, ...]:
        """The ids of half-decided rules whose review begins anew, each once."""
        return self._rules(Action.BEGIN_AGAIN)

    @property
    def words(self) -> str:
        """What happens, after "Saving this": `makes 2 approved rules stale: R1, R2, and begins 1 review anew: R5`."""
        parts = []
        if self.stale:
            parts.append(f"makes {_count(self.stale, 'approved rule')} stale: {named(self.stale)}")
        if self.begun_again:
            parts.append(f"begins {_count(self.begun_again, 'review')} anew: {named(self.begun_again)}")
        return ", and ".join(parts) or "makes no rule stale"

    def as_json(self) -> dict[str, Json]:
        return {"stale": list(self.stale), "begun_again": list(self.begun_again)}

    def _rules(self, step: Action) -> tuple[str, ...]:
        return tuple(dict.fromkeys(c.decided.rule_id for c in self.consequences if c.step is step))


NOTHING = Effects()


def named(rule_ids: Sequence[str]) -> str:
    """Return the first rules by name: `R1, R2`, with how many more there are."""
    more = len(rule_ids) - NAMED
    return ", ".join(rule_ids[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _count(rule_ids: Sequence[str], noun: str) -> str:
    return f"{len(rule_ids):,} {noun}" if len(rule_ids) == 1 else f"{len(rule_ids):,} {noun}s"


def guideline_effects(old: int, new: int, decided: Sequence[Decided]) -> Effects:
    """Return what another guideline does: it stands in every prompt and concerns every decision.

    Args:
        old, new: the versions.
    """
    cause = f"The guideline changed: version {new} took the place of version {old}"
    return Effects(tuple(Consequence(one, cause) for one in decided))


def label_effects(change: LabelChange, decided: Sequence[Decided]) -> Effects:
    """Return what other labels do.

    Another description concerns the rules that conclude the label. A label more or less is another choice: it concerns
    every rule.
    """
    causes = ((one, _label_cause(change, one.labels)) for one in decided)
    return Effects(tuple(Consequence(one, cause) for one, cause in causes if cause))


def _label_cause(change: LabelChange, labels: tuple[str, ...]) -> str:
    own = [name for name in change.described if name in labels]
    parts = [f"{', '.join(change.added)} was added"] if change.added else []
    parts += [f"{', '.join(change.removed)} was removed"] if change.removed else []
    parts += [f"{', '.join(own)} is described otherwise"] if own else []
    return f"The labels changed: {', '.join(parts)}" if parts else ""


def overlap_cause(other: str, shown: Collection[str], then: str, now: str) -> str:
    """Return why an approved revision goes stale by a rule that overlaps it, empty if it stays approved.

    It stays approved as long as its decision knew how the other rule reads: that text was in force when the decision
    was made, or stood beside it as an overlap. A stale revision still counts as the other rule's text. So a revision
    that went stale by this, and is approved again as it is, makes nobody stale: the others knew it.

    Args:
        other: id of the other rule.
        shown: hashes of the revisions of the other rule that stood beside the decision as overlaps.
        then: hash of the other rule's text in force when the decision was made, empty for none.
        now: hash of its text in force now, empty for none.
    """
    if now == then or now in shown:
        return ""
    if not now:
        return f"{other}, which overlaps it, is no longer in force"
    return f"{other}, which overlaps it, {'now reads differently' if then or shown else 'came into force'}"
