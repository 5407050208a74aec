"""The figures of the Errors page: the numbers they draw, their order, their words, and that data stays text."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from pld_app.components.charts.chart_frame import Chart
from pld_app.components.charts.coverage import coverage_chart
from pld_app.components.charts.heat import MOST_CONFUSIONS, confusion_heat, label_heat
from pld_app.components.charts.left_out import left_out_chart
from pld_app.components.charts.look import HARM, NO_RULE, RIGHT, WRONG, plain_label, rule_name, said_above, whole_steps
from pld_app.components.charts.name_places import Plot, sides_of_names
from pld_app.components.charts.overlap import overlap_chart
from pld_app.components.charts.rule_bars import bars_chart
from pld_app.components.charts.spread import spread_chart
from pld_app.components.charts.statement import Statement
from pld_app.components.charts.support_harm import LEAST_HARM, REACH, harm_chart
from pld_app.components.charts.trend import trend_chart
from pld_core.ablation import Ablated, Ablation, Scope, ShownAblation, StoredAblation, figures_of
from pld_core.analytics import (
    BarSort,
    ConfusionCell,
    HarmPoint,
    Histogram,
    LabelCell,
    LabelFigures,
    Quantity,
    RuleBar,
    RuleBars,
    SharedClaims,
    TrendPoint,
)
from pld_core.attribution import UNCOVERED, Method
from pld_core.effect import Case, StudentKey
from pld_core.metrics import cells_of
from pld_core.models import Prediction, Run, Split
from pld_core.proportion import Proportion
from tests.answering import answer_of

E = Method.EVIDENCE
NASTY = '<a href="http://evil.test">click</a> & <img src=x>'
RUN = Run(12, "nda", 3, "sha256:p", "embedded", "sha256:w", Split.VALIDATION, "2026-01-02", "anna", 60, None)
MANY = RuleBar("R1", "Many answers", covered=40, wrong=10, harm=4, own_sources=2, own_wrong=1)
FEW = RuleBar("R2", NASTY, covered=5, wrong=2, harm=0, own_sources=0, own_wrong=0)
OPEN = RuleBar(UNCOVERED, "", covered=13, wrong=6, harm=1, own_sources=0, own_wrong=0)
BARS = RuleBars(RUN, E, 7, BarSort.HARM, (MANY, FEW), OPEN, rules=2, own_sources=2)


def traces(chart: Chart, name: str) -> list[go.Bar]:
    return [trace for trace in chart.figure.data if trace.name == name]


def table(chart: Chart) -> list[list[str]]:
    return list(csv.reader(io.StringIO(chart.csv)))


def above(chart: Chart) -> str:
    return str(chart.figure.layout.title.text)


def every_chart() -> list[Chart]:
    nasty = TrendPoint(1, 1, "2026", 5, 2)
    return [
        bars_chart(BARS),
        label_heat(BARS, [LabelCell("R2", NASTY, 5, 2)], [NASTY], None),
        confusion_heat(BARS, [ConfusionCell(NASTY, NASTY, 2, "R2")], "R2"),
        trend_chart(NASTY, RUN, E, [nasty]),
        overlap_chart(RUN, E, [SharedClaims("R1", NASTY, 5, 2)]),
        coverage_chart(RUN, E, [LabelFigures(NASTY, 5, 2, 3, 1, 4)]),
        spread_chart(RUN, Histogram(Quantity.LATENCY, 10, 5, (3, 0, 1), 2)),
        harm_chart(RUN, E, 7, [HarmPoint(NASTY, 3, 5, 2, 1)], NASTY),
    ]


# --- what holds for all -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.name)
def test_every_chart_states_where_it_comes_from_in_the_figure_itself(chart: Chart) -> None:
    for part in ("version 3", "run 12", "validation", "embedded", "n = "):
        assert part in above(chart)
    if chart.statement.method:
        assert "by evidence" in above(chart)


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.name)
def test_no_text_of_data_is_read_as_html(chart: Chart) -> None:
    # What a click stands for is not drawn.
    for trace in chart.figure.data:
        trace.customdata = None
    drawn = str(chart.figure.to_dict())
    assert "<a" not in drawn
    assert "<img" not in drawn


@pytest.mark.parametrize("chart", every_chart(), ids=lambda chart: chart.name)
def test_every_row_of_a_file_says_where_it_comes_from(chart: Chart) -> None:
    heading, *rows = table(chart)
    assert rows
    for row in rows:
        told = dict(zip(heading, row, strict=True))
        assert (told["prompt version"], told["run"], told["split"], told["student"]) == (
            "3",
            "12",
            "validation",
            "embedded",
        )
        assert (told["chart"], told["n"]) == (chart.title, str(chart.statement.n))
        assert told["method"] == (chart.statement.method.value if chart.statement.method else "")


def test_a_file_runs_no_formula() -> None:
    evil = replace(BARS, bars=(replace(FEW, title="=HYPERLINK(1)"),))
    assert table(bars_chart(evil))[1][1] == "'=HYPERLINK(1)"


def test_the_names_of_the_files_hold_run_and_method() -> None:
    assert bars_chart(BARS).file_name == "errors-by-rule-run-12-evidence"


def test_right_wrong_and_harm_differ_in_pattern_too() -> None:
    shapes = [trace.marker.pattern.shape for trace in bars_chart(BARS).figure.data if isinstance(trace, go.Bar)]
    assert len(set(shapes)) == 3


def test_the_same_thing_has_the_same_colour_everywhere() -> None:
    for chart in every_chart():
        for trace in chart.figure.data:
            if isinstance(trace, go.Bar) and trace.name in ("right", "wrong"):
                assert trace.marker.color == {"right": RIGHT, "wrong": WRONG}[trace.name]


# --- bars -------------------------------------------------------------------------------------------------------------


def test_bars_are_made_of_harm_other_wrong_and_right_and_end_with_what_no_rule_covers() -> None:
    chart = bars_chart(BARS)
    (harm,), (wrong,), (right,) = (traces(chart, name) for name in ("harm", "wrong at both", "right"))
    assert (list(harm.x), list(wrong.x), list(right.x)) == ([4, 0, 1], [6, 2, 5], [30, 3, 7])
    assert list(harm.y)[-1] == NO_RULE
    assert [list(data) for data in harm.customdata] == [["R1"], ["R2"], [""]]
    assert harm.marker.color == HARM
    assert "harm against run 7" in above(chart)
    assert "n = 58 answers" in above(chart)


def test_without_a_baseline_no_harm_is_told() -> None:
    bars = tuple(replace(bar, harm=None) for bar in BARS.bars)
    chart = bars_chart(replace(BARS, baseline=None, bars=bars, uncovered=replace(OPEN, harm=None)))
    assert [trace.name for trace in chart.figure.data if isinstance(trace, go.Bar)] == ["wrong", "right"]
    assert "harm" not in above(chart)


def test_ten_answers_and_more_have_a_rate_with_its_interval_and_fewer_have_dots() -> None:
    shares, right, wrong = bars_chart(BARS).figure.data[-3:]
    rate = Proportion.of(10, 40)
    assert rate.low is not None
    assert shares.x[0] == 0.25
    assert shares.error_x.arrayminus[0] == pytest.approx(0.25 - rate.low)
    assert len(shares.x) == 2, "R1 and what no rule covers"
    assert (len(right.x), len(wrong.x)) == (3, 2)
    assert max(right.x) < 0.5 < min(wrong.x)
    assert right.marker.symbol != wrong.marker.symbol


def test_no_rate_of_fewer_than_ten_stands_in_the_file() -> None:
    heading, first, second, _ = table(bars_chart(BARS))
    place = heading.index("share wrong")
    assert (first[place], second[place]) == ("0.2500", "")


def test_the_chosen_rule_is_marked() -> None:
    names = list(bars_chart(BARS, "R1").figure.data[0].y)
    assert [name.startswith("<b>▶") for name in names] == [True, False, False]


# --- heat maps --------------------------------------------------------------------------------------------------------


def test_a_cell_of_rule_and_label_shows_wrong_of_covered_and_means_both() -> None:
    chart = label_heat(
        BARS, [LabelCell("R1", "keep", 30, 8), LabelCell("R1", "remove", 10, 2)], ["keep", "remove"], None
    )
    grid, marks = chart.figure.data
    assert [list(row) for row in grid.z] == [[8, 2], [None, None], [None, None]]
    assert list(marks.text) == ["8/30", "2/10"]
    assert [list(data) for data in marks.customdata] == [["R1", "keep"], ["R1", "remove"]]


def test_the_most_frequent_confusions_are_shown_and_the_others_are_told() -> None:
    cells = [ConfusionCell("keep", f"l{n}", n + 1, "R1") for n in range(MOST_CONFUSIONS + 2)]
    chart = confusion_heat(BARS, cells, None)
    grid, marks = chart.figure.data
    assert len(grid.x) == MOST_CONFUSIONS
    assert min(int(text) for text in marks.text) == 3
    assert f"the {MOST_CONFUSIONS} most frequent of {MOST_CONFUSIONS + 2} confusions" in above(chart)
    assert len(table(chart)) == len(cells) + 1, "the file has all"


# --- the others -------------------------------------------------------------------------------------------------------


def test_a_trend_has_a_rate_where_there_are_ten_and_says_where_the_rule_was_not_in() -> None:
    points = [TrendPoint(1, 1, "a", None, None), TrendPoint(2, 2, "b", 20, 5), TrendPoint(3, 3, "c", 4, 1)]
    chart = trend_chart("R1", RUN, E, points)
    line, right, wrong = chart.figure.data
    assert list(line.y) == [0.25]
    assert (len(right.x), len(wrong.x)) == (3, 1)
    assert "not in it" in chart.figure.layout.xaxis.categoryarray[0]
    assert "n = 24 answers of R1 over 3 runs" in above(chart)


def test_what_stands_behind_a_bar_ends_before_the_intervals() -> None:
    long = replace(MANY, covered=12_345, wrong=6_789, harm=4_321)
    chart = bars_chart(replace(BARS, bars=(long, FEW)))
    reach = chart.figure.layout.xaxis.range[1]
    # Five words of 27 letters, of which about 34 fit on the axis.
    assert 12_345 / reach + 27 / 38 < 1


def test_labels_that_are_cut_alike_stay_apart() -> None:
    one, other = "disclosure to a person of trust", "disclosure to a person of rank"
    heat = label_heat(BARS, [LabelCell("R1", one, 5, 2), LabelCell("R1", other, 5, 1)], [one, other], None)
    assert len(set(heat.figure.data[1].x)) == 2
    coverage = coverage_chart(RUN, E, [LabelFigures(one, 5, 2, 3, 1, 4), LabelFigures(other, 5, 2, 3, 1, 4)])
    assert len(set(coverage.figure.data[0].y[0])) == 2


def test_a_pair_of_rules_leads_to_what_both_claim() -> None:
    wrong, right, _ = overlap_chart(RUN, E, [SharedClaims("R1", "R2", 9, 4)]).figure.data
    assert (list(wrong.x), list(right.x)) == ([4], [5])
    assert list(wrong.customdata[0]) == ["R1", "", "", "R2"]


def test_coverage_has_two_bars_a_label_in_the_order_given() -> None:
    chart = coverage_chart(RUN, E, [LabelFigures("b", 10, 2, 4, 3, 1), LabelFigures("a", 6, 0, 0, 0, 0)])
    wrong, right, _ = chart.figure.data
    assert (list(wrong.x), list(right.x)) == ([2, 3, 0, 0], [8, 1, 6, 0])
    assert [list(data) for data in wrong.customdata] == [[], [UNCOVERED, "b"], [], [UNCOVERED, "a"]]
    assert "n = 20 answers" in above(chart)


def test_a_histogram_says_how_many_answers_have_no_figure() -> None:
    chart = spread_chart(RUN, Histogram(Quantity.LATENCY, 10, 5, (3, 0, 1), 2))
    assert list(chart.figure.data[0].y) == [3, 0, 1]
    assert list(chart.figure.data[0].x) == [12.5, 17.5, 22.5]
    assert "2 without a figure left out" in above(chart)
    assert table(chart)[1][:3] == ["10", "14", "3"]


def test_equal_points_of_the_scatter_lie_apart_and_near_their_place() -> None:
    points = [HarmPoint(f"R{n}", 3, 9, 2, 1) for n in range(200)]
    harmed = harm_chart(RUN, E, 7, points, None).figure.data[1]
    places = list(zip(harmed.x, harmed.y, strict=True))
    assert len(set(places)) == 200
    assert all(abs(x - 3) <= REACH and abs(y - 1) <= REACH for x, y in places)
    assert harmed.type == "scattergl"


def test_the_scatter_names_the_rules_with_most_harm_and_the_chosen_one() -> None:
    points = [HarmPoint(f"R{n}", 7 * n % 30, 90, 50, n) for n in range(30)]
    names = harm_chart(RUN, E, 7, points, "R0").figure.data[2]
    assert [text.strip() for text in names.text] == ["<b>▶ R0</b>", *(f"R{n}" for n in range(29, 21, -1))]


def test_names_of_the_scatter_never_cover_each_other() -> None:
    draw = random.Random(1)  # noqa: S311 - made-up figures
    points = [HarmPoint(f"R{n}", draw.randint(1, 60), 90, 50, draw.randint(0, 9)) for n in range(10_000)]
    assert len(harm_chart(RUN, E, 7, points, "R9").figure.data[2].text) < 10
    plot = Plot((0, 100), (0, 100), 500, 300)
    places = {"R1": (50.0, 50.0), "R2": (50.0, 51.0), "R3": (50.0, 52.0), "R4": (99.0, 90.0), "R5": (50.0, 60.0)}
    sides = sides_of_names(list(places), places, plot)
    assert sides == {"R1": "top right", "R2": "top left", "R4": "top left", "R5": "top right"}


def test_a_prompt_without_rules_makes_an_empty_scatter() -> None:
    assert not harm_chart(RUN, E, 7, [], None).figure.data[1].x


def test_of_many_equal_points_none_is_named_and_none_stands_below_no_harm() -> None:
    points = [HarmPoint(f"R{n}", 3, 9, 2, n % 2) for n in range(20)]
    shown = harm_chart(RUN, E, 7, points, None).figure
    assert not shown.data[2].text
    assert min(shown.data[0].y) >= 0
    low, high = shown.layout.yaxis.range
    assert low < 0 < LEAST_HARM + REACH < high


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_name_on_an_axis_is_cut_and_safe() -> None:
    assert rule_name(UNCOVERED) == NO_RULE
    assert rule_name("R1", "Duties that outlast the agreement of both") == "R1 Duties that outlast the a…"
    assert rule_name("R1", "x" * 99) == f"R1 {'x' * 25}…"
    assert plain_label("a<b>&") == "a&lt;b&gt;&amp;"


def test_a_long_statement_is_broken_between_its_parts() -> None:
    assert said_above(["a" * 60, "b" * 60, "c"]) == f"{'a' * 60}<br>{'b' * 60} · c"


def test_a_statement_names_what_there_is() -> None:
    assert Statement(RUN, 1234).line == "version 3 · run 12 · validation · embedded · n = 1,234 answers"


@pytest.mark.parametrize(("most", "step"), [(0, 1), (10, 1), (11, 2), (99, 10), (10_000, 1000)])
def test_ticks_stand_at_whole_numbers(most: int, step: int) -> None:
    assert whole_steps(most) == step


# --- by ablation ------------------------------------------------------------------------------------------------------


def ablated(right_with: int, right_without: int, same: int, scope: Scope = Scope.AFFECTED) -> ShownAblation:
    """Return rule R1 left out, with so many answers that only it gets right, that only its absence does, and others."""
    kinds = [("remove", "keep")] * right_with + [("keep", "remove")] * right_without + [("keep", "keep")] * same
    cases = tuple(
        Case(f"sha256:{n}", "keep", answer_of(without), answer_of(with_rule))
        for n, (without, with_rule) in enumerate(kinds)
    )
    of = Ablated(12, "R1", "sha256:r", "sha256:p", "sha256:q", scope)
    measured = Ablation("nda", of, StudentKey("embedded", "sha256:w", "o"), cases, ())
    predictions = [Prediction(case.example_hash, case.gold, case.with_rule) for case in cases]
    return ShownAblation(
        StoredAblation(1, measured, "", "anna"), figures_of(measured, ["keep", "remove"], cells_of(predictions))
    )


def test_a_rule_that_was_left_out_shows_what_only_it_gets_right_and_what_only_its_absence_does() -> None:
    chart = left_out_chart(RUN, [ablated(3, 9, 20)], "R1")
    without, with_rule, difference = chart.figure.data
    assert (list(without.x), list(with_rule.x)) == ([-9], [3])
    assert (list(without.text), list(with_rule.text)) == (["9"], ["3"])
    assert list(without.customdata[0]) == ["R1"]
    assert difference.x[0] < 0
    assert "by ablation" in above(chart)
    assert table(chart)[1][:5] == ["R1", "32", "32", "3", "9"]


def test_below_ten_answers_no_difference_is_drawn_and_a_rule_on_all_answers_says_so() -> None:
    chart = left_out_chart(RUN, [ablated(2, 1, 3, Scope.ALL)], None)
    assert list(chart.figure.data[2].x) == []
    assert list(chart.figure.data[0].y) == ["R1 (all answers)"]
