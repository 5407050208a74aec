"""What is kept from somebody who may still decide on a rule whose review is blind."""

from __future__ import annotations

import sqlite3

from pld_core.blind import Veil, may_still_decide, veiled_summary
from pld_core.canonical import canonical_json
from pld_core.errors import StillBlind
from pld_core.models import Actor, RuleSummary
from pld_core.review import BEGINS_ANEW, Action

_BEGINNINGS = ", ".join(sorted(repr(action.value) for action in (*BEGINS_ANEW, Action.SUBMIT)))
_VEILS = f"""SELECT r.id, r.head,
        (SELECT t.actor FROM transition AS t WHERE t.revision_hash = r.head ORDER BY t.id DESC LIMIT 1) AS decider,
        coalesce((SELECT max(t.at) FROM transition AS t
            WHERE t.revision_hash = r.head AND t.action IN ({_BEGINNINGS})), '') AS since
    FROM policy AS p CROSS JOIN rule AS r ON r.task = p.task AND r.state = 'first_approved'
    WHERE p.blind = 1 AND p.id = (SELECT max(id) FROM policy WHERE task = p.task) AND :rule IN ('', r.id)
    ORDER BY r.number"""  # noqa: S608 - literals of this package


def veils(conn: sqlite3.Connection, actor: Actor, rule_id: str = "") -> dict[str, Veil]:
    """Return what is kept from the actor, by the rule's id; of one rule if it is named."""
    found = conn.execute(_VEILS, {"rule": rule_id.upper()})
    return {
        str(row["id"]): Veil(row["id"], row["head"], row["decider"], row["since"])
        for row in found
        if may_still_decide(actor, row["decider"])
    }


def veil_of(conn: sqlite3.Connection, actor: Actor, rule_id: str) -> Veil | None:
    return veils(conn, actor, rule_id).get(rule_id.upper())


def changed_by(conn: sqlite3.Connection, head: RuleSummary, actor: Actor) -> str:
    """Return who changed the rule last, as the actor may see it."""
    return veiled_summary(head, veil_of(conn, actor, head.id)).changed_by


def kept_tags(conn: sqlite3.Connection, veil: Veil) -> frozenset[str]:
    """Return the tags that the first decider put on the rule since its review began."""
    found = conn.execute(
        """SELECT json_extract(payload, '$.tag') FROM event
           WHERE kind = 'rule.tagged' AND subject = ? AND actor = ? AND at > ?""",
        (veil.rule_id, veil.decider, veil.since),
    )
    return frozenset(str(row[0]) for row in found)


def without_kept_tag(conn: sqlite3.Connection, actor: Actor, tag: str) -> tuple[str, tuple[str, ...]]:
    """Return a condition on `rule`, with its values, that leaves out rules whose tag the actor does not see."""
    kept = [veil.rule_id for veil in veils(conn, actor).values() if tag in kept_tags(conn, veil)] if tag else []
    return "id NOT IN (SELECT value FROM json_each(?))", (canonical_json(kept),)


def refuse_kept_comment(conn: sqlite3.Connection, actor: Actor, rule_id: str, by: str, at: str) -> None:
    """Raise `StillBlind` for a comment of the first decider on a rule that the actor may still decide on."""
    veil = veil_of(conn, actor, rule_id)
    if veil is not None and veil.hides(by, at):
        raise StillBlind(f"{actor.name} sees this comment on {rule_id} after deciding on it. Nothing was changed.")
