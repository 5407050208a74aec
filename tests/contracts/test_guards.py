"""Every way to change a workspace asks for a role: found by looking, so that a new one without a guard shows here."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pld_app
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.errors import MissingRole
from pld_core.models import Actor, Role
from pld_core.permissions import JOBS, PERMITTED
from pld_core.review import Action
from pld_core.signing import MEANINGS
from storage import SqliteStore
from tests.factories import ANNA, fill, rule_in_review, verdict_on

NOBODY = Actor("nora", frozenset())
MACHINE = {
    "logic.record_calls",
    "logic.add_instruction",
    "runs.add_predictions",
    "runs.take_cached",
    "effects.keep",
    "live_batches.keep",
    "batches.record",
    "embeddings.record",
    "lineage.note_overlaps",
    "resolutions.keep_round",
    "resolutions.keep_trial",
    "jobs.defer",
    "jobs.claim",
    "jobs.beat",
    "jobs.progress",
    "jobs.finish",
}
"""What a job that somebody was allowed to order writes while it runs; nobody does it by hand."""
NEEDS_MORE = {"desk.queue.open", "jobs.enqueue", "jobs.request_cancel", "jobs.resume", "roles.grant"}
"""Refused by what the call is about; tested below and with the store of roles."""
OWN = {
    *(f"desk.drafts.{name}" for name in ("of_rule", "mine")),
    *(f"desk.queue.{name}" for name in ("rows", "count", "row", "neighbours", "position")),
    *("rules.dossier", "rules.summary", "rules.queue", "lineage.trace", "desk.comments.of_rule", "desk.comments.get"),
    *("desk.queue.second_opinions", "events.page", "events.count", "audit.log", "audit.kept_from"),
    *("checks.mine", "desk.comments.mentioning", "desk.begun.of_rule"),
}
"""Reading as one person sees it: own drafts, own tab, nothing that is kept until the own decision.

`desk.queue.open` takes a lease only for who may decide.
"""
READING = {
    *("wiring.missing_demos", "wiring.stale_rules", "wiring.prompt_version", "wiring.clustering_of"),
    *("open_loops.jobs_of", "open_loops.is_going_on", "open_loops.capped_loop", "open_loops.standing_words"),
    *("wiring.student_backend", "wiring.ready_student"),
    *("evaluating.estimated", "evaluating.open_orders", "evaluating.matrix", "evaluating.students_of"),
    *("evaluating.compare_runs_of", "evaluating.compare_versions_on", "evaluating.run_of"),
    *("evaluating.repeat_groups", "evaluating.steadiness"),
    *("live_batches.estimate_words", "live_batches.lines", "live_batches.result_words"),
    *("extracting.teacher_name", "extracting.has_teacher", "extracting.chosen", "extracting.estimated"),
    *("extracting.newest_failures", "extracting.last_run", "extracting.failures"),
    *("batching.batches", "batching.open_batches", "batching.check_teacher", "batching.standing"),
    *("batching.batch_named", "embedding.open_embedder", "embedding.at_hand", "embedding.embedder_of"),
    *("embedding.conditions_of", "embedding.to_embed", "embedding.to_compare", "embedding.vectors"),
    *("embedding.origin_of_vectors", "synthesis_work.estimated", "synthesis_work.overlaps"),
    *("synthesis_work.bring_up_to_date", "auditing.export_log"),
    *("effects.trial_of", "effects.shown", "ablations.estimated", "ablations.measured", "ablations.shown"),
    *("students.status_of", "students.newest_publication", "students.read_back", "students.exception_of"),
    *("importing.columns_for", "importing.task_there", "importing.check"),
    *("checking.told_after_check", "checking.closed_check_json"),
    *("importing.check_chosen", "exporting.export_chunks", "exporting.export_file"),
    *("prompting.revisions_of", "prompting.compare_versions", "prompting.export_version", "prompting.same_version"),
    *("prompting.difference", "prompting.figures_beside"),
    "findings.found_by_people",
    *("prompting.released_as", "resolution_work.loop_of", "resolution_work.proposals_of"),
    *("resolution_work.loop_models", "edited_trials.newest_edits", "loop_student.loop_student"),
    *("pair_work.estimated", "disputes.from_people", "disputes.disputes"),
    *("proposal_view.cases_of", "proposal_view.shown_round", "proposal_view.validation_of"),
    *("live_prompts.prompts_to_ask", "live_prompts.chosen_at_first", "live_prompts.prompt_called"),
    *("reporting.chosen_run", "reporting.gather", "report_baselines.baselines_of"),
    *("report_baselines.asked_about", "report_baselines.examples_of"),
    *("run_figures.figures_of", "run_figures.beside", "run_figures.slices_of", "run_figures.comparable"),
    "run_figures.answers_of_baselines",
    *("run_figures.is_complete", "run_figures.change_since", "run_figures.curve", "split_baselines.split_baselines"),
    *(f"report_facts.{name}_of" for name in ("parts", "steadiness", "standing", "bars")),
    *("report_facts.data_facts", "report_facts.prompt_rules"),
}
"""Functions over an open app that change nothing in the workspace."""

Method = tuple[str, Callable[..., Any]]


def store_methods() -> Iterator[Method]:
    for part, cls in parts().items():
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                yield f"{part}.{name}", method


def parts() -> dict[str, type]:
    """Return the parts of the store by name, such as `rules`."""
    store = SqliteStore(None)  # type: ignore[arg-type]  # only looked at
    found = {name: type(part) for name, part in vars(store).items() if name not in ("database", "desk")}
    return {**found, **{f"desk.{name}": type(part) for name, part in vars(store.desk).items()}}


def app_functions(modules: Sequence[ModuleType]) -> Iterator[Method]:
    for module in modules:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), "")
            if not name.startswith("_") and function.__module__ == module.__name__ and first == "app":
                yield f"{module.__name__.rpartition('.')[2]}.{name}", function


def beneath_commands() -> list[ModuleType]:
    """Return the modules of the app that commands, jobs and pages call."""
    names = [found.name for found in pkgutil.iter_modules(pld_app.__path__) if not found.ispkg]
    above = {"server", "worker", "session"}
    return [importlib.import_module(f"pld_app.{n}") for n in names if n not in above and not n.startswith("cli")]


def opens_a_transaction(method: Callable[..., Any]) -> bool:
    source = inspect.getsource(method)
    return "_database.write()" in source or "_database.joined(" in source


def takes_actor(method: Callable[..., Any]) -> bool:
    return "actor" in inspect.signature(method).parameters


METHODS = dict(store_methods())
GUARDED = {name: method for name, method in METHODS.items() if takes_actor(method) and name not in NEEDS_MORE | OWN}
FUNCTIONS = dict(app_functions(beneath_commands()))


def test_what_writes_without_an_actor_is_the_work_of_a_job() -> None:
    writing = {name for name, method in METHODS.items() if opens_a_transaction(method)}
    assert {name for name in writing if not takes_actor(METHODS[name])} == MACHINE
    assert {name for name in METHODS if takes_actor(METHODS[name])} - writing == {"audit.snapshot"} | OWN


@pytest.mark.parametrize("name", GUARDED)
def test_a_change_of_the_store_is_refused_to_somebody_without_a_role_before_anything_else(
    sqlite_store: SqliteStore, name: str
) -> None:
    part, _, method = name.rpartition(".")
    parameters = [p for p in inspect.signature(GUARDED[name]).parameters if p not in ("self", "actor")]
    with pytest.raises(MissingRole, match="nora may not"):
        getattr(attrgetter(part)(sqlite_store), method)(**dict.fromkeys(parameters), actor=NOBODY)
    assert sqlite_store.events.count() == 0


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in READING])
def test_a_step_of_the_app_is_refused_to_somebody_without_a_role_before_anything_else(
    sqlite_store: SqliteStore, name: str, tmp_path: Path
) -> None:
    app = App(load_settings(tmp_path, {}), sqlite_store, NOBODY)
    parameters = list(inspect.signature(FUNCTIONS[name]).parameters)[1:]
    with pytest.raises(MissingRole, match="nora may not"):
        FUNCTIONS[name](app, **dict.fromkeys(parameters))


def test_every_function_that_only_reads_is_there() -> None:
    assert set(FUNCTIONS) >= READING


@pytest.mark.parametrize("kind", JOBS)
def test_jobs_are_ordered_cancelled_and_continued_with_one_role(sqlite_store: SqliteStore, kind: str) -> None:
    jobs = sqlite_store.jobs
    job = jobs.enqueue(kind, "posts", {}, ANNA)
    for role in Role:
        actor = Actor("olga", frozenset({role}))
        if role in PERMITTED[JOBS[kind]]:
            jobs.request_cancel(jobs.enqueue(kind, "posts", {}, actor).id, actor)
            continue
        with pytest.raises(MissingRole):
            jobs.enqueue(kind, "posts", {}, actor)
        with pytest.raises(MissingRole):
            jobs.request_cancel(job.id, actor)
        with pytest.raises(MissingRole):
            jobs.resume(job.id, actor)


def test_the_event_of_a_decision_says_what_it_was_signed_as(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    rule_id = rule_in_review(sqlite_store)
    sqlite_store.rules.judge(verdict_on(sqlite_store, rule_id), ANNA)
    payload = sqlite_store.events.page()[0].payload
    assert payload["signed_as"] == {"kind": "attestation"}
    assert payload["meaning"] == MEANINGS[Action.APPROVE]
    assert payload["guideline_version"] == 1
