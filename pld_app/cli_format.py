"""What all commands share: --workspace, --json, one way to print."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pld_app.wiring import DEFAULT_WORKSPACE


@dataclass(frozen=True)
class Output:
    """Prints for people, or one JSON value for machines."""

    as_json: bool

    def emit(self, value: object, text: str) -> None:
        """Print the result of a command: `value` with --json, `text` otherwise."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        elif text:
            click.echo(text)

    def say(self, text: str) -> None:
        """Tell what goes on; on stderr with --json, so that stdout stays one JSON value."""
        click.echo(text, err=self.as_json)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --workspace and --json; the command gets `workspace` and `out`."""

    @click.option(
        "--workspace",
        type=click.Path(path_type=Path),
        envvar="PLD_WORKSPACE",
        default=DEFAULT_WORKSPACE,
        show_default=True,
        help="Folder of the workspace (PLD_WORKSPACE).",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON value for machines.")
    @functools.wraps(command)
    def wrapped(workspace: Path, as_json: bool, **rest: object) -> object:
        return command(workspace=workspace.absolute(), out=Output(as_json), **rest)

    return wrapped


def progress(done: int, total: int, message: str) -> None:
    """Draw progress on a terminal's stderr; nothing elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r{message}: {done} of {total}", err=True, nl=done == total)
