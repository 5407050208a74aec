"""What is looked at on the Errors page, kept in the address: a rule, a gold label, an answer, a second rule."""

from __future__ import annotations

from dataclasses import dataclass

from pld_app import session
from pld_core.attribution import UNCOVERED
from pld_core.errors import NotFound
from pld_core.models import Task

NO_RULE = "none"
"""Stands in the address for what no rule covers; no rule is called so."""


@dataclass(frozen=True)
class ErrorChoice:
    """The examples that are listed.

    Attributes:
        rule_id: `UNCOVERED` for what no rule covers; None if nothing is chosen.
        gold, said: only these; empty for any.
        other: only what this rule claims as well; empty for no such limit.
    """

    rule_id: str | None = None
    gold: str = ""
    said: str = ""
    other: str = ""


def error_choice() -> ErrorChoice:
    """Return what the address names."""
    named = session.address("rule")
    rule_id = UNCOVERED if named == NO_RULE else named.upper() or None
    return ErrorChoice(rule_id, session.address("gold"), session.address("said"), session.address("other").upper())


def choose(chosen: ErrorChoice) -> None:
    """Put a choice into the address, so that it survives F5 and can be sent to somebody."""
    session.set_address("rule", NO_RULE if chosen.rule_id == UNCOVERED else chosen.rule_id or "")
    session.set_address("gold", chosen.gold)
    session.set_address("said", chosen.said)
    session.set_address("other", chosen.other)


def drop_choice_of_another_task(task: Task) -> None:
    """Choose nothing if the address names a rule of another task: somebody went on to this one."""
    rule_id = error_choice().rule_id
    if not rule_id:
        return
    app = session.app()
    try:
        is_here = app.store.rules.summary(rule_id, app.actor).task == task.name
    except NotFound:
        is_here = False
    if not is_here:
        choose(ErrorChoice())


def choose_clicked(clicked: tuple[str, ...]) -> bool:
    """Choose what a point of a chart stands for: a rule, then a gold label, an answer, a second rule, as far as given.

    Returns whether something was clicked.
    """
    if clicked:
        choose(ErrorChoice(*clicked[:4]))
    return bool(clicked)
