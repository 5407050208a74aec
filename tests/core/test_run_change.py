"""Two runs by counts: the same figures as example by example, and what became of each label; the learning curve."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.learning_curve import learning_curve
from pld_core.metrics import Cell
from pld_core.models import Run, Split
from pld_core.paired import Pair, compare, compare_counted
from pld_core.run_change import change_of
from tests.factories import LABELS

RUN = Run(1, "posts", 1, "sha256:p", "told", "sha256:w", Split.VALIDATION, "", "anna", 12, None)
SAID = st.sampled_from([*LABELS, None])
PAIRS = st.lists(st.builds(Pair, st.sampled_from(LABELS), SAID, SAID), min_size=1, max_size=30)


@given(PAIRS)
def test_counted_pairs_are_compared_as_pairs_are(pairs: list[Pair]) -> None:
    found = change_of(LABELS, RUN, replace(RUN, id=2), Counter(pairs), 2 * len(pairs))
    assert found.figures == compare(LABELS, pairs) == compare_counted(LABELS, Counter(pairs))
    assert sum(one.fixed for one in found.changes) == found.figures.fixed
    assert sum(one.broken for one in found.changes) == found.figures.broken
    assert all(one.only_in_one == 0 for one in found.changes)
    assert found.apart == 0


def test_each_label_is_told_apart_and_examples_of_one_run_only_are_counted() -> None:
    pairs = {Pair("keep", None, "keep"): 3, Pair("keep", "keep", "remove"): 2, Pair("remove", "keep", None): 4}
    found = change_of(LABELS, RUN, replace(RUN, id=2), pairs, 23)
    keep, remove = found.changes
    assert (keep.label, keep.before, keep.after, keep.fixed, keep.broken, keep.still_wrong) == ("keep", 2, 3, 3, 2, 0)
    assert (remove.fixed, remove.broken, remove.still_wrong) == (0, 0, 4)
    assert found.apart == 5
    assert found.as_json()["answered_by_one_only"] == 5


def test_runs_without_a_common_example_are_not_compared() -> None:
    with pytest.raises(InvalidInput, match="no example in common"):
        change_of(LABELS, RUN, replace(RUN, id=2), {}, 24)


def test_the_curve_holds_the_newest_complete_run_of_each_version() -> None:
    runs = [
        RUN,
        replace(RUN, id=2),
        replace(RUN, id=3, prompt_number=2),
        replace(RUN, id=4, prompt_number=2, student="other"),
        replace(RUN, id=5, prompt_number=2, digest="sha256:other"),
        replace(RUN, id=6, prompt_number=2, split=Split.TEST),
        replace(RUN, id=7, prompt_number=3),
        replace(RUN, id=8, prompt_number=4),
    ]
    complete, begun = Counter({Cell("keep", "keep"): 12}), Counter({Cell("keep", "keep"): 5})

    def counted(run_id: int) -> Counter[Cell]:
        return begun if run_id == 7 else complete

    points = learning_curve(LABELS, runs, RUN, {1, 2, 3}, counted)
    assert [(point.run.prompt_number, point.run.id) for point in points] == [(1, 2), (2, 3)]
    assert points[0].as_json()["n"] == 12
    assert points[0].macro_f1.value == 0.5
