"""Where everything is put together: settings, store, backends, use cases. The only `asyncio.run` of the project."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pld_app.acting import command_line_actor
from pld_app.context_sizing import sized
from pld_app.embedder_settings import embedders_at_hand
from pld_app.settings import Settings, load_settings
from pld_core import asking, attributing, compiling, pipeline, synthesising
from pld_core.asking import Evaluation
from pld_core.backends import open_batch_chat, open_chat
from pld_core.backends.scripted import ScriptedChat
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.batches import BatchChat
from pld_core.calls import Limits
from pld_core.compilation import BY_RANK, Choices
from pld_core.compiling import PromptDraft
from pld_core.demo import DEMO_TASKS, Demo, load_demo
from pld_core.errors import NotFound, OverBudget
from pld_core.model_ports import BackendStatus, Chat
from pld_core.models import Actor, PromptVersion, RevisionState, Run
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.records import RuleFilter, StoredClustering
from pld_core.synthesis import promoted_rule
from storage import SqliteStore, create_store, open_for_audit, open_store

Result = TypeVar("Result")
DEFAULT_WORKSPACE = "workspace"
BATCH_CONNECTIONS = 2
"""One for a file that streams in, one for what is asked meanwhile."""


@dataclass(frozen=True)
class App:
    """A workspace that is open: settings, store and the person who acts."""

    settings: Settings
    store: SqliteStore
    actor: Actor


def open_app(workspace: Path) -> App:
    """Open an existing workspace, as the person at the command line."""
    settings = load_settings(workspace)
    store = open_store(settings.store_url)
    return App(settings, store, command_line_actor(settings, store.roles))


def create_app(workspace: Path) -> App:
    """Open a workspace, or make an empty one, as the person at the command line."""
    settings = load_settings(workspace)
    store = create_store(settings.store_url)
    return App(settings, store, command_line_actor(settings, store.roles))


def audit_app(workspace: Path) -> App:
    """Open a workspace for verification only, as somebody who may only read: roles are not looked up."""
    settings = load_settings(workspace)
    return App(settings, open_for_audit(settings.store_url), Actor(settings.user, frozenset()))


def with_address(settings: Settings, host: str | None, port: int | None) -> Settings:
    """Return the settings with the address given on the command line, if any."""
    return replace(settings, host=host or settings.host, port=port or settings.port)


def workspace_exists(settings: Settings) -> bool:
    return (settings.workspace / "pld.db").exists()


def workspace_from_environment() -> Path:
    return Path(os.environ.get("PLD_WORKSPACE") or DEFAULT_WORKSPACE).absolute()


# --- backends ---------------------------------------------------------------------------------------------------------


def open_backend(name: str, settings: Settings) -> Chat:
    """Return a backend by name, `scripted:<demo>` included."""
    kind, _, rest = name.partition(":")
    if kind == "scripted":
        return ScriptedChat(name, load_demo(rest).script)
    return open_chat(name, settings.backends(os.environ))


def open_teacher(name: str, settings: Settings, in_flight: int) -> Chat:
    """Return a teacher by name, with its own address and key and room for so many calls at a time."""
    if name.partition(":")[0] == "scripted":
        return open_backend(name, settings)
    return open_chat(name, settings.teacher_backends(os.environ, in_flight))


def open_batch_teacher(name: str, settings: Settings) -> BatchChat:
    """Return a teacher by name as one that takes batches.

    Raises:
        InvalidInput: it takes none.
    """
    return open_batch_chat(name, settings.teacher_backends(os.environ, BATCH_CONNECTIONS))


@asynccontextmanager
async def backend(name: str, settings: Settings) -> AsyncIterator[Chat]:
    """Open a backend and close it at the end."""
    chat = open_backend(name, settings)
    try:
        yield chat
    finally:
        await chat.aclose()


def student_backend(app: App, name: str) -> AbstractAsyncContextManager[Chat]:
    """Open a student with the context window that the workspace's prompts and examples need."""
    return backend(name, sized(app.settings, app.store))


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end from synchronous code."""
    return asyncio.run(work)


def student_status(settings: Settings, name: str) -> BackendStatus:
    """Look whether a student can answer right now."""

    async def look() -> BackendStatus:
        async with backend(name, settings) as chat:
            return await chat.status()

    return run_async(look())


def ready_student(app: App, name: str) -> BackendStatus:
    """Return the status of a student that is ready, with the context window that the workspace needs.

    Raises:
        BackendError: it is not ready.
    """

    async def look() -> BackendStatus:
        async with student_backend(app, name) as chat:
            return await asking.ready_status(chat)

    return run_async(look())


# --- use cases, called by pages and command line alike ----------------------------------------------------------------


@guarded_app(Step.IMPORT_DATA)
def build_demo(app: App, name: str, report: Progress) -> str:
    """Make one demo task by running extraction, clustering and synthesis over its examples; what is there is kept.

    Returns a sentence on what was made.
    """
    demo = load_demo(name)
    _add_demo_task(app, demo)

    async def run() -> str:
        async with backend(demo.task.teacher, app.settings) as teacher:
            extracted = await pipeline.extract(app.store, teacher, name, report)
            done = app.store.logic.clusterings(name)
            # Whatever the settings say: the teacher's replies are written for the clusters of this embedder.
            built_in = TfidfEmbedder()
            if done:
                clustering = done[-1]
            else:
                clustering = await pipeline.save_clustering(app.store, built_in, name, demo.params, app.actor)
            made = await synthesising.synthesise(app.store, teacher, built_in, clustering.id, app.actor, report)
            return f"{demo.task.title}: instructions {extracted.words}; rules {made.words}."

    return run_async(run())


def _add_demo_task(app: App, demo: Demo) -> None:
    names = [task.name for task in app.store.tasks.all()]
    if demo.task.name not in names:
        app.store.tasks.create_with_examples(demo.task, demo.examples, "demo", app.actor)


def missing_demos(app: App) -> tuple[str, ...]:
    """Return the demo tasks that the workspace does not have."""
    names = {task.name for task in app.store.tasks.all()}
    return tuple(name for name in DEMO_TASKS if name not in names)


def stale_rules(app: App, task_name: str) -> int:
    """Return how many rules no prompt is compiled of until they are reviewed again."""
    return app.store.rules.count(task_name, RuleFilter(states=(RevisionState.STALE,)))


@guarded_app(Step.COMPILE)
def draft_prompt(
    app: App, task_name: str, choices: Choices = BY_RANK, student: str = "", budget: int | None = None
) -> PromptDraft:
    """Compile what was chosen and count it, without storing anything.

    Args:
        student: whose tokens are counted; empty for an estimate.
        budget: most tokens of the prompt; None for no limit.
    """

    async def run() -> PromptDraft:
        if not student:
            return await compiling.draft(app.store, task_name, choices, None, budget)
        async with student_backend(app, student) as chat:
            return await compiling.draft(app.store, task_name, choices, chat, budget)

    return run_async(run())


@guarded_app(Step.COMPILE)
def keep_draft(app: App, draft: PromptDraft) -> PromptVersion:
    """Store a draft as a version.

    Raises:
        OverBudget: it is longer than its budget; nothing is stored.
    """
    if draft.plan is not None:
        raise OverBudget(draft.plan)
    return app.store.prompts.save(draft.prompt, app.actor, draft.tokens)


@guarded_app(Step.COMPILE)
def compile_task(
    app: App, task_name: str, choices: Choices = BY_RANK, student: str = "", budget: int | None = None
) -> PromptVersion:
    """Compile the approved revisions of a task, or a baseline, and store the result; see `draft_prompt`."""
    return keep_draft(app, draft_prompt(app, task_name, choices, student, budget))


def prompt_version(app: App, task_name: str, number: int | None) -> PromptVersion:
    """Return a version by number, or the newest.

    Raises:
        NotFound: there is none.
    """
    app.store.tasks.get(task_name)
    if number is not None:
        return app.store.prompts.get(task_name, number)
    versions = app.store.prompts.all(task_name)
    if not versions:
        raise NotFound(f"Task {task_name} has no prompt version yet. Approve a rule, then compile.")
    return versions[0]


@guarded_app(Step.EVALUATE)
def start_run(app: App, student: str, wanted: Evaluation) -> Run:
    """Begin a run of a prompt version over a split; nothing is asked yet.

    Raises:
        BackendError: the student is not ready; no run is begun.
        MissingReason, InvalidInput, NotFound: as `asking.start_run`; no run is begun.
    """

    async def begin() -> Run:
        async with student_backend(app, student) as chat:
            return await asking.start_run(app.store, chat, wanted, app.actor)

    return run_async(begin())


@guarded_app(Step.EVALUATE)
def answer_run(app: App, run: Run, report: Progress) -> None:
    """Ask the run's student what has no answer yet, as many questions at a time as the settings say.

    Raises:
        BackendError, InvalidInput: as `asking.answer_run`; the answers so far are kept.
    """

    async def answer() -> None:
        async with student_backend(app, run.student) as chat:
            await asking.answer_run(app.store, chat, run, report, Limits(in_flight=app.settings.in_flight(run.student)))
        if not run.setup.is_trial:
            await attributing.attribute_run(
                app.store, run, embedders_at_hand(app.settings.embedder, app.store), app.actor
            )

    run_async(answer())


def clustering_of(app: App, task: str, number: int | None) -> StoredClustering:
    """Return a kept clustering of the task with its points, the newest if no number is given.

    Raises:
        NotFound: there is none, or none of that number in this task.
    """
    app.store.tasks.get(task)
    kept = app.store.logic.clusterings(task)
    if not kept:
        raise NotFound(f"Task {task} has no clustering yet. `pld cluster --task {task}` makes one.")
    chosen = kept[0].id if number is None else number
    if chosen not in {clustering.id for clustering in kept}:
        raise NotFound(f"Task {task} has no clustering {chosen}. It has: {', '.join(str(c.id) for c in kept)}.")
    return app.store.logic.clustering(chosen)


@guarded_app(Step.PROMOTE)
def promote(app: App, task: str, clustering_id: int, example_hash: str) -> str:
    """Make a rule of a noise point, in the name of the person who acts, and return its id; it is in review."""
    found = [i for i in app.store.logic.active_instructions(task) if i.example_hash == example_hash]
    if not found:
        raise NotFound("This example has no instruction, or takes no part any more. Open the Clusters page again.")
    return app.store.rules.promote(task, promoted_rule(found[0], clustering_id, app.actor), app.actor)
