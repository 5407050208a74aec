"""The guard over the life of a revision: a table of what is allowed, and everything else is refused in words."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pld_core.desk import Tick
from pld_core.errors import (
    IllegalTransition,
    InvalidInput,
    MissingEvidence,
    MissingReason,
    MissingRole,
    NotAllowed,
    RevisionMovedOn,
)
from pld_core.models import (
    SYSTEM,
    Actor,
    AuthorKind,
    Decision,
    EvidenceRole,
    Judgement,
    RejectCategory,
    Revision,
    RevisionState,
    Role,
    RuleText,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.review import (
    Action,
    Standing,
    check_judgement,
    clean_rule_text,
    edited_revision,
    next_state,
    rule_sentences,
)
from storage import SqliteStore, create_store
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    LABELS,
    TickingClock,
    fill,
    make_examples,
    make_rule,
    make_task,
    make_text,
    url_of,
)

S, A = RevisionState, Action
ALLOWED = {
    (S.PROPOSED, A.SUBMIT): S.IN_REVIEW,
    (S.IN_REVIEW, A.APPROVE): S.APPROVED,
    (S.IN_REVIEW, A.REJECT): S.REJECTED,
    (S.IN_REVIEW, A.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.FIRST_APPROVED, A.APPROVE): S.APPROVED,
    (S.FIRST_APPROVED, A.REJECT): S.DISPUTED,
    (S.FIRST_APPROVED, A.REQUEST_CHANGES): S.DISPUTED,
    (S.DISPUTED, A.APPROVE): S.APPROVED,
    (S.DISPUTED, A.REJECT): S.REJECTED,
    (S.DISPUTED, A.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.APPROVED, A.MARK_STALE): S.STALE,
    (S.FIRST_APPROVED, A.BEGIN_AGAIN): S.IN_REVIEW,
    (S.DISPUTED, A.BEGIN_AGAIN): S.IN_REVIEW,
    (S.APPROVED, A.SUPERSEDE): S.SUPERSEDED,
    (S.APPROVED, A.RETIRE): S.RETIRED,
    (S.STALE, A.REVIEW_AGAIN): S.IN_REVIEW,
    (S.STALE, A.SUPERSEDE): S.SUPERSEDED,
    (S.STALE, A.RETIRE): S.RETIRED,
    (S.PROPOSED, A.TICK): S.PROPOSED,
    (S.IN_REVIEW, A.TICK): S.IN_REVIEW,
    (S.CHANGES_REQUESTED, A.TICK): S.CHANGES_REQUESTED,
    (S.STALE, A.TICK): S.STALE,
    (S.FIRST_APPROVED, A.TICK): S.IN_REVIEW,
    (S.DISPUTED, A.TICK): S.IN_REVIEW,
    (S.APPROVED, A.TICK): S.STALE,
    (S.FIRST_APPROVED, A.WITHDRAW): S.IN_REVIEW,
    (S.DISPUTED, A.WITHDRAW): S.IN_REVIEW,
    (S.CHANGES_REQUESTED, A.WITHDRAW): S.IN_REVIEW,
    (S.APPROVED, A.WITHDRAW): S.IN_REVIEW,
    # A seeded check ends with what somebody does with it first.
    (S.IN_REVIEW, A.CLOSE_CHECK): S.RETIRED,
    (S.FIRST_APPROVED, A.CLOSE_CHECK): S.RETIRED,
    (S.APPROVED, A.CLOSE_CHECK): S.RETIRED,
    (S.CHANGES_REQUESTED, A.CLOSE_CHECK): S.RETIRED,
    # An edit settles what is undecided and leaves alone what was decided.
    (S.PROPOSED, A.EDIT): S.CHANGES_REQUESTED,
    (S.IN_REVIEW, A.EDIT): S.CHANGES_REQUESTED,
    (S.FIRST_APPROVED, A.EDIT): S.CHANGES_REQUESTED,
    (S.DISPUTED, A.EDIT): S.CHANGES_REQUESTED,
    (S.CHANGES_REQUESTED, A.EDIT): S.CHANGES_REQUESTED,
    (S.APPROVED, A.EDIT): S.APPROVED,
    (S.STALE, A.EDIT): S.STALE,
    (S.REJECTED, A.EDIT): S.REJECTED,
    (S.SUPERSEDED, A.EDIT): S.SUPERSEDED,
    (S.RETIRED, A.EDIT): S.RETIRED,
}
EVERY_PAIR = list(itertools.product(RevisionState, Action))
REFUSED = [pair for pair in EVERY_PAIR if pair not in ALLOWED]


def standing(state: RevisionState, **more: object) -> Standing:
    return replace(Standing(state, "told", AuthorKind.TEACHER), **more)  # type: ignore[arg-type]


def ids(pair: tuple[RevisionState, Action]) -> str:
    return f"{pair[0]}-{pair[1]}"


@pytest.mark.parametrize("pair", ALLOWED, ids=ids)
def test_an_allowed_step_leads_to_its_state(pair: tuple[RevisionState, Action]) -> None:
    own = ("anna", "olga") if pair[1] is A.WITHDRAW else ()
    assert next_state(standing(pair[0], approvers=own), pair[1], ANNA) is ALLOWED[pair]


@pytest.mark.parametrize("pair", REFUSED, ids=ids)
@pytest.mark.parametrize("four_eyes", [False, True])
def test_every_other_step_is_refused_and_names_state_and_step(
    pair: tuple[RevisionState, Action], four_eyes: bool
) -> None:
    state, action = pair
    with pytest.raises(IllegalTransition) as refusal:
        next_state(standing(state, four_eyes=four_eyes), action, ANNA)
    assert state.label in str(refusal.value)
    assert action.value.replace("_", " ") in str(refusal.value)


def test_the_final_states_say_that_an_edit_makes_a_new_revision() -> None:
    for state in (S.REJECTED, S.SUPERSEDED, S.RETIRED):
        with pytest.raises(IllegalTransition, match="final; an edit makes a new revision"):
            next_state(standing(state), A.APPROVE, ANNA)


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_alone_gives_exactly_its_rights(action: Action, role: Role) -> None:
    may = {Role.LEAD, Role.RELEASE_MANAGER} if action is A.RETIRE else {Role.REVIEWER, Role.LEAD}
    state = next(state for (state, other) in ALLOWED if other is action)
    actor = Actor("olga", frozenset({role}))
    if role in may:
        own = ("olga",) if action is A.WITHDRAW else ()
        assert next_state(standing(state, approvers=own), action, actor) is ALLOWED[state, action]
    else:
        with pytest.raises(MissingRole, match=r"olga may not .*: that takes the role lead or re"):
            next_state(standing(state), action, actor)


def test_with_four_eyes_one_approval_is_not_enough() -> None:
    assert next_state(standing(S.IN_REVIEW, four_eyes=True), A.APPROVE, ANNA) is S.FIRST_APPROVED


def test_with_four_eyes_the_first_approver_cannot_approve_or_reject_again() -> None:
    waiting = standing(S.FIRST_APPROVED, four_eyes=True, approvers=("anna",))
    for action in (A.APPROVE, A.REJECT, A.REQUEST_CHANGES):
        with pytest.raises(IllegalTransition, match="anna has already decided"):
            next_state(waiting, action, ANNA)
    assert next_state(waiting, A.APPROVE, BERT) is S.APPROVED


@pytest.mark.parametrize("action", [A.APPROVE, A.REJECT, A.REQUEST_CHANGES])
def test_a_dispute_is_settled_by_a_third_person_only(action: Action) -> None:
    disputed = standing(S.DISPUTED, four_eyes=True, approvers=("anna",), dissenters=("bert",))
    for party in (ANNA, BERT):
        with pytest.raises(IllegalTransition, match=r"already decided on this revision. The disputed state"):
            next_state(disputed, action, party)
    assert next_state(disputed, action, CLEO) is ALLOWED[S.DISPUTED, action]


@pytest.mark.parametrize("state", [S.FIRST_APPROVED, S.DISPUTED])
def test_with_four_eyes_the_author_cannot_give_the_deciding_approval(state: RevisionState) -> None:
    own = standing(state, author="anna", author_kind=AuthorKind.PERSON, four_eyes=True, approvers=("bert",))
    with pytest.raises(IllegalTransition, match="anna wrote this revision"):
        next_state(own, A.APPROVE, ANNA)
    assert next_state(own, A.REJECT, ANNA) is ALLOWED[state, A.REJECT]
    assert next_state(own, A.APPROVE, CLEO) is S.APPROVED


def test_a_teacher_with_a_persons_name_does_not_bar_that_person() -> None:
    taught = standing(S.FIRST_APPROVED, author="anna", four_eyes=True, approvers=("bert",))
    assert next_state(taught, A.APPROVE, ANNA) is S.APPROVED


@pytest.mark.parametrize("state", [S.FIRST_APPROVED, S.DISPUTED, S.CHANGES_REQUESTED, S.APPROVED])
def test_nobody_withdraws_what_somebody_else_decided(state: RevisionState) -> None:
    decided = standing(state, approvers=("bert",), dissenters=("cleo",))
    with pytest.raises(IllegalTransition, match=r"anna has made no decision that counts .* Nothing was changed"):
        next_state(decided, A.WITHDRAW, ANNA)
    for party in (BERT, CLEO):
        assert next_state(decided, A.WITHDRAW, party) is S.IN_REVIEW


def test_without_four_eyes_the_author_may_approve() -> None:
    own = standing(S.IN_REVIEW, author="anna", author_kind=AuthorKind.PERSON)
    assert next_state(own, A.APPROVE, ANNA) is S.APPROVED


@pytest.mark.parametrize("state", [S.IN_REVIEW, S.FIRST_APPROVED, S.DISPUTED])
def test_without_evidence_nobody_can_approve_but_anybody_can_reject(state: RevisionState) -> None:
    bare = standing(state, has_evidence=False)
    with pytest.raises(MissingEvidence, match="no evidence"):
        next_state(bare, A.APPROVE, ANNA)
    assert next_state(bare, A.REJECT, ANNA) is ALLOWED[state, A.REJECT]


def judgement(verdict: Verdict, reason: str, category: RejectCategory | None) -> Judgement:
    return Judgement("R1", "sha256:1", S.IN_REVIEW, verdict, reason, category)


@pytest.mark.parametrize("reason", ["", "  \n\t"])
def test_a_negative_verdict_needs_a_reason(reason: str) -> None:
    with pytest.raises(MissingReason, match="Rejecting needs a reason"):
        check_judgement(judgement(Verdict.REJECT, reason, RejectCategory.OTHER))
    with pytest.raises(MissingReason, match="Requesting changes needs a reason"):
        check_judgement(judgement(Verdict.REQUEST_CHANGES, reason, None))


def test_a_rejection_needs_a_category_and_the_other_verdicts_do_not() -> None:
    with pytest.raises(MissingReason, match="needs a category"):
        check_judgement(judgement(Verdict.REJECT, "too broad", None))
    for category in RejectCategory:
        check_judgement(judgement(Verdict.REJECT, "too broad", category))
    check_judgement(judgement(Verdict.REQUEST_CHANGES, "too broad", None))
    check_judgement(judgement(Verdict.APPROVE, "", None))


def test_white_space_is_folded_and_empty_exceptions_are_dropped() -> None:
    text = RuleText("  a \n b ", "x\n\n y\tz", ("keep",), (" ", "one\n two", ""), "  why\n\nso  ")
    assert clean_rule_text(text, LABELS) == RuleText("a b", "x y z", ("keep",), ("one two",), "why\n\nso")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"condition": " \n"}, "condition after IF"),
        ({"labels": ()}, "at least one label"),
        ({"labels": ("keep", "burn")}, "'burn' is not one of keep, remove"),
        ({"title": "t" * 121}, "title has 121"),
        ({"condition": "c" * 1201}, "condition has 1,201 characters; at most 1,200"),
        ({"rationale": "r" * 2001}, "rationale has 2,001"),
        ({"exceptions": ("ok", "e" * 601)}, "exception has 601"),
        ({"exceptions": ("e",) * 13}, "more than 12 exceptions"),
    ],
)
def test_a_text_beyond_the_limits_is_refused_by_name(changed: dict[str, object], word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        clean_rule_text(replace(make_text(), **changed), LABELS)  # type: ignore[arg-type]


def test_a_text_at_the_limits_is_taken() -> None:
    text = RuleText("t" * 120, "c" * 1200, LABELS, ("e" * 600,) * 12, "r" * 2000)
    assert clean_rule_text(text, LABELS) == text


PARENT = Revision("R7", 3, make_text(), "told", AuthorKind.TEACHER)


def test_an_edit_is_the_next_revision_with_author_parent_and_note() -> None:
    made = edited_revision(PARENT, make_text("the post is  kind"), " clearer\n word ", BERT, LABELS)
    assert (made.rule_id, made.number, made.author, made.author_kind) == ("R7", 4, "bert", AuthorKind.PERSON)
    assert (made.parent, made.note, made.text.condition) == (PARENT.hash, "clearer word", "the post is kind")
    assert made.hash != PARENT.hash


def test_an_edit_without_a_change_or_without_a_note_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Nothing was changed"):
        edited_revision(PARENT, replace(PARENT.text, condition="  the post  is friendly "), "why", BERT, LABELS)
    with pytest.raises(MissingReason, match="edit needs a reason"):
        edited_revision(PARENT, make_text("other"), " \n", BERT, LABELS)
    with pytest.raises(InvalidInput, match="condition after IF"):
        edited_revision(PARENT, make_text(""), "why", BERT, LABELS)


def test_sentences_lose_their_full_stops_and_join_labels_with_or() -> None:
    text = RuleText("t", "it is so. ", ("keep", "remove"), ("it is not.", "never"))
    assert rule_sentences(text) == ("it is so", "keep or remove", ("it is not", "never"))


# --- random histories on a real store ---------------------------------------------------------------------------------

PEOPLE = st.sampled_from([ANNA, BERT, CLEO])
ROLES_OF_ONE = Actor("rolf", frozenset({Role.ANALYST}))
FOLLOWS = {
    "": {S.PROPOSED},
    S.PROPOSED: {S.IN_REVIEW, S.CHANGES_REQUESTED},
    S.IN_REVIEW: {S.APPROVED, S.FIRST_APPROVED, S.REJECTED, S.CHANGES_REQUESTED},
    S.FIRST_APPROVED: {S.APPROVED, S.DISPUTED, S.CHANGES_REQUESTED, S.IN_REVIEW},
    S.DISPUTED: {S.APPROVED, S.REJECTED, S.CHANGES_REQUESTED, S.IN_REVIEW},
    S.CHANGES_REQUESTED: {S.IN_REVIEW},
    S.APPROVED: {S.SUPERSEDED, S.IN_REVIEW, S.STALE},
    S.STALE: {S.SUPERSEDED, S.IN_REVIEW},
}


class ReviewHistory(RuleBasedStateMachine):
    """Several people at one workspace; a second record of what was accepted is kept here and compared."""

    four_eyes = False

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store: SqliteStore = create_store(url_of(Path(self.folder.name) / "pld.db"), TickingClock())
        fill(self.store, make_task(), make_examples(4), Policy(four_eyes=self.four_eyes))
        self.decided: list[Decision] = []
        self.rule_ids: list[str] = []
        self.begun_anew: dict[str, int] = {}
        self.edits = 0
        self.propose(True)
        self.act(0, ANNA, A.SUBMIT)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(with_evidence=st.booleans())
    def propose(self, with_evidence: bool) -> None:
        supports = self.store.tasks.examples("posts")[:2] if with_evidence else ()
        made = self.store.rules.propose("posts", make_rule(supports=supports, origin=f"o{len(self.rule_ids)}"), ANNA)
        assert made is not None
        self.rule_ids.append(made)

    @rule(pick=st.integers(0, 50), who=PEOPLE, action=st.sampled_from([A.SUBMIT, A.APPROVE, A.APPROVE, A.APPROVE]))
    def submit_or_approve(self, pick: int, who: Actor, action: Action) -> None:
        self.act(pick, who, action)

    @rule(pick=st.integers(0, 50), who=PEOPLE, action=st.sampled_from([A.REJECT, A.REQUEST_CHANGES, A.EDIT]))
    def disagree(self, pick: int, who: Actor, action: Action) -> None:
        self.act(pick, who, action)

    @rule(pick=st.integers(0, 50), action=st.sampled_from([A.SUBMIT, A.APPROVE, A.REJECT, A.EDIT]))
    def somebody_without_a_role_tries(self, pick: int, action: Action) -> None:
        before = self.store.events.count()
        self.act(pick, ROLES_OF_ONE, action)
        assert self.store.events.count() == before

    @rule(pick=st.integers(0, 50), who=PEOPLE)
    def decide_on_an_old_screen(self, pick: int, who: Actor) -> None:
        dossier = self.store.rules.dossier(self.rule_ids[pick % len(self.rule_ids)], SYSTEM)
        stale = S.STALE if dossier.summary.state is not S.STALE else S.PROPOSED
        with pytest.raises(RevisionMovedOn):
            self.store.rules.judge(
                Judgement(dossier.summary.id, dossier.revisions[0].hash, stale, Verdict.APPROVE), who
            )

    @rule(pick=st.integers(0, 50), who=PEOPLE)
    def withdraw(self, pick: int, who: Actor) -> None:
        seen = self.store.rules.summary(self.rule_ids[pick % len(self.rule_ids)])
        try:
            taken_back = self.store.desk.queue.withdraw(seen.id, seen.head, seen.state, "I misread it.", who)
        except NotAllowed:
            assert self.store.rules.summary(seen.id) == seen
        else:
            assert next(d.reviewer for d in self.decided if d.id == taken_back) == who.name
            self.begun_anew[seen.head] = len(self.decided)

    @rule(pick=st.integers(0, 50), who=PEOPLE, role=st.sampled_from(EvidenceRole))
    def tick(self, pick: int, who: Actor, role: EvidenceRole) -> None:
        dossier = self.store.rules.dossier(self.rule_ids[pick % len(self.rule_ids)], SYSTEM)
        if not dossier.evidence:
            return
        link, seen = dossier.evidence[0], evidence_set_hash(dossier.evidence)
        try:
            done = self.store.desk.ticks.tick(
                Tick(dossier.summary.id, dossier.head.hash, seen, link.example_hash, role), who
            )
        except NotAllowed:
            assert self.store.rules.dossier(dossier.summary.id, SYSTEM) == dossier
        else:
            assert (done.evidence_hash == seen) is (role is link.role)
            if done.state is not dossier.summary.state:
                self.begun_anew[dossier.head.hash] = len(self.decided)

    def act(self, pick: int, who: Actor, action: Action) -> None:
        seen = self.store.rules.summary(self.rule_ids[pick % len(self.rule_ids)])
        try:
            if action is A.SUBMIT:
                self.store.rules.submit(seen.id, who)
            elif action is A.EDIT:
                self.edits += 1
                text = make_text(f"the post is friendly in way {self.edits}")
                self.store.rules.edit(seen.id, seen.head, seen.state, text, "clearer", who)
            else:
                given = Judgement(
                    seen.id, seen.head, seen.state, Verdict(action.value), "because", RejectCategory.OTHER
                )
                self.decided.append(self.store.rules.judge(given, who))
        except NotAllowed:
            assert self.store.rules.summary(seen.id) == seen

    @invariant()
    def no_decision_is_lost(self) -> None:
        if not hasattr(self, "store"):
            return
        kept = [d for rule_id in self.rule_ids for d in self.store.rules.dossier(rule_id, SYSTEM).decisions]
        assert sorted(kept, key=lambda d: d.id) == self.decided

    @invariant()
    def every_history_is_legal_and_only_approved_revisions_are_in_force(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.database.read() as conn:
            moves = conn.execute("SELECT revision_hash, state FROM transition ORDER BY id").fetchall()
        last: dict[str, str] = {}
        for move in moves:
            before = last.get(move["revision_hash"], "")
            assert S(move["state"]) in FOLLOWS.get(before, set()), (before, move["state"])
            last[move["revision_hash"]] = move["state"]
        for rule_id in self.rule_ids:
            summary = self.store.rules.summary(rule_id)
            assert last[summary.head] == summary.state
            approved = [h for h in self.store.rules.dossier(rule_id, SYSTEM).states if last[h] == S.APPROVED]
            assert [summary.in_force] == (approved or [""])
        compiled = {revision.hash for revision, _, _ in self.store.rules.in_force("posts")}
        assert compiled == {revision for revision, state in last.items() if state == S.APPROVED}

    @invariant()
    def approvals_take_the_people_they_need(self) -> None:
        if not hasattr(self, "store"):
            return
        for revision, entry, _ in self.store.rules.in_force("posts"):
            names = [
                d.reviewer
                for d in self.decided[self.begun_anew.get(revision.hash, 0) :]
                if d.revision_hash == revision.hash and d.verdict is Verdict.APPROVE
            ]
            assert len(set(names)) == len(names) >= (2 if self.four_eyes else 1)
            deciding = next(d for d in self.decided if d.id == entry.decision_id)
            if self.four_eyes and revision.author_kind is AuthorKind.PERSON:
                assert deciding.reviewer != revision.author

    @invariant()
    def the_audit_chain_verifies(self) -> None:
        if hasattr(self, "store"):
            assert self.store.events.verify().intact


class FourEyesHistory(ReviewHistory):
    four_eyes = True


QUICK = settings(max_examples=10, stateful_step_count=16, deadline=None, derandomize=True, database=None)
TestReviewHistory = ReviewHistory.TestCase
TestReviewHistory.settings = QUICK
TestFourEyesHistory = FourEyesHistory.TestCase
TestFourEyesHistory.settings = QUICK
