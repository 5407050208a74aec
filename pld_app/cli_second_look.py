"""`pld rules second-look`: answer for a rejection that was drawn by lot."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.second_look import LookOutcome, SecondLook


@click.command(name="second-look")
@options
@click.argument("rule_id")
@click.argument("answer", type=click.Choice([outcome.value for outcome in LookOutcome]))
@click.option("--reason", default="", help="Why, in your own words.")
def second_look(workspace: Path, out: Output, rule_id: str, answer: str, reason: str) -> None:
    """Look again at somebody else's rejection that was drawn: it stands, or the same text goes into review again."""
    app = wiring.open_app(workspace)
    looks, rule = app.store.desk.second_looks, app.store.rules.summary(rule_id.upper(), app.actor)
    if LookOutcome(answer) is LookOutcome.CONFIRM:
        looks.confirm(rule.id, rule.head, reason, app.actor)
        told = f"The rejection of {rule.id} revision {rule.revision} stands."
    else:
        new = looks.reopen(rule.id, rule.head, reason, app.actor)
        told = f"{rule.id} is in review again, as revision {new.number}."
    out.emit(look_json(looks.of_rule(rule.id)[-1]), told)


def look_json(look: SecondLook) -> dict[str, Json]:
    return {
        "rule": look.rejection.rule_id,
        "decision": look.rejection.id,
        "drawn_at": look.drawn_at,
        "outcome": look.outcome.value if look.outcome else None,
        "reason": look.reason,
        "by": look.by or None,
        "at": look.at or None,
    }


def look_line(look: SecondLook) -> str:
    """Return a second look in one line."""
    if look.outcome is None:
        return f"decision {look.rejection.id} was drawn for a second look at {look.drawn_at}; nobody has looked yet"
    return f"second look at decision {look.rejection.id}: {look.outcome.value} by {look.by} at {look.at}. {look.reason}"
