"""What measuring the effect of rules needs from a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pld_core.effect import Effect, StoredEffect, StudentKey
from pld_core.models import Actor, Answer


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as it is cached: what the student said to an example under a prompt."""

    prompt_sha256: str
    example_hash: str
    answer: Answer


class EffectStore(Protocol):
    """The student's answers by prompt, student and example, and the effects that were measured with them."""

    def answers(self, student: StudentKey, prompt_sha256: str, example_hashes: Sequence[str]) -> dict[str, Answer]:
        """Return the answers to those of the examples that have one, by hash."""
        ...

    def keep(self, student: StudentKey, answers: Sequence[KeptAnswer]) -> None:
        """Keep answers; where there is one already, it stays."""
        ...

    def record(self, effect: Effect, actor: Actor) -> StoredEffect:
        """Store an effect with its event; an equal one is returned, not added.

        Raises:
            MissingRole: the actor may not measure effects.
        """
        ...

    def of_rule(self, rule_id: str) -> tuple[StoredEffect, ...]:
        """Return the measured effects of a rule, newest first."""
        ...
