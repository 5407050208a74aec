"""The guard over the life of a revision: a table of what is allowed, and everything else is refused in words."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pld_core.errors import (
    IllegalTransition,
    InvalidInput,
    MissingEvidence,
    MissingReason,
    MissingRole,
)
from pld_core.models import (
    Actor,
    AuthorKind,
    Judgement,
    RejectCategory,
    Revision,
    RevisionState,
    Role,
    RuleText,
    Verdict,
)
from pld_core.review import (
    Action,
    Standing,
    check_judgement,
    clean_rule_text,
    edited_revision,
    next_state,
    rule_sentences,
)
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    LABELS,
    make_text,
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
