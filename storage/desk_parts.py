"""Splitting a rule in two and merging two into one: new rules with the evidence and the lineage of the old ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from pld_core.canonical import Json
from pld_core.checks import Ending
from pld_core.desk import Derivation, Half, Kin, SeenRule
from pld_core.errors import InvalidInput
from pld_core.lineage import for_labels
from pld_core.models import Actor, AuthorKind, Evidence, RuleSummary, RuleText, evidence_set_hash
from pld_core.parts import half_evidence, merged_evidence, part_origin, require_part_reason
from pld_core.permissions import Step, guarded
from pld_core.records import NewRule
from pld_core.review import FINAL_STATES, Action, next_state
from storage.check_writes import ClosedInstead, close_instead
from storage.connection import Database, Write
from storage.derivations import kin_of
from storage.rule_queries import (
    effective_evidence,
    gold_labels,
    load_revision,
    load_standing,
    load_summary,
    refuse_moved_on,
)
from storage.rule_writes import add_rule, rule_of, settle


class SqliteParts:
    def __init__(self, database: Database) -> None:
        self._database = database

    @guarded(Step.SPLIT)
    def split(self, seen: SeenRule, halves: tuple[Half, Half], reason: str, actor: Actor) -> tuple[str, str]:
        """Make two rules of one and return their ids; both are in review.

        Raises:
            KnownBad: it was an open seeded check, which is closed by this; nothing is made of it.
        """
        why = require_part_reason(reason)
        if halves[0].text == halves[1].text:
            raise InvalidInput("Both halves say the same. Nothing was changed; your text is kept.")
        with self._database.write() as write:
            parent = _load_seen(write, seen, actor)
            step = partial(_split, write, parent, halves, why, actor)
            made = close_instead(write, step, (parent.id,), Ending.SPLIT, actor)
        return made.refuse("Nothing was split.") if isinstance(made, ClosedInstead) else made

    @guarded(Step.MERGE)
    def merge(self, seen: tuple[SeenRule, SeenRule], text: RuleText, reason: str, actor: Actor) -> str:
        """Make one rule of two, with the evidence of both, and return its id; it is in review.

        Raises:
            KnownBad: one was an open seeded check, which is closed by this; nothing is made of it, the other stays.
        """
        why = require_part_reason(reason)
        with self._database.write() as write:
            one, other = (_load_seen(write, rule, actor) for rule in seen)
            if one.id == other.id or one.task != other.task:
                raise InvalidInput("Only two different rules of one task can be merged. Nothing was changed.")
            step = partial(_merge, write, (one, other), text, why, actor)
            made = close_instead(write, step, (one.id, other.id), Ending.MERGED, actor)
        return made.refuse("Nothing was merged.") if isinstance(made, ClosedInstead) else made

    def kin(self, rule_id: str) -> tuple[Kin, ...]:
        """Return what the rule was made from and what was made of it, oldest first."""
        with self._database.read() as conn:
            return kin_of(conn, rule_id.upper())


def _load_seen(write: Write, seen: SeenRule, actor: Actor) -> RuleSummary:
    rule = load_summary(write.conn, seen.rule_id)
    refuse_moved_on(write.conn, rule, seen.revision, seen.state, actor)
    if rule.state in FINAL_STATES:
        raise InvalidInput(
            f"{rule.id} is {rule.state.label}: nothing is made of it any more. Nothing was changed; an edit makes "
            "a new revision."
        )
    return rule


@dataclass(frozen=True)
class Written:
    """The text of a new rule, what it rests on, and who wrote it."""

    text: RuleText
    evidence: tuple[Evidence, ...]
    author: str
    author_kind: AuthorKind = AuthorKind.PERSON


def _split(write: Write, parent: RuleSummary, halves: tuple[Half, Half], reason: str, actor: Actor) -> tuple[str, str]:
    evidence = effective_evidence(write.conn, parent.head)
    first, second = (Written(half.text, half_evidence(evidence, half.supports), actor.name) for half in halves)
    return split_rule(write, parent, (first, second), reason, actor)


def split_rule(
    write: Write, parent: RuleSummary, halves: tuple[Written, Written], reason: str, actor: Actor
) -> tuple[str, str]:
    """Make two rules of one inside somebody else's transaction; both are in review."""
    made = [
        _derive(write, Derivation.SPLIT, (parent,), half, part, reason, actor)
        for part, half in enumerate(halves, start=1)
    ]
    leave(write, parent, reason, actor)
    payload: dict[str, Json] = {"revision": parent.head, "into": list(made), "reason": reason}
    write.event(actor, "rule.split", parent.id, payload)
    return made[0], made[1]


def _merge(write: Write, parents: tuple[RuleSummary, RuleSummary], text: RuleText, reason: str, actor: Actor) -> str:
    evidence = merged_evidence(*(effective_evidence(write.conn, parent.head) for parent in parents))
    return merge_rules(write, parents, Written(text, evidence, actor.name), reason, actor)


def merge_rules(write: Write, parents: tuple[RuleSummary, RuleSummary], new: Written, reason: str, actor: Actor) -> str:
    """Make one rule of two inside somebody else's transaction; it is in review."""
    made = _derive(write, Derivation.MERGE, parents, new, 1, reason, actor)
    for parent in parents:
        leave(write, parent, reason, actor)
        payload: dict[str, Json] = {"revision": parent.head, "into": [made], "reason": reason}
        write.event(actor, "rule.merged", parent.id, payload)
    return made


def _derive(
    write: Write,
    kind: Derivation,
    parents: tuple[RuleSummary, ...],
    written: Written,
    part: int,
    reason: str,
    actor: Actor,
) -> str:
    """Write the new rule with its lineage and bring it into review."""
    first, text, evidence = parents[0], written.text, written.evidence
    origin = part_origin(kind.value, tuple(parent.head for parent in parents), part)
    if there := rule_of(write.conn, first.task, origin):
        raise InvalidInput(f"{there} was made by this step already. Nothing was changed; open that rule.")
    if any(text.labels != load_revision(write.conn, parent.head).text.labels for parent in parents):
        label_of = gold_labels(write.conn, first.task, [e.example_hash for e in evidence])
        evidence = for_labels(evidence, text.labels, label_of)
    place = write.conn.execute("SELECT clustering_id, cluster FROM rule WHERE id = ?", (first.id,)).fetchone()
    clustering, cluster = int(place["clustering_id"]), int(place["cluster"])
    new = NewRule(text, written.author, evidence, origin, clustering, cluster, written.author_kind)
    revision = add_rule(write, first.task, new)
    head = load_summary(write.conn, revision.rule_id)
    settle(write, head, next_state(load_standing(write.conn, head), Action.SUBMIT, actor), Action.SUBMIT, actor, reason)
    for parent in parents:
        write.insert(
            "derivation",
            {
                "kind": kind.value,
                "parent_rule": parent.id,
                "parent_revision": parent.head,
                "child_rule": revision.rule_id,
                "reason": reason,
                "by": actor.name,
                "at": write.now,
            },
        )
    write.event(
        actor,
        "rule.derived",
        revision.rule_id,
        {
            "kind": kind.value,
            "from": [[parent.id, parent.head] for parent in parents],
            "revision": revision.hash,
            "evidence": evidence_set_hash(evidence),
            "text": revision.text.as_json(),
            "reason": reason,
        },
    )
    return revision.rule_id


def leave(write: Write, parent: RuleSummary, reason: str, actor: Actor) -> None:
    """Settle an undecided rule, as an edit does; one in force stays so until its replacement is approved."""
    state = next_state(load_standing(write.conn, parent), Action.EDIT, actor)
    if state is not parent.state:
        settle(write, parent, state, Action.EDIT, actor, reason)
