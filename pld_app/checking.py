"""Seeded checks for pages and commands: what somebody is told of one, and only once it is closed."""

from __future__ import annotations

from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.checks import told_words


def told_after_check(app: App, rule_id: str) -> str:
    """Return what a rule was and what became of it, if it was a seeded check and is closed; else nothing."""
    check = app.store.checks.closed(rule_id)
    return told_words(check, check.outcome, app.actor.name) if check and check.outcome else ""


def closed_check_json(app: App, rule_id: str) -> Json:
    """Return the same for programs, None where there is nothing to tell."""
    check = app.store.checks.closed(rule_id)
    return check.as_json() if check else None
