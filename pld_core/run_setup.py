"""How a run asks, beyond its prompt, student and split. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.errors import InvalidInput

MOST_REPEATS = 20
HOTTEST = 2.0


@dataclass(frozen=True)
class RunSetup:
    """The choices of a run.

    Attributes:
        temperature: 0 to 2; above 0 the student draws lots for its words.
        seed: of those lots, and of the order of the rules; at least 0.
        shuffled: the rules stand in an order drawn with the seed, so the prompt is a trial and not the version itself.
        group: stands for all repeats of one order; empty for a run that is not repeated.
        options: hash of everything that a question is asked with, see `StudentKey`; empty for runs from before it was
            recorded.
        reason: why the test split was looked at; empty on the other splits.
    """

    temperature: float = 0.0
    seed: int = 0
    shuffled: bool = False
    group: str = ""
    options: str = ""
    reason: str = ""

    @property
    def is_trial(self) -> bool:
        """Whether its answers say nothing of the version as it is used: lots were drawn."""
        return self.temperature > 0 or self.shuffled

    @property
    def words(self) -> str:
        """Such as `temperature 0.7, seed 3`; empty for a plain run."""
        parts = [f"temperature {self.temperature:g}"] if self.temperature else []
        parts += ["rules in another order"] if self.shuffled else []
        return ", ".join([*parts, f"seed {self.seed}"] if parts or self.seed else [])

    def as_json(self) -> dict[str, Json]:
        return {
            "temperature": self.temperature,
            "seed": self.seed,
            "shuffled": self.shuffled,
            "group": self.group,
            "options": self.options,
        }


PLAIN_SETUP = RunSetup()


@dataclass(frozen=True)
class Repeats:
    """How often a cell is asked, and what differs between the repeats: the seed, with which lots are drawn.

    Attributes:
        number: 1 to 20.
    """

    number: int = 1
    temperature: float = 0.0
    shuffled: bool = False
    seed: int = 0

    def setups(self, group: str, reason: str = "") -> tuple[RunSetup, ...]:
        """Return the choices of each repeat, seeds counting up.

        Raises:
            InvalidInput: the repeats would be equal, or a number is out of its range.
        """
        if not 1 <= self.number <= MOST_REPEATS or not 0 <= self.temperature <= HOTTEST or self.seed < 0:
            raise InvalidInput(
                f"There can be 1 to {MOST_REPEATS} repeats, at a temperature of 0 to {HOTTEST:g}, with seeds from 0 "
                "on. Nothing was asked."
            )
        if self.number > 1 and not (self.temperature or self.shuffled):
            raise InvalidInput(
                "Repeats at temperature 0 with the rules in the same order ask the same again. Nothing was asked. Set "
                "a temperature above 0, or have the rules shuffled."
            )
        name = group if self.number > 1 else ""
        seeds = range(self.seed, self.seed + self.number)
        return tuple(RunSetup(self.temperature, seed, self.shuffled, name, reason=reason) for seed in seeds)
