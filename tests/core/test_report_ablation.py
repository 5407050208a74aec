"""What the report of a run tells of rules that were left out, and of the citations that this confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pld_core.ablation import Ablated, Scope, ShownAblation, StoredAblation, ablation_of, confirmed_in_all, figures_of
from pld_core.analytics import BarSort, RuleBar, RuleBars
from pld_core.attribution import UNCOVERED, Method
from pld_core.effect import StudentKey
from pld_core.metrics import cells_of
from pld_core.run_report.content import RunReport
from pld_core.run_report.limits import known_limits
from pld_core.run_report.page import html
from pld_core.run_setup import RunSetup
from tests.answering import answer_of
from tests.factories import LABELS
from tests.reports import RIGHT, report_of

AT = "2026-01-02T05:00:00Z"
CITED = RuleBar("R1", "Friendly posts", 24, 4, 0, 0, 0)
NONE = RuleBar(UNCOVERED, "", 0, 0, 0, 0, 0)


def left_out(report: RunReport, rule: str, without: Sequence[str | None], scope: Scope = Scope.AFFECTED) -> RunReport:
    """Return the report with one more ablation: what the first answers are without a rule."""
    asked = report.answers[: len(without)]
    answers = {p.example_hash: answer_of(label) for p, label in zip(asked, without, strict=True)}
    of = Ablated(3, rule, "sha256:rev", "sha256:prompt", "sha256:without", scope)
    measured = ablation_of("posts", of, StudentKey("told", "sha256:w", "sha256:o"), asked, answers)
    shown = ShownAblation(
        StoredAblation(1, measured, AT, "bert"), figures_of(measured, LABELS, cells_of(report.answers))
    )
    return replace(report, ablations=(*report.ablations, shown))


def citing(*cited: int) -> RunReport:
    """Return a report on right answers, of which these cite R1, put down to rules by citation."""
    report = report_of(RIGHT)
    answers = tuple(
        replace(p, answer=answer_of(p.gold, *(["R1"] if place in cited else [])))
        for place, p in enumerate(report.answers)
    )
    bars = RuleBars(report.run, Method.CITED, None, BarSort.HARM, (CITED,), NONE, 1, 0)
    return replace(report, answers=answers, bars=(bars,))


OTHERWISE = [LABELS[1 - i % 2] for i in range(12)]
"""Another label than the right one for each of the first twelve."""


def test_without_an_ablation_the_report_says_how_it_is_run() -> None:
    page = html(report_of())
    assert "What changes when a rule is left out, by ablation" in page
    told, _, command = page.partition("No rule was left out of this run. How it is done: ")[2].partition("<span>pld")
    assert told == '<code class="command">'
    assert command.startswith("</span> <span>ablate</span> <span>--task</span> <span>posts</span> <span>--run</span>")
    trial = report_of()
    trial = replace(trial, run=replace(trial.run, setup=RunSetup(temperature=0.7)))
    assert "No rule is left out of a run that drew lots" in html(trial)


def test_an_ablation_has_its_counts_its_interval_and_what_they_show() -> None:
    page = html(left_out(report_of(RIGHT), "R1", OTHERWISE))
    assert "12 affected answers" in page
    assert '<td class="n">12</td><td class="n">0</td><td class="n">+12</td>' in page
    assert "the rule helps" in page
    assert "what was not asked again counts as unchanged" in page


def test_fewer_than_five_changed_answers_have_no_difference() -> None:
    page = html(left_out(report_of(RIGHT), "R1", OTHERWISE[:4]))
    assert "inconclusive: fewer than 5 answers changed" in page
    assert "<td>–</td>" in page


def test_rules_that_were_not_left_out_are_counted() -> None:
    report = left_out(report_of(RIGHT), "R7", OTHERWISE)
    assert report.not_left_out == 1
    assert "Rules of the prompt that were not left out: 1." in html(report)
    assert left_out(report, "R1", OTHERWISE).not_left_out == 0


def test_the_share_of_citations_that_ablation_confirms_is_told_with_its_interval() -> None:
    report = left_out(citing(*range(12)), "R1", [*OTHERWISE[:6], *RIGHT[6:12]])
    share = confirmed_in_all(report.ablations)
    assert (share.k, share.n) == (6, 12)
    page = html(report)
    assert "Citations that ablation confirms" in page
    assert share.words in page
    assert any(f"it confirms {share.words}" in limit for limit in known_limits(report))


def test_a_rule_that_was_left_out_in_both_scopes_counts_once_by_the_wider_one() -> None:
    report = left_out(citing(0, 1), "R1", OTHERWISE[:1])
    report = left_out(report, "R1", [*OTHERWISE[:1], *RIGHT[1:24]], Scope.ALL)
    share = confirmed_in_all(report.ablations)
    assert (share.k, share.n) == (1, 2)


def test_citations_that_nothing_tests_are_a_limit() -> None:
    told = [limit for limit in known_limits(citing(0, 1)) if "report on itself" in limit]
    (limit,) = told
    assert limit.endswith("No ablation tells how many of its citations hold: pld ablate --task posts --run 3")
    assert not any("report on itself" in limit for limit in known_limits(report_of()))
