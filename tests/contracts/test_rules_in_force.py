"""What pages read of thousands of rules in force: ids, their length, what a prompt's rules came from, and marks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pld_core.compilation import compile_prompt, compile_trial, trial_size
from pld_core.effect import StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.models import RuleText, Verdict
from pld_core.records import NewRule, TeacherCall
from storage import SqliteStore
from tests.answering import answer_of
from tests.factories import ANNA, approved_rule, fill, make_rule, make_text, rule_in_review, verdict_on


def numbered(store: SqliteStore, number: int) -> NewRule:
    text = make_text(f"the post is about {number}")
    return make_rule(text, supports=store.tasks.examples("posts")[:2], origin=f"origin {number}")


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """Three rules in force, one of them with an edit in review, and one that is in review itself."""
    fill(sqlite_store)
    ids = [approved_rule(sqlite_store, numbered(sqlite_store, number)) for number in range(3)]
    rule_in_review(sqlite_store, numbered(sqlite_store, 3))
    edit(sqlite_store, ids[1])
    return sqlite_store


def edit(store: SqliteStore, rule_id: str) -> None:
    seen = store.rules.dossier(rule_id, ANNA)
    text = RuleText("Wörter", 'it says “zwölf” and "no"', ("keep", "remove"), ('it is a "quote"', "a joke"))
    store.rules.edit(rule_id, seen.head.hash, seen.summary.state, text, "clearer", ANNA)


def approve(store: SqliteStore, rule_id: str) -> None:
    store.rules.judge(verdict_on(store, rule_id), ANNA)


def test_ids_and_length_are_those_of_the_rules_that_a_prompt_is_compiled_from(store: SqliteStore) -> None:
    for text in ("as it was", "the edit"):
        in_force, task = store.rules.in_force("posts"), store.tasks.get("posts")
        assert store.rules.ids_in_force("posts") == tuple(revision.rule_id for revision, _, _ in in_force)
        told = trial_size(task, store.rules.size_in_force("posts"))
        # In the list of exceptions a quotation mark has another byte.
        quotes = sum(one.count('"') for revision, _, _ in in_force for one in revision.text.exceptions)
        assert told == len(compile_trial(task, in_force).text.encode()) + quotes
        assert (quotes > 0) == (text == "the edit")
        if not quotes:
            approve(store, in_force[1][0].rule_id)


def test_a_task_without_rules_has_none_in_force(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    assert sqlite_store.rules.ids_in_force("posts") == ()
    task = sqlite_store.tasks.get("posts")
    size = trial_size(task, sqlite_store.rules.size_in_force("posts"))
    assert size == len(compile_trial(task, ()).text.encode())


def test_the_sources_of_a_prompt_are_what_the_dossiers_tell(store: SqliteStore) -> None:
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    held = prompt.rules[::-1]
    approve(store, held[1].rule_id)
    sources = store.rules.sources(held)
    assert [source.is_in_force for source in sources] == [True, False, True]
    for entry, source in zip(held, sources, strict=True):
        dossier = store.rules.dossier(entry.rule_id, ANNA)
        decision = next(one for one in dossier.decisions if one.id == entry.decision_id)
        assert source.revision == next(one for one in dossier.revisions if one.hash == entry.revision_hash)
        assert (source.reviewer, source.decided_at) == (decision.reviewer, decision.decided_at)
        assert source.is_in_force == (dossier.summary.in_force == entry.revision_hash)
    assert store.rules.sources(()) == ()


def answer(store: SqliteStore) -> None:
    student = StudentKey("told", "sha256:weights", "")
    store.effects.keep(student, [KeptAnswer("sha256:prompt", "sha256:example", answer_of("keep"))])


CALL = TeacherCall("sha256:r", "conflicts", ("sha256:e",), "told", "sha256:t", "{}", "", 10, None, 5)
STEPS: dict[str, Callable[[SqliteStore], object]] = {
    "a rule comes into review": lambda store: rule_in_review(store, numbered(store, 9)),
    "a rule is approved": lambda store: approve(store, "R4"),
    "a rule is edited": lambda store: edit(store, "R1"),
    "a rule is rejected": lambda store: store.rules.judge(verdict_on(store, "R4", Verdict.REJECT), ANNA),
    "the teacher replies": lambda store: store.logic.record_calls("posts", [(CALL, None)]),
    "a student answers": answer,
    "a job is ordered": lambda store: store.jobs.enqueue("extract", "posts", {}, ANNA),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_marks_of_an_estimate_move_when(store: SqliteStore, name: str) -> None:
    before = store.resolutions.marks()
    assert store.resolutions.marks() == before, "reading moves nothing"
    STEPS[name](store)
    assert store.resolutions.marks() != before
