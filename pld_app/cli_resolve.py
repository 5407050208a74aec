"""`pld resolve`, `pld proposals` and `pld rules lock`: repairs of rules, tried before anybody reads them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

import click

from pld_app import open_loops, resolution_work, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.resolution_work import ResolveOrder
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.conflicts.records import LoopLimits, MadeProposal, Resolution, RoundRecord, Stage, Tried
from pld_core.count_words import count
from pld_core.errors import BackendError, BudgetReached, PldError
from pld_core.loop_estimate import LoopEstimate
from pld_core.pricing import money
from pld_core.resolving import Resolved

SHORT = 8
"""So many digits of a proposal's hash stand in lists; as many as tell it from others are enough."""


@click.command()
@options
@click.option("--task", required=True, help="Task whose rules are to be repaired.")
@click.option("--rounds", type=click.IntRange(1, 10), default=3, show_default=True, help="Most rounds.")
@click.option("--student", default="", help="Student to repair for; the one in the settings if left out.")
@click.option("--teacher", default="", help="Teacher that proposes; the one of the task or settings if left out.")
@click.option(
    "--max-calls",
    type=click.IntRange(1),
    help="Most questions to the student over all starts; with --resume, the new cap.",
)
@click.option("--budget", type=click.IntRange(1), help="Most calls to the teacher over all starts.")
@click.option("--greedy", is_flag=True, help="Also add up proposals one by one in each round.")
@click.option("--resume", "key", default="", help="Go on with the loop of this run: its own models, its limits.")
@click.option("--dry-run", is_flag=True, help="Print what it would take at most; asks and changes nothing.")
def resolve(
    workspace: Path,
    out: Output,
    task: str,
    rounds: int,
    student: str,
    teacher: str,
    max_calls: int | None,
    budget: int | None,
    greedy: bool,
    key: str,
    dry_run: bool,
) -> None:
    """Let a teacher propose repairs for what the student gets wrong, and try each on validation examples.

    No rule changes by it: `pld proposals list` shows what there is to accept for review.
    """
    app = wiring.open_app(workspace)
    limits = LoopLimits(rounds=rounds, student_calls=max_calls, greedy=greedy)
    order = ResolveOrder(task, student, limits=limits, teacher=teacher, resume=key, budget=budget)
    if dry_run:
        found = resolution_work.estimated(app, order)
        out.emit({"task": task, **found.as_json()}, _estimate_words(found, app.settings.teacher.currency))
        return
    run = key or f"resolve-{uuid.uuid4().hex[:8]}"
    try:
        with progress_line() as report:
            ended = resolution_work.resolve(app, order, run, report)
    except BudgetReached as error:
        more = "--max-calls or --budget, whichever is reached,"
        raise PldError(f"{error} --resume {run} with a higher {more} goes on from there.") from error
    except (BackendError, KeyboardInterrupt) as error:
        raise PldError(f"{str(error) or 'Stopped.'} --resume {run} goes on from there.") from error
    out.emit({"task": task, "run": run, **_resolved_json(ended)}, _resolved_text(ended))


def _estimate_words(found: LoopEstimate, currency: str) -> str:
    first = "The teacher's first calls depend on what the student gets wrong. "
    if found.first_round is not None:
        cost = (
            "no price is set" if found.first_round.cost is None else f"about {money(found.first_round.cost, currency)}"
        )
        first = f"Round 1 asks the teacher {found.first_round.calls:,} times, {cost} (a rule of thumb). "
    return (
        f"At most {found.student_most:,} questions to the student ({found.open_now:,} of them now) and "
        f"{found.teacher_most:,} calls to the teacher. {first}Nothing was asked."
    )


def _resolved_json(ended: Resolved) -> dict[str, Json]:
    return {
        "loop": ended.resolution.id,
        "best_round": ended.score.best_round,
        "stopped": ended.rounds[-1].stop.value if ended.rounds[-1].stop else "",
        "rounds": [_round_json(record) for record in ended.rounds],
        "test": [figure.as_json() if figure else None for figure in (ended.score.first, ended.score.best)],
    }


def _round_json(record: RoundRecord) -> dict[str, Json]:
    figures = {"train": record.train, "validation": record.validation}
    return {
        "number": record.number,
        "prompt": record.prompt_sha256,
        "tokens": record.tokens,
        "proposals": len(record.proposals),
        "unusable": record.unusable,
        **{split: figure.as_json() if figure else None for split, figure in figures.items()},
    }


def _resolved_text(ended: Resolved) -> str:
    lines = [f"{ended.words[0].upper()}{ended.words[1:]}"]
    for record in ended.rounds:
        figure = record.validation
        told = f"{figure.macro_f1:.3f} ({figure.low:.3f} to {figure.high:.3f})" if figure else "none"
        lines.append(f"round {record.number}: validation {told}, {count(len(record.proposals), 'proposal')}")
    lines.append(f"No rule was changed. `pld proposals list --task {ended.resolution.order.task}` shows what to read.")
    return "\n".join(lines)


# --- proposals --------------------------------------------------------------------------------------------------------


@click.group()
def proposals() -> None:
    """Repairs that a loop proposed: list them, accept them for review, dismiss them."""


@proposals.command(name="list")
@options
@click.option("--task", required=True)
@click.option("--loop", "number", type=int, help="Loop to look at; the newest if left out.")
def list_(workspace: Path, out: Output, task: str, number: int | None) -> None:
    """List the proposals of a loop with what each fixes and breaks."""
    app = wiring.open_app(workspace)
    loop = resolution_work.loop_of(app, task, number)
    found = resolution_work.proposals_of(app, loop)
    value = [_proposal_json(app, loop, made) for made in found]
    lines = [_proposal_line(app, loop, made) for made in found]
    out.emit(value, "\n".join(lines or [f"Loop {loop.id} has no proposals yet."]))
    if standing := open_loops.standing_words(app, loop):
        out.say(standing)


@proposals.command()
@options
@click.argument("proposal")
@click.option("--task", required=True)
@click.option("--loop", "number", type=int, help="Loop that it is of; the newest if left out.")
@click.option("--reason", default="", help="Why; needed where no trial of it alone passed.")
def accept(workspace: Path, out: Output, proposal: str, task: str, number: int | None, reason: str) -> None:
    """Bring what a proposal says into review. What is in force stays so until its replacement is approved."""
    app = wiring.open_app(workspace)
    outcome, problem = resolution_work.accept(app, task, number, proposal, reason)
    what = f"In review: {', '.join(outcome.rules)}." if outcome.rules else "The rule is retired."
    value = {"proposal": outcome.proposal, "rules": list(outcome.rules), "revisions": list(outcome.revisions)}
    out.emit({**value, "not_compared": problem}, f"{what} {problem}".strip())


@proposals.command()
@options
@click.argument("proposal")
@click.option("--task", required=True)
@click.option("--loop", "number", type=int, help="Loop that it is of; the newest if left out.")
@click.option("--reason", required=True, help="Why nothing is to be made of it.")
def dismiss(workspace: Path, out: Output, proposal: str, task: str, number: int | None, reason: str) -> None:
    """Record that nothing is made of a proposal."""
    app = wiring.open_app(workspace)
    outcome = resolution_work.dismiss(app, task, number, proposal, reason)
    out.emit({"proposal": outcome.proposal, "fate": outcome.fate.value}, "Dismissed.")


def _alone(trials: Sequence[Tried]) -> Tried | None:
    return next((tried for tried in trials if tried.stage is Stage.SINGLE), None)


def _proposal_json(app: App, loop: Resolution, made: MadeProposal) -> dict[str, Json]:
    said, tried = made.proposal, _alone(app.store.proposals.trials(loop.id, made.proposal.hash))
    outcome = app.store.proposals.outcome(loop.id, said.hash)
    return {
        "proposal": said.hash,
        "round": said.round,
        "action": said.action,
        "rules": list(said.rules),
        "reason": said.reason,
        "texts": [one.text.as_json() for one in said.texts],
        "refused": said.problem,
        "flags": list(said.flags),
        "trial": tried.words if tried else "",
        "verdict": tried.result.verdict.value if tried else "",
        "why": tried.result.reason if tried else "",
        "labels": [line.as_json() for line in tried.result.labels] if tried else [],
        "affected_only": bool(tried and tried.examples),
        "outcome": outcome.fate.value if outcome else "",
    }


def _proposal_line(app: App, loop: Resolution, made: MadeProposal) -> str:
    said, tried = made.proposal, _alone(app.store.proposals.trials(loop.id, made.proposal.hash))
    outcome = app.store.proposals.outcome(loop.id, said.hash)
    fate = f" [{outcome.fate.value} by {outcome.by}]" if outcome else ""
    flags = f" To look at: {' '.join(said.flags)}" if said.flags else ""
    short = said.hash.removeprefix("sha256:")[:SHORT]
    return f"{short} round {said.round}: {said.words}: {_told(made, tried)}{flags}{fate}"


def _told(made: MadeProposal, tried: Tried | None) -> str:
    """Return what came of a proposal alone."""
    if made.proposal.refusal is not None:
        return f"refused: {made.proposal.problem}"
    if tried is None:
        return "not tried."
    if tried.result.comparison is None:
        return f"HELD: {tried.result.reason}"
    return f"{tried.words}. " + ("PASSES" if tried.result.passes else f"HELD: {tried.result.reason}")


# --- locks ------------------------------------------------------------------------------------------------------------


@click.command()
@options
@click.argument("rule_id")
@click.option("--reason", required=True, help="Why no repair may change it.")
def lock(workspace: Path, out: Output, rule_id: str, reason: str) -> None:
    """Lock a rule: a loop argues about it and never changes it."""
    app = wiring.open_app(workspace)
    made = app.store.locks.lock(rule_id, reason, app.actor)
    out.emit({"rule": made.rule_id, "locked": True, "reason": made.reason}, f"{made.rule_id} is locked.")


@click.command()
@options
@click.argument("rule_id")
@click.option("--reason", required=True, help="Why repairs may change it again.")
def unlock(workspace: Path, out: Output, rule_id: str, reason: str) -> None:
    """Unlock a rule."""
    app = wiring.open_app(workspace)
    made = app.store.locks.unlock(rule_id, reason, app.actor)
    out.emit({"rule": made.rule_id, "locked": False, "reason": made.reason}, f"{made.rule_id} is not locked any more.")


LOCKS = (lock, unlock)
