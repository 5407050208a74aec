"""`pld prompt gates`, `release`, `rollback`, `history`: the way of a prompt version into production and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.errors import GatesRed
from pld_core.gate_facts import Gate, red_gates
from pld_core.releases import BreakGlass, Release, ReleaseLabel, ReleaseOrder

_task = click.option("--task", "task_name", required=True, help="Task whose prompt it is.")
_prompt = click.option("--prompt", "number", type=click.IntRange(1), help="Prompt version; the newest if left out.")
_labels = click.Choice([label.value for label in ReleaseLabel])


@click.command()
@options
@_task
@_prompt
def gates(workspace: Path, out: Output, task_name: str, number: int | None) -> None:
    """Show the gates of a prompt version, each with its figure and what puts it right. Ends with 1 if one is red."""
    app = wiring.open_app(workspace)
    version = wiring.prompt_version(app, task_name, number)
    found = app.store.releases.gates(task_name, version.number)
    value = {"task": task_name, "version": version.number, "sha256": version.prompt.sha256}
    out.emit({**value, "gates": [gate.as_json() for gate in found]}, "\n".join(gate_lines(found)))
    if bad := red_gates(found):
        raise GatesRed(f"{len(bad)} of {len(found)} gates of version {version.number} are red.")


@click.command()
@options
@_task
@_prompt
@click.option("--as", "label", type=_labels, required=True, help="Release label that moves to the version.")
@click.option("--reason", default="", help="Why; kept with the release.")
@click.option("--exception", default="", metavar="REASON", help="Release in spite of red gates, for this reason.")
@click.option("--until", default="", metavar="DAY", help="Last day of the exception, at most 30 days ahead.")
def release(
    workspace: Path,
    out: Output,
    task_name: str,
    number: int | None,
    label: str,
    reason: str,
    exception: str,
    until: str,
) -> None:
    """Move a release label to a prompt version. Takes the role release manager, green gates and a reason."""
    if bool(exception) is not bool(until):
        raise click.UsageError("--exception and --until go together: why, and until which day.")
    app, chosen = wiring.open_app(workspace), ReleaseLabel(label)
    version = wiring.prompt_version(app, task_name, number)
    held = app.store.releases.holder(task_name, chosen)
    glass = BreakGlass(exception, until) if exception else None
    order = ReleaseOrder(task_name, chosen, version.number, held.number if held else 0, reason, glass)
    moved = app.store.releases.move(order, app.actor)
    _tell(out, moved, [*gate_lines(moved.gates), _line(moved)])


@click.command()
@options
@_task
@click.option("--label", type=_labels, required=True, help="Release label that goes back.")
@click.option("--reason", default="", help="Why; kept with the release.")
def rollback(workspace: Path, out: Output, task_name: str, label: str, reason: str) -> None:
    """Take a release label back to the version that it was on before. Red gates do not keep you from it."""
    app, chosen = wiring.open_app(workspace), ReleaseLabel(label)
    held = app.store.releases.holder(task_name, chosen)
    moved = app.store.releases.roll_back(task_name, chosen, held.number if held else 0, reason, app.actor)
    _tell(out, moved, [*gate_lines(red_gates(moved.gates)), _line(moved)])


@click.command()
@options
@_task
def history(workspace: Path, out: Output, task_name: str) -> None:
    """List every move of the release labels, newest first: who, when, what, why, and exceptions."""
    found = wiring.open_app(workspace).store.releases.history(task_name)
    out.emit([move.as_json(_now()) for move in found], "\n".join(map(_line, found)) or "No label was moved yet.")


COMMANDS = (gates, release, rollback, history)


def gate_lines(found: tuple[Gate, ...]) -> list[str]:
    """Return each gate on a line: state, condition, figure; for a red one why and what to do."""
    return [_gate_line(gate) for gate in found]


def _gate_line(gate: Gate) -> str:
    line = f"{gate.state.value:<14}  {gate.title}: {gate.figure}"
    line += f". {gate.reason}" if gate.reason else ""
    return line + (f" To do: {gate.fix.todo}" if gate.fix else "")


def _tell(out: Output, moved: Release, lines: list[str]) -> None:
    out.emit({"task": moved.task, **moved.as_json(_now())}, "\n".join(lines))


def _line(move: Release) -> str:
    exception = f"; {move.break_glass.words(_now())} ({move.break_glass.reason})" if move.break_glass else ""
    return (
        f"{move.at}  {move.by}: {move.label.value} to version {move.version}, {move.sha256} ({move.kind.value}). "
        f"Reason: {move.reason}{exception}"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
