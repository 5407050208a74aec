"""What accepting a proposal writes: revisions that go into review. What is in force stays so until an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.canonical import Json, hash_json
from pld_core.conflicts.proposal import ActionKind
from pld_core.conflicts.records import MadeProposal, ProposalOutcome, Resolution
from pld_core.errors import InvalidInput, RevisionMovedOn, RuleLocked
from pld_core.lineage import keep_ticks
from pld_core.models import NOISE, Actor, AuthorKind, Evidence, Revision, RuleSummary, RuleText
from pld_core.permissions import Step, require
from pld_core.records import NewRule
from pld_core.review import FINAL_STATES, Action, next_state
from storage.check_writes import enter_review
from storage.connection import Write
from storage.desk_parts import Written, merge_rules, split_rule
from storage.overlap_writes import settle_overlaps
from storage.rule_locks import locked_rules
from storage.rule_queries import effective_evidence, gold_labels, load_revision, load_standing, load_summary
from storage.rule_writes import add_rule, enter_revision, proposal, settle, update_rule
from storage.veils import changed_by


@dataclass(frozen=True)
class Repair:
    """A proposal that somebody accepts.

    Attributes:
        before: what was made of the loop's proposals so far.
        makers: the proposal that makes each rule which is there in trials only, by its id in them.
        texts: in place of the proposed ones; empty for those.
        writer: who wrote `texts`.
    """

    resolution: Resolution
    made: MadeProposal
    before: tuple[ProposalOutcome, ...]
    makers: Mapping[str, MadeProposal]
    reason: str
    texts: tuple[RuleText, ...]
    writer: str

    @property
    def why(self) -> str:
        """The reason of the step: the person's, else the teacher's."""
        return " ".join((self.reason or self.made.proposal.reason).split())

    @property
    def known_heads(self) -> frozenset[str]:
        """Revisions that the loop saw, or that its accepted proposals made."""
        seen = {rule.revision.hash for rule in self.resolution.basis.rules.rules}
        return frozenset(seen.union(*(outcome.revisions for outcome in self.before)))


def brought_in(write: Write, repair: Repair, actor: Actor) -> tuple[Revision, ...]:
    """Write what a proposal says and return the revisions that are in review now; none for a retired rule.

    Raises: see `ProposalStore.accept`.
    """
    said = repair.made.proposal
    if said.refusal is not None:
        raise InvalidInput(f"This proposal was refused: {said.problem} Nothing was changed. Edit the rule instead.")
    if not said.changes_rules:
        raise InvalidInput("This proposal says that nothing is to change. Nothing was changed; dismiss it.")
    parents = [_parent(write, repair, rule_id, actor) for rule_id in said.rules]
    if said.kind is ActionKind.RETIRE:
        _retire(write, parents[0], repair.why, actor)
        return ()
    written = _written(write, repair, parents)
    rules: tuple[str, ...]
    if said.kind is ActionKind.SPLIT:
        rules = split_rule(write, parents[0], (written[0], written[1]), repair.why, actor)
    elif said.kind is ActionKind.MERGE:
        rules = (merge_rules(write, (parents[0], parents[1]), written[0], repair.why, actor),)
    elif said.kind is ActionKind.NEW_RULE:
        rules = (_make(write, repair, written[0], actor),)
    else:
        return (_revise(write, repair, parents[0], written[0], actor),)
    return tuple(load_revision(write.conn, load_summary(write.conn, rule_id).head) for rule_id in rules)


def _parent(write: Write, repair: Repair, rule_id: str, actor: Actor) -> RuleSummary:
    """Return a rule that the proposal names, as it is in the store, if it is still the one that the loop saw."""
    head = load_summary(write.conn, _real_id(repair, rule_id))
    if head.id in locked_rules(write.conn, head.task):
        raise RuleLocked(
            f"{head.id} is locked against repairs. Nothing was changed. A reviewer can unlock it, with a reason."
        )
    if head.head not in repair.known_heads or head.state in FINAL_STATES:
        seen, now = _seen(write, repair, head.id), load_revision(write.conn, head.head)
        raise RevisionMovedOn(seen, now, head.state, changed_by(write.conn, head, actor))
    return head


def _seen(write: Write, repair: Repair, rule_id: str) -> Revision:
    """Return the revision of a rule that the loop knows: the one that it began with, or the newest that it made."""
    made = [hash_ for o in repair.before for rule, hash_ in zip(o.rules, o.revisions, strict=True) if rule == rule_id]
    if made:
        return load_revision(write.conn, made[-1])
    return repair.resolution.basis.rules.rule(rule_id).revision


def _real_id(repair: Repair, rule_id: str) -> str:
    """Return the id in the store of a rule that may have been made in an earlier round of the loop."""
    maker = repair.makers.get(rule_id)
    if maker is None:
        return rule_id
    for outcome in repair.before:
        if outcome.proposal == maker.proposal.hash and outcome.rules:
            return outcome.rules[maker.proposal.makes.index(rule_id)]
    raise InvalidInput(
        f"This proposal changes a rule that another one makes: {maker.proposal.words} of round {maker.proposal.round}. "
        "Nothing was changed. Accept that first."
    )


def _written(write: Write, repair: Repair, parents: list[RuleSummary]) -> list[Written]:
    """Return the texts with their author and what they rest on: as code found it, with what people ticked since."""
    said, task = repair.made.proposal, repair.resolution.order.task
    if repair.texts and len(repair.texts) != len(said.texts):
        raise InvalidInput(f"This proposal has {len(said.texts)} texts, not {len(repair.texts)}. Nothing was changed.")
    proposed = [one.text for one in said.texts]
    texts = list(repair.texts) or proposed
    author, kind = repair.resolution.basis.teacher, AuthorKind.CONFLICT_LOOP
    if texts != proposed:
        author, kind = repair.writer, AuthorKind.PERSON
    now = [e for parent in parents for e in effective_evidence(write.conn, parent.head)]
    found = []
    for text, evidence in zip(texts, repair.made.evidence, strict=True):
        there = gold_labels(write.conn, task, [e.example_hash for e in evidence])
        known = [e for e in evidence if e.example_hash in there]
        found.append(Written(text, keep_ticks(now, known), author, kind))
    return found


def _revise(write: Write, repair: Repair, head: RuleSummary, written: Written, actor: Actor) -> Revision:
    current = effective_evidence(write.conn, head.head)
    brought: tuple[Evidence, ...] = written.evidence
    there = {e.example_hash for e in brought}
    evidence = (*brought, *(e for e in current if e.example_hash not in there))
    state = next_state(load_standing(write.conn, head), Action.EDIT, actor)
    if state is not head.state:
        settle(write, head, state, Action.EDIT, actor, repair.why)
    revision = Revision(
        head.id, head.revision + 1, written.text, written.author, written.author_kind, head.head, repair.why
    )
    enter_revision(write, head, revision, evidence, actor)
    write.event(
        actor,
        "rule.repaired",
        head.id,
        {
            "revision": revision.hash,
            "parent": head.head,
            "number": revision.number,
            "author": revision.author,
            "resolution": repair.resolution.id,
            "proposal": repair.made.proposal.hash,
            "reason": repair.why,
            "text": revision.text.as_json(),
        },
    )
    return revision


def _make(write: Write, repair: Repair, written: Written, actor: Actor) -> str:
    """Write a rule that no cluster was merged into; it stands beside the noise of the newest clustering."""
    task = repair.resolution.order.task
    newest = write.conn.execute("SELECT max(id) FROM clustering WHERE task = ?", (task,)).fetchone()[0]
    rule = NewRule(
        text=written.text,
        author=written.author,
        evidence=written.evidence,
        origin=hash_json({"proposal": repair.made.proposal.hash, "resolution": repair.resolution.id}),
        clustering_id=int(newest),
        cluster=NOISE,
        author_kind=written.author_kind,
    )
    revision = add_rule(write, task, rule)
    write.event(actor, "rule.proposed", revision.rule_id, proposal(task, revision, rule))
    enter_review(write, revision.rule_id, actor)
    return revision.rule_id


def _retire(write: Write, rule: RuleSummary, reason: str, actor: Actor) -> None:
    """Take a rule out of force, for those who may: nothing takes its place, so there is nothing to review."""
    require(actor, Step.RETIRE)
    new = next_state(load_standing(write.conn, rule), Action.RETIRE, actor)
    settle(write, rule, new, Action.RETIRE, actor, reason)
    update_rule(write, rule.id, {"in_force": ""}, actor.name)
    payload: dict[str, Json] = {"revision": rule.head, "reason": reason, "signed_as": actor.signed_as}
    write.event(actor, "rule.retired", rule.id, payload)
    settle_overlaps(write, rule.id, actor)
