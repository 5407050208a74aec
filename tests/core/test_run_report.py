"""The report of a run: what stands in it, that it is safe to open, and that equal facts give equal bytes."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from pld_core.analytics import BarSort, RuleBar, RuleBars
from pld_core.attribution import UNCOVERED, Method
from pld_core.baselines import Baseline
from pld_core.errors import InvalidInput
from pld_core.evaluation import failed_answer
from pld_core.gate_facts import Gate, GateState
from pld_core.metrics import cells_of, figures
from pld_core.models import AnswerStatus, PromptVersion, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.releases import BreakGlass
from pld_core.run_report.baseline_lines import baseline_lines, said_by_code
from pld_core.run_report.content import DataFacts, Making, PromptRule, Standing, Steadiness
from pld_core.run_report.limits import baseline_words, known_limits
from pld_core.run_report.page import html
from pld_core.run_setup import RunSetup
from pld_core.slices import Dimension, ExampleFacts, slices
from pld_core.stability import stability
from tests.factories import LABELS
from tests.reports import GREEN, MOSTLY, RIGHT, answers_of, dataset, prompt_of, report_of

NASTY = "<script>alert(1)</script><img src=http://evil.test/x> \"quoted\" & 'odd'"
RED = Gate("evaluated", "Evaluated on test", GateState.RED, "none", 0, "This prompt was not evaluated there.")


class Reader(HTMLParser):
    """Collects elements, their attributes, and the text that is read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_a_report_has_every_chapter_that_its_contents_name() -> None:
    found = Reader(html(report_of()))
    targets = {value for name, value in found.attributes if name == "href"}
    ids = {f"#{value}" for name, value in found.attributes if name == "id"}
    assert targets == ids
    assert len(ids) == 10
    assert "22 of 24" not in found.text
    assert "20 of 24 (83%, 95 % interval 64 to 93%)" in found.text


def test_equal_facts_give_equal_bytes_but_for_the_line_that_says_when() -> None:
    first = report_of(others={Baseline.NO_RULES: RIGHT})
    later = replace(
        report_of(others={Baseline.NO_RULES: RIGHT}), making=Making("2027-05-06T07:08:09Z", "bert", "other 2")
    )
    before, after = html(first).split("\n"), html(later).split("\n")
    different = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    assert [one for one, _ in different] == [
        '<p class="soft">Made 2026-01-03 04:05:06 UTC by anna with pld-review 1.</p>'
    ]
    assert html(first) == html(report_of(others={Baseline.NO_RULES: RIGHT}))


def test_the_words_of_the_field_are_explained_in_plain_ones() -> None:
    page = html(report_of(others={Baseline.NO_RULES: RIGHT}))
    explained = Reader(page[page.index('<h2 id="words">') :]).text
    for word in ("Macro F1", "Interval", "Gold label", "Baseline", "McNemar", "Ablation", "Harm", "Split", "Student"):
        assert word in explained, word


def test_a_command_stands_in_one_piece_that_can_be_copied() -> None:
    command = "pld compile --task posts --baseline none"
    page = html(replace(report_of(), missing=(f"The baseline without rules was not answered: {command}",)))
    assert command in Reader(page).text
    assert '<code class="command"><span>pld</span> <span>compile</span> <span>--task</span>' in page


def test_on_paper_no_row_of_a_table_stands_alone_and_no_interval_is_torn() -> None:
    page = html(report_of(others={Baseline.NO_RULES: RIGHT}))
    assert "tbody tr:first-child, tbody tr:nth-last-child(2) { break-after: avoid; }" in page
    assert "95\u00a0% interval" in page


def test_nothing_is_fetched_and_nothing_runs() -> None:
    found = Reader(html(report_of(others={Baseline.NO_RULES: RIGHT})))
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert all(value and value.startswith("#") for name, value in found.attributes if name in ("href", "src"))
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes
    assert not re.search(r"url\(|@import|https?:", html(report_of()))


def test_every_text_of_people_and_models_is_shown_letter_by_letter() -> None:
    report = report_of()
    task = replace(
        report.task,
        title=NASTY,
        guideline=NASTY,
        labels=tuple(replace(x, description=NASTY) for x in report.task.labels),
    )
    version = PromptVersion(1, prompt_of(text=NASTY), NASTY, NASTY)
    nasty = replace(
        report,
        task=task,
        version=version,
        rules=(PromptRule(1, NASTY, NASTY, (NASTY,), NASTY, NASTY, False),),
        run=replace(report.run, student=NASTY, digest=NASTY, setup=RunSetup(reason=NASTY)),
        data=DataFacts({(Split.TEST, NASTY): 1}, (dataset(NASTY),), 0, 0, 0, 0),
        missing=(NASTY,),
        standing=Standing(
            (replace(RED, title=NASTY, figure=NASTY, reason=NASTY),),
            (),
            BreakGlass(NASTY, NASTY),
            (report.run, replace(report.run, created_by=NASTY)),
        ),
        bars=(bars_of(NASTY),),
        making=Making(NASTY, NASTY, NASTY),
    )
    page = html(nasty)
    found = Reader(page)
    assert "<script" not in page
    assert "<img" not in page
    assert not {"script", "img"} & set(found.tags)
    assert found.text.count("<script>alert(1)</script>") > 20


def bars_of(name: str) -> RuleBars:
    bars = (RuleBar("R1", name, 12, 3, 2, 0, 0), RuleBar("R2", name, 0, 0, 0, 0, 0))
    bare = RuleBar(UNCOVERED, "", 12, 1, None, 0, 0)
    return RuleBars(report_of().run, Method.EVIDENCE, 2, BarSort.HARM, bars, bare, 3, 5)


def test_the_table_of_rules_names_its_method_and_says_what_it_leaves_out() -> None:
    assert "Which rule is behind" not in html(report_of())
    said = Reader(html(replace(report_of(), bars=(bars_of("Friendly posts"),)))).text
    assert "Which rule is behind the answers, by evidence" in said
    assert "Harm: wrong here, and right in run 2." in said
    assert "3 of 12 (25%, 95 % interval 9 to 53%)" in said
    assert "nothing covered" in said
    assert "2 of 3 rules are shown" in said
    assert "5 answers to the rules' own sources are left out" in said


def test_every_bar_says_in_words_what_it_shows() -> None:
    found = Reader(html(replace(report_of(others={Baseline.NO_RULES: RIGHT}), bars=(bars_of("x"),))))
    names = [value or "" for name, value in found.attributes if name == "aria-label"]
    assert len(names) == found.tags.count("svg") > 4
    assert any(name.startswith("Recall of keep: ") for name in names)
    assert "Macro F1 of no rules: 1.000 (all resamples alike, so no interval)" in names


def test_below_ten_answers_there_is_no_rate_and_no_bar() -> None:
    report = report_of(RIGHT[:6], {Baseline.NO_RULES: RIGHT[:6]})
    found = Reader(html(report))
    assert "svg" not in found.tags
    assert "6 of 6 (too few for a rate)" in found.text
    assert "%)" not in found.text
    assert known_limits(report)[0] == "Fewer than 10 answers (6) are too few for a rate, so counts are shown."


def test_a_baseline_that_does_better_is_said_first() -> None:
    wrong = [LABELS[1 - i % 2] for i in range(24)]
    report = report_of(wrong, {Baseline.NO_RULES: RIGHT, Baseline.MAJORITY: [LABELS[0]] * 24})
    words = baseline_words(report)
    assert words.startswith("Better than the rules on these examples: no rules, most frequent label. The rules do not")
    assert words in known_limits(report)
    assert html(report).index(words) < html(report).index("Contents")


def test_a_baseline_that_is_not_beaten_is_a_limit_and_one_that_is_beaten_is_none() -> None:
    wrong = [LABELS[1 - i % 2] for i in range(24)]
    limits = " ".join(known_limits(report_of(MOSTLY, {Baseline.NO_RULES: MOSTLY, Baseline.FIVE_SHOT: wrong})))
    assert "The rules are not shown to be better than: no rules." in limits
    assert "5-shot" not in limits


def test_the_report_of_a_baseline_calls_itself_no_rules() -> None:
    report = report_of(RIGHT, {Baseline.MAJORITY: MOSTLY}, PromptKind.NO_RULES)
    said = Reader(html(report)).text
    assert "This prompt beside it" in said
    assert "The prompt holds no rules." in said
    assert baseline_words(report) == ""
    assert not [limit for limit in known_limits(report) if "The rules" in limit]


def test_what_can_be_said_against_the_figures_is_said() -> None:
    report = report_of([*RIGHT[:22], None, None])
    answers = (
        *report.answers[:22],
        *(replace(p, answer=failed_answer("cut", "", AnswerStatus.UNVERIFIED)) for p in report.answers[22:]),
    )
    told = replace(
        report,
        answers=answers,
        figures=figures((*LABELS, "rare"), cells_of(answers)),
        run=replace(
            report.run, total=30, student="embedded", digest="", split=Split.VALIDATION, setup=RunSetup(0.7, 3)
        ),
        task=replace(report.task, guideline_version=2),
        rules=(replace(report.rules[0], state="stale", in_force=False),),
        data=DataFacts({}, (), 2, 3, 1, 4),
        standing=Standing((GREEN, RED), (), None, (report.run, report.run)),
        bars=(bars_of("x"),),
    )
    limits = "\n".join(known_limits(told))
    for part in (
        "24 of 30 examples are answered",
        "on the validation split",
        "Without an example: rare.",
        "Answers that could not be verified: 2.",
        "in the training data too, word for word: 3.",
        "in the prompt itself, with their labels: 1.",
        "in the validation split and in another one: 4.",
        "rules of the prompt were made from: 5.",
        "two labels, which nobody has settled: 2.",
        "drew lots (temperature 0.7, seed 3)",
        "comes with the product",
        "does not say which weights answered",
        "is an estimate",
        "not in force any more as they read there: R1 (stale)",
        "guideline version 1; version 2 is in force now",
        "is not released",
        "1 of 2 gates of version 1 are red now: Evaluated on test.",
        "looked at 2 times",
    ):
        assert part in limits, part


def test_of_a_released_version_with_nothing_against_it_only_size_length_and_repeats_are_told() -> None:
    limits = known_limits(report_of())
    assert [limit.split()[0] for limit in limits] == ["With", "Answers", "Each", "The"]


def test_an_exception_stands_at_the_top_and_among_the_limits() -> None:
    report = report_of()
    notice = BreakGlass("the court waits", "2026-12-24")
    excepted = replace(report, standing=replace(report.standing, exception=notice))
    assert notice.notice in known_limits(excepted)
    assert Reader(html(excepted)).text.count(notice.notice) == 3


def test_labels_that_changed_since_are_named() -> None:
    report = report_of()
    prompt = replace(report.version.prompt, labels=("keep", "old"))
    told = replace(report, version=replace(report.version, prompt=prompt))
    assert any(limit.endswith("since the prompt was compiled: remove, old.") for limit in known_limits(told))


def test_repeats_tell_how_steady_the_answers_are() -> None:
    report = report_of()
    steady = Steadiness("temperature 0.7", (5, 6), stability(LABELS, [answers_of(RIGHT), answers_of(MOSTLY)]))
    told = replace(report, steadiness=(steady,))
    assert "examples changed their answer in 2 repeats, temperature 0.7 (runs 5, 6)." in Reader(html(told)).text
    assert not [limit for limit in known_limits(told) if "asked once" in limit]


def test_parts_of_a_run_are_shown_with_how_many_there_are() -> None:
    report = report_of()
    facts = [ExampleFacts(f"court {i // 12}" if i < 12 else f"court {i}", 5, "") for i in range(24)]
    cut = slices(Dimension.SOURCE, list(zip(facts, report.answers, strict=True)))
    said = Reader(html(replace(report, slices=((Dimension.SOURCE, cut),)))).text
    assert "Accuracy by source" in said
    assert "12 of 12 (100%" in said
    assert "The 12 largest of 13 are shown." in said


def test_of_many_labels_the_most_frequent_mix_ups_are_listed() -> None:
    report = report_of()
    many = tuple(replace(report.task.labels[0], name=name) for name in (*LABELS, *(f"label {i}" for i in range(9))))
    said = Reader(html(replace(report, task=replace(report.task, labels=many)))).text
    assert "Gold label Answer Examples remove keep 2 keep no label (malformed) 1 keep remove 1" in said


# --- baselines by code ------------------------------------------------------------------------------------------------


def test_the_baselines_by_code_vote_by_nearness_and_by_number() -> None:
    rows = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    said = said_by_code(LABELS, ["keep", "keep", "remove", "remove", "remove"], ["a", "b"], rows)
    assert said[Baseline.NEAREST] == {"a": "keep", "b": "remove"}
    assert said[Baseline.MAJORITY] == {"a": "remove", "b": "remove"}
    assert set(said) == {Baseline.NEAREST, Baseline.NEAREST_FIVE, Baseline.MAJORITY}


def test_a_baseline_has_its_own_figures_beside_the_comparison() -> None:
    (line,) = report_of(MOSTLY, {Baseline.NO_RULES: RIGHT}).baselines
    assert (line.accuracy.k, line.accuracy.n, line.macro_f1.value) == (24, 24, 1.0)
    assert line.beside.comparison.before == 1.0
    assert line.as_json()["origin"] == "run 2, prompt version 2"


def test_a_baseline_that_leaves_examples_out_is_refused() -> None:
    answers = answers_of(RIGHT)
    with pytest.raises(InvalidInput, match="did not answer 24 of the 24"):
        baseline_lines(LABELS, answers, {Baseline.NO_RULES: {}}, {Baseline.NO_RULES: "run 2"})
