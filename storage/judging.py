"""Judging a revision inside its transaction: whether it is admitted, the record of it, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pld_core.canonical import Json, canonical_json
from pld_core.checks import Ending
from pld_core.errors import GuidelineMovedOn
from pld_core.models import SYSTEM, Actor, Decision, Judgement, RevisionState, RuleSummary, Verdict, evidence_set_hash
from pld_core.review import SETTLED_STATES, Action, Standing, action_of, next_state
from storage import rows
from storage.attention import record_attention
from storage.check_writes import close_check, refuse_closed_check
from storage.connection import Write
from storage.derivations import replace_parents
from storage.desk_looks import draw_second_look
from storage.overlap_writes import overlapping, settle_overlaps
from storage.rule_queries import (
    effective_evidence,
    load_revisions,
    load_standing,
    load_state,
    load_summary,
    refuse_moved_on,
    refuse_other_evidence,
)
from storage.rule_writes import move, settle
from storage.signatures import sign
from storage.task_queries import load_task

PAST = {Verdict.APPROVE: "approved", Verdict.REJECT: "rejected", Verdict.REQUEST_CHANGES: "changes_requested"}


@dataclass(frozen=True)
class Admitted:
    """What a decision that the guard let through is made on.

    Attributes:
        head: the rule before the decision; of one that was stale, already back in review.
        seen_state: its state as the reviewer saw it.
        evidence: hash of the evidence set.
        overlaps: hashes of the revisions that were known to overlap it, sorted.
        new: the state that the decision leads to.
        signature: what the event tells of the signature.
    """

    head: RuleSummary
    seen_state: RevisionState
    evidence: str
    guideline_version: int
    overlaps: tuple[str, ...]
    new: RevisionState
    signature: dict[str, Json]


def admit(write: Write, judgement: Judgement, actor: Actor) -> Admitted:
    """Refuse a judgement on what is there no more or that the guard does not allow; return what it is made on.

    Raises: see `SqliteRules.judge`.
    """
    head = load_summary(write.conn, judgement.rule_id)
    refuse_moved_on(write.conn, head, judgement.seen_revision, judgement.seen_state, actor)
    refuse_closed_check(write, head.id)
    evidence = evidence_set_hash(effective_evidence(write.conn, head.head))
    if judgement.seen_evidence:
        refuse_other_evidence(write.conn, head, judgement.seen_evidence, evidence, actor)
    guideline = _guideline_version(write, head, judgement.seen_guideline)
    overlaps, seen_state = overlapping(write.conn, head), head.state
    if seen_state is RevisionState.STALE:
        # Whoever decides on a stale revision reviews it again, beside the evidence as it is now.
        head = _review_again(write, head, actor)
    action = action_of(judgement.verdict)
    new = next_state(load_standing(write.conn, head), action, actor)
    return Admitted(head, seen_state, evidence, guideline, overlaps, new, sign(write, head, action, actor))


def record(write: Write, judgement: Judgement, on: Admitted, actor: Actor) -> Decision:
    """Record the decision with its event, bring about what follows from it, and return it."""
    category = judgement.category.value if judgement.category and judgement.verdict is Verdict.REJECT else ""
    told = {"category": category, "reason": judgement.reason.strip(), "opened_at": judgement.opened_at}
    decision_id = write.insert(
        "decision",
        {
            "rule_id": on.head.id,
            "revision_hash": on.head.head,
            "evidence_hash": on.evidence,
            "verdict": judgement.verdict.value,
            "reviewer": actor.name,
            "decided_at": write.now,
            "guideline_version": on.guideline_version,
            "overlaps": canonical_json(on.overlaps),
            **told,
        },
    )
    record_attention(write, decision_id, judgement.attention)
    write.event(
        actor,
        f"rule.{PAST[judgement.verdict]}",
        on.head.id,
        {
            "decision": decision_id,
            "revision": on.head.head,
            "evidence": on.evidence,
            "overlaps": list(on.overlaps),
            "from": on.seen_state.value,
            "to": on.new.value,
            "attention": judgement.attention.as_json() if judgement.attention else None,
            **told,
            **on.signature,
        },
    )
    _bring_about(write, judgement, on, decision_id, actor)
    row = write.conn.execute("SELECT * FROM decision WHERE id = ?", (decision_id,)).fetchone()
    return rows.decision_from(row)


def _bring_about(write: Write, judgement: Judgement, on: Admitted, decision_id: int, actor: Actor) -> None:
    """Move the rule to its new state, with what follows from it: what is in force, a second look, overlaps."""
    head, new = on.head, on.new
    settle(write, head, new, action_of(judgement.verdict), actor, judgement.reason.strip())
    is_check = close_check(write, head.id, Ending(PAST[judgement.verdict]), actor)
    if new is RevisionState.APPROVED and not is_check:
        _put_in_force(write, head)
    if new is RevisionState.REJECTED and not is_check:
        draw_second_look(write, head, decision_id)
    replace_parents(write, head.id, actor)
    if new in SETTLED_STATES:
        settle_overlaps(write, head.id, actor)


def _guideline_version(write: Write, head: RuleSummary, seen: int) -> int:
    """Return the version of the guideline in force, which a decision is bound to; refuse one made beside another."""
    version = load_task(write.conn, head.task).guideline_version
    if seen not in (0, version):
        raise GuidelineMovedOn(
            f"The guideline of {head.task} has changed since you opened {head.id}: version {version} is in force, you "
            f"read version {seen}. Your decision was not recorded and your text is kept. Close this, read the "
            "guideline as it is now, then decide again."
        )
    return version


def _review_again(write: Write, head: RuleSummary, actor: Actor) -> RuleSummary:
    state = next_state(load_standing(write.conn, head), Action.REVIEW_AGAIN, actor)
    settle(write, head, state, Action.REVIEW_AGAIN, actor, "")
    return replace(head, state=state)


def _put_in_force(write: Write, head: RuleSummary) -> None:
    """Let the newly approved revision take the place of those that were in force, or were until they went stale."""
    standing = {revision.hash: revision for revision, _ in load_revisions(write.conn, head.id)}
    for old in standing.values():
        state = load_state(write.conn, old.hash)
        if old.hash == head.head or state not in (RevisionState.APPROVED, RevisionState.STALE):
            continue
        new = next_state(Standing(state, old.author, old.author_kind), Action.SUPERSEDE, SYSTEM)
        move(write, old.hash, new, Action.SUPERSEDE.value, SYSTEM.name, "")
        payload: dict[str, Json] = {"revision": old.hash, "by": head.head}
        write.event(SYSTEM, "rule.superseded", head.id, payload)
    write.conn.execute("UPDATE rule SET in_force = head WHERE id = ?", (head.id,))
