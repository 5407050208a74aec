"""What is needed of a store for rules, and for what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pld_core.lineage import EvidenceUpdate, RuleTrace, StandingRule, UpdateCount
from pld_core.models import (
    ANYBODY,
    Actor,
    CompiledRule,
    Decision,
    Judgement,
    Revision,
    RevisionState,
    RuleDossier,
    RuleSummary,
    RuleText,
)
from pld_core.overlaps import Overlap, OverlapPair
from pld_core.records import EVERY_RULE, NewRule, Page, RuleFilter
from pld_core.review import Standing
from pld_core.rule_size import TextSize
from pld_core.rule_source import RuleSource
from pld_core.signing import Signature


class RuleStore(Protocol):
    def propose(self, task: str, rule: NewRule, actor: Actor) -> str | None:
        """Store a proposed rule and return its id, or None if its origin already has one."""
        ...

    def submit(self, rule_id: str, actor: Actor) -> None: ...
    def promote(self, task: str, rule: NewRule, actor: Actor) -> str:
        """Store a rule that a person made of one noise point, bring it into review, and return its id.

        Raises:
            InvalidInput: the example is no noise of that clustering or takes no part any more, a rule rests on it alone
                already, or its author is not the actor.
            MissingRole: the actor may not bring rules into review.
        """
        ...

    def judge(self, judgement: Judgement, actor: Actor) -> Decision: ...
    def edit(
        self, rule_id: str, seen_revision: str, seen_state: RevisionState, text: RuleText, note: str, actor: Actor
    ) -> Revision: ...
    def queue(
        self, task: str, where: RuleFilter = EVERY_RULE, page: Page | None = None, actor: Actor = ANYBODY
    ) -> tuple[RuleSummary, ...]:
        """Return rules in the order of the queue, each as the actor may see it now."""
        ...

    def count(self, task: str, where: RuleFilter = EVERY_RULE) -> int: ...
    def summary(self, rule_id: str, actor: Actor = ANYBODY) -> RuleSummary: ...
    def titles(self, rule_ids: Sequence[str]) -> dict[str, str]:
        """Return the titles of rules as they are now, in the order given; those that are not there are left out."""
        ...

    def revisions(self, hashes: Sequence[str]) -> dict[str, Revision]:
        """Return revisions by hash; those that are not there are left out."""
        ...

    def sources(self, rules: Sequence[CompiledRule]) -> tuple[RuleSource, ...]:
        """Return what each of these rules of a prompt was compiled from, in their order."""
        ...

    def neighbours(self, rule_id: str, where: RuleFilter = EVERY_RULE) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the filtered queue, None at the ends."""
        ...

    def dossier(self, rule_id: str, actor: Actor) -> RuleDossier:
        """Return everything about a rule that the actor may see of it now."""
        ...

    def signatures(self, decisions: Sequence[Decision]) -> dict[int, Signature]:
        """Return what was recorded with the signature of each of these decisions, by its number."""
        ...

    def standing(self, rule_id: str) -> Standing:
        """Return what the guard knows of the newest revision."""
        ...

    def origins(self, task: str) -> frozenset[str]: ...
    def in_force(self, task: str) -> tuple[tuple[Revision, CompiledRule, int], ...]:
        """Return (approved revision, its manifest line numbered 0, number of supporting examples) for each rule."""
        ...

    def ids_in_force(self, task: str) -> tuple[str, ...]:
        """Return the ids of the rules that `in_force` tells of, in the same order."""
        ...

    def size_in_force(self, task: str) -> TextSize:
        """Return how much text the rules have that `in_force` tells of, without reading it."""
        ...


class LineageStore(Protocol):
    """What rules rest on, how that changes, and which rules overlap."""

    def enter(self, task: str, rules: Sequence[NewRule], actor: Actor) -> tuple[str, ...]:
        """Store the rules of one reply and bring them into review, all or none; return their ids.

        A rule whose origin has one already is left out.
        """
        ...

    def standing(self, task: str) -> tuple[StandingRule, ...]:
        """Return all rules of a task as they stand, in the order of their numbers."""
        ...

    def update(self, task: str, updates: Sequence[EvidenceUpdate], active: frozenset[str], actor: Actor) -> UpdateCount:
        """Give rules their new evidence where `lineage.takes_over` says so, and note what they go on as.

        An approved revision goes stale by it, half a decision (a first approval, a dispute) is begun again. A rule
        whose labels changed meanwhile is left alone. Evidence and decisions so far are kept.
        """
        ...

    def trace(self, rule_id: str, actor: Actor = ANYBODY) -> RuleTrace:
        """Return where a rule comes from, and the changes of its evidence that the actor may see now."""
        ...

    def note_overlaps(self, task: str, compared: Sequence[str], overlaps: Sequence[Overlap]) -> None:
        """Replace the overlaps of a task; `compared` are the hashes of the revisions that were looked at.

        What was approved without knowing a rule that is found now to overlap it goes stale.
        """
        ...

    def overlaps(self, task: str, rule_id: str = "") -> tuple[OverlapPair, ...]:
        """Return the overlaps of live rules whose newest revisions were compared, closest first."""
        ...

    def uncompared(self, task: str) -> tuple[str, ...]:
        """Return the ids of live rules whose newest revision was not compared with the others yet."""
        ...
