"""`pld rules overlaps`: rules that sound alike and conclude different labels, and what a teacher says of each pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from pld_app import synthesis_work, wiring
from pld_app.cli_format import Output, options
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.conflicts.pairs import JudgedPair
from pld_core.models import RuleText
from pld_core.permissions import PERMITTED, Step, role_words
from pld_core.synthesis import short_id


@click.command()
@options
@click.option("--task", "task_name", required=True)
def overlaps(workspace: Path, out: Output, task_name: str) -> None:
    """List pairs of rules with close conditions and different labels, contradictions first, then the closest."""
    app = wiring.open_app(workspace)
    pairs = synthesis_work.overlaps(app, task_name)
    lines = [*overlap_lines(app, task_name, pairs)] or ["No rules overlap."]
    if still_open := sum(one.judgement is None for one in pairs):
        lines.append(f"Not judged: {still_open:,} of {len(pairs):,}. `pld rules judge-pairs` lets the teacher do it.")
    if uncompared := app.store.lineage.uncompared(task_name):
        lines.append(
            f"Not compared yet: {', '.join(uncompared)}. That takes the role {role_words(PERMITTED[Step.COMPARE])}."
        )
    out.emit([pair_json(one) for one in pairs], "\n".join(lines))


def overlap_lines(app: App, task: str, pairs: Sequence[JudgedPair]) -> Iterator[str]:
    """Return each overlap of a task with both rules, and what the teacher says of it below."""
    texts = {rule.id: rule.revision.text for rule in app.store.pairs.overlapping(task)} if pairs else {}
    for one in pairs:
        low, high = one.pair.low, one.pair.high
        yield f"{low} overlaps {high} ({one.pair.closeness:.2f}): {_sentence(texts[low])}; {_sentence(texts[high])}"
        if one.judgement or one.outdated:
            yield f"    {verdict_words(one)}"


def _sentence(text: RuleText) -> str:
    return f"IF {text.condition} THEN {' or '.join(text.labels)}"


def verdict_words(one: JudgedPair) -> str:
    """Return what the teacher says of a pair in one line."""
    said = one.judgement
    if said is None:
        return "not judged since one of the rules was changed" if one.outdated else "not judged"
    rests = f" (rests on {', '.join(map(short_id, said.examples))})" if said.examples else ""
    return f"{said.verdict.label}. {said.reason}{rests}"


def pair_json(one: JudgedPair) -> dict[str, Json]:
    """Return a pair as `--json` prints it."""
    said = one.judgement
    return {
        "rules": [one.pair.low, one.pair.high],
        "closeness": one.pair.closeness,
        "verdict": said.verdict.value if said else None,
        "outdated": one.outdated,
        "reason": said.reason if said else "",
        "examples": list(said.examples) if said else [],
        "teacher": said.teacher if said else "",
    }
