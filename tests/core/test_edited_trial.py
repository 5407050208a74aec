"""Edited texts of a proposal: what was tried is what goes to review, is approved, and is exported."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pld_core.canonical import hash_text
from pld_core.compilation import compile_prompt
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.records import Fate, Stage
from pld_core.edited_trial import try_edited
from pld_core.errors import BudgetReached, IllegalTransition, InvalidInput, MissingReason, NotFound
from pld_core.model_ports import ChatRequest
from pld_core.models import AuthorKind, RuleText
from pld_core.policy import PLAIN
from pld_core.prompt_export import export
from pld_core.prompt_export.source import ExportSource
from pld_core.token_count import estimated
from storage import SqliteStore
from tests.conflict_models import action, text
from tests.factories import ANNA, BERT, ToldChat, no_report, verdict_on
from tests.resolving import RuleSpec, conflicted, limited, scripted
from tests.resolving import Stage as Staged

RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
JOKES = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
USELESS = text("insult is said", "remove", ["banter is said"])


def useless(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [action("add_exception", ["R1"], request, USELESS)]


@pytest.fixture
def staged(sqlite_store: SqliteStore) -> Staged:
    """A loop that has ended: its one proposal changes no answer."""
    conflicted(sqlite_store, JOKES, RULES)
    stage = scripted(sqlite_store, ("joke", useless))
    stage.run()
    return stage


def proposed(staged: Staged) -> Proposal:
    return staged.store.resolutions.rounds(1)[1].proposals[0].proposal


def excepting(proposal: Proposal, *exceptions: str) -> RuleText:
    return replace(proposal.texts[0].text, exceptions=exceptions)


def test_a_proposal_is_edited_and_tried_again(staged: Staged) -> None:
    made = proposed(staged)
    better = excepting(made, "joke is said")
    for _ in range(2):
        tried = staged.retry(made.hash, better)
    assert (tried.stage, tried.result.passes) == (Stage.EDITED, True)
    (edited,) = staged.store.proposals.edits(1)
    assert (edited.texts, edited.by, edited.hash) == ((better,), "anna", tried.texts)
    assert staged.store.proposals.trials(1, made.hash)[-1] == tried
    assert len(staged.store.proposals.trials(1, made.hash)) == 2
    assert staged.run().score.best_round == 0


def test_no_other_text_goes_to_review_on_the_trial_of_one_that_passed(staged: Staged) -> None:
    made = proposed(staged)
    staged.retry(made.hash, excepting(made, "joke is said"))
    others = [
        excepting(made, "insult is said"),
        excepting(made, "joke is said", "praise is said"),
        replace(excepting(made, "joke is said"), rationale="Another one."),
    ]
    for other in others:
        with pytest.raises(MissingReason, match=r"No trial of exactly these texts passed\. They can go to review"):
            staged.store.proposals.accept(1, made.hash, "", ANNA, (other,))
    with pytest.raises(MissingReason, match="No trial of this proposal alone passed"):
        staged.store.proposals.accept(1, made.hash, "", ANNA)
    outcome = staged.store.proposals.accept(1, made.hash, "I know better.", ANNA, (others[0],))
    assert (outcome.fate, staged.store.events.page()[0].payload["passed"]) == (Fate.EDITED, False)


def test_a_trial_that_failed_proves_nothing(staged: Staged) -> None:
    made = proposed(staged)
    bad = excepting(made, "plain is said")
    assert not staged.retry(made.hash, bad).result.passes
    staged.retry(made.hash, excepting(made, "joke is said"))
    with pytest.raises(MissingReason):
        staged.store.proposals.accept(1, made.hash, "", ANNA, (bad,))


def test_what_was_refined_is_what_is_exported(staged: Staged) -> None:
    store, made = staged.store, proposed(staged)
    better = excepting(made, "joke is said")
    tried = staged.retry(made.hash, better)
    outcome = store.proposals.accept(1, made.hash, "", ANNA, (better,))
    told = store.events.page()[0]
    assert (told.kind, told.payload["prompt"], told.payload["texts"]) == (
        "proposal.edited",
        tried.prompt_sha256,
        tried.texts,
    )
    store.rules.judge(verdict_on(store, "R1"), BERT)
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    version = store.prompts.save(prompt, ANNA, estimated(prompt.text))
    assert version.prompt.sha256 == tried.prompt_sha256
    assert [rule.revision_hash for rule in version.prompt.rules if rule.rule_id == "R1"] == list(outcome.revisions)
    head = store.rules.dossier("R1", ANNA).head
    source = ExportSource(store.tasks.get("posts"), version, {head.hash: head}, "m", 8_192, ())
    assert hash_text(export(source, "text").decode()) == tried.prompt_sha256
    assert b"EXCEPT joke is said" in export(source, "text")
    asked = len(staged.student.asked)
    again = staged.run(replace(limited(rounds=1), key="job 8")).rounds[0]
    assert (again.prompt_sha256, again.validation and again.validation.macro_f1) == (tried.prompt_sha256, 1.0)
    validation = {e.text for e in store.tasks.examples("posts") if e.split.value == "validation"}
    assert not [r for r in staged.student.asked[asked:] if any(words in r.user for words in validation)]


def test_who_wrote_a_text_is_its_author_whoever_accepts_it(staged: Staged) -> None:
    made = proposed(staged)
    better = excepting(made, "joke is said")
    staged.retry(made.hash, better, actor=BERT)
    staged.store.policies.change("posts", PLAIN, replace(PLAIN, four_eyes=True), "two people", ANNA)
    staged.store.proposals.accept(1, made.hash, "", ANNA, (better,))
    head = staged.store.rules.dossier("R1", ANNA).head
    assert (head.author, head.author_kind) == ("bert", AuthorKind.PERSON)
    staged.store.rules.judge(verdict_on(staged.store, "R1"), ANNA)
    with pytest.raises(IllegalTransition):
        staged.store.rules.judge(verdict_on(staged.store, "R1"), BERT)


def test_texts_are_kept_in_their_order_and_the_newest_only_once_in_a_row(staged: Staged) -> None:
    proposals, made = staged.store.proposals, proposed(staged)
    one, other = excepting(made, "joke is said"), excepting(made, "fun is said")
    for given in (one, one, other, one):
        proposals.edit(1, made.hash, (given,), ANNA)
    assert [edited.texts[0] for edited in proposals.edits(1, made.hash)] == [one, other, one]
    assert proposals.edits(1, "sha256:none") == ()
    told = staged.store.events.page()[0]
    assert (told.kind, told.payload["texts"]) == ("proposal.rewritten", [one.as_json()])


def test_what_is_no_rule_or_decided_on_is_not_stored(staged: Staged) -> None:
    proposals, made = staged.store.proposals, proposed(staged)
    better = excepting(made, "joke is said")
    with pytest.raises(InvalidInput, match="has 1 texts that could be tried otherwise, not 2"):
        proposals.edit(1, made.hash, (better, better), ANNA)
    with pytest.raises(InvalidInput):
        proposals.edit(1, made.hash, (replace(better, condition=" "),), ANNA)
    proposals.dismiss(1, made.hash, "No.", ANNA)
    with pytest.raises(InvalidInput, match="anna decided on this proposal already"):
        proposals.edit(1, made.hash, (better,), ANNA)
    assert proposals.edits(1) == ()


def test_only_stored_texts_and_the_loops_own_student_are_tried(staged: Staged) -> None:
    made = proposed(staged)
    with pytest.raises(NotFound, match="These texts are not stored"):
        asyncio.run(try_edited(staged.store, staged.student, 1, made.hash, "sha256:none", ANNA, no_report))
    staged.student.name = "another"
    with pytest.raises(InvalidInput, match="the student is another one since it began"):
        staged.retry(made.hash, excepting(made, "joke is said"))


def test_trials_that_people_order_count_for_no_cap(sqlite_store: SqliteStore) -> None:
    conflicted(sqlite_store, JOKES, RULES)
    stage = scripted(sqlite_store, ("joke", useless))
    stage.run()
    spent = len(stage.student.asked)

    fresh = Staged(sqlite_store, stage.teacher, ToldChat(stage.student.say, "student"))
    made = proposed(fresh)
    fresh.retry(made.hash, excepting(made, "joke is said"))
    assert fresh.student.asked
    # Read again within exactly what the loop itself spent.
    assert fresh.run(limited(student_calls=spent)).score.best_round == 0
    with pytest.raises(BudgetReached):
        fresh.run(limited(student_calls=spent - 1))
