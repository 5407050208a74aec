"""What is needed of a store for findings."""

from __future__ import annotations

from typing import Protocol

from pld_core.finding import Finding, Marking, Settlement
from pld_core.models import Actor


class FindingStore(Protocol):
    """Marked answers and what became of them; both are only added to."""

    def mark(self, marking: Marking, actor: Actor) -> Finding:
        """Record what a person says of an answer; an earlier mark of the same person on it counts no more.

        Raises:
            MissingRole: the actor may not mark answers.
            NotFound: there is no such answer or rule.
            InvalidInput, MissingReason: as `finding.checked`; or the answer is one of another task.
        """
        ...

    def attach(self, number: int, rule_id: str, actor: Actor) -> Finding:
        """Say that a finding is about a rule of its task, too."""
        ...

    def settle(self, settlement: Settlement, actor: Actor) -> Finding:
        """Take a finding as evidence of a rule, or dismiss it there.

        Taking it makes its input a training example and gives the rule a new version of its evidence, with the
        consequences that a tick has; all of it in one transaction.

        Raises:
            InvalidInput: it does not wait there, or its input cannot be evidence.
            MissingReason: it is dismissed without a reason.
            RevisionMovedOn: the revision on the screen was out of date.
            IllegalTransition: the rule's newest revision is final.
        """
        ...

    def get(self, number: int) -> Finding: ...
    def all(self, task: str) -> tuple[Finding, ...]:
        """Return the findings of a task, newest first."""
        ...

    def of_rule(self, rule_id: str) -> tuple[Finding, ...]:
        """Return the findings about a rule, newest first, replaced ones left out."""
        ...

    def count_open(self, task: str) -> int:
        """Return how many findings of a task still need somebody."""
        ...
