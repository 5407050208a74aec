"""What is needed of a store for tasks and their data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pld_core.canonical import Json
from pld_core.models import Actor, Example, Split, Task
from pld_core.records import (
    EVERY_EXAMPLE,
    ColumnChoice,
    Dataset,
    ExampleFilter,
    ImportOutcome,
    ImportRow,
    LabelConflict,
    NewDataset,
    Page,
    TaskCounts,
)


class TaskStore(Protocol):
    def add(self, task: Task, actor: Actor) -> None: ...
    def get(self, name: str) -> Task: ...
    def all(self) -> tuple[Task, ...]: ...
    def counts(self, name: str) -> TaskCounts: ...
    def import_examples(self, task: str, examples: Sequence[Example], source: str, actor: Actor) -> ImportOutcome: ...
    def create_with_examples(
        self, task: Task, examples: Sequence[Example], source: str, actor: Actor
    ) -> ImportOutcome: ...
    def example(self, task: str, example_hash: str) -> Example: ...
    def examples(
        self, task: str, where: ExampleFilter = EVERY_EXAMPLE, page: Page | None = None
    ) -> tuple[Example, ...]: ...
    def count_examples(self, task: str, where: ExampleFilter = EVERY_EXAMPLE) -> int: ...
    def longest_input(self, task: str) -> int:
        """Return the size of the largest active example in bytes of UTF-8, 0 without any."""
        ...

    def split_table(self, task: str) -> dict[tuple[Split, str], int]: ...


class DataStore(Protocol):
    """Data sets: what was imported from which file, and what became of it."""

    def add(self, task: Task, dataset: NewDataset, rows: Iterable[ImportRow], actor: Actor) -> tuple[Dataset, int]:
        """Import a data set in one transaction and return it with the number of examples that were new.

        The task is made if there is none of its name. The same file with the same params whose data set is still active
        is returned as it is, with 0. An example that is there already keeps its split. Examples whose text now stands
        there with two labels become `conflict`.

        Raises:
            InvalidInput: a label that the task does not declare, or a field that it needs and the example lacks.
        """
        ...

    def get(self, dataset_id: int) -> Dataset: ...
    def all(self, task: str) -> tuple[Dataset, ...]:
        """Return the data sets of a task that are not deleted, newest first."""
        ...

    def resting(self, dataset_id: int) -> tuple[str, ...]:
        """Return the ids of rules whose evidence would be lost with the data set, in the order of their numbers."""
        ...

    def archive(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Take its examples out of use, except those that another active data set holds too; they stay readable."""
        ...

    def restore(self, dataset_id: int, actor: Actor) -> None: ...
    def delete(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Delete its examples, except those that another data set holds too; its record and report stay.

        Raises:
            DataInUse: rules, instructions or predictions rest on its examples; archiving is the way out.
        """
        ...

    def conflicts(self, task: str, page: Page | None = None) -> tuple[LabelConflict, ...]:
        """Return the unsettled label conflicts, oldest first."""
        ...

    def count_conflicts(self, task: str) -> int: ...
    def settle(self, task: str, text_hash: str, keep: str, reason: str, actor: Actor) -> None:
        """Settle a conflict: the example with hash `keep` becomes active (empty: none), the others are withdrawn.

        Raises:
            NotFound: no such unsettled conflict, or `keep` is none of its examples.
            MissingReason: the reason is empty.
        """
        ...

    def resplit(self, task: str, splits: Mapping[str, Split], seed: int, actor: Actor) -> int:
        """Give examples (by hash) new splits; return how many changed. Those not named keep theirs.

        Raises:
            DataInUse: an example with an instruction would leave train.
        """
        ...

    def instructed(self, task: str) -> frozenset[str]:
        """Return the hashes of the examples that an instruction was made from; they have to stay in train."""
        ...

    def remember_columns(self, shape: str, choice: Mapping[str, Json], actor: Actor) -> None: ...
    def remembered_columns(self, shape: str) -> ColumnChoice | None: ...
    def rules_of(self, task: str, example_hash: str) -> tuple[str, ...]:
        """Return the ids of rules with the example in the evidence of their newest revision."""
        ...
