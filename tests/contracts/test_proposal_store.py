"""Accepting a proposal writes revisions that go to review like any other; nothing is in force before its approval."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pld_core.conflicts.records import Fate, ProposalOutcome
from pld_core.errors import InvalidInput, MissingReason, MissingRole, RevisionMovedOn, RuleLocked
from pld_core.event_words import sentence
from pld_core.model_ports import ChatRequest
from pld_core.models import Actor, AuthorKind, EvidenceRole, RevisionState, Role
from pld_core.policy import PLAIN
from pld_core.resolving import Resolved
from pld_core.synthesis import short_id
from storage import SqliteStore
from tests.conflict_models import action, block, text
from tests.core.conflict_parts import TASK
from tests.factories import ANNA, BERT, READER, verdict_on
from tests.packs import packed, verified
from tests.resolving import RuleSpec, Stage, conflicted, scripted

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep"), ("spam offer", "remove")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
EXCEPTED = text("insult is said", "remove", ["joke is said"])
REVIEWER = Actor("rob", frozenset({Role.REVIEWER}))


def looped(store: SqliteStore, *kinds: str) -> tuple[Stage, Resolved]:
    """Run a loop whose teacher proposes these kinds of action, one each."""

    def joke(request: ChatRequest) -> Sequence[dict[str, Any]]:
        rules = block(request, "RULES")
        if "EXCEPT" in rules or "[R1]" not in rules:
            return []
        said = {
            "add_exception": action("add_exception", ["R1"], request, EXCEPTED),
            "retire": action("retire", ["R1"], request),
            "keep": action("keep", ["R1"], request),
            "refused": action("retire", ["R77"], request),
        }
        return [said[kind] for kind in kinds if kind in said]

    def spam(request: ChatRequest) -> Sequence[dict[str, Any]]:
        return [action("new_rule", [], request, text("spam is said", "remove"))] if "new_rule" in kinds else []

    conflicted(store, KINDS, RULES)
    stage = scripted(store, ("joke", joke), ("spam", spam))
    return stage, stage.run()


def the(ended: Resolved, kind: str) -> str:
    return next(m.proposal.hash for r in ended.rounds for m in r.proposals if m.proposal.action == kind)


def accept(store: SqliteStore, proposal: str, actor: Actor = ANNA, reason: str = "It reads well.") -> ProposalOutcome:
    return store.proposals.accept(1, proposal, reason, actor)


def approve(store: SqliteStore, rule_id: str) -> None:
    store.rules.judge(verdict_on(store, rule_id), BERT)


def test_a_changed_rule_goes_to_review_and_the_approved_one_stays_in_force(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    before = sqlite_store.rules.summary("R1")
    outcome = accept(sqlite_store, the(ended, "add_exception"), REVIEWER)
    dossier = sqlite_store.rules.dossier("R1", ANNA)
    assert outcome.revisions == (dossier.head.hash,)
    assert (dossier.summary.state, dossier.summary.in_force) == (RevisionState.IN_REVIEW, before.head)
    head = dossier.head
    assert (head.author, head.author_kind, head.parent) == ("teacher", AuthorKind.CONFLICT_LOOP, before.head)
    jokes = {e.hash for e in sqlite_store.tasks.examples("posts") if e.text.startswith("insult joke train")}
    assert jokes <= {e.example_hash for e in dossier.evidence if e.role is EvidenceRole.NEAR_MISS}
    told = sqlite_store.events.page()
    assert [e.kind for e in told[:2]] == ["proposal.accepted", "rule.repaired"]
    assert told[0].payload["signed_as"] == {"kind": "attestation"}
    assert sentence(told[1]).startswith("rob brought revision 2 of R1 into review, as teacher proposed it.")
    assert sqlite_store.proposals.outcome(1, outcome.proposal) == outcome


def test_what_was_refined_is_what_is_compiled_once_it_is_approved(sqlite_store: SqliteStore) -> None:
    stage, ended = looped(sqlite_store, "add_exception")
    accept(sqlite_store, the(ended, "add_exception"))
    assert sqlite_store.resolutions.rules_in_force("posts")[0].revision.number == 1
    approve(sqlite_store, "R1")
    now = ended.best.rules.__class__(sqlite_store.resolutions.rules_in_force("posts"))
    assert now.prompt(TASK).sha256 == ended.best.prompt_sha256
    asked = stage.calls
    assert stage.run(replace(ended.resolution.order, key="job 8")).rounds[0].validation == ended.best.validation
    assert stage.calls - asked <= 1


def test_an_auditors_pack_vouches_for_what_was_accepted_and_approved(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    _, ended = looped(sqlite_store, "add_exception", "new_rule")
    (new,) = accept(sqlite_store, the(ended, "new_rule")).rules
    accept(sqlite_store, the(ended, "add_exception"))
    for rule_id in ("R1", new):
        approve(sqlite_store, rule_id)
    content, _ = packed(sqlite_store)
    file = tmp_path / "pack.zip"
    file.write_bytes(content)
    with zipfile.ZipFile(file) as pack:
        pack.extractall(tmp_path / "pack")
    assert verified(tmp_path / "pack" / "verify.py").code == 0
    assert sqlite_store.events.verify().intact


def test_four_eyes_hold_for_what_the_loop_proposed(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    sqlite_store.policies.change("posts", PLAIN, replace(PLAIN, four_eyes=True), "two people", ANNA)
    accept(sqlite_store, the(ended, "add_exception"))
    approve(sqlite_store, "R1")
    assert sqlite_store.rules.summary("R1").state is RevisionState.FIRST_APPROVED


def test_an_edited_proposal_is_the_persons_own(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    made = sqlite_store.proposals.get(1, the(ended, "add_exception"))
    other = replace(made.proposal.texts[0].text, exceptions=("joke or banter is said",))
    outcome = sqlite_store.proposals.accept(1, made.proposal.hash, "wider", ANNA, (other,))
    head = sqlite_store.rules.dossier("R1", ANNA).head
    assert (head.text, head.author, head.author_kind) == (other, "anna", AuthorKind.PERSON)
    assert (outcome.fate, sqlite_store.events.page()[0].kind) == (Fate.EDITED, "proposal.edited")


def test_a_new_rule_rests_on_the_failures_and_is_in_review(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "new_rule")
    (rule_id,) = accept(sqlite_store, the(ended, "new_rule")).rules
    dossier = sqlite_store.rules.dossier(rule_id, ANNA)
    spam = {e.hash for e in sqlite_store.tasks.examples("posts") if e.text.startswith("spam offer train")}
    assert {e.example_hash for e in dossier.evidence if e.role is EvidenceRole.SUPPORTS} == spam
    assert (dossier.summary.state, dossier.summary.in_force) == (RevisionState.IN_REVIEW, "")
    assert dossier.head.author_kind is AuthorKind.CONFLICT_LOOP
    assert set(sqlite_store.lineage.trace(rule_id).now.members) == spam


def test_halves_take_their_parents_place_when_both_are_settled(sqlite_store: SqliteStore) -> None:
    kinds = [*KINDS[:2], ("insult not", "remove"), ("insult joke", "keep")]
    conflicted(sqlite_store, kinds, RULES)
    text_of = {e.hash: e.text for e in sqlite_store.tasks.examples("posts")}

    def halves(request: ChatRequest) -> Sequence[dict[str, Any]]:
        parts = []
        for word in ("plain", "not"):
            own = [short_id(content) for content in request.nearby if f" {word} " in text_of[content]]
            parts.append({**text(f"insult and {word} is said", "remove"), "examples": own})
        return [action("split", ["R1"], request, *parts)] if "[R1]" in block(request, "RULES") else []

    ended = scripted(sqlite_store, ("joke", halves)).run()
    assert ended.best.train
    assert ended.best.train.macro_f1 == 1.0
    first, second = accept(sqlite_store, the(ended, "split")).rules
    assert sqlite_store.rules.summary("R1").state is RevisionState.APPROVED
    approve(sqlite_store, first)
    assert sqlite_store.rules.summary("R1").in_force
    approve(sqlite_store, second)
    assert sqlite_store.rules.summary("R1").state is RevisionState.SUPERSEDED
    assert [kin.child for kin in sqlite_store.desk.parts.kin("R1")] == [first, second]


def test_who_may_not_retire_accepts_no_retirement(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "retire")
    with pytest.raises(MissingRole, match="rob may not retire a rule"):
        accept(sqlite_store, the(ended, "retire"), REVIEWER)
    assert sqlite_store.rules.summary("R1").state is RevisionState.APPROVED
    outcome = accept(sqlite_store, the(ended, "retire"))
    assert outcome.revisions == ()
    summary = sqlite_store.rules.summary("R1")
    assert (summary.state, summary.in_force) == (RevisionState.RETIRED, "")
    assert [e.kind for e in sqlite_store.events.page()[:2]] == ["proposal.accepted", "rule.retired"]


def test_what_passed_no_trial_goes_to_review_only_with_a_reason(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "retire", "add_exception")
    with pytest.raises(MissingReason, match="No trial of this proposal alone passed"):
        accept(sqlite_store, the(ended, "retire"), reason="")
    assert accept(sqlite_store, the(ended, "add_exception"), reason="").fate is Fate.ACCEPTED


def test_each_proposal_is_decided_on_once(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    proposal = the(ended, "add_exception")
    with pytest.raises(MissingReason):
        sqlite_store.proposals.dismiss(1, proposal, " ", ANNA)
    sqlite_store.proposals.dismiss(1, proposal, "Jokes hurt too.", ANNA)
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.payload["reason"]) == ("proposal.dismissed", "Jokes hurt too.")
    with pytest.raises(InvalidInput, match="anna decided on this proposal already: dismissed"):
        accept(sqlite_store, proposal)
    assert sqlite_store.rules.summary("R1").revision == 1


def test_what_was_refused_or_changes_nothing_is_not_accepted(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "refused", "keep")
    with pytest.raises(InvalidInput, match="This proposal was refused: The call was not about R77"):
        accept(sqlite_store, the(ended, "retire"))
    with pytest.raises(InvalidInput, match="nothing is to change"):
        accept(sqlite_store, the(ended, "keep"))


def test_a_rule_that_was_locked_or_changed_since_is_left_alone(sqlite_store: SqliteStore) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    proposal = the(ended, "add_exception")
    sqlite_store.locks.lock("R1", "hands off", ANNA)
    with pytest.raises(RuleLocked, match="R1 is locked"):
        accept(sqlite_store, proposal)
    sqlite_store.locks.unlock("R1", "all clear", ANNA)
    before = sqlite_store.rules.dossier("R1", ANNA)
    edited = replace(before.head.text, condition="insult or slur is said")
    sqlite_store.rules.edit("R1", before.head.hash, before.summary.state, edited, "wider", ANNA)
    with pytest.raises(RevisionMovedOn):
        accept(sqlite_store, proposal)
    assert sqlite_store.proposals.outcome(1, proposal) is None


@pytest.mark.parametrize("act", ["accept", "dismiss"])
def test_who_only_reads_decides_on_no_proposal(sqlite_store: SqliteStore, act: str) -> None:
    _, ended = looped(sqlite_store, "add_exception")
    with pytest.raises(MissingRole):
        getattr(sqlite_store.proposals, act)(1, the(ended, "add_exception"), "why", READER)
