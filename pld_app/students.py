"""Students for pages and commands: which models there are, getting one, warming it up, publishing a prompt as one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pld_app.context_sizing import fit_words, need_of, sized, window_of
from pld_app.settings import Settings
from pld_app.wiring import App, run_async, student_backend, student_status
from pld_core.asking import ready_status, student_request
from pld_core.backends.ollama_facts import ModelFacts
from pld_core.backends.ollama_models import OllamaModels, Publication, PullProgress
from pld_core.backends.ollama_server import without_credentials
from pld_core.errors import BackendError, InvalidInput, NotFound
from pld_core.model_ports import BackendStatus, TemplatedChat, WarmUp
from pld_core.models import CompiledPrompt, PromptVersion, Task
from pld_core.permissions import Step, guarded_app
from pld_core.publishing import MARK, PublishedModel, model_name
from pld_core.releases import BreakGlass, exception_on

Result = TypeVar("Result")
OLLAMA = "ollama:"


@dataclass(frozen=True)
class HostModels:
    """The models of one Ollama server, or why they cannot be listed."""

    host: str
    models: tuple[ModelFacts, ...]
    problem: str = ""


@dataclass(frozen=True)
class WarmStudent:
    """A student that holds a prompt in memory; `warmed` is None for one whose server does not tell."""

    status: BackendStatus
    warmed: WarmUp | None
    window: str


def status_of(app: App, name: str) -> BackendStatus:
    """Look whether a student can answer, with the context window that it would get."""
    return student_status(sized(app.settings, app.store), name)


def models_on_hosts(settings: Settings) -> tuple[HostModels, ...]:
    """List the models of each Ollama server of the settings."""

    async def look(host: str) -> HostModels:
        shown = without_credentials(host)
        try:
            return HostModels(shown, await OllamaModels(host).all())
        except BackendError as error:
            return HostModels(shown, (), str(error))

    async def look_everywhere() -> tuple[HostModels, ...]:
        return tuple([await look(host) for host in settings.ollama_hosts])

    return run_async(look_everywhere())


@guarded_app(Step.PULL_MODEL)
def pull(app: App, model: str, report: PullProgress) -> tuple[ModelFacts, ...]:
    """Get a model onto every Ollama server of the settings, one after another.

    Raises:
        BackendError: a server cannot be reached or refuses; what the servers before it got stays.
    """
    return run_async(_on_each_host(app, lambda models: models.pull(model, report)))


@guarded_app(Step.ASK)
def warm_up(app: App, task: Task, version: PromptVersion, student: str) -> WarmStudent:
    """Load a student and a prompt, so that the first question need not wait for either.

    Raises:
        BackendError: the student is not ready.
    """
    request = student_request(version.prompt, _no_fields(task))
    window = fit_words(sized(app.settings, app.store), need_of(app.store, task))

    async def load() -> WarmStudent:
        async with student_backend(app, student) as chat:
            await ready_status(chat)
            warmed = await chat.warm_up(request) if isinstance(chat, TemplatedChat) else None
            return WarmStudent(await chat.status(), warmed, window)

    return run_async(load())


@guarded_app(Step.ASK)
def effective_prompt(app: App, task: Task, prompt: CompiledPrompt, student: str, values: Mapping[str, str]) -> str:
    """Return the text that the student's model reads, in its template; empty where its server does not tell.

    Raises:
        BackendError: the student cannot be reached.
    """
    fields = tuple((name, values.get(name, "")) for name in task.input_fields)

    async def look() -> str:
        async with student_backend(app, student) as chat:
            request = student_request(prompt, fields)
            return await chat.rendered(request) if isinstance(chat, TemplatedChat) else ""

    return run_async(look())


@guarded_app(Step.PUBLISH)
def publish(app: App, version: PromptVersion, student: str, name: str, reason: str) -> PublishedModel:
    """Make a model of a student and a prompt version on every Ollama server, read it back, and record it.

    Raises:
        InvalidInput: the student is not on Ollama, no reason is given, or the name hides an exception.
        BackendError: a server cannot be reached, or holds something else afterwards; nothing is recorded.
    """
    if not student.startswith(OLLAMA):
        raise InvalidInput(f"Only a student on Ollama can be published; {student} is not. Nothing was changed.")
    if not name.strip() or name != name.strip():
        raise InvalidInput("Give the model a name, such as pld-nda:v3. Nothing was changed.")
    if not reason.strip():
        raise InvalidInput("Give a reason for publishing. Nothing was changed.")
    exception = exception_of(app, version)
    if exception is not None and MARK not in name.casefold():
        raise InvalidInput(
            f"Version {version.number} is released by an exception, so the model's name has to hold {MARK!r}, such as "
            f"{model_name(version, exception)}. Nothing was changed."
        )
    notice = exception.notice if exception else ""
    wanted = Publication(name, student.removeprefix(OLLAMA), version.prompt.text, _parameters(app), notice)
    before = status_of(app, student)
    facts = run_async(_on_each_host(app, lambda models: models.publish(wanted)))
    if len({one.digest for one in facts}) > 1:
        raise BackendError(f"The servers made different models of {student}: their weights differ. Pull it anew.")
    made = PublishedModel(
        model=name,
        digest=facts[0].digest,
        student=student,
        student_digest=before.digest,
        parameters=wanted.parameters,
        hosts=tuple(without_credentials(host) for host in app.settings.ollama_hosts),
        notice=notice,
    )
    app.store.prompts.record_publication(version.prompt.task, version.number, made, reason.strip(), app.actor)
    return made


def exception_of(app: App, version: PromptVersion) -> BreakGlass | None:
    """Return the exception by which a version holds a release label, None if it holds none or needs none."""
    return exception_on(app.store.releases.history(version.prompt.task)[::-1], version.number)


def newest_publication(app: App, version: PromptVersion) -> PublishedModel:
    """Return what a version was published as last.

    Raises:
        NotFound: it was never published.
    """
    found = app.store.prompts.publications(version.prompt.task, version.number)
    if not found:
        raise NotFound(f"Version {version.number} of {version.prompt.task} was not published as a model yet.")
    return found[0]


def read_back(app: App, version: PromptVersion, made: PublishedModel) -> str:
    """Return what is wrong with a published model as the servers hold it now, empty if it is what was recorded.

    Raises:
        BackendError: a server cannot be reached.
    """
    wanted = Publication(
        made.model, made.student.removeprefix(OLLAMA), version.prompt.text, made.parameters, made.notice
    )
    facts = run_async(_on_each_host(app, lambda models: models.verified(wanted)))
    wrong = [one.digest for one in facts if one.digest != made.digest]
    return f"{made.model} is no longer the model that was published: its digest is {wrong[0]}." if wrong else ""


async def _on_each_host(app: App, use: Callable[[OllamaModels], Coroutine[Any, Any, Result]]) -> tuple[Result, ...]:
    return tuple([await use(OllamaModels(host, app.settings.timeout_s)) for host in app.settings.ollama_hosts])


def _parameters(app: App) -> dict[str, int | float]:
    return {"num_ctx": window_of(app.settings, app.store), "temperature": 0, "seed": 0}


def _no_fields(task: Task) -> tuple[tuple[str, str], ...]:
    return tuple((name, "") for name in task.input_fields)
