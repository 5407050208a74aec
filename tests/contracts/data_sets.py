"""Small data sets for the suites of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pld_core.canonical import Json, hash_json
from pld_core.models import Actor, Example, Task
from pld_core.ports import Store
from pld_core.records import Dataset, ImportRow, NewDataset
from tests.factories import ANNA, make_task


def about(
    file: str = "posts.csv", content: str = "1", params: Mapping[str, Json] | None = None, report: Json = None
) -> NewDataset:
    """Return what is known of a file; `content` stands for its bytes."""
    return NewDataset(
        file, hash_json(content), "row", "csv 1", {"seed": 7} if params is None else params, {"rows": report}
    )


def numbered(examples: Iterable[Example], first: int = 2) -> list[ImportRow]:
    """Number the examples as a spreadsheet does: the header is row 1."""
    return [ImportRow(number, example) for number, example in enumerate(examples, first)]


def load(
    store: Store,
    examples: Sequence[Example],
    content: str = "1",
    file: str = "posts.csv",
    actor: Actor = ANNA,
    task: Task | None = None,
) -> Dataset:
    """Import examples as a file of its own and return its data set."""
    return store.data.add(task or make_task(), about(file, content), numbered(examples), actor)[0]
