"""Compiling over a store: what was chosen, counted by the student, and a proposal where it is too long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pld_core.asking import Evaluation, answer_run, start_run
from pld_core.compilation import Choices
from pld_core.compiling import PromptDraft, draft
from pld_core.effect import Basis, Case, Effect, StudentKey
from pld_core.errors import InvalidInput, NotFound
from pld_core.model_ports import ChatReply, ChatRequest
from pld_core.models import Answer, AnswerStatus, Split
from pld_core.prompt_effects import newest_effect
from pld_core.prompt_manifest import CountMethod, PromptKind, RuleOrder
from pld_core.prompt_style import Style
from storage import SqliteStore
from tests.core.test_token_count import CountingChat, unheard
from tests.factories import (
    ANNA,
    ToldChat,
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_text,
    no_report,
)

STUDENT = CountingChat(unheard)


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """Three approved rules with 4, 2 and 1 of 8 training examples, and 4 validation examples."""
    given = fill(sqlite_store, examples=[*make_examples(8), *make_examples(4, Split.VALIDATION)])
    for number, (condition, support) in enumerate([("it is kind", 4), ("it is warm", 2), ("it is new", 1)]):
        approved_rule(sqlite_store, make_rule(make_text(condition), given[:support], origin=f"o{number}"))
    return sqlite_store


def drafted(
    store: SqliteStore, choices: Choices | None = None, student: ToldChat | None = STUDENT, budget: int | None = None
) -> PromptDraft:
    return asyncio.run(draft(store, "posts", choices or Choices(), student, budget))


def test_a_draft_is_counted_and_not_stored(store: SqliteStore) -> None:
    made = drafted(store)
    assert made.tokens.tokens == len(made.prompt.text.split()) + 1
    assert (made.tokens.method, made.plan) == (CountMethod.TOKENIZER, None)
    assert store.prompts.all("posts") == ()
    assert drafted(store, student=None).tokens.method is CountMethod.ESTIMATE


def test_a_prompt_that_just_fits_needs_no_plan(store: SqliteStore) -> None:
    tokens = drafted(store).tokens.tokens
    assert drafted(store, budget=tokens).plan is None
    assert drafted(store, budget=tokens - 1).plan is not None


def test_over_budget_the_least_supported_rules_are_proposed_and_the_rest_is_counted(store: SqliteStore) -> None:
    whole = drafted(store)
    plan = drafted(store, budget=whole.tokens.tokens - 1).plan
    assert plan is not None
    assert [drop.rule_id for drop in plan.drops] == ["R3"]
    assert plan.fits
    assert plan.left == drafted(store, Choices(leave_out=("R3",), reason="no room")).tokens
    assert "1 of 8 training examples support it" in plan.drops[0].basis
    assert whole.prompt.text.count("[R") == 3, "nothing is left out by a plan"


def test_a_plan_respects_what_was_left_out_and_ordered_already(store: SqliteStore) -> None:
    order = RuleOrder(("R2", "R1"), "as agreed")
    chosen = Choices(order=order, leave_out=("R3",), reason="as agreed")
    plan = drafted(store, chosen, budget=drafted(store, chosen).tokens.tokens - 1).plan
    assert plan is not None
    assert [drop.rule_id for drop in plan.drops] == ["R2"]


def test_a_budget_below_a_single_rule_cannot_be_kept(store: SqliteStore) -> None:
    plan = drafted(store, budget=5).plan
    assert plan is not None
    assert (plan.fits, len(plan.drops)) == (False, 2)


def test_a_measured_effect_outweighs_support(store: SqliteStore) -> None:
    """The rule with most support did nothing but harm, as two evaluations tell."""
    without = store.prompts.save(drafted(store, Choices(leave_out=("R1",), reason="to measure")).prompt, ANNA)
    with_rule = store.prompts.save(drafted(store).prompt, ANNA)

    def say(request: ChatRequest) -> ChatReply:
        harmed = "[R1]" in request.system
        label = "remove" if ("number 1" in request.user or "number 3" in request.user) != harmed else "keep"
        return ChatReply(f'{{"label": "{label}"}}', "told", "stop", 1)

    student = ToldChat(say)
    for version in (without, with_rule):
        wanted = Evaluation("posts", version.number, Split.VALIDATION)
        run = asyncio.run(start_run(store, student, wanted, ANNA))
        asyncio.run(answer_run(store, student, run, no_report))
    plan = drafted(store, budget=drafted(store).tokens.tokens - 1).plan
    assert plan is not None
    assert [drop.rule_id for drop in plan.drops] == ["R1"]
    assert plan.drops[0].basis == "measured: fixed 0 and broke 4 of 4 answers (runs 1 and 2)"


def harm(store: SqliteStore, rule_id: str) -> None:
    """Record that a rule broke one answer of two, out of 4 validation examples."""
    basis = Basis(rule_id, store.rules.summary(rule_id).head, "sha256:e", "sha256:out", "sha256:in", 4)
    right, wrong = (Answer(label, label, AnswerStatus.OK, 1) for label in ("keep", "remove"))
    cases = (Case("sha256:1", "keep", right, wrong), Case("sha256:2", "keep", right, right))
    store.effects.record(Effect("posts", basis, StudentKey("told", "sha256:w", "sha256:o"), cases, {}), ANNA)


def test_an_effect_that_was_measured_for_review_outweighs_support(store: SqliteStore) -> None:
    harm(store, "R1")
    plan = drafted(store, budget=drafted(store).tokens.tokens - 1).plan
    assert plan is not None
    (drop,) = plan.drops
    assert (drop.rule_id, drop.utility) == ("R1", 100 * -2 / 4)
    assert drop.basis == "measured: fixed 0, broken 1 of 2 affected validation examples (effect 1, with told)"


def test_the_newest_effect_of_a_revision_counts_and_none_of_another_revision(store: SqliteStore) -> None:
    head = store.rules.summary("R1").head
    harm(store, "R1")
    assert newest_effect(store.effects.of_rule("R1"), "sha256:later") is None
    first = store.effects.of_rule("R1")[0]
    better = replace(first.effect, cases=first.effect.cases[1:])
    store.effects.record(better, ANNA)
    newest = newest_effect(store.effects.of_rule("R1"), head)
    assert newest is not None
    assert (newest.broken, newest.out_of, newest.utility) == (0, 4, 0)


@pytest.mark.parametrize("kind", [PromptKind.NO_RULES, PromptKind.FEW_SHOT])
def test_baselines_hold_no_rule_and_need_no_approval(sqlite_store: SqliteStore, kind: PromptKind) -> None:
    fill(sqlite_store, examples=make_examples(6))
    made = drafted(sqlite_store, Choices(kind=kind, seed=3))
    assert (made.prompt.rules, made.prompt.build.kind) == ((), kind)
    assert "RULES" not in made.prompt.text
    shots = made.prompt.build.shots
    assert (shots is not None and (shots.seed, len(shots.examples))) == (
        (3, 5) if kind is PromptKind.FEW_SHOT else False
    )


def test_a_baseline_over_budget_has_nothing_to_leave_out(store: SqliteStore) -> None:
    plan = drafted(store, Choices(kind=PromptKind.NO_RULES), budget=3).plan
    assert plan is not None
    assert (plan.drops, plan.fits) == ((), False)


def test_what_a_baseline_cannot_be_is_refused(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, examples=make_examples(4))
    for choices, told in [
        (Choices(kind=PromptKind.FEW_SHOT), "needs 5 training examples, and posts has 4"),
        (Choices(kind=PromptKind.NO_RULES, style=Style.CITED), "without rules has none that an answer could cite"),
        (Choices(kind=PromptKind.NO_RULES, leave_out=("R1",), reason="x"), "holds no rule"),
        (Choices(), "No rule of posts is approved yet"),
    ]:
        with pytest.raises(InvalidInput, match=told):
            drafted(sqlite_store, choices)
    with pytest.raises(NotFound):
        asyncio.run(draft(sqlite_store, "nothing", Choices(), None, None))
