"""`pld proposals greedy`: the proposals of a round that is over, added up one by one."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import greedy_orders, resolution_work, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.greedy_orders import GreedyOrder
from pld_core.canonical import Json
from pld_core.conflicts.records import MadeProposal
from pld_core.conflicts.running_score import ScoreStep, running_score
from pld_core.errors import BackendError, PldError
from pld_core.greedy_order import greedy_most


@click.command()
@options
@click.option("--task", required=True)
@click.option("--loop", "number", type=int, help="Loop that it is of; the newest if left out.")
@click.option("--round", "round_", type=click.IntRange(1), default=1, show_default=True, help="Round to add up.")
@click.option("--dry-run", is_flag=True, help="Print what it would take at most; asks and changes nothing.")
def greedy(workspace: Path, out: Output, task: str, number: int | None, round_: int, dry_run: bool) -> None:
    """Add up the proposals of a round one by one, those with most gain first, with the running score.

    Shows which of them still help once others are in. Started again, it asks nothing that was answered.
    """
    app = wiring.open_app(workspace)
    if dry_run:
        loop = resolution_work.loop_of(app, task, number)
        most = greedy_most(app.store, loop, app.store.resolutions.rounds(loop.id), round_)
        value: dict[str, Json] = {"loop": loop.id, "round": round_, "student_questions_at_most": most}
        out.emit(value, f"At most {most:,} questions. Nothing was asked.")
        return
    try:
        with progress_line() as report:
            made = greedy_orders.add_up(app, GreedyOrder(task, number or 0, round_), report)
    except (BackendError, KeyboardInterrupt) as error:
        raise PldError(f"{str(error) or 'Stopped.'} The same command goes on from there.") from error
    loop = resolution_work.loop_of(app, task, made.order.loop)
    words = {one.proposal.hash: one for one in resolution_work.proposals_of(app, loop)}
    steps = running_score(made.steps)
    lines = [_line(place, step, words[step.added]) for place, step in enumerate(steps, start=1)]
    out.emit({"loop": loop.id, "round": round_, "steps": [_step_json(step) for step in steps]}, "\n".join(lines))


def _step_json(step: ScoreStep) -> dict[str, Json]:
    found = step.tried.result.comparison
    return {
        "adds": step.added,
        "stays": step.stays,
        "prompt": step.tried.prompt_sha256,
        "tokens": step.tried.tokens,
        "comparison": found.as_json() if found else None,
    }


def _line(place: int, step: ScoreStep, made: MadeProposal) -> str:
    stays = "stays in" if step.stays else "left out again"
    return f"{place}. + {made.proposal.words} ({stays}): {step.tried.words}"
