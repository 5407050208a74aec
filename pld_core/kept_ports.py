"""What is needed of a store for kept columns, and for runs cut by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from pld_core.metrics import Cell


class KeptStore(Protocol):
    """What rows of data sets say beside their examples. Only reads: an import writes it.

    Of several rows that hold one example, that of the newest data set counts, data sets in use before archived ones,
    and in it the first row; a row that gives nothing counts for nothing.
    """

    def columns(self, task: str) -> tuple[str, ...]:
        """Return the columns that data sets of a task keep, those of the newest first."""
        ...

    def values(self, task: str, example_hashes: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what is kept beside examples, by hash and column; what is not given is left out."""
        ...

    def cut_by_column(self, run_id: int, column: str) -> dict[str, Counter[Cell]]:
        """Return the answers of a run, counted by what a kept column says of their examples; empty where nothing."""
        ...

    def cut_by_dataset(self, run_id: int) -> dict[str, Counter[Cell]]:
        """Return the answers of a run, counted by the data set that their example first came with."""
        ...
