"""The effect of a rule, as pure functions: which examples it affects, which prompts are compared, and the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pld_core.compilation import compile_prompt
from pld_core.effect import AT_LEAST, AT_MOST, Basis, Case, Effect, Outcome, StudentKey, affected, prompts_of
from pld_core.evaluation import failed_answer
from pld_core.model_ports import Vectors
from pld_core.models import Answer, AnswerStatus, Split
from storage import SqliteStore
from tests.factories import ANNA, LABELS, approved_rule, fill, make_examples, make_rule, make_text, rule_in_review

BASIS = Basis("R1", "sha256:r", "sha256:e", "sha256:out", "sha256:in", 30)
KEY = StudentKey("told", "sha256:w", "sha256:o")
KEEP, REMOVE = (Answer(label, label, AnswerStatus.OK, 7) for label in LABELS)


def effect(*pairs: tuple[Answer, Answer]) -> Effect:
    """Return an effect on examples that are all to be kept."""
    cases = tuple(Case(f"sha256:{n}", "keep", without, with_rule) for n, (without, with_rule) in enumerate(pairs))
    return Effect("posts", BASIS, KEY, cases, {})


FIXED, BROKEN, RIGHT, WRONG = (REMOVE, KEEP), (KEEP, REMOVE), (KEEP, KEEP), (REMOVE, REMOVE)


# --- the figures ------------------------------------------------------------------------------------------------------


def test_each_pair_of_answers_has_one_outcome() -> None:
    found = [case.outcome for case in effect(FIXED, BROKEN, RIGHT, WRONG).cases]
    assert found == [Outcome.FIXED, Outcome.BROKEN, Outcome.STILL_RIGHT, Outcome.STILL_WRONG]


def test_an_answer_without_a_label_is_wrong_and_named() -> None:
    measured = effect((failed_answer("no"), KEEP), (KEEP, replace(KEEP, label=None, status=AnswerStatus.CUT)))
    assert (measured.fixed, measured.broken) == (1, 1)
    assert measured.unusable == {AnswerStatus.FAILED: 1, AnswerStatus.CUT: 1}


def test_the_counts_are_told_with_what_they_are_of() -> None:
    measured = effect(FIXED, FIXED, BROKEN, RIGHT)
    assert measured.words == "fixed 2, broken 1 of 4 affected validation examples"
    assert (measured.right_without.k, measured.right_with.k) == (2, 3)
    assert measured.right_with.words == "3 of 4 (too few for a rate)"


def test_without_a_changed_answer_nothing_is_tested() -> None:
    assert effect(RIGHT, WRONG).p_value is None


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_test_is_the_exact_binomial_one(fixed: int, broken: int) -> None:
    measured = effect(*[FIXED] * fixed, *[BROKEN] * broken, RIGHT)
    if fixed + broken:
        expected = binomtest(fixed, fixed + broken, 0.5).pvalue
        assert measured.p_value == pytest.approx(expected)
    else:
        assert measured.p_value is None


def test_times_are_no_part_of_what_a_measurement_is() -> None:
    slow = replace(KEEP, latency_ms=900)
    assert effect((KEEP, KEEP)).hash == effect((slow, slow)).hash != effect((KEEP, REMOVE)).hash


# --- whether it still holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (BASIS, ()),
        (replace(BASIS, revision_hash="x", with_sha256="x"), ("an earlier text of the rule",)),
        (replace(BASIS, without_sha256="x"), ("an earlier prompt",)),
        (
            replace(BASIS, evidence_hash="x", validation=31),
            ("earlier evidence", "another number of validation examples"),
        ),
    ],
)
def test_what_changed_since_is_named(now: Basis, words: tuple[str, ...]) -> None:
    assert BASIS.changes(now) == words


# --- the two prompts --------------------------------------------------------------------------------------------------


def test_an_undecided_rule_is_added_to_the_rules_in_force(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    approved_rule(sqlite_store)
    rule_id = rule_in_review(
        sqlite_store, make_rule(make_text("the post is rude", "remove"), make_examples(2), origin="other")
    )
    task, in_force = sqlite_store.tasks.get("posts"), sqlite_store.rules.in_force("posts")
    prompts = prompts_of(task, in_force, sqlite_store.rules.dossier(rule_id, ANNA))
    assert prompts.without.text == compile_prompt(task, in_force).text
    assert prompts.without.build.unreviewed
    assert [rule.rule_id for rule in prompts.with_rule.rules] == ["R1", "R2"]
    assert "the post is rude" in prompts.with_rule.text
    assert "the post is rude" not in prompts.without.text


def test_a_rule_in_force_is_taken_out_and_the_other_prompt_is_the_one_that_compiles_now(
    sqlite_store: SqliteStore,
) -> None:
    fill(sqlite_store)
    rule_id = approved_rule(sqlite_store)
    task, in_force = sqlite_store.tasks.get("posts"), sqlite_store.rules.in_force("posts")
    prompts = prompts_of(task, in_force, sqlite_store.rules.dossier(rule_id, ANNA))
    assert prompts.with_rule.text == compile_prompt(task, in_force).text
    assert prompts.without.rules == ()
    assert "[R1]" not in prompts.without.text


def test_a_replacement_in_review_takes_the_place_of_the_approved_revision(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    rule_id = approved_rule(sqlite_store)
    before = sqlite_store.rules.dossier(rule_id, ANNA)
    text = replace(before.head.text, condition="the post is kind")
    sqlite_store.rules.edit(rule_id, before.head.hash, before.summary.state, text, "clearer", ANNA)
    task, in_force = sqlite_store.tasks.get("posts"), sqlite_store.rules.in_force("posts")
    prompts = prompts_of(task, in_force, sqlite_store.rules.dossier(rule_id, ANNA))
    assert "the post is kind" in prompts.with_rule.text
    assert "the post is friendly" not in prompts.with_rule.text
    assert prompts.without.rules == ()


# --- which examples ---------------------------------------------------------------------------------------------------


def directions(*degrees: float) -> Vectors:
    turned = np.radians(degrees)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def test_examples_within_the_radius_are_affected_nearest_first() -> None:
    examples = make_examples(30, Split.VALIDATION)
    degrees = [2.0 * n for n in range(30)]
    found = affected(3, directions(-40, 0, 40, *degrees), examples)
    # The outer two of the telling texts lie 60 degrees from the centre of the others; no example lies farther.
    assert found == examples
    narrow = affected(3, directions(-20, 0, 20, *degrees), examples)
    assert narrow == examples[:16]


def test_at_least_the_ten_nearest_and_at_most_fifty_are_affected() -> None:
    examples = make_examples(80, Split.VALIDATION)
    far = affected(3, directions(-1, 0, 1, *[20.0 + n for n in range(80)]), examples)
    assert far == examples[:AT_LEAST]
    near = affected(3, directions(-90, 0, 90, *[0.5 * n for n in range(80)]), examples)
    assert near == examples[:AT_MOST]


def test_a_rule_with_a_single_telling_text_affects_the_ten_nearest() -> None:
    examples = make_examples(20, Split.VALIDATION)
    assert affected(1, directions(0, *[4.0 * n for n in range(20)]), examples) == examples[:AT_LEAST]


def test_where_there_are_fewer_examples_all_are_affected() -> None:
    examples = make_examples(3, Split.VALIDATION)
    assert len(affected(2, directions(0, 1, 170, 175, 180), examples)) == 3


def test_equally_near_examples_come_in_the_order_of_their_hashes_whatever_order_they_were_given_in() -> None:
    examples = make_examples(20, Split.VALIDATION)
    vectors = directions(0, 5, *[10.0] * 20)
    assert affected(2, vectors, examples) == affected(2, vectors, examples[::-1])
