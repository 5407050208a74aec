"""The figures of a run: the numbers they draw, what a click on them means, and that data stays text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace

import pytest

from pld_app.components.charts.chart_frame import Chart
from pld_app.components.charts.curve import curve_chart
from pld_app.components.charts.flips import flips_chart
from pld_app.components.charts.look import HARM, RIGHT
from pld_app.components.charts.matrix import matrix_chart
from pld_app.components.charts.shares import shares_chart
from pld_app.components.charts.statement import Statement
from pld_app.components.charts.waterfall import MOST_LABELS, Step, steps_of, waterfall_chart
from pld_core.analytics import INVALID, LabelChange
from pld_core.effect import Outcome
from pld_core.learning_curve import CurvePoint
from pld_core.metrics import Cell, figures
from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split
from pld_core.paired import Pair
from pld_core.proportion import Proportion
from pld_core.run_change import change_of
from pld_core.stability import stability

LABELS = ("keep", "remove")
NASTY = '<a href="http://evil.test">click</a>'
RUN = Run(12, "posts", 3, "sha256:p", "embedded", "sha256:w", Split.VALIDATION, "2026-01-02", "anna", 30, None)
OLD = replace(RUN, id=7, prompt_number=2)
CELLS = Counter(
    {
        Cell("keep", "keep"): 9,
        Cell("keep", "remove"): 4,
        Cell("remove", "remove"): 12,
        Cell("remove", "keep"): 2,
        Cell("remove", None, AnswerStatus.MALFORMED): 2,
        Cell("remove", None, AnswerStatus.CUT): 1,
    }
)
PAIRS = {
    Pair("keep", "keep", "keep"): 5,
    Pair("keep", "remove", "keep"): 4,
    Pair("keep", "keep", "remove"): 1,
    Pair("remove", None, "remove"): 2,
    Pair("remove", "remove", None): 6,
    Pair("remove", "keep", None): 3,
}


def table(chart: Chart) -> list[list[str]]:
    return list(csv.reader(io.StringIO(chart.csv)))


def test_the_matrix_holds_every_answer_and_those_without_a_label_in_a_column_of_their_own() -> None:
    chart = matrix_chart(RUN, LABELS, figures(LABELS, CELLS))
    assert [row[:3] for row in table(chart)[1:]] == [
        ["keep", "keep", "9"],
        ["keep", "remove", "4"],
        ["remove", "keep", "2"],
        ["remove", "remove", "12"],
        ["remove", INVALID, "3"],
    ]
    assert "run 12" in chart.statement.line
    assert "n = 30 answers" in chart.statement.line


def test_a_click_means_a_kind_of_wrong_answer_and_right_answers_are_framed() -> None:
    _, marks, frames = matrix_chart(RUN, LABELS, figures(LABELS, CELLS)).figure.data
    means = [tuple(one) for one in marks.customdata]
    assert means == [(), ("keep", "remove"), ("remove", "keep"), (), ("remove", INVALID)]
    assert list(frames.x) == list(frames.y) == ["keep", "remove"]


def test_the_matrix_of_one_label_has_no_scale_that_finds_no_room() -> None:
    alone = matrix_chart(RUN, ("keep",), figures(("keep",), Counter({Cell("keep", "keep"): 9})))
    assert not alone.figure.data[0].showscale
    three = ("keep", "remove", "hide")
    assert matrix_chart(RUN, three, figures(three, CELLS)).figure.data[0].showscale


def test_labels_that_are_cut_alike_have_columns_of_their_own() -> None:
    long = ("a label of many words, first", "a label of many words, second")
    chart = matrix_chart(RUN, long, figures(long, {Cell(long[0], long[1]): 3}))
    assert len(set(chart.figure.data[0].x)) == 3


def test_a_label_that_nobody_declared_has_a_row_and_is_no_html() -> None:
    chart = matrix_chart(RUN, LABELS, figures(LABELS, {Cell(NASTY, "keep"): 3}))
    assert table(chart)[1][:3] == [NASTY, "keep", "3"]
    heat, marks, _ = chart.figure.data
    assert not [text for text in (*heat.x, *heat.y, *marks.hovertext) if "<a" in text]


def test_the_waterfall_goes_from_no_change_to_the_sum() -> None:
    found = change_of(LABELS, OLD, RUN, PAIRS, 42)
    steps = steps_of(found.changes)
    assert [(s.label, s.outcome, s.start, s.end) for s in steps] == [
        ("remove", Outcome.FIXED, 0, 2),
        ("remove", Outcome.BROKEN, 2, -4),
        ("keep", Outcome.FIXED, -4, 0),
        ("keep", Outcome.BROKEN, 0, -1),
    ]
    chart = waterfall_chart(found)
    fixed, broken, total = chart.figure.data
    assert (fixed.marker.color, broken.marker.color) == (RIGHT, HARM)
    assert list(broken.base) == [-4, -1]
    assert [tuple(one) for one in broken.customdata] == [("broken", "remove"), ("broken", "keep")]
    assert list(total.x) == [-1]
    assert "against run 7" in chart.statement.line


def test_of_many_labels_those_with_the_fewest_changes_share_a_line() -> None:
    many = [LabelChange(f"l{i:02}", 0, 0, fixed=i, broken=0, still_wrong=0) for i in range(1, MOST_LABELS + 4)]
    steps = steps_of(many)
    assert len(steps) == MOST_LABELS + 1
    assert steps[-1] == Step("", Outcome.FIXED, sum(range(4, MOST_LABELS + 4)), 1 + 2 + 3)


def test_changed_labels_that_are_cut_alike_have_bars_of_their_own() -> None:
    long = ("disclosure to a person of trust", "disclosure to a person of rank")
    found = change_of(long, OLD, RUN, {Pair(label, long[1 - n], label): 12 for n, label in enumerate(long)}, 24)
    assert list(waterfall_chart(found).figure.data[0].y) == ["disclosure to a p… fixed", "disclosure to a p… (2) fixed"]


def test_a_label_keeps_its_name_in_all_its_bars() -> None:
    found = change_of(LABELS, OLD, RUN, PAIRS, 24)
    fixed, broken, _ = waterfall_chart(found).figure.data
    assert {*fixed.y, *broken.y} == {f"{label} {how}" for label in LABELS for how in ("fixed", "broken")}


def test_a_run_that_changed_nothing_makes_a_waterfall_of_its_sum_alone() -> None:
    found = change_of(LABELS, OLD, RUN, {Pair("keep", "keep", "keep"): 12}, 24)
    assert steps_of(found.changes) == ()
    assert list(waterfall_chart(found).figure.data[2].x) == [0]


def test_the_curve_marks_the_run_and_leaves_out_versions_with_few_answers() -> None:
    few = CurvePoint(replace(OLD, id=5, prompt_number=1), figures(LABELS, {Cell("keep", "keep"): 9}))
    points = [few, CurvePoint(OLD, figures(LABELS, CELLS)), CurvePoint(RUN, figures(LABELS, CELLS))]
    chart = curve_chart(RUN, points)
    (line,) = chart.figure.data
    assert list(line.marker.symbol) == ["circle", "star"]
    assert len(chart.figure.layout.xaxis.categoryarray) == 3
    assert table(chart)[1][:6] == ["1", "5", "9", "", "", ""]
    assert float(table(chart)[2][3]) == pytest.approx(figures(LABELS, CELLS).macro_f1.value or 0, abs=1e-4)


def test_shares_of_fewer_than_ten_are_dots() -> None:
    parts = [("much", Proportion.of(8, 10)), (NASTY, Proportion.of(2, 5))]
    chart = shares_chart("parts", "Accuracy", Statement(RUN, 15), parts)
    rates, right, wrong = chart.figure.data
    assert (list(rates.x), len(right.x), len(wrong.x)) == ([0.8], 2, 3)
    assert [row[:4] for row in table(chart)[1:]] == [["much", "10", "8", "0.8000"], [NASTY, "5", "2", ""]]
    assert "<a" not in str(chart.figure.layout.yaxis.ticktext)


def repeat(changed: range) -> list[Prediction]:
    """Return answers to 12 examples to keep and 4 to remove; those at these places say the other label."""
    gold = ["keep"] * 12 + ["remove"] * 4
    said = [LABELS[(LABELS.index(label) + (place in changed)) % 2] for place, label in enumerate(gold)]
    pairs = enumerate(zip(gold, said, strict=True))
    return [Prediction(f"sha256:{n}", g, Answer(s, s, AnswerStatus.OK, 5)) for n, (g, s) in pairs]


def test_flips_stand_label_by_label_with_an_interval_and_few_examples_have_no_rate() -> None:
    found = stability(LABELS, [repeat(range(0)), repeat(range(9, 14))])
    chart = flips_chart([OLD, RUN], "temperature 0.7", found)
    assert "repeats: runs 7, 12, temperature 0.7" in chart.statement.line
    heading, *rows = table(chart)
    assert heading[:6] == ["part", "examples", "changed", "share changed", "interval low", "interval high"]
    assert [row[:4] for row in rows] == [
        ["all labels", "16", "5", "0.3125"],
        ["keep", "12", "3", "0.2500"],
        ["remove", "4", "2", ""],
    ]
    shares, changed, steady = chart.figure.data
    assert list(shares.y) == [0, 1]
    assert (len(changed.x), len(steady.x)) == (2, 2)
    assert shares.marker.color != RIGHT


def test_a_picture_says_what_it_shows() -> None:
    chart = matrix_chart(RUN, LABELS, figures(LABELS, CELLS))
    assert "<b>Gold label against answer</b>" in chart.figure.layout.title.text
