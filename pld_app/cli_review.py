"""`pld review`: rules out to a spreadsheet program, decisions back from it."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import sheets, wiring
from pld_app.checking import told_after_check
from pld_app.cli_desk import TABS
from pld_app.cli_format import Output, options
from pld_app.cli_report import counted
from pld_core.canonical import Json
from pld_core.decision_check import SheetOutcome
from pld_core.desk import DeskFilter, Tab
from pld_core.models import RevisionState
from pld_core.records import RuleFilter
from pld_core.review import AWAITING_DECISION


@click.group()
def review() -> None:
    """Decide on rules in Excel: export a sheet, import what was filled in."""


@review.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose rules are exported.")
@click.option("--xlsx", "target", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option("--tab", type=click.Choice(list(TABS)), help="Tab of the queue; mine if left out.")
@click.option("--state", "states", type=click.Choice([s.value for s in RevisionState]), multiple=True)
@click.option("--label", default="", help="Only rules that conclude this label.")
@click.option("--search", default="", help="Only rules with this text in them.")
@click.option("--tag", default="", help="Only rules with this tag.")
@click.option("--assigned", "assignee", default="", metavar="NAME", help="Only rules given to this person that wait.")
def export(
    workspace: Path,
    out: Output,
    task_name: str,
    target: Path,
    tab: str | None,
    states: tuple[str, ...],
    label: str,
    search: str,
    tag: str,
    assignee: str,
) -> None:
    """Write a sheet to decide on: one rule a row, with its evidence. Without a filter, what waits for you."""
    app = wiring.open_app(workspace)
    wanted = tuple(RevisionState(state) for state in states)
    if assignee and tab is None:
        # The tab "mine" holds nothing that was given to somebody else.
        tab, wanted = _name(Tab.ALL), wanted or AWAITING_DECISION
    where = DeskFilter(TABS[tab or _name(Tab.MINE)], RuleFilter(wanted, label, search), tag)
    sheet = sheets.export_sheet(app, task_name, where, assignee, target)
    out.emit(
        {"file": str(target), "task": task_name, "rules": [row.rule_id for row in sheet.rows]},
        f"{target}: {counted(len(sheet.rows), 'rule')} to decide on. Fill in the yellow cells, save it, then: "
        f"pld review import {target} --check",
    )


@review.command(name="import")
@options
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Say what would be recorded and what refused; write nothing.")
def import_(workspace: Path, out: Output, file: Path, check: bool) -> None:
    """Record the decisions of a filled-in sheet, in your name. Rows that moved on are refused and listed."""
    app, content = wiring.open_app(workspace), sheets.file_content(file)
    outcome = (sheets.check_sheet if check else sheets.record_sheet)(app, file.name, content)
    told = [] if check else [words for row in outcome.decided if (words := told_after_check(app, row.rule_id))]
    out.emit(
        {**_outcome_json(outcome, check), "seeded_checks": told}, "\n".join([_outcome_text(outcome, check), *told])
    )


def _name(wanted: Tab) -> str:
    return next(name for name, tab in TABS.items() if tab is wanted)


def _outcome_json(outcome: SheetOutcome, check: bool) -> dict[str, Json]:
    return {
        "recorded": not check and bool(outcome.decided),
        "decided": [
            {
                "row": row.number,
                "rule": row.rule_id,
                "verdict": row.verdict.value,
                "state": row.state.value,
                # A number that was only tried belongs to no decision.
                "decision": None if check else row.decision,
            }
            for row in outcome.decided
        ],
        "refused": [refusal.as_json() for refusal in outcome.refused],
        "skipped": outcome.skipped,
    }


def _outcome_text(outcome: SheetOutcome, check: bool) -> str:
    verb = "would be" if check else "is"
    done = "can be recorded" if check else "recorded"
    lines = [f"Row {row.number} ({row.rule_id}): {verb} {row.state.label}." for row in outcome.decided]
    lines += [f"Refused. {refusal.words}" for refusal in outcome.refused]
    lines.append(
        f"{counted(len(outcome.decided), 'decision')} {done}, {counted(len(outcome.refused), 'row')} refused, "
        f"{counted(outcome.skipped, 'row')} without a decision."
    )
    if check or not outcome.decided:
        lines.append("Nothing was written.")
    return "\n".join(lines)
