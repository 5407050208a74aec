"""What is different between two versions, rule by rule and word by word, and how both did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from pld_core.compilation import Choices
from pld_core.metrics import cells_of
from pld_core.models import Prediction, Revision
from pld_core.paired import Pair
from pld_core.prompt_diff import Change, PromptDiff, compare
from pld_core.prompt_figures import Counted, Paired, side_by_side
from pld_core.prompt_manifest import RuleOrder
from pld_core.prompt_style import Style
from pld_core.proportion import Proportion
from pld_core.word_diff import marked, unmoved, word_pieces
from tests.core.prompt_parts import REVISIONS, THREE, candidate, reworded, version
from tests.core.test_prompt_budget import answers, run
from tests.factories import LABELS, make_task

NEW = candidate("R9", "the post sells something", 9)
KINDER = reworded(THREE[0], "the post is very friendly")
KNOWN = {**REVISIONS, NEW[0].hash: NEW[0], KINDER[0].hash: KINDER[0]}


def known(hashes: Sequence[str]) -> Mapping[str, Revision]:
    return {one: KNOWN[one] for one in hashes}


def changes(found: PromptDiff) -> list[tuple[str, Change, int, int]]:
    return [(rule.rule_id, rule.change, rule.before, rule.after) for rule in found.rules]


def test_a_version_does_not_differ_from_itself() -> None:
    found = compare(version(1), version(1), known)
    assert (found.is_same, found.rules, found.facts) == (True, (), ())


def test_rules_are_added_changed_and_removed() -> None:
    found = compare(version(1), version(2, (KINDER, THREE[1], NEW)), known)
    assert changes(found) == [
        ("R9", Change.ADDED, 0, 1),
        ("R1", Change.CHANGED, 1, 2),
        ("R3", Change.REMOVED, 3, 0),
    ]
    assert marked(found.rules[1].pieces) == "IF the post is {+very+} friendly, THEN keep."
    assert marked(found.rules[2].pieces) == "[-IF the post is about the weather, THEN keep.-]"
    assert not found.is_same


def test_a_rule_that_only_gets_another_number_has_not_moved() -> None:
    assert changes(compare(version(1, THREE[1:]), version(2), known)) == [("R1", Change.ADDED, 0, 1)]


def test_a_rule_that_stands_elsewhere_has_moved() -> None:
    order = RuleOrder(("R3", "R1", "R2"), "x")
    found = compare(version(1), version(2, choices=Choices(order=order)), known)
    assert changes(found) == [("R3", Change.MOVED, 3, 1)]
    assert [(f.name, f.before, f.after) for f in found.facts] == [("order", "by rank", "R3, R1, R2")]


def test_guideline_labels_style_and_rules_left_out_are_told() -> None:
    task = replace(make_task(guideline="Remove what harms."), guideline_version=2)
    choices = Choices(Style.CITED, leave_out=("R3",), reason="x")
    found = compare(version(1), version(2, choices=choices, task=task), known)
    assert {f.name: (f.before, f.after) for f in found.facts} == {
        "style": ("label only", "label, then the rules it rests on (for an audit)"),
        "rules left out": ("none", "R3"),
        "guideline version": ("1", "2"),
    }
    text = [marked(word_pieces(piece.before, piece.after)) for piece in found.text if not piece.is_same]
    assert text[0] == "[-Keep-] {+Remove+} what [-harms nobody.-] {+harms.+}"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ""),
        ("a b", "a b", "a b"),
        ("a b c", "a c", "a [-b-] c"),
        ("", "x y", "{+x y+}"),
        ("a", "b", "[-a-] {+b+}"),
    ],
)
def test_changed_words_are_marked(before: str, after: str, told: str) -> None:
    assert marked(word_pieces(before, after)) == told


def test_what_did_not_move() -> None:
    assert unmoved(["a", "b", "c"], ["c", "a", "b"]) == ("a", "b")
    assert unmoved([], []) == ()


def counts_of(told: Mapping[int, Sequence[Prediction]]) -> tuple[Counted, Paired]:
    """Return what a store counts of these answers."""

    def paired(before: int, after: int) -> Counter[Pair]:
        was = {(p.example_hash, p.gold): p.answer.label for p in told[before]}
        both = [p for p in told[after] if (p.example_hash, p.gold) in was]
        return Counter(Pair(p.gold, was[p.example_hash, p.gold], p.answer.label) for p in both)

    return lambda run: cells_of(told[run]), paired


def test_figures_stand_side_by_side_only_for_one_student_and_split() -> None:
    told = {1: answers("+--+"), 2: answers("++++"), 3: answers("----"), 4: answers("+")}
    runs = [run(1, 1), run(2, 2), run(3, 2, student="other"), run(4, 2, total=9)]
    rows = side_by_side(runs, 1, 2, LABELS, *counts_of(told))
    assert [(r.student, r.before.accuracy, r.after.accuracy) for r in rows] == [
        ("other", None, Proportion.of(0, 4)),
        ("told", Proportion.of(2, 4), Proportion.of(4, 4)),
    ]
    assert rows[0].comparison is None
    found = rows[1].comparison
    assert found is not None
    assert (found.fixed, found.broken, found.n, rows[1].to_do, rows[1].alone) == (2, 0, 4, (), 0)
    assert [(line.label, line.before, line.after, line.n) for line in rows[1].labels] == [
        ("keep", 2, 4, 4),
        ("remove", 0, 0, 0),
    ]
    assert side_by_side([], 1, 2, LABELS, *counts_of(told)) == ()


def test_a_missing_run_is_named_with_the_command_that_starts_or_resumes_it() -> None:
    told = {1: answers("+--+"), 2: answers("+")}
    (row,) = side_by_side([run(1, 1)], 1, 2, LABELS, *counts_of(told))
    (line,) = row.to_do
    assert line.startswith("Version 2 was not evaluated with these weights on validation. Start it: ")
    assert line.endswith("pld evaluate --task posts --prompt 2 --student told --split validation")
    (row,) = side_by_side([run(1, 1), run(2, 2)], 1, 2, LABELS, *counts_of(told))
    assert row.to_do == ("Run 2 of version 2 is not complete. Go on: pld evaluate --resume 2",)
    assert row.comparison is None


def test_the_comparison_has_an_interval_and_a_test_once_there_are_enough_examples() -> None:
    told = {1: answers("+" * 6 + "-" * 6), 2: answers("+" * 11 + "-")}
    (row,) = side_by_side([run(1, 1, total=12), run(2, 2, total=12)], 1, 2, LABELS, *counts_of(told))
    assert row.comparison is not None
    words = row.comparison.words
    assert "95 % interval +" in words
    assert words.endswith("fixed 5, broken 0 of 12 examples, McNemar p = 0.062")
    value = row.as_json()["comparison"]
    assert isinstance(value, dict)
    assert value["mcnemar_p"] == 0.0625


def test_examples_of_one_run_only_are_counted_and_not_compared() -> None:
    told = {1: answers("+-++"), 2: answers("++")}
    (row,) = side_by_side([run(1, 1), run(2, 2, total=2)], 1, 2, LABELS, *counts_of(told))
    assert row.comparison is not None
    assert (row.comparison.n, row.comparison.fixed, row.alone) == (2, 1, 2)
    assert "2 examples are in one run only" in row.left_aside
