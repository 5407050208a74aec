"""`pld`: everything the pages do, from the command line. Thin: it parses, calls the same functions, prints."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pld_app import wiring
from pld_app.acting import refuse_open_address
from pld_app.cli_ablate import ablate
from pld_app.cli_ask import ask
from pld_app.cli_ask_batch import ask_batch
from pld_app.cli_attribute import attribute
from pld_app.cli_audit import audit
from pld_app.cli_cluster import cluster
from pld_app.cli_compare import compare
from pld_app.cli_compile import compile_
from pld_app.cli_data import data
from pld_app.cli_desk import COMMANDS as DESK
from pld_app.cli_effect import effect
from pld_app.cli_embedder import embedder
from pld_app.cli_errors import errors
from pld_app.cli_evaluate import evaluate
from pld_app.cli_extract import extract
from pld_app.cli_figures import figures
from pld_app.cli_finding import finding
from pld_app.cli_format import Output, options, progress_line
from pld_app.cli_gate_policy import COMMANDS as GATE_POLICY
from pld_app.cli_greedy import greedy
from pld_app.cli_guideline import guideline
from pld_app.cli_import import import_
from pld_app.cli_overlaps import overlaps
from pld_app.cli_oversight import oversight
from pld_app.cli_pairs import judge_pairs
from pld_app.cli_parts import merge, split
from pld_app.cli_policy import policy
from pld_app.cli_prompt import prompt
from pld_app.cli_publish import publish
from pld_app.cli_release import COMMANDS as RELEASE
from pld_app.cli_resolve import LOCKS, proposals, resolve
from pld_app.cli_review import review
from pld_app.cli_roles import roles
from pld_app.cli_rules import rules
from pld_app.cli_run_report import report
from pld_app.cli_second_look import second_look
from pld_app.cli_settings import settings
from pld_app.cli_student import student
from pld_app.cli_synthesize import coverage, synthesize
from pld_app.cli_teacher import teacher
from pld_app.serve import address_of, check_port, serve
from pld_app.settings import load_settings
from pld_app.worker import owner_name, run_one, work
from pld_core.demo import DEMO_TASKS
from pld_core.errors import PldError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pld-review")
def cli() -> None:
    """Review reasoning rules beside their evidence, compile the approved ones, test them live."""


cli.add_command(rules)
for rule_command in (*DESK, *LOCKS, overlaps, judge_pairs, effect, second_look, split, merge):
    rules.add_command(rule_command)
cli.add_command(review)
cli.add_command(roles)
cli.add_command(policy)
for gate_command in GATE_POLICY:
    policy.add_command(gate_command)
cli.add_command(prompt)
for release_command in (*RELEASE, publish):
    prompt.add_command(release_command)
cli.add_command(audit)
cli.add_command(oversight)
cli.add_command(import_)
cli.add_command(data)
cli.add_command(guideline)
cli.add_command(extract)
cli.add_command(evaluate)
cli.add_command(compare)
cli.add_command(ask_batch)
cli.add_command(finding)
cli.add_command(attribute)
cli.add_command(errors)
cli.add_command(figures)
cli.add_command(ablate)
cli.add_command(ask)
cli.add_command(report)
cli.add_command(teacher)
cli.add_command(embedder)
cli.add_command(cluster)
cli.add_command(synthesize)
cli.add_command(coverage)
cli.add_command(resolve)
proposals.add_command(greedy)
cli.add_command(proposals)
cli.add_command(settings)
cli.add_command(student)
cli.add_command(compile_)
cli.add_command(prompt)


@cli.command()
@options
@click.option("--task", "names", type=click.Choice(DEMO_TASKS), multiple=True, help="Only this demo task (repeatable).")
def demo(workspace: Path, out: Output, names: tuple[str, ...]) -> None:
    """Build the demo workspace: two tasks, with a scripted teacher. What is there is kept."""
    app = wiring.create_app(workspace)
    with progress_line() as report:
        lines = [wiring.build_demo(app, name, report) for name in names or DEMO_TASKS]
    counts = {name: app.store.rules.count(name) for name in names or DEMO_TASKS}
    out.emit({"workspace": str(workspace), "rules": counts}, "\n".join([*lines, f"Workspace: {workspace}"]))


@cli.command(name="serve")
@options
@click.option("--host", help="Address to listen on (PLD_HOST; loopback by default).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (PLD_PORT; 8501 by default).")
@click.option("--demo-if-missing", is_flag=True, help="Build the demo workspace first if there is no workspace.")
def serve_command(workspace: Path, out: Output, host: str | None, port: int | None, demo_if_missing: bool) -> None:
    """Start the app and its worker, and print the address."""
    settings = wiring.with_address(load_settings(workspace), host, port)
    refuse_open_address(settings)
    check_port(settings.host, settings.port)
    is_new = not wiring.workspace_exists(settings)
    app = wiring.create_app(workspace)
    if is_new and demo_if_missing:
        for name in DEMO_TASKS:
            with progress_line() as report:
                line = wiring.build_demo(app, name, report)
            out.say(line)
    elif is_new:
        out.say(f"There was no workspace at {workspace}, so an empty one was made. Its Home page offers what to do.")
    if out.as_json:
        out.emit({"address": address_of(settings.host, settings.port), "workspace": str(workspace)}, "")
    serve(settings, out.say)


@cli.command()
@options
@click.option("--once", is_flag=True, help="Run what is queued, then end.")
def worker(workspace: Path, out: Output, once: bool) -> None:
    """Run jobs until stopped (Ctrl+C). `pld serve` starts one by itself."""
    app = wiring.open_app(workspace)
    if once:
        owner, ended = owner_name(), []
        while (job := run_one(app, owner)) is not None:
            ended.append({"job": job.id, "kind": job.kind, "state": job.state.value, "message": job.message})
        out.emit(ended, "\n".join(f"Job {j['job']} ({j['kind']}): {j['state']}. {j['message']}" for j in ended))
        return
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    work(app, stop)


def main(arguments: list[str] | None = None, run: Callable[..., Any] = cli.main) -> int:
    """Entry point: 0, 1 for a domain error (one line on stderr), 2 for usage."""
    try:
        run(args=arguments, prog_name="pld", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("pld: stopped.", err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except PldError as error:
        click.echo(f"pld: {' '.join(str(error).split())}", err=True)
        return 1
    except UnicodeEncodeError:
        # Arguments in another encoding reach Python as lone surrogates; hashing or storing them fails and rolls back.
        click.echo("pld: What was typed is not UTF-8 text. Nothing was changed. Use a terminal set to UTF-8.", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
