"""What the tests of this folder share: rows, and the way from them to a plan as an import takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from pld_core.importers.rows import ColumnMap
from pld_core.models import Example, Task
from pld_core.records import ImportRow
from pld_core.validation.facts import Facts, ImportChoices, read_facts, rows_to_import
from pld_core.validation.plan import ImportPlan, TaskWords, find_pairs, plan_import
from tests.factories import ListSource, make_task, no_report

Row = Mapping[str, str]
COLUMNS = ColumnMap(label="label", inputs=("post",))
WITH_SPLIT = ColumnMap(label="label", inputs=("post",), split="split", group="group")
TEXT = "the parcel came late and wet so i want my money back today or a new one from you by next friday at noon"
WORDS = TEXT.split()


def sentence(seed: int) -> str:
    """Return 20 words in another order for each seed; no two are nearly the same."""
    return " ".join(WORDS[(seed * 7 + i * (seed % 5 + 1)) % len(WORDS)] + str(seed) * (i % 3 == 0) for i in range(20))


def row(post: str, label: str = "keep", split: str = "", group: str = "") -> dict[str, str]:
    return {"post": post, "label": label, "split": split, "group": group}


def rows_of(n: int) -> list[dict[str, str]]:
    """Return n rows of different texts, labels taking turns."""
    return [row(sentence(i), ("keep", "remove")[i % 2]) for i in range(n)]


def choose(columns: ColumnMap = COLUMNS, **others: Any) -> ImportChoices:
    return ImportChoices(columns, **others)


def facts_of(given: Sequence[Row], choices: ImportChoices, known: Sequence[Example] = ()) -> Facts:
    return read_facts(ListSource(given), choices, known, no_report)


def plan_of(
    given: Sequence[Row] | ListSource,
    choices: ImportChoices | None = None,
    known: Sequence[Example] = (),
    there: Task | None = None,
    words: TaskWords | None = None,
) -> ImportPlan:
    """Plan an import into a new task, or into `posts` if there are known examples."""
    source = given if isinstance(given, ListSource) else ListSource(given)
    chosen = choices or choose()
    facts = read_facts(source, chosen, known, no_report)
    task = there or (make_task() if known else None)
    return plan_import(source, facts, find_pairs(facts), task, words or TaskWords("posts"), chosen)


def imported(given: Sequence[Row], choices: ImportChoices, plan: ImportPlan) -> list[ImportRow]:
    return list(rows_to_import(ListSource(given), choices, plan.placements))


# Few different texts, so that copies, near copies and conflicts are common.
_TEXTS = st.one_of(
    st.integers(0, 6).map(sentence),
    st.integers(0, 6).map(lambda i: sentence(i).upper() + "!"),
    st.sampled_from(["", " ", "write to a@b.example", "!!!", "short"]),
)
_LABELS = st.sampled_from(["keep", "keep", "remove", "remove", "Keep ", "REMOVE", "other", "", " "])
_SPLITS = st.sampled_from(["train", "Test", "val", "dev", "", "holdout"])
_GROUPS = st.sampled_from(["", "", "g1", "g2"])
ANY_ROWS = st.lists(st.builds(row, _TEXTS, _LABELS, _SPLITS, _GROUPS), min_size=1, max_size=24)
ANY_CHOICES = st.builds(
    ImportChoices,
    st.sampled_from([COLUMNS, WITH_SPLIT]),
    accept_merges=st.booleans(),
    resplit=st.booleans(),
    seed=st.integers(0, 2),
)
