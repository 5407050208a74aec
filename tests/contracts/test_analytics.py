"""Every figure behind a chart, recounted in plain Python from the answers and the claims."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from pld_core.analytics import (
    INVALID,
    AnswerFilter,
    BarSort,
    ConfusionCell,
    LabelCell,
    LabelChange,
    LabelFigures,
    Quantity,
    RuleBar,
    SharedClaims,
    TrendPoint,
    baseline_of,
)
from pld_core.attribution import UNCOVERED, Attribution, Claim, Method
from pld_core.compilation import compile_trial
from pld_core.effect import Outcome
from pld_core.errors import InvalidInput, NotFound
from pld_core.evaluation import failed_answer
from pld_core.models import Answer, AnswerStatus, Run, Split
from pld_core.records import Page
from storage import SqliteStore as Store
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, LABELS, approved_rule, fill, make_examples, make_rule, make_text

N = 40
EXAMPLES = make_examples(N, Split.VALIDATION)
E = Method.EVIDENCE
RULES = ("R1", "R2")


def answer(number: int, salt: int) -> Answer:
    """Return an answer that is wrong now and then, in several ways."""
    gold, wrong = LABELS[number % 2], LABELS[1 - number % 2]
    kind = (number * salt + number // 3) % 7
    if kind == 0:
        return failed_answer("slept")
    if kind == 1:
        return answer_of(None, latency_ms=number, tokens=None)
    return answer_of(wrong if kind in (2, 3) else gold, latency_ms=number * salt, tokens=50 + number)


def owner(number: int) -> str:
    return ("R1", "R2", UNCOVERED, "R1")[number % 4]


CLAIMS = (
    *(
        Claim(e.hash, owner(i), True, i in (4, 5, 8), None if owner(i) == UNCOVERED else 0.5)
        for i, e in enumerate(EXAMPLES)
    ),
    *(Claim(e.hash, "R2", False, closeness=0.25) for i, e in enumerate(EXAMPLES) if owner(i) == "R1" and i % 3 == 0),
)


@dataclass(frozen=True)
class Made:
    """A store with a run of a prompt without rules, and two of one with two rules; both put down to rules."""

    store: Store
    bare: Run
    old: Run
    new: Run

    def answers(self, run: Run) -> dict[str, Answer]:
        return {p.example_hash: p.answer for p in self.store.runs.predictions(run.id)}


@pytest.fixture
def made(sqlite_store: Store) -> Made:
    fill(sqlite_store, examples=[*make_examples(6), *EXAMPLES])
    train = sqlite_store.tasks.examples("posts")[:6]
    approved_rule(sqlite_store, make_rule(make_text(), train[:2]))
    approved_rule(
        sqlite_store, make_rule(make_text("the post is rude", "remove", "Rude posts"), train[2:5], origin="o")
    )
    task, in_force = sqlite_store.tasks.get("posts"), sqlite_store.rules.in_force("posts")
    prompts = compile_trial(task, ()), compile_trial(task, in_force[:1]), compile_trial(task, in_force)
    runs = [
        answered_run(sqlite_store, prompt, EXAMPLES, {e.hash: answer(i, salt) for i, e in enumerate(EXAMPLES)})
        for salt, prompt in zip((3, 5, 11), prompts, strict=True)
    ]
    for run, rules in zip(runs, ((), RULES[:1], RULES), strict=True):
        claims = (
            CLAIMS if rules == RULES else tuple(Claim(e.hash, rules[0] if rules else UNCOVERED, True) for e in EXAMPLES)
        )
        sqlite_store.attributions.record(run.id, Attribution(E, "circle", "b", rules, claims), ANNA)
    return Made(sqlite_store, *runs)


def count(store: Store, run: Run) -> None:
    """Put the answers of a run down to no rule, so that they are counted."""
    claims = tuple(Claim(p.example_hash, UNCOVERED, True) for p in store.runs.predictions(run.id))
    store.attributions.record(run.id, Attribution(E, "", "b", (), claims), ANNA)


def is_right(answers: dict[str, Answer], number: int) -> bool:
    return answers[EXAMPLES[number].hash].label == EXAMPLES[number].label


def bar(made: Made, rule_id: str, title: str, baseline: Run | None) -> RuleBar:
    now = made.answers(made.new)
    own = [c for c in CLAIMS if c.is_owner and c.rule_id == rule_id]
    place = {e.hash: i for i, e in enumerate(EXAMPLES)}
    held_out = [place[c.example_hash] for c in own if not c.is_source]
    sources = [place[c.example_hash] for c in own if c.is_source]
    wrong = [i for i in held_out if not is_right(now, i)]
    harm = None if baseline is None else sum(is_right(made.answers(baseline), i) for i in wrong)
    return RuleBar(
        rule_id, title, len(held_out), len(wrong), harm, len(sources), sum(not is_right(now, i) for i in sources)
    )


# --- on rules ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", BarSort)
@pytest.mark.parametrize("has_baseline", [True, False])
def test_bars_count_what_a_rule_owns_but_for_its_own_sources(made: Made, sort: BarSort, has_baseline: bool) -> None:
    baseline = made.bare if has_baseline else None
    found = made.store.analytics.rule_bars(made.new.id, E, baseline.id if baseline else None, sort)
    wanted = {r: bar(made, r, t, baseline) for r, t in (("R1", "Friendly posts"), ("R2", "Rude posts"))}
    assert {one.rule_id: one for one in found.bars} == wanted
    assert found.uncovered == bar(made, UNCOVERED, "", baseline)
    assert (found.method, found.sort, found.rules, found.own_sources) == (E, sort, 2, 3)
    assert sum(b.covered + b.own_sources for b in (*found.bars, found.uncovered)) == N
    assert all(one.correct + one.wrong == one.covered == one.error_rate.n for one in found.bars)
    keys = {
        BarSort.HARM: lambda b: b.harm if has_baseline else b.wrong,
        BarSort.WRONG: lambda b: b.wrong,
        BarSort.COUNT: lambda b: b.covered,
        BarSort.RATE: lambda b: (b.covered >= 10, b.wrong / b.covered),
    }
    assert list(found.bars) == sorted(found.bars, key=keys[sort], reverse=True)


def test_the_bar_of_what_no_rule_covers_stands_beside_every_page(made: Made) -> None:
    analytics = made.store.analytics
    first, second, past = (analytics.rule_bars(made.new.id, E, page=Page(n, 1)) for n in range(3))
    whole = analytics.rule_bars(made.new.id, E)
    assert first.bars + second.bars == whole.bars
    assert past.bars == ()
    assert first.uncovered == second.uncovered == past.uncovered == whole.uncovered


def test_bars_say_that_answers_to_own_sources_are_left_out(made: Made) -> None:
    assert made.store.analytics.rule_bars(made.new.id, E).note.startswith("3 answers to the rules' own sources are")
    assert made.store.analytics.rule_bars(made.old.id, E).note == ""


def test_cells_of_rule_and_label_add_up_to_the_bars(made: Made) -> None:
    now, counts, wrong = made.answers(made.new), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for i, example in enumerate(EXAMPLES):
        if i not in (4, 5, 8):
            counts[owner(i), example.label] += 1
            wrong[owner(i), example.label] += not is_right(now, i)
    found = made.store.analytics.by_label(made.new.id, E, ["R1", "R2", UNCOVERED])
    assert set(found) == {LabelCell(*key, n, wrong[key]) for key, n in counts.items()}
    assert {cell.rule_id for cell in made.store.analytics.by_label(made.new.id, E, ["R2"])} == {"R2"}


def test_cells_of_rule_and_confusion_hold_wrong_answers_only(made: Made) -> None:
    now, counts = made.answers(made.new), Counter[tuple[str, str, str]]()
    for i, example in enumerate(EXAMPLES):
        if i not in (4, 5, 8) and not is_right(now, i):
            counts[example.label, now[example.hash].label or INVALID, owner(i)] += 1
    found = made.store.analytics.by_confusion(made.new.id, E, ["R1", "R2", UNCOVERED])
    assert set(found) == {ConfusionCell(gold, said, n, rule) for (gold, said, rule), n in counts.items()}
    assert [cell.n for cell in found] == sorted((cell.n for cell in found), reverse=True)


def test_the_trend_follows_a_rule_over_comparable_runs(made: Made) -> None:
    analytics, wanted = made.store.analytics, bar(made, "R2", "", None)
    bare, first, second = analytics.trend("R2", made.old.id, E)
    assert (bare.run_id, bare.covered) == (made.bare.id, None)
    assert (first.run_id, first.covered, first.wrong) == (made.old.id, None, None)
    assert second == TrendPoint(made.new.id, made.new.prompt_number, made.new.created_at, wanted.covered, wanted.wrong)
    assert [point.covered for point in analytics.trend("R1", made.new.id, E)] == [
        None,
        N,
        bar(made, "R1", "", None).covered,
    ]


def test_overlap_counts_what_two_rules_claim(made: Made) -> None:
    now = made.answers(made.new)
    shared = [i for i in range(N) if owner(i) == "R1" and i % 3 == 0]
    wrong = sum(not is_right(now, i) for i in shared)
    assert made.store.analytics.overlap(made.new.id, E) == (SharedClaims("R1", "R2", len(shared), wrong),)
    assert made.store.analytics.overlap(made.new.id, E, 0) == ()


def test_the_scatter_has_a_point_for_each_rule(made: Made) -> None:
    points = {p.rule_id: p for p in made.store.analytics.support_vs_harm(made.new.id, E, made.bare.id)}
    assert set(points) == {"R1", "R2"}
    for rule_id, point in points.items():
        wanted = bar(made, rule_id, "", made.bare)
        assert (point.covered, point.wrong, point.harm) == (wanted.covered, wanted.wrong, wanted.harm)
        assert point.support == made.store.rules.summary(rule_id).support


def test_coverage_adds_up_to_all_answers_of_a_label(made: Made) -> None:
    now = made.answers(made.new)
    found = made.store.analytics.coverage(made.new.id, E)
    assert [one.label for one in found] == ["keep", "remove"]
    for one in found:
        own = [i for i in range(N) if EXAMPLES[i].label == one.label]
        held_out = [i for i in own if i not in (4, 5, 8)]
        free = [i for i in held_out if owner(i) == UNCOVERED]
        wrong = [i for i in held_out if not is_right(now, i)]
        open_wrong = len(set(wrong) & set(free))
        counts = (len(held_out) - len(free), len(wrong) - open_wrong, len(free), open_wrong, len(own) - len(held_out))
        assert one == LabelFigures(one.label, *counts)
        assert one.coverage.n == len(held_out)


FILTERS = [
    AnswerFilter(),
    AnswerFilter(gold="keep"),
    AnswerFilter(said="remove"),
    AnswerFilter(said=INVALID),
    AnswerFilter(wrong=True),
    AnswerFilter(gold="remove", said="keep", wrong=True),
    AnswerFilter(claimed=True),
    AnswerFilter(harmed_since=1),
    AnswerFilter(claimed=True, claimed_with="R1"),
]


def claims_too(rule_id: str, example_hash: str) -> bool:
    return any((claim.rule_id, claim.example_hash) == (rule_id, example_hash) for claim in CLAIMS)


@pytest.mark.parametrize("where", FILTERS, ids=str)
@pytest.mark.parametrize("rule_id", ["R1", "R2", UNCOVERED])
def test_the_answers_of_a_rule_are_those_that_the_filter_names(made: Made, rule_id: str, where: AnswerFilter) -> None:
    now, before = made.answers(made.new), made.answers(made.bare)
    wanted = []
    for claim in CLAIMS:
        number = [e.hash for e in EXAMPLES].index(claim.example_hash)
        said = now[claim.example_hash].label or INVALID
        if (
            claim.rule_id == rule_id
            and (claim.is_owner or where.claimed)
            and where.gold in ("", EXAMPLES[number].label)
            and where.said in ("", said)
            and not (where.wrong and is_right(now, number))
            and (not where.claimed_with or claims_too(where.claimed_with, claim.example_hash))
            and not (where.harmed_since and (claim.is_source or is_right(now, number) or not is_right(before, number)))
        ):
            wanted.append((claim.example_hash, said, now[claim.example_hash].status, claim.is_source, claim.closeness))
    found = made.store.analytics.examples_of(made.new.id, E, rule_id, where)
    assert [(a.example_hash, a.said, a.status, a.is_source, a.closeness) for a in found] == sorted(wanted)
    pages = [made.store.analytics.examples_of(made.new.id, E, rule_id, where, Page(n, 3)) for n in range(0, N, 3)]
    assert tuple(answer for part in pages for answer in part) == found


def test_harm_is_the_number_of_harmed_answers(made: Made) -> None:
    analytics = made.store.analytics
    for one in analytics.rule_bars(made.new.id, E, made.old.id).bars:
        where = AnswerFilter(harmed_since=made.old.id)
        assert one.harm == len(analytics.examples_of(made.new.id, E, one.rule_id, where, Page(0, N)))


# --- on answers -------------------------------------------------------------------------------------------------------


def test_the_confusion_matrix_counts_every_answer(made: Made) -> None:
    now = made.answers(made.new)
    counts = Counter((e.label, now[e.hash].label or INVALID) for e in EXAMPLES)
    assert set(made.store.analytics.confusion(made.new.id)) == {ConfusionCell(*key, n) for key, n in counts.items()}


@pytest.mark.parametrize("quantity", Quantity)
@pytest.mark.parametrize("bins", [1, 4, 30])
def test_every_answer_that_did_not_fail_is_in_its_bin(made: Made, quantity: Quantity, bins: int) -> None:
    answers = made.answers(made.new).values()
    known = [
        value
        for a in answers
        if a.status is not AnswerStatus.FAILED and (value := getattr(a, quantity.value)) is not None
    ]
    found = made.store.analytics.histogram(made.new.id, quantity, bins)
    assert found.missing == N - len(known) > 0
    assert len(found.counts) <= bins
    places = Counter((value - found.low) // found.width for value in known)
    assert found.counts == tuple(places[n] for n in range(len(found.counts)))
    assert (sum(found.counts), found.low) == (len(known), min(known))


def test_a_run_without_figures_has_an_empty_histogram(made: Made) -> None:
    prompt = made.store.prompts.get("posts", 1).prompt
    run = answered_run(made.store, prompt, EXAMPLES[:2], {e.hash: failed_answer("x") for e in EXAMPLES})
    count(made.store, run)
    found = made.store.analytics.histogram(run.id, Quantity.LATENCY)
    assert (found.counts, found.missing) == ((), 2)


def outcomes(made: Made) -> dict[Outcome, list[str]]:
    before, after = made.answers(made.bare), made.answers(made.new)
    kinds = {(False, True): Outcome.FIXED, (True, False): Outcome.BROKEN, (True, True): Outcome.STILL_RIGHT}
    found: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for i, example in enumerate(EXAMPLES):
        kind = kinds.get((is_right(before, i), is_right(after, i)), Outcome.STILL_WRONG)
        found[kind].append(example.hash)
    return found


def test_changes_lead_from_the_right_answers_before_to_those_after(made: Made) -> None:
    kinds, label_of = outcomes(made), {e.hash: e.label for e in EXAMPLES}

    def number(label: str, *wanted: Outcome) -> int:
        return sum(label_of[content] == label for kind in wanted for content in kinds[kind])

    fixed, broken, right, wrong = Outcome.FIXED, Outcome.BROKEN, Outcome.STILL_RIGHT, Outcome.STILL_WRONG
    found = made.store.analytics.changes(made.bare.id, made.new.id)
    assert found == tuple(
        LabelChange(
            label,
            number(label, broken, right),
            number(label, fixed, right),
            number(label, fixed),
            number(label, broken),
            number(label, wrong),
        )
        for label in LABELS
    )
    assert all(change.only_in_one == 0 for change in found)


@pytest.mark.parametrize("outcome", Outcome)
def test_the_examples_of_an_outcome_are_listed_with_both_answers(made: Made, outcome: Outcome) -> None:
    before, after = made.answers(made.bare), made.answers(made.new)
    found = made.store.analytics.changed_examples(made.bare.id, made.new.id, outcome, page=Page(0, N))
    wanted = outcomes(made)[outcome]
    assert {one.example_hash for one in found} == set(wanted)
    assert [(one.gold, one.example_hash) for one in found] == sorted((one.gold, one.example_hash) for one in found)
    for one in found:
        said = before[one.example_hash].label or INVALID, after[one.example_hash].label or INVALID
        assert (one.before, one.after) == said
    of_keep = made.store.analytics.changed_examples(made.bare.id, made.new.id, outcome, "keep", Page(1, 2))
    assert of_keep == tuple(one for one in found if one.gold == "keep")[1:3]


def test_examples_that_only_one_run_asked_are_told_apart(made: Made) -> None:
    prompt = made.store.prompts.get("posts", 1).prompt
    half = answered_run(made.store, prompt, EXAMPLES[: N // 2], {})
    count(made.store, half)
    found = made.store.analytics.changes(made.bare.id, half.id)
    assert sum(change.after for change in found) == N // 2
    assert sum(change.broken for change in found) == 0
    before = made.answers(made.bare)
    assert sum(change.only_in_one for change in found) == -sum(is_right(before, i) for i in range(N // 2, N))


# --- what is not there ------------------------------------------------------------------------------------------------


def test_runs_of_another_student_or_split_or_that_are_not_complete_are_not_comparable(made: Made) -> None:
    prompt = made.store.prompts.get("posts", 1).prompt
    answered_run(made.store, prompt, EXAMPLES, {}, student="other")
    answered_run(made.store, prompt, EXAMPLES, {}, split=Split.TEST)
    answered_run(made.store, prompt, EXAMPLES, {}, finished=False)
    found = made.store.analytics.comparable(made.new.id)
    assert [(one.run, one.rules, one.methods) for one in found] == [(made.old, 1, (E,)), (made.bare, 0, (E,))]
    assert baseline_of(found, made.new.id) == made.bare.id
    assert baseline_of(found[:1], made.new.id) == made.old.id
    assert baseline_of(made.store.analytics.comparable(made.bare.id), made.bare.id) is None


def test_complete_runs_of_a_task_are_told_with_their_rules_and_methods(made: Made) -> None:
    prompt = made.store.prompts.get("posts", 1).prompt
    answered_run(made.store, prompt, EXAMPLES, {}, finished=False)
    test = answered_run(made.store, prompt, EXAMPLES, {}, student="other", split=Split.TEST)
    found = made.store.analytics.complete("posts")
    assert [(one.run, one.rules, one.methods) for one in found] == [
        (test, 0, ()),
        (made.new, 2, (E,)),
        (made.old, 1, (E,)),
        (made.bare, 0, (E,)),
    ]
    assert made.store.analytics.complete("other") == ()


def test_what_was_not_put_down_to_rules_is_refused_with_the_way_out(made: Made) -> None:
    analytics = made.store.analytics
    run = answered_run(made.store, made.store.prompts.get("posts", 1).prompt, EXAMPLES, {})
    with pytest.raises(NotFound, match=f"pld attribute --run {run.id}"):
        analytics.rule_bars(run.id, E)
    with pytest.raises(NotFound, match=f"pld attribute --run {run.id}"):
        analytics.changes(made.new.id, run.id)
    with pytest.raises(NotFound, match=f"pld attribute --run {run.id}"):
        analytics.changed_examples(made.new.id, run.id, Outcome.FIXED)
    with pytest.raises(NotFound, match=f"pld attribute --run {run.id}"):
        analytics.histogram(run.id, Quantity.LATENCY)
    with pytest.raises(NotFound, match="Only a prompt that asks for the rules"):
        analytics.coverage(made.new.id, Method.CITED)
    with pytest.raises(InvalidInput, match=f"pld ablate --task posts --run {made.new.id}"):
        analytics.overlap(made.new.id, Method.ABLATION)
    with pytest.raises(NotFound, match="no run 99"):
        analytics.confusion(99)


def test_runs_over_different_examples_are_not_held_against_each_other(made: Made) -> None:
    run = answered_run(made.store, made.store.prompts.get("posts", 1).prompt, EXAMPLES, {}, split=Split.TEST)
    count(made.store, run)
    with pytest.raises(InvalidInput, match="not of one task and one split"):
        made.store.analytics.changes(made.new.id, run.id)
