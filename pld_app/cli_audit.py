"""`pld audit`: verify the chain, read the log, export an audit pack."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import auditing, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_core.errors import InvalidInput, PldError
from pld_core.event_words import sentence
from pld_core.moments import since_moment, until_moment
from pld_core.pack.inventory import event_json
from pld_core.records import EventFilter, Page

SHOWN = 50
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def audit() -> None:
    """The audit chain: verify it, read it, export it."""


@audit.command()
@options
def verify(workspace: Path, out: Output) -> None:
    """Verify every link of the audit chain; name the first broken event."""
    report = wiring.audit_app(workspace).store.events.verify()
    value = {
        "intact": report.intact,
        "events": report.events,
        "first_broken": report.first_broken,
        "problems": list(report.problems),
        "head": report.head,
    }
    if report.intact:
        out.emit(value, f"Intact: {report.events} events, head {report.head or 'none'}.")
        return
    if out.as_json:
        out.emit(value, "")
    raise PldError(f"The audit chain is broken. {report.problems[0]} ({len(report.problems)} problems in all.)")


@audit.command()
@options
@click.option("--actor", default="", help="Only what this person did.")
@click.option("--rule", default="", help="Only what was done to this rule, such as R12.")
@click.option("--kind", default="", help="Only events of this kind, such as rule.approved.")
@click.option("--search", default="", help="Only events with this text in them.")
@click.option("--since", default="", metavar="UTC", help="From this date or time on: 2026-01-31 or 2026-01-31T14:30.")
@click.option("--until", default="", metavar="UTC", help="Up to this date or time, itself included.")
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="Show the newest so many.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all that match as CSV.")
@click.option(
    "--jsonl", "jsonl_file", type=click.Path(path_type=Path, dir_okay=False), help="Write them as JSON lines."
)
def log(
    workspace: Path,
    out: Output,
    actor: str,
    rule: str,
    kind: str,
    search: str,
    since: str,
    until: str,
    limit: int,
    csv_file: Path | None,
    jsonl_file: Path | None,
) -> None:
    """Show the newest events that match, newest first, or write all of them to a file, oldest first."""
    where = EventFilter(actor, kind, search, rule, since_moment(since), until_moment(until))
    app = wiring.open_app(workspace)
    if kind and kind not in app.store.events.kinds():
        raise InvalidInput(f"No event is of the kind {kind!r}. There are: {', '.join(app.store.events.kinds())}.")
    if files := [(path, name) for path, name in ((csv_file, "csv"), (jsonl_file, "jsonl")) if path]:
        written = {str(path): auditing.export_log(app, where, path, name) for path, name in files}
        out.emit({"files": written}, "\n".join(f"{n:,} events written to {path}." for path, n in written.items()))
        return
    found, total = app.store.events.page(where, Page(0, limit), app.actor), app.store.events.count(where, app.actor)
    lines = [f"{e.seq:>6}  {_moment(e.at)}  {sentence(e)}" for e in found]
    more = [f"{total - len(found):,} older events match; --limit shows more."] if total > len(found) else []
    out.emit(
        {"total": total, "events": [{**event_json(e), "in_words": sentence(e)} for e in found]},
        "\n".join([*lines, *more]) or "No event matches.",
    )


def _moment(at: str) -> str:
    """Return a stored time for a column; empty for one that is kept from the reader."""
    return f"{at[:19].replace('T', ' ')} UTC" if at else " " * 23


@audit.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose pack is made.")
@click.option("--out", "target", required=True, type=FILE, help="The zip file.")
@click.option("--mask-personal", is_flag=True, help="Mask personal data that is found in examples.")
def pack(workspace: Path, out: Output, task_name: str, target: Path, mask_personal: bool) -> None:
    """Export everything about a task for an auditor: a zip file with a report, all records, and a verifier."""
    app = wiring.open_app(workspace)
    with progress_line() as report:
        made = auditing.export_pack(app, task_name, target, mask_personal, report)
    out.emit(
        {"file": str(target), **made.as_json()},
        f"{target}: {made.words}\nVerify it anywhere with Python alone: unpack it, then python verify.py",
    )
