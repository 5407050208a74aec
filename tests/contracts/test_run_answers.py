"""Answers of runs by index: those of two runs beside each other, wrong ones by the page, recounted in Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pld_core.analytics import INVALID
from pld_core.compilation import Choices, compile_baseline
from pld_core.models import Answer, Prediction, Run, Split
from pld_core.paired import Pair
from pld_core.prompt_manifest import PromptKind
from pld_core.records import Page
from storage import SqliteStore as Store
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, LABELS, fill, make_examples

EXAMPLES = make_examples(24, Split.VALIDATION)


def answer(number: int, salt: int) -> Answer:
    """Return an answer that is wrong now and then, in two ways."""
    gold, wrong = LABELS[number % 2], LABELS[1 - number % 2]
    kind = number * salt % 5
    return answer_of(None if kind == 0 else wrong if kind == 1 else gold)


@pytest.fixture
def runs(sqlite_store: Store) -> tuple[Store, Run, Run]:
    fill(sqlite_store, examples=[*make_examples(4), *EXAMPLES])
    prompt = compile_baseline(sqlite_store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    made = [
        answered_run(sqlite_store, prompt, asked, {e.hash: answer(i, salt) for i, e in enumerate(EXAMPLES)})
        for salt, asked in ((3, EXAMPLES), (7, EXAMPLES[4:]))
    ]
    return sqlite_store, made[0], made[1]


def test_pairs_are_counted_over_what_both_answered(runs: tuple[Store, Run, Run]) -> None:
    store, first, second = runs
    was, now = ({p.example_hash: p for p in store.runs.predictions(run.id)} for run in (first, second))
    expected = Counter(Pair(p.gold, was[key].answer.label, p.answer.label) for key, p in now.items())
    assert store.runs.paired(first.id, second.id) == expected
    assert expected.total() == 20
    assert len(expected) > 4


def test_pairs_the_other_way_round_are_turned(runs: tuple[Store, Run, Run]) -> None:
    store, first, second = runs
    turned = {Pair(p.gold, p.after, p.before): n for p, n in store.runs.paired(first.id, second.id).items()}
    assert store.runs.paired(second.id, first.id) == turned


def test_pairs_of_runs_that_go_on_are_counted_anew_and_those_of_complete_ones_stay(sqlite_store: Store) -> None:
    fill(sqlite_store, examples=[*make_examples(4), *EXAMPLES])
    prompt = compile_baseline(sqlite_store.tasks.get("posts"), (), Choices(kind=PromptKind.NO_RULES))
    first, second = (answered_run(sqlite_store, prompt, EXAMPLES, {}, finished=False) for _ in range(2))
    third = sqlite_store.runs.start(replace(second, id=0, job_id=None), ANNA)
    assert sqlite_store.runs.paired(first.id, third.id).total() == 0
    for end in (10, 24):
        given = [Prediction(e.hash, e.label, answer_of(None)) for e in EXAMPLES[:end]]
        sqlite_store.runs.add_predictions(third.id, given)
        for _ in range(2):
            assert sqlite_store.runs.paired(first.id, third.id).total() == end
    found = sqlite_store.runs.paired(first.id, third.id)
    found.clear()
    assert sqlite_store.runs.paired(first.id, third.id).total() == 24, "what was handed out is a copy"
    assert {pair.after for pair in sqlite_store.runs.paired(first.id, third.id)} == {None}
    assert {pair.after for pair in sqlite_store.runs.paired(first.id, second.id)} == set(LABELS)


def test_wrong_answers_come_by_label_and_by_page(runs: tuple[Store, Run, Run]) -> None:
    store, first, _ = runs
    expected = sorted(
        (p for p in store.runs.predictions(first.id) if p.answer.label != p.gold),
        key=lambda p: (p.gold, p.example_hash),
    )
    assert list(store.runs.wrong(first.id)) == expected
    assert list(store.runs.wrong(first.id, page=Page(2, 3))) == expected[2:5]


@pytest.mark.parametrize("said", ["", "keep", "remove", INVALID])
@pytest.mark.parametrize("gold", ["", "keep", "remove", "nobody's"])
def test_wrong_answers_of_one_kind(runs: tuple[Store, Run, Run], gold: str, said: str) -> None:
    store, first, _ = runs
    expected = {
        p.example_hash
        for p in store.runs.predictions(first.id)
        if p.answer.label != p.gold and gold in ("", p.gold) and said in ("", p.answer.label or INVALID)
    }
    assert {p.example_hash for p in store.runs.wrong(first.id, gold, said)} == expected
