"""The life of a rule revision: what is allowed in which state, by whom. The one guard for pages, CLI and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pld_core.errors import IllegalTransition, InvalidInput, MissingEvidence, MissingReason, NotAllowed
from pld_core.models import (
    PRIORITIES,
    Actor,
    AuthorKind,
    Judgement,
    Revision,
    RevisionState,
    RuleText,
    Verdict,
)
from pld_core.permissions import Step, require

S = RevisionState


class Action(StrEnum):
    """What can happen to a revision. The last ones are done by the system, as a consequence of something else.

    `tick` is a person's word on what an example says of the rule; `withdraw` takes back one's own decision.
    """

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    EDIT = "edit"
    RETIRE = "retire"
    REVIEW_AGAIN = "review_again"
    TICK = "tick"
    WITHDRAW = "withdraw"
    MARK_STALE = "mark_stale"
    BEGIN_AGAIN = "begin_again"
    SUPERSEDE = "supersede"
    CLOSE_CHECK = "close_check"


@dataclass(frozen=True)
class Standing:
    """What the guard has to know about a revision.

    Attributes:
        author: who wrote this revision.
        approvers: who already approved it, in order (one name while the second approval is awaited).
        dissenters: who disagreed with the first approval.
        has_evidence: whether at least one example supports or contradicts it.
        four_eyes: the task's policy.
    """

    state: RevisionState
    author: str
    author_kind: AuthorKind
    approvers: tuple[str, ...] = ()
    dissenters: tuple[str, ...] = ()
    has_evidence: bool = True
    four_eyes: bool = False


_STEPS: dict[Action, Step] = {
    Action.SUBMIT: Step.SUBMIT,
    Action.APPROVE: Step.JUDGE,
    Action.REJECT: Step.JUDGE,
    Action.REQUEST_CHANGES: Step.JUDGE,
    Action.EDIT: Step.EDIT,
    Action.RETIRE: Step.RETIRE,
    Action.REVIEW_AGAIN: Step.SUBMIT,
    Action.MARK_STALE: Step.SUBMIT,
    Action.BEGIN_AGAIN: Step.SUBMIT,
    Action.SUPERSEDE: Step.JUDGE,
    Action.CLOSE_CHECK: Step.JUDGE,
    Action.TICK: Step.TICK,
    Action.WITHDRAW: Step.WITHDRAW,
}

OPEN_STATES = (S.PROPOSED, S.IN_REVIEW, S.FIRST_APPROVED, S.DISPUTED, S.CHANGES_REQUESTED, S.STALE)
"""A person still has to do something."""
AWAITING_DECISION = (S.STALE, S.DISPUTED, S.FIRST_APPROVED, S.IN_REVIEW, S.PROPOSED)
"""States in which a reviewer can decide, most urgent first."""
FINAL_STATES = frozenset({S.REJECTED, S.SUPERSEDED, S.RETIRED})
"""Nothing leads out of these; reopening makes a new revision."""

SETTLED_STATES = frozenset({S.APPROVED, S.REJECTED, S.CHANGES_REQUESTED})
"""Where a review ends, for this revision."""

_PLAIN: dict[tuple[RevisionState, Action], RevisionState] = {
    (S.PROPOSED, Action.SUBMIT): S.IN_REVIEW,
    (S.STALE, Action.REVIEW_AGAIN): S.IN_REVIEW,
    (S.IN_REVIEW, Action.REJECT): S.REJECTED,
    (S.IN_REVIEW, Action.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.FIRST_APPROVED, Action.REJECT): S.DISPUTED,
    (S.FIRST_APPROVED, Action.REQUEST_CHANGES): S.DISPUTED,
    (S.DISPUTED, Action.REJECT): S.REJECTED,
    (S.DISPUTED, Action.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.APPROVED, Action.MARK_STALE): S.STALE,
    # Half a decision on other evidence is none: the review of the revision begins anew.
    (S.FIRST_APPROVED, Action.BEGIN_AGAIN): S.IN_REVIEW,
    (S.DISPUTED, Action.BEGIN_AGAIN): S.IN_REVIEW,
    (S.APPROVED, Action.SUPERSEDE): S.SUPERSEDED,
    (S.STALE, Action.SUPERSEDE): S.SUPERSEDED,
    (S.APPROVED, Action.RETIRE): S.RETIRED,
    (S.STALE, Action.RETIRE): S.RETIRED,
    # A seeded check ends with the first thing that somebody does with it, an approval too.
    (S.IN_REVIEW, Action.CLOSE_CHECK): S.RETIRED,
    (S.FIRST_APPROVED, Action.CLOSE_CHECK): S.RETIRED,
    (S.APPROVED, Action.CLOSE_CHECK): S.RETIRED,
    (S.CHANGES_REQUESTED, Action.CLOSE_CHECK): S.RETIRED,
    (S.PROPOSED, Action.TICK): S.PROPOSED,
    (S.IN_REVIEW, Action.TICK): S.IN_REVIEW,
    (S.CHANGES_REQUESTED, Action.TICK): S.CHANGES_REQUESTED,
    (S.STALE, Action.TICK): S.STALE,
    # A decision is bound to the evidence as it was; half a decision on other evidence is none.
    (S.FIRST_APPROVED, Action.TICK): S.IN_REVIEW,
    (S.DISPUTED, Action.TICK): S.IN_REVIEW,
    (S.APPROVED, Action.TICK): S.STALE,
    (S.FIRST_APPROVED, Action.WITHDRAW): S.IN_REVIEW,
    (S.DISPUTED, Action.WITHDRAW): S.IN_REVIEW,
    (S.CHANGES_REQUESTED, Action.WITHDRAW): S.IN_REVIEW,
    (S.APPROVED, Action.WITHDRAW): S.IN_REVIEW,
}
BEGINS_ANEW = frozenset({Action.TICK, Action.WITHDRAW, Action.MARK_STALE, Action.BEGIN_AGAIN})
"""After a transition by one of these, decisions made before it are history: they count for nothing in the guard."""


def next_state(standing: Standing, action: Action, actor: Actor) -> RevisionState:
    """Return the state that `action` by `actor` leads to.

    An edit leaves the revision it starts from as it is while that one is in force or final, and settles an undecided
    one as `changes_requested`: the edit is the request and its answer.

    Raises:
        MissingRole, MissingEvidence, IllegalTransition: the action is not allowed; the message says why.
    """
    require(actor, _STEPS[action])
    if action is Action.EDIT:
        return S.CHANGES_REQUESTED if standing.state in _UNDECIDED else standing.state
    if action is Action.APPROVE:
        return _after_approval(standing, actor)
    if action in (Action.REJECT, Action.REQUEST_CHANGES):
        _refuse_second_voice(standing, actor)
    new = _PLAIN.get((standing.state, action))
    if new is None:
        raise _illegal(standing.state, action)
    if action is Action.WITHDRAW and actor.name not in (*standing.approvers, *standing.dissenters):
        raise IllegalTransition(
            f"{actor.name} has made no decision that counts on this revision, which is {standing.state.label}, so "
            "there is none to withdraw. Nothing was changed; whoever decided can withdraw it, or edit the rule."
        )
    return new


def is_allowed(standing: Standing, action: Action, actor: Actor) -> bool:
    """Return whether `next_state` lets the actor take the action."""
    try:
        next_state(standing, action, actor)
    except NotAllowed:
        return False
    return True


_UNDECIDED = frozenset({S.PROPOSED, S.IN_REVIEW, S.FIRST_APPROVED, S.DISPUTED})


def _after_approval(standing: Standing, actor: Actor) -> RevisionState:
    if standing.state not in (S.IN_REVIEW, S.FIRST_APPROVED, S.DISPUTED):
        raise _illegal(standing.state, Action.APPROVE)
    if not standing.has_evidence:
        raise MissingEvidence("This rule has no evidence, so nobody can judge it. Link an example to it, or reject it.")
    _refuse_second_voice(standing, actor)
    if not standing.four_eyes:
        return S.APPROVED
    if standing.state is S.IN_REVIEW:
        return S.FIRST_APPROVED
    if actor.name == standing.author and standing.author_kind is AuthorKind.PERSON:
        raise IllegalTransition(
            f"{actor.name} wrote this revision and cannot give its deciding approval. Somebody else has to decide."
        )
    return S.APPROVED


def _refuse_second_voice(standing: Standing, actor: Actor) -> None:
    """Nobody decides twice on one revision: the second approval and the settling of a dispute are other people's."""
    if standing.state not in (S.FIRST_APPROVED, S.DISPUTED) or not standing.four_eyes:
        return
    if actor.name in standing.approvers or actor.name in standing.dissenters:
        raise IllegalTransition(
            f"{actor.name} has already decided on this revision. The {standing.state.label} state needs another person."
        )


def _illegal(state: RevisionState, action: Action) -> IllegalTransition:
    verb = action.value.replace("_", " ")
    hint = (
        "It is final; an edit makes a new revision."
        if state in FINAL_STATES
        else "Edit it to make a new revision, or open the rule again to see where it stands."
    )
    return IllegalTransition(f"A revision that is {state.label} cannot take the step '{verb}'. {hint}")


def action_of(verdict: Verdict) -> Action:
    return Action(verdict.value)


def check_judgement(judgement: Judgement) -> None:
    """Raise `MissingReason` for a rejection without category or a negative verdict without a reason."""
    if judgement.verdict is Verdict.APPROVE:
        return
    verb = "Rejecting" if judgement.verdict is Verdict.REJECT else "Requesting changes"
    if not judgement.reason.strip():
        raise MissingReason(f"{verb} needs a reason in your own words. Nothing was recorded; add one and decide again.")
    if judgement.verdict is Verdict.REJECT and judgement.category is None:
        raise MissingReason("Rejecting needs a category. Nothing was recorded; choose one and decide again.")


def clean_rule_text(text: RuleText, declared: tuple[str, ...]) -> RuleText:
    """Return the text with white space folded and empty exceptions dropped.

    Raises:
        InvalidInput: no condition, no label, a label that the task does not declare, or a text beyond its limit
            (title 120, condition 1,200, each exception 600, rationale 2,000 characters; 12 exceptions), or a priority
            that there is not.
    """
    folded = RuleText(
        title=" ".join(text.title.split()),
        condition=" ".join(text.condition.split()),
        labels=text.labels,
        exceptions=tuple(e for e in (" ".join(e.split()) for e in text.exceptions) if e),
        rationale=text.rationale.strip(),
        priority=text.priority,
    )
    if folded.priority not in PRIORITIES:
        raise InvalidInput(
            f"The priority {folded.priority} is not one of {', '.join(map(str, PRIORITIES))}. "
            "Nothing was saved; your text is kept."
        )
    if not folded.condition:
        raise InvalidInput("A rule needs a condition after IF. Nothing was saved; your text is kept.")
    if not folded.labels:
        raise InvalidInput("A rule needs at least one label after THEN. Nothing was saved; your text is kept.")
    if unknown := [name for name in folded.labels if name not in declared]:
        raise InvalidInput(
            f"The label {unknown[0]!r} is not one of {', '.join(declared)}. Nothing was saved; your text is kept."
        )
    limits = [
        ("title", folded.title, 120),
        ("condition", folded.condition, 1200),
        ("rationale", folded.rationale, 2000),
    ]
    limits += [("exception", e, 600) for e in folded.exceptions]
    for name, value, limit in limits:
        if len(value) > limit:
            raise InvalidInput(
                f"The {name} has {len(value):,} characters; at most {limit:,} are allowed. Shorten it and save again."
            )
    if len(folded.exceptions) > 12:
        raise InvalidInput("A rule with more than 12 exceptions is several rules. Split it, then save again.")
    return folded


def edited_revision(parent: Revision, text: RuleText, note: str, actor: Actor, declared: tuple[str, ...]) -> Revision:
    """Return the new revision that a person's edit makes of `parent`.

    Raises:
        InvalidInput: the text is not a rule, or equals the parent's.
        MissingReason: no note on why.
    """
    cleaned = clean_rule_text(text, declared)
    if cleaned == parent.text:
        raise InvalidInput("Nothing was changed: the text equals the revision you started from.")
    if not note.strip():
        raise MissingReason(
            "An edit needs a reason, so that the next reader knows why. Nothing was saved; your text is kept."
        )
    return Revision(
        rule_id=parent.rule_id,
        number=parent.number + 1,
        text=cleaned,
        author=actor.name,
        author_kind=AuthorKind.PERSON,
        parent=parent.hash,
        note=" ".join(note.split()),
    )


def rule_sentences(text: RuleText) -> tuple[str, str, tuple[str, ...]]:
    """Return what stands after IF, after THEN, and after each EXCEPT, as screens and prompts show it."""
    condition = text.condition.rstrip(" .")
    then = " or ".join(text.labels)
    return condition, then, tuple(e.rstrip(" .") for e in text.exceptions)
