"""What all commands share: --workspace, --json, one way to print."""

from __future__ import annotations

import functools
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from pld_app.wiring import DEFAULT_WORKSPACE
from pld_core.ports import Progress

# What a terminal obeys instead of showing: escape sequences and the like, but for line ends and tabs.
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LOG_EVERY_S = 60.0


@dataclass(frozen=True)
class Output:
    """Prints for people, or one JSON value for machines."""

    as_json: bool

    def emit(self, value: object, text: str) -> None:
        """Print the result of a command: `value` with --json, `text` otherwise."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        elif text:
            # Texts from data and models are in it, which must not move the cursor or recolour what others say.
            click.echo(_OBEYED.sub("?", text))

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


@contextmanager
def progress_line(clock: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """Tell progress on stderr: on one line of a terminal, which ends however the work ends; elsewhere, as in the log of
    a build, on a line of its own each minute.

    Args:
        clock: seconds of a clock that only goes forward.
    """
    on_terminal = sys.stderr.isatty()
    drawn, told = False, clock()

    def draw(done: int, total: int, message: str) -> None:
        nonlocal drawn, told
        line = f"{message}: {done:,} of {total:,}"
        if on_terminal:
            drawn = True
            click.echo(f"\r{line}", err=True, nl=False)
        elif clock() - told >= LOG_EVERY_S:
            told = clock()
            click.echo(line, err=True)

    try:
        yield draw
    finally:
        if drawn:
            click.echo(err=True)


class SectionedCommand(click.Command):
    """A command whose help lists its options under titles.

    Args:
        sections: how many options stand under each title, in the order of the options; the rest stands last.
    """

    def __init__(self, *args: Any, sections: Mapping[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        chosen = (parameter for parameter in self.get_params(ctx) if isinstance(parameter, click.Option))
        records = (record for option in chosen if (record := option.get_help_record(ctx)))
        for title, number in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(islice(records, number)))
        with formatter.section("Always"):
            formatter.write_dl(list(records))
