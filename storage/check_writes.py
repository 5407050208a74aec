"""Seeded checks inside somebody else's transaction: drawn when a rule enters review, closed by what is done first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.checks import Ending, Outcome, told_words
from pld_core.errors import KnownBad
from pld_core.models import SYSTEM, Actor, AuthorKind, CompiledPrompt, Evidence, Example, Revision
from pld_core.records import NewRule
from pld_core.review import FINAL_STATES, Action, next_state
from pld_core.seeded import Variant, is_drawn, thinned, variant_of
from storage import rows
from storage.checks import load_check
from storage.connection import Write
from storage.example_queries import EXAMPLE
from storage.example_rows import example_from
from storage.policies import policy_changes
from storage.rule_queries import effective_evidence, load_revision, load_standing, load_summary
from storage.rule_writes import add_rule, bring_into_review, proposal, settle
from storage.task_queries import load_task

Made = TypeVar("Made")


def enter_review(write: Write, rule_id: str, actor: Actor) -> None:
    """Bring a proposed rule into review, and with it a known-bad variant if the policy's lot falls on it.

    Only rules that no person wrote get a variant: it stands under its original's author, and nobody's name is put under
    what he did not write. So rules that people promote, split or merge draw none.
    """
    head = bring_into_review(write, rule_id, actor)
    write.event(actor, "rule.submitted", head.id, {"revision": head.head})
    changes, revision = policy_changes(write.conn, head.task), load_revision(write.conn, head.head)
    if not changes or revision.author_kind is AuthorKind.PERSON:
        return
    in_force = changes[-1]
    if not is_drawn(revision.hash, in_force.number, in_force.policy.known_bad):
        return
    evidence = effective_evidence(write.conn, revision.hash)
    examples, declared = _examples(write, head.task, evidence), load_task(write.conn, head.task).label_names
    variant = variant_of(revision, evidence, examples, declared, in_force.number)
    if variant is not None:
        _seed(write, head.task, revision, thinned(evidence, revision.hash), variant, in_force.number, actor)


def _seed(
    write: Write,
    task: str,
    parent: Revision,
    evidence: tuple[Evidence, ...],
    variant: Variant,
    policy: int,
    actor: Actor,
) -> None:
    """Write the variant as a rule like any other, with the events of one; what it is stands in one table only."""
    place = write.conn.execute("SELECT clustering_id, cluster FROM rule WHERE id = ?", (parent.rule_id,)).fetchone()
    traced = write.conn.execute("SELECT * FROM lineage WHERE rule_id = ? ORDER BY id DESC LIMIT 1", (parent.rule_id,))
    lineage = rows.lineage_from(traced.fetchone())
    rule = NewRule(
        text=variant.text,
        author=parent.author,
        evidence=evidence,
        # No origin that a set of examples can have: a real rule of the same examples must find its place free.
        origin=hash_json({"variant": parent.hash, "policy": policy}),
        clustering_id=int(place["clustering_id"]),
        cluster=int(place["cluster"]),
        author_kind=parent.author_kind,
        uncovered=lineage.uncovered,
        shown=lineage.shown,
        ignored=lineage.ignored,
    )
    made = add_rule(write, task, rule)
    write.event(actor, "rule.proposed", made.rule_id, proposal(task, made, rule))
    bring_into_review(write, made.rule_id, actor)
    write.event(actor, "rule.submitted", made.rule_id, {"revision": made.hash})
    write.insert(
        "seeded_check",
        {
            "rule_id": made.rule_id,
            "revision_hash": made.hash,
            "kind": variant.kind.value,
            "parent_revision": parent.hash,
            "policy": policy,
            "at": write.now,
        },
    )


def _examples(write: Write, task: str, evidence: Sequence[Evidence]) -> dict[str, Example]:
    wanted = canonical_json([e.example_hash for e in evidence])
    sql = f"{EXAMPLE} WHERE e.task = ? AND e.hash IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant
    return {str(row["hash"]): example_from(row) for row in write.conn.execute(sql, (task, wanted))}


def close_check(write: Write, rule_id: str, how: Ending, actor: Actor) -> bool:
    """Close the open check that the rule is, by what `actor` did; return False if it is none.

    The first approval closes it, with four eyes too: whoever signs says that he read the rule beside its evidence.
    The rule ends as rejected or retired, so nothing leads from it into a prompt.
    """
    check = load_check(write.conn, rule_id)
    if check is None or check.outcome is not None:
        return False
    head = load_summary(write.conn, check.rule_id)
    why = f"Seeded check: {check.kind.label}"
    state = head.state
    if state not in FINAL_STATES:
        state = next_state(load_standing(write.conn, head), Action.CLOSE_CHECK, SYSTEM)
        settle(write, head, state, Action.CLOSE_CHECK, SYSTEM, why)
    write.insert("check_outcome", {"rule_id": check.rule_id, "how": how.value, "by": actor.name, "at": write.now})
    payload: dict[str, Json] = {
        "kind": check.kind.value,
        "made_of": check.parent,
        "made_of_revision": check.parent_revision,
        "revision": check.revision_hash,
        "policy": check.policy,
        "drawn_at": check.at,
        "outcome": "caught" if how.is_caught else "missed",
        "how": how.value,
        "by": actor.name,
        "to": state.value,
    }
    write.event(SYSTEM, "check.closed", check.rule_id, payload)
    return True


@dataclass(frozen=True)
class ClosedInstead:
    """What came of a step in place of its result: checks were closed, and this is what to tell the person."""

    told: str

    def refuse(self, kept: str) -> NoReturn:
        """Raise `KnownBad`, once the transaction that closed the checks is kept; `kept` says what was not done."""
        raise KnownBad(f"{self.told} {kept}")


def close_instead(
    write: Write, step: Callable[[], Made], checked: Sequence[str], how: Ending, actor: Actor
) -> Made | ClosedInstead:
    """Take a step, unless one of the rules that it rests on is an open check: then close it, and undo the step.

    The step is taken first, so that one that cannot be taken is refused alike: a refusal tells nobody of a check.
    """
    write.conn.execute("SAVEPOINT before_step")
    made = step()
    found = [check for rule_id in checked if (check := load_check(write.conn, rule_id)) and check.outcome is None]
    if not found:
        return made
    write.conn.execute("ROLLBACK TO before_step")
    for check in found:
        close_check(write, check.rule_id, how, actor)
    outcome = Outcome(how, actor.name, write.now)
    return ClosedInstead(" ".join(told_words(check, outcome, actor.name) for check in found))


def refuse_closed_check(write: Write, rule_id: str) -> None:
    """Raise `KnownBad` for a check that is closed: an edit would open it again, a decision has no use."""
    check = load_check(write.conn, rule_id)
    if check is not None and check.outcome is not None:
        raise KnownBad(
            f"{check.rule_id} was a seeded check ({check.kind.label}) and is closed. Nothing was changed; what you "
            f"typed is kept. Decide on its original, {check.parent}, or edit that."
        )


def refuse_known_bad(write: Write, prompt: CompiledPrompt) -> None:
    """Raise `KnownBad` if a rule of the prompt, or a revision, is a seeded check's, however it came there."""
    for line in prompt.rules:
        named, held = load_check(write.conn, line.rule_id), load_check(write.conn, _rule_of(write, line.revision_hash))
        if check := named or held:
            raise KnownBad(
                f"This prompt holds {check.rule_id}, a known-bad variant of {check.parent} made to check the reviews. "
                "No prompt version was made. Compile again from the rules in force; if this comes back, the workspace "
                "was changed by hand: run `pld audit verify`."
            )


def _rule_of(write: Write, revision_hash: str) -> str:
    row = write.conn.execute("SELECT rule_id FROM revision WHERE hash = ?", (revision_hash,)).fetchone()
    return "" if row is None else str(row["rule_id"])
