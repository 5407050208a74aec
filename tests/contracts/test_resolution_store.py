"""What a loop keeps comes back as it was, and is never changed; rules are locked and unlocked with a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.canonical import canonical_json
from pld_core.compilation import compile_trial, trial_size
from pld_core.conflicts.rounds import Stop
from pld_core.errors import InvalidInput, MissingReason, MissingRole, NotFound, WorkspaceError
from pld_core.event_words import sentence
from pld_core.models import Role
from storage import SqliteStore
from tests.conflict_models import action, text
from tests.factories import ANNA, READER
from tests.resolving import ORDER, RuleSpec, Stage, conflicted, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]


@pytest.fixture
def loop(sqlite_store: SqliteStore) -> Stage:
    conflicted(sqlite_store, KINDS, RULES)
    excepted = text("insult is said", "remove", ["joke is said"])
    return scripted(sqlite_store, ("joke", lambda r: [action("add_exception", ["R1"], r, excepted)]))


def test_a_loop_and_its_rounds_come_back_as_they_were(loop: Stage) -> None:
    ended = loop.run()
    resolutions = loop.store.resolutions
    assert resolutions.all("posts") == (resolutions.get(1),) == (ended.resolution,)
    assert resolutions.begun_as("job 7") == ended.resolution
    assert (ended.resolution.order, ended.resolution.by) == (ORDER, "anna")
    assert resolutions.rounds(1) == ended.rounds
    assert resolutions.score(1) == ended.score
    assert [r.number for r in ended.rounds] == [0, 1, 2]
    proposal = ended.rounds[1].proposals[0]
    assert loop.store.proposals.get(1, proposal.proposal.hash) == proposal
    assert loop.store.proposals.trials(1, proposal.proposal.hash) == ended.rounds[1].trials


def test_it_is_told_in_the_event_log(loop: Stage) -> None:
    loop.run()
    begun, ended = (e for e in reversed(loop.store.events.page()) if e.kind.startswith("resolution."))
    assert begun.payload["rules"] == [r.revision.hash for r in loop.store.resolutions.get(1).basis.rules.rules]
    assert ended.payload["why"] == Stop.NO_FAILURES.words
    assert sentence(ended) == "Loop 1 of the task posts ended after round 2; best is 1."


def test_loops_without_a_key_are_loops_of_their_own(loop: Stage) -> None:
    first, second = (loop.run(replace(ORDER, key="")) for _ in range(2))
    assert (first.resolution.id, second.resolution.id) == (1, 2)
    assert [r.validation for r in first.rounds] == [r.validation for r in second.rounds]


def test_no_text_of_an_example_is_copied_into_a_loop(loop: Stage) -> None:
    loop.run()
    with loop.store.database.read() as conn:
        for table in ("resolution", "conflict_round", "proposal", "proposal_trial"):
            for row in conn.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names of this test
                assert "insult joke train" not in canonical_json([str(value) for value in row])


def test_what_is_not_there_is_not_found(loop: Stage) -> None:
    for ask in (loop.store.resolutions.get, loop.store.resolutions.rounds, loop.store.resolutions.score):
        with pytest.raises(NotFound, match="no loop 9"):
            ask(9)
    loop.run()
    with pytest.raises(NotFound, match="no proposal"):
        loop.store.proposals.get(1, "sha256:none")


@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 'x'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["resolution", "conflict_round", "proposal", "proposal_trial", "resolution_score"])
def test_nothing_of_it_is_ever_changed(loop: Stage, table: str, statement: str) -> None:
    loop.run()
    with pytest.raises(WorkspaceError, match="append-only"), loop.store.database.write() as write:
        write.conn.execute(statement.format(table))


def test_the_rules_of_a_loop_are_those_that_a_prompt_is_compiled_from(loop: Stage) -> None:
    rules = loop.store.resolutions.rules_in_force("posts")
    in_force = loop.store.rules.in_force("posts")
    assert [rule.candidate for rule in rules] == list(in_force)
    assert [rule.evidence for rule in rules] == [loop.store.rules.dossier(rule.id, ANNA).evidence for rule in rules]
    assert [support for _, _, support in in_force] == [len(rule.supports) for rule in rules]
    assert all(support > 1 for _, _, support in in_force)
    assert loop.store.rules.ids_in_force("posts") == tuple(revision.rule_id for revision, _, _ in in_force)
    assert loop.store.resolutions.first_free() == 3


def test_a_trial_prompt_is_no_version(loop: Stage) -> None:
    task = loop.store.tasks.get("posts")
    prompt = compile_trial(task, loop.store.rules.in_force("posts"))
    assert trial_size(task, loop.store.rules.size_in_force("posts")) == len(prompt.text.encode())
    with pytest.raises(InvalidInput, match=r"A trial prompt is no version.*Nothing was stored"):
        loop.store.prompts.save(prompt, ANNA)
    assert loop.store.prompts.all("posts") == ()


# --- locks ------------------------------------------------------------------------------------------------------------


def test_a_rule_is_locked_and_unlocked_with_a_reason(loop: Stage) -> None:
    locks = loop.store.locks
    locks.lock("r1", "From  a settlement.", ANNA)
    assert (locks.locked("posts"), locks.history("R1")[0].reason) == (frozenset({"R1"}), "From a settlement.")
    assert [rule.locked for rule in loop.store.resolutions.rules_in_force("posts")] == [True, False]
    with pytest.raises(InvalidInput, match="R1 is locked already"):
        locks.lock("R1", "again", ANNA)
    locks.unlock("R1", "The settlement ended.", ANNA)
    assert (locks.locked("posts"), len(locks.history("R1"))) == (frozenset(), 2)
    with pytest.raises(InvalidInput, match="R1 is not locked"):
        locks.unlock("R1", "again", ANNA)
    assert [e.kind for e in loop.store.events.page()][:2] == ["rule.unlocked", "rule.locked"]


def test_a_lock_takes_a_reason_a_rule_and_a_role(loop: Stage) -> None:
    with pytest.raises(MissingReason):
        loop.store.locks.lock("R1", "  ", ANNA)
    with pytest.raises(NotFound):
        loop.store.locks.lock("R9", "why", ANNA)
    for role in (Role.ANALYST, Role.ADMIN, Role.RELEASE_MANAGER):
        with pytest.raises(MissingRole, match="lock a rule"):
            loop.store.locks.lock("R1", "why", replace(READER, roles=frozenset({role})))
    assert loop.store.locks.history("R1") == ()
