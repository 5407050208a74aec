"""`pld student`: which students there are, loading one, getting a model, reading back what was published as one."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import students, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_app.context_sizing import need_of, sized
from pld_app.settings import load_settings
from pld_app.student_words import MIB, fact_words
from pld_app.students import HostModels
from pld_core.backends.ollama_facts import ModelFacts
from pld_core.errors import BackendError
from pld_core.model_ports import BackendStatus
from pld_core.publishing import unmarked


@click.group()
def student() -> None:
    """The students: which there are, getting one, warming it up, reading back what was published as one."""


@student.command(name="list")
@options
def list_(workspace: Path, out: Output) -> None:
    """List the students that can be asked, what to do about those that cannot, and the models on Ollama."""
    settings = load_settings(workspace)
    if wiring.workspace_exists(settings):
        settings = sized(settings, wiring.open_app(workspace).store)
    found = [wiring.student_status(settings, name) for name in settings.students]
    hosts = students.models_on_hosts(settings)
    value = {
        "students": [_status_json(status) for status in found],
        "servers": [
            {"host": host.host, "problem": host.problem, "models": [facts.as_json() for facts in host.models]}
            for host in hosts
        ],
    }
    lines = [f"{status.name}: {_ready_words(status)}" for status in found]
    out.emit(value, "\n".join([*lines, *(line for host in hosts for line in _host_lines(host))]))


@student.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose prompt is loaded.")
@click.option("--prompt", "number", type=int, help="Prompt version; the newest if left out.")
@click.option("--student", "name", help="Student, such as ollama:gemma3:4b; from the settings if left out.")
@click.option("--show", is_flag=True, help="Print what the model reads, in its own template.")
def check(workspace: Path, out: Output, task_name: str, number: int | None, name: str | None, show: bool) -> None:
    """Load a student with a prompt, count the prompt's tokens, and tell whether prompt and inputs fit."""
    app = wiring.open_app(workspace)
    task, version = app.store.tasks.get(task_name), wiring.prompt_version(app, task_name, number)
    chosen = name or app.settings.student
    warm = students.warm_up(app, task, version, chosen)
    need = need_of(app.store, task)
    tokens = warm.warmed.tokens if warm.warmed else None
    read = students.effective_prompt(app, task, version.prompt, chosen, {}) if show else ""
    counted = "its server does not count the prompt alone" if tokens is None else f"the prompt has {tokens:,} tokens"
    out.emit(
        {
            **_status_json(warm.status),
            "prompt": version.number,
            "prompt_tokens": tokens,
            "load_ms": warm.warmed.load_ms if warm.warmed else None,
            "prompt_ms": warm.warmed.prompt_ms if warm.warmed else None,
            "context_needed": need.size,
            "fits": need.total <= (warm.status.context_size or need.total),
            "effective_prompt": read or None,
        },
        "\n".join(filter(None, (f"{chosen}: {_ready_words(warm.status)}; {counted}.", warm.window, read))),
    )


@student.command()
@options
@click.argument("model")
def pull(workspace: Path, out: Output, model: str) -> None:
    """Get a model onto the Ollama servers of the settings; what has come stays if it is stopped."""
    app = wiring.open_app(workspace)
    with progress_line() as report:
        found = students.pull(app, model, lambda done, total, what: report(done // MIB, total // MIB, f"{what}, MiB"))
    out.emit([facts.as_json() for facts in found], "\n".join(_model_line(facts) for facts in found))


@student.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose prompt was published.")
@click.option("--prompt", "number", type=int, help="Prompt version; the newest if left out.")
def verify(workspace: Path, out: Output, task_name: str, number: int | None) -> None:
    """Read back what a prompt version was published as; exit code 1 if a server holds something else."""
    app = wiring.open_app(workspace)
    version = wiring.prompt_version(app, task_name, number)
    made = students.newest_publication(app, version)
    if problem := students.read_back(app, version, made):
        raise BackendError(problem)
    if caution := unmarked(made, students.exception_of(app, version)):
        click.echo(caution, err=True)
    value = {"prompt": version.number, **made.as_json()}
    out.emit(value, f"{made.model} is what was published: {made.digest}, with the prompt word for word.")


def _status_json(status: BackendStatus) -> dict[str, object]:
    return {
        "name": status.name,
        "ready": status.ready,
        "problem": status.problem,
        "fix": status.fix,
        "digest": status.digest,
        "size_bytes": status.size_bytes,
        "context_size": status.context_size,
        "model_context": status.model_context,
        "loaded": status.loaded,
    }


def _ready_words(status: BackendStatus) -> str:
    if not status.ready:
        return f"{status.problem} Run: {status.fix}" if status.fix else status.problem
    return f"ready, {fact_words(status)}"


def _host_lines(host: HostModels) -> list[str]:
    lines = [_model_line(facts) for facts in host.models] or [f"  {host.problem or 'none'}"]
    return [f"Models on {host.host}:", *lines]


def _model_line(facts: ModelFacts) -> str:
    size = f"{facts.size_bytes / MIB:,.0f} MiB" if facts.size_bytes else ""
    loaded = f"loaded with context {facts.loaded_context:,}" if facts.loaded_context else "not loaded"
    return "  " + ", ".join(filter(None, (facts.name, facts.kind, size, loaded, facts.digest)))
