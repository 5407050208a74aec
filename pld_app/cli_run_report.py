"""`pld report`: what was asked, how it went, what it is compared with, and its limits, in one file or in MLflow."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_app.mlflow_log import log_report, tracking_uri
from pld_app.printing import pdf_of
from pld_app.reporting import Wanted, gather, report_json
from pld_app.whole_file import whole_file
from pld_core.errors import InvalidInput
from pld_core.models import Split
from pld_core.run_report.limits import baseline_words
from pld_core.run_report.page import html

SUFFIXES = (".html", ".pdf")


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task to report on.")
@click.option("--run", "run_id", type=int, help="Number of the run.")
@click.option("--prompt", "number", type=click.IntRange(1), help="Newest complete run of this prompt version.")
@click.option("--split", type=click.Choice([s.value for s in Split]), help="Newest complete run on this split.")
@click.option(
    "--out",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file: .html, or .pdf where a Chromium or Chrome is there.",
)
@click.option(
    "--mlflow",
    "tracking",
    is_flag=False,
    flag_value="",
    metavar="[URI|FOLDER]",
    help="Log the run to MLflow with its prompt and report; MLFLOW_TRACKING_URI if none is named.",
)
def report(
    workspace: Path,
    out: Output,
    task_name: str,
    run_id: int | None,
    number: int | None,
    split: str | None,
    target: Path | None,
    tracking: str | None,
) -> None:
    """Report on a run in one file: figures, known limits, baselines, rules, gates, prompt, data."""
    if run_id is not None and (number is not None or split):
        raise click.UsageError("--run names one run: without --prompt and --split.")
    if target is None and tracking is None:
        raise click.UsageError("Say where the report goes: --out FILE, --mlflow, or both.")
    if target is not None and target.suffix.lower() not in SUFFIXES:
        raise InvalidInput(f"A report is an .html or a .pdf file, not {target.name}. Nothing was written.")
    uri = None if tracking is None else tracking_uri(tracking, os.environ)
    wanted = Wanted(task_name, run_id, number, Split(split) if split else None)
    found = gather(wiring.open_app(workspace), wanted)
    page = html(found)
    told = [
        f"{found.title}: {found.figures.accuracy.words} correct; macro F1 {found.figures.macro_f1.words}.",
        baseline_words(found),
    ]
    value = report_json(found)
    if target is not None:
        size, digest = _write(page, target)
        value |= {"file": str(target), "bytes": size, "sha256": digest}
        told.append(f"Wrote {target} ({size:,} bytes).")
    if uri is not None:
        logged = log_report(found, page, uri)
        value |= {"mlflow": logged.as_json()}
        told.append(logged.words)
    out.emit(value, "\n".join(filter(None, told)))


def _write(page: str, target: Path) -> tuple[int, str]:
    """Write the report and return its size in bytes and its sha256."""
    content = page.encode("utf-8") if target.suffix.lower() == ".html" else pdf_of(page, os.environ)
    with whole_file(target) as scratch:
        scratch.write_bytes(content)
    return len(content), f"sha256:{hashlib.sha256(content).hexdigest()}"
