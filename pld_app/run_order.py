"""What somebody orders when they evaluate: one run as a job's parameters, and many at once as a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pld_core.asking import Evaluation
from pld_core.canonical import Json
from pld_core.errors import MissingReason
from pld_core.models import Split
from pld_core.run_setup import PLAIN_SETUP, Repeats, RunSetup


@dataclass(frozen=True)
class RunOrder:
    """One run to be made."""

    task: str
    prompt: int
    student: str
    split: Split
    setup: RunSetup = PLAIN_SETUP

    def evaluation(self, job_id: int | None = None) -> Evaluation:
        return Evaluation(self.task, self.prompt, self.split, job_id, self.setup)

    @property
    def words(self) -> str:
        """Such as `prompt 3, embedded, validation, rules in another order, seed 2`."""
        parts = (f"prompt {self.prompt}", self.student, self.split.value, self.setup.words, self.setup.reason)
        return ", ".join(part for part in parts if part)

    def as_json(self) -> dict[str, Json]:
        """Return the parameters of its job; of the setup only what is not usual."""
        setup = self.setup
        told: dict[str, Json] = {
            "temperature": setup.temperature,
            "seed": setup.seed,
            "shuffled": setup.shuffled,
            "group": setup.group,
            "reason": setup.reason,
        }
        unusual = {name: value for name, value in told.items() if value}
        return {"prompt": self.prompt, "student": self.student, "split": self.split.value, **unusual}

    @classmethod
    def from_json(cls, task: str, params: Mapping[str, Json]) -> RunOrder:
        """Read the parameters of a job."""
        setup = RunSetup(
            temperature=float(str(params.get("temperature", 0))),
            seed=int(str(params.get("seed", 0))),
            shuffled=bool(params.get("shuffled", False)),
            group=str(params.get("group", "")),
            reason=str(params.get("reason", "")),
        )
        return cls(task, int(str(params["prompt"])), str(params["student"]), Split(str(params["split"])), setup)


@dataclass(frozen=True)
class MatrixOrder:
    """Prompts x students x splits, each cell asked as often as `repeats` says.

    Attributes:
        reason: why the test split is looked at, if it is among the splits.
    """

    task: str
    prompts: tuple[int, ...]
    students: tuple[str, ...]
    splits: tuple[Split, ...] = (Split.VALIDATION,)
    repeats: Repeats = field(default_factory=Repeats)
    reason: str = ""

    def because(self, reason: str) -> MatrixOrder:
        """Return the order with a reason for looking at the test split."""
        return replace(self, reason=" ".join(reason.split()))

    def runs(self, group: str) -> tuple[RunOrder, ...]:
        """Return the runs in the order in which they are made.

        All runs of a prompt with a student follow each other, and each run is finished before the next: the server
        keeps what it read of the prompt.

        Args:
            group: begins the name of the groups of repeats.

        Raises:
            InvalidInput: as `Repeats.setups`.
            MissingReason: the test split is looked at without saying why.
        """
        if Split.TEST in self.splits and not self.reason.strip():
            raise MissingReason(
                "A look at the test split needs a reason, which is kept and shown. Nothing was asked. Say why, or "
                "choose the validation split."
            )
        return tuple(
            RunOrder(self.task, prompt, student, split, setup)
            for student in self.students
            for prompt in self.prompts
            for split in self.splits
            for setup in self.repeats.setups(
                f"{group}-{student}-{prompt}-{split.value}", self.reason if split is Split.TEST else ""
            )
        )
