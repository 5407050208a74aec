"""What leaving rules out needs from a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pld_core.ablation import Ablation, StoredAblation
from pld_core.effect import StudentKey
from pld_core.models import Actor


class AblationStore(Protocol):
    """What was measured by leaving rules out of the prompt of a run."""

    def affected(self, run_id: int, rule_id: str) -> frozenset[str]:
        """Return the hashes of the run's examples that the rule claims by any method, its own sources included."""
        ...

    def record(self, ablation: Ablation, actor: Actor) -> StoredAblation:
        """Store an ablation with its event; an equal one is returned, not added.

        Raises:
            MissingRole: the actor may not evaluate.
        """
        ...

    def of_run(self, run_id: int) -> tuple[StoredAblation, ...]:
        """Return the newest ablation of each rule and scope in a run, newest first."""
        ...

    def at_fault(self, student: StudentKey, prompt_sha256: str) -> Mapping[str, frozenset[str]]:
        """Return the ids of the rules of a prompt without which the student's answer was right, by example hash.

        Only answers that are wrong with the rule are named; the newest measurement of each rule and example counts.
        """
        ...
