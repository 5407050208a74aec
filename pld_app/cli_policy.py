"""`pld policy`: what the reviews of a task have to follow, and changing it with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.models import RevisionState
from pld_core.policy import PLAIN, Policy, PolicyChange
from pld_core.policy_words import change_lines, open_reviews, policy_lines
from pld_core.records import RuleFilter

Value = TypeVar("Value", bool, int)
_task = click.option("--task", "task_name", required=True)


@click.group()
def policy() -> None:
    """Policy of a task: show, set, history."""


@policy.command()
@options
@_task
def show(workspace: Path, out: Output, task_name: str) -> None:
    """Show the policy in force."""
    found = wiring.open_app(workspace).store.policies.of(task_name)
    out.emit({"task": task_name, **found.as_json()}, "\n".join(policy_lines(found)))


@policy.command(name="set")
@options
@_task
@click.option("--four-eyes/--no-four-eyes", default=None, help="An approval takes two people.")
@click.option("--blind/--no-blind", default=None, help="The second does not see the first decision; takes four eyes.")
@click.option("--second-look", type=int, help="Of 100 rejections, how many somebody else looks at again.")
@click.option("--known-bad", type=int, help="For each 100 rules in review, how many known-bad ones are mixed in.")
@click.option("--fresh-sign-in", type=int, help="Most minutes between sign-in and signature; 0 for any time.")
@click.option("--reason", default="", help="Why; kept with the change.")
def set_(
    workspace: Path,
    out: Output,
    task_name: str,
    four_eyes: bool | None,
    blind: bool | None,
    second_look: int | None,
    known_bad: int | None,
    fresh_sign_in: int | None,
    reason: str,
) -> None:
    """Change the policy; what is not given stays as it is. Takes the role admin and a reason."""
    app = wiring.open_app(workspace)
    seen = app.store.policies.of(task_name)
    wanted = Policy(
        four_eyes=_or(four_eyes, seen.four_eyes),
        blind=_or(blind, seen.blind),
        second_look=_or(second_look, seen.second_look),
        known_bad=_or(known_bad, seen.known_bad),
        fresh_sign_in=_or(fresh_sign_in, seen.fresh_sign_in),
    )
    change = app.store.policies.change(task_name, seen, wanted, reason, app.actor)
    states = (RevisionState.FIRST_APPROVED, RevisionState.DISPUTED)
    half_done = [app.store.rules.count(task_name, RuleFilter((state,))) for state in states]
    note = open_reviews(seen, wanted, *half_done)
    lines = [*change_lines(seen, wanted), *filter(None, [note])]
    out.emit(
        {**change_json(task_name, change), "first_approved": half_done[0], "disputed": half_done[1]}, "\n".join(lines)
    )


@policy.command()
@options
@_task
def history(workspace: Path, out: Output, task_name: str) -> None:
    """List every change, newest first: who, when, what, why."""
    found = wiring.open_app(workspace).store.policies.history(task_name)
    before = [change.policy for change in found[1:]] + [PLAIN]
    lines = [_line(change, old) for change, old in zip(found, before, strict=False)]
    out.emit([change_json(task_name, change) for change in found], "\n".join(lines) or "Nobody has changed it.")


def change_json(task: str, change: PolicyChange) -> dict[str, Json]:
    return {
        "task": task,
        "number": change.number,
        "policy": change.policy.as_json(),
        "reason": change.reason,
        "by": change.by,
        "at": change.at,
    }


def _or(given: Value | None, kept: Value) -> Value:
    return kept if given is None else given


def _line(change: PolicyChange, before: Policy) -> str:
    return f"{change.at}  {change.by}: {'; '.join(change_lines(before, change.policy))}. Reason: {change.reason}"
