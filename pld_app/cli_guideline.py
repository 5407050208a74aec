"""`pld guideline`: the guideline of a task, version by version, and changing it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.guideline import GuidelineVersion

TASK = click.option("--task", "task_name", required=True, help="Task whose guideline it is.")


@click.group()
def guideline() -> None:
    """The guideline of a task: show, set, history."""


@guideline.command()
@options
@TASK
@click.option(
    "--version", "number", type=click.IntRange(min=1), help="An earlier version; the one in force if left out."
)
def show(workspace: Path, out: Output, task_name: str, number: int | None) -> None:
    """Show a guideline, word for word."""
    found = wiring.open_app(workspace).store.guidelines.history(task_name)
    chosen = next((version for version in found if version.version == number), found[0])
    if number is not None and chosen.version != number:
        raise InvalidInput(f"The guideline of {task_name} has no version {number}; the newest is {found[0].version}.")
    out.emit(version_json(chosen), chosen.text)


@guideline.command()
@options
@TASK
def history(workspace: Path, out: Output, task_name: str) -> None:
    """List every version, newest first."""
    found = wiring.open_app(workspace).store.guidelines.history(task_name)
    lines = [f"version {v.version}, {v.by}, {v.at}{f': {v.reason}' if v.reason else ''}" for v in found]
    out.emit([version_json(version) for version in found], "\n".join(lines))


@guideline.command(name="set")
@options
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@TASK
@click.option("--reason", default="", help="Why; kept with the version.")
@click.option("--dry-run", is_flag=True, help="Say which rules go stale, and change nothing.")
def set_(workspace: Path, out: Output, file: Path, task_name: str, reason: str, dry_run: bool) -> None:
    """Set another guideline, from a file or from standard input (-). Every rule in force goes stale."""
    app, text = wiring.open_app(workspace), text_from(file)
    guidelines = app.store.guidelines
    seen = guidelines.current(task_name)
    if dry_run:
        effects = guidelines.effects(task_name, text)
        out.emit({"task": task_name, "version": seen.version, **effects.as_json()}, f"This {effects.words}.")
        return
    version, effects = guidelines.change(task_name, seen.version, text, reason, app.actor)
    out.emit(
        {"task": task_name, "version": version.version, **effects.as_json()},
        f"Version {version.version} is in force. That {effects.words}.",
    )


def text_from(file: Path) -> str:
    """Return what a UTF-8 file holds, or standard input for `-`.

    Raises:
        InvalidInput: it cannot be read, or is not UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"The file {file} cannot be read: {error.strerror}. Nothing was changed.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The guideline {file} is not UTF-8 text (byte {error.start:,} does not fit). Nothing was changed. "
            "Save it as UTF-8."
        ) from error


def version_json(version: GuidelineVersion) -> dict[str, Json]:
    return {
        "version": version.version,
        "text": version.text,
        "reason": version.reason,
        "by": version.by,
        "at": version.at,
    }
