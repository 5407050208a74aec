"""Answers to one question, counted, and whether a change of the prompt changed the label."""

from __future__ import annotations

import pytest

from pld_core.models import Answer, AnswerStatus
from pld_core.repeated_answers import Flip, Flips, tally


def said(label: str | None, status: AnswerStatus = AnswerStatus.OK) -> Answer:
    return Answer(label, label or "?", status, 1)


NONE = said(None, AnswerStatus.MALFORMED)
STOPPED = said(None, AnswerStatus.STOPPED)


@pytest.mark.parametrize(
    ("answers", "counts", "flips", "words"),
    [
        ([], (), 0, "no answer of 0"),
        ([said("keep")], (("keep", 1),), 0, "keep 1 of 1"),
        ([said("keep")] * 5, (("keep", 5),), 0, "keep 5 of 5; all the same"),
        (
            [said("keep"), said("remove"), said("keep"), said("keep"), NONE],
            (("keep", 3), ("remove", 1), (None, 1)),
            2,
            "keep 3, remove 1, no label 1 of 5; 2 differ from the most frequent",
        ),
        ([NONE, NONE, said("b")], (("b", 1), (None, 2)), 1, "b 1, no label 2 of 3; 1 differs from the most frequent"),
        ([said("b"), said("a")], (("a", 1), ("b", 1)), 1, "a 1, b 1 of 2; 1 differs from the most frequent"),
        ([said("keep"), STOPPED], (("keep", 1),), 0, "keep 1 of 1"),
    ],
)
def test_answers_are_counted_and_what_was_stopped_is_none(
    answers: list[Answer], counts: tuple[tuple[str | None, int], ...], flips: int, words: str
) -> None:
    found = tally(answers)
    assert (found.counts, found.flips, found.words) == (counts, flips, words)
    assert found.as_json() == {
        "n": found.n,
        "counts": [{"label": label, "times": times} for label, times in counts],
        "flips": flips,
    }


@pytest.mark.parametrize(
    ("before", "after", "changed", "words"),
    [
        (said("keep"), said("remove"), True, "keep → remove: changed"),
        (said("keep"), said("keep"), False, "keep → keep: the same"),
        (said("keep"), NONE, True, "keep → no label (malformed): changed"),
        (NONE, said(None, AnswerStatus.REFUSED), False, "no label (malformed) → no label (refused): the same"),
        (STOPPED, said("keep"), None, "no label (stopped) → keep: cannot be told"),
        (said("keep"), said(None, AnswerStatus.UNVERIFIED), None, "keep → no label (unverified): cannot be told"),
        (said("keep"), said(None, AnswerStatus.FAILED), None, "keep → no label (failed): cannot be told"),
    ],
)
def test_a_flip_says_whether_the_label_is_another_one(
    before: Answer, after: Answer, changed: bool | None, words: str
) -> None:
    flip = Flip(before, after)
    assert (flip.changed, flip.words) == (changed, words)
    assert flip.as_json() == {"before": before.label, "after": after.label, "changed": changed}


SAME, OTHER = Flip(said("keep"), said("keep")), Flip(said("keep"), said("remove"))
OPEN = Flip(STOPPED, said("keep"))


@pytest.mark.parametrize(
    ("pairs", "changed", "words"),
    [
        ((OTHER,), True, "keep → remove: changed"),
        ((SAME, SAME), False, "changed in 0 of 2"),
        ((SAME, OTHER, SAME, OTHER), True, "changed in 2 of 4 (seeds 1, 3)"),
        ((SAME, OPEN), None, "changed in 0 of 2; cannot be told in 1"),
        ((OPEN, OTHER), True, "changed in 1 of 2 (seeds 1); cannot be told in 1"),
    ],
)
def test_several_pairs_are_one_finding(pairs: tuple[Flip, ...], changed: bool | None, words: str) -> None:
    assert (Flips(pairs).changed, Flips(pairs).words) == (changed, words)
