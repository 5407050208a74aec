"""`pld policy gates` and `set-gates`: the limits of a task's release gates, and changing them with a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.gate_policy import GatePolicyChange, limit_changes, limit_lines

_task = click.option("--task", "task_name", required=True)


@click.command()
@options
@_task
def gates(workspace: Path, out: Output, task_name: str) -> None:
    """Show the limits of the release gates, and every change of them."""
    store = wiring.open_app(workspace).store.gate_policies
    found, changes = store.of(task_name), store.history(task_name)
    lines = [*limit_lines(found), *(f"{c.at}  {c.by} changed them. Reason: {c.reason}" for c in changes)]
    value = {"task": task_name, **found.as_json(), "changes": [_change_json(change) for change in changes]}
    out.emit(value, "\n".join(lines))


@click.command(name="set-gates")
@options
@_task
@click.option("--f1-margin", type=float, help="How much lower than production's macro F1 may be, 0 to 1.")
@click.option("--label-margin", type=float, help="How much lower the share right of one label may be, 0 to 1.")
@click.option("--malformed", type=float, help="Largest share of answers without a label, 0 to 1.")
@click.option("--token-budget", type=int, help="Most tokens of the prompt.")
@click.option("--on-test/--no-on-test", default=None, help="Only evaluations on the test split count.")
@click.option("--reason", default="", help="Why; kept with the change.")
def set_gates(workspace: Path, out: Output, task_name: str, reason: str, **given: float | None) -> None:
    """Change the limits of the release gates; what is not given stays as it is. Takes the role admin and a reason."""
    app = wiring.open_app(workspace)
    seen = app.store.gate_policies.of(task_name)
    wanted = replace(seen, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # click checked each
    change = app.store.gate_policies.change(task_name, seen, wanted, reason, app.actor)
    out.emit({"task": task_name, **_change_json(change)}, "\n".join(limit_changes(seen, wanted)))


COMMANDS = (gates, set_gates)


def _change_json(change: GatePolicyChange) -> dict[str, Json]:
    return {
        "number": change.number,
        "limits": change.policy.as_json(),
        "reason": change.reason,
        "by": change.by,
        "at": change.at,
    }
