"""The worker: claims jobs and runs them, one at a time, with a heartbeat; a job of a dead worker is picked up again."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from pld_app import (
    ablations,
    attributions,
    auditing,
    batching,
    edited_trials,
    effects,
    embedding,
    extracting,
    greedy_orders,
    importing,
    live_batches,
    pair_work,
    resolution_work,
    synthesis_work,
    wiring,
)
from pld_app.attributions import attribution_words
from pld_app.edited_trials import EditOrder
from pld_app.extract_order import Delivery, ExtractOrder
from pld_app.greedy_orders import GreedyOrder
from pld_app.importing import ImportOrder
from pld_app.pair_work import PairOrder
from pld_app.resolution_work import ResolveOrder
from pld_app.run_order import RunOrder
from pld_app.settings import LiveSettings
from pld_app.synthesis_work import SynthesisOrder
from pld_app.uploads import Waiting
from pld_app.wiring import App
from pld_core.errors import JobCancelled, JobDeferred, JobLost, PldError
from pld_core.models import Actor, Job, JobState, Role
from pld_core.ports import Progress
from pld_core.pricing import money

HEARTBEAT_S = 3.0
LEASE_S = 15.0
"""A running job without a heartbeat for this long belongs to a dead worker."""
POLL_S = 0.5
REPORT_S = 0.3


def _evaluate(app: App, job: Job, report: Progress) -> str:
    order = RunOrder.from_json(job.task, job.params)
    run = wiring.start_run(app, order.student, order.evaluation(job.id))
    wiring.answer_run(app, run, report)
    cached = app.store.runs.from_cache(run.id)
    return f"Run {run.id} is complete." + (
        f" {cached:,} of {run.total:,} answers were known already." if cached else ""
    )


def _effect(app: App, job: Job, report: Progress) -> str:
    stored = effects.measure(app, str(job.params["rule"]), str(job.params["student"]), report)
    return f"{stored.effect.basis.rule_id}: {stored.effect.words}."


def _ablate(app: App, job: Job, report: Progress) -> str:
    return ablations.ablate(app, ablations.order_from_json(job.params), report).words


def _live_batch(app: App, job: Job, report: Progress) -> str:
    batch = live_batches.answer(app, int(str(job.params["batch"])), report)
    return f"Batch {batch.id}: {live_batches.result_words(app, batch)}"


def _attribute(app: App, job: Job, report: Progress) -> str:
    return attribution_words(attributions.attribute(app, int(str(job.params["run"])), report))


def _synthesise(app: App, job: Job, report: Progress) -> str:
    outcome = synthesis_work.synthesise(app, SynthesisOrder.from_json(job.params), f"job {job.id}", report)
    return f"Rules: {outcome.words}."


def _resolve(app: App, job: Job, report: Progress) -> str:
    order = ResolveOrder.from_json(job.task, job.params)
    ended = resolution_work.resolve(app, order, order.resume or f"job {job.id}", _now_and_then(report))
    return f"{ended.words[0].upper()}{ended.words[1:]}"


def _judge_pairs(app: App, job: Job, report: Progress) -> str:
    order = PairOrder.from_json(job.task, job.params)
    ended = pair_work.judge(app, order, f"job {job.id}", _now_and_then(report))
    return f"Pairs: {ended.words}."


def _try_edited(app: App, job: Job, report: Progress) -> str:
    order = EditOrder.from_json(job.task, job.params)
    tried = edited_trials.try_texts(app, order, _now_and_then(report))
    return f"{tried.words}. {tried.result.reason}"


def _greedy(app: App, job: Job, report: Progress) -> str:
    return greedy_orders.add_up(app, GreedyOrder.from_json(job.task, job.params), _now_and_then(report)).words


def _demo(app: App, job: Job, report: Progress) -> str:
    return wiring.build_demo(app, job.task, report)


def _import(app: App, job: Job, report: Progress) -> str:
    place = Waiting.from_json(job.params)
    order = ImportOrder.from_json(job.params["order"])
    order, checked = importing.check_chosen(app, place.path(app.settings), order, report)
    planned = importing.plan(checked, order)
    report(checked.facts.read, checked.facts.read, "rows checked, now writing")
    return importing.import_file(app, checked, order, planned).words


def _drop_upload(app: App, job: Job) -> None:
    """Remove the upload of an import that has ended well, unless another import waits for the same file.

    Not before its end is recorded: whoever takes over a job of a dead worker reads the file once more.
    """
    place = Waiting.from_json(job.params)
    others = [other for other in app.store.jobs.recent(limit=50) if other.state is not JobState.DONE]
    if not any(Waiting.from_json(other.params) == place for other in others):
        place.drop(app.settings)


def _now_and_then(report: Progress) -> Progress:
    """Return a report that passes on a few a second: a write for each of many calls would be slower than the calls."""
    last = 0.0

    def pass_on(done: int, total: int, message: str) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= REPORT_S or done == total:
            last = now
            report(done, total, message)

    return pass_on


def _extract(app: App, job: Job, report: Progress) -> str:
    order = ExtractOrder.from_json(job.task, job.params)
    if order.delivery is Delivery.BATCH:
        return batching.run_job(app, job, report)
    outcome = extracting.extract(app, order, f"job {job.id}", _now_and_then(report))
    spent = app.store.logic.spend(job.task, f"job {job.id}")
    cost = money(spent.cost, app.settings.teacher.currency)
    return f"Instructions: {outcome.words}. {spent.calls:,} calls, {cost}."


def _embed(app: App, job: Job, report: Progress) -> str:
    return embedding.embed(app, job.task, str(job.params["embedder"]), f"job {job.id}", _now_and_then(report))


def _audit_pack(app: App, job: Job, report: Progress) -> str:
    return auditing.make_waiting_pack(app, job, report).words


HANDLERS: Mapping[str, Callable[[App, Job, Progress], str]] = {
    "evaluate": _evaluate,
    "synthesise": _synthesise,
    "judge_pairs": _judge_pairs,
    "resolve": _resolve,
    "try_edited": _try_edited,
    "greedy": _greedy,
    "demo": _demo,
    "import": _import,
    "extract": _extract,
    "embed": _embed,
    "audit_pack": _audit_pack,
    "effect": _effect,
    "live_batch": _live_batch,
    "attribute": _attribute,
    "ablate": _ablate,
}


def owner_name() -> str:
    """Return a name for this worker that no other has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def run_one(app: App, owner: str, lease_s: float = LEASE_S) -> Job | None:
    """Claim one job and run it to its end, or until it waits; return it as it is then, None if there was none."""
    job = app.store.jobs.claim(owner, lease_s)
    if job is None:
        return None
    # The work is done in the name of the person who ordered it. Whether they may was asked when they ordered it; what
    # the worker itself may do does not matter.
    ordered_by = replace(app, actor=Actor(job.created_by, frozenset(Role)))
    try:
        try:
            state, message = _run_to_end(ordered_by, job, owner)
        except JobDeferred as waits:
            app.store.jobs.defer(job.id, owner, waits.seconds, str(waits))
            return app.store.jobs.get(job.id)
        app.store.jobs.finish(job.id, owner, state.value, message)
        if state is JobState.DONE:
            _drop_upload(app, job)
    except JobLost:
        # Whoever took it over finishes it; nothing of ours may be written any more.
        pass
    return app.store.jobs.get(job.id)


def _run_to_end(app: App, job: Job, owner: str) -> tuple[JobState, str]:
    lost = threading.Event()
    with _Heartbeat(app, job.id, owner, lost):
        try:
            return JobState.DONE, _run(app, job, owner, lost)
        except (JobLost, JobDeferred):
            raise
        except JobCancelled as error:
            return JobState.CANCELLED, str(error)
        except PldError as error:
            return JobState.FAILED, str(error)
        except Exception as error:
            # A defect of ours must not leave the job running for ever; it is raised again for the log.
            message = f"Internal error: {type(error).__name__}: {error}. What was done is kept."
            app.store.jobs.finish(job.id, owner, JobState.FAILED.value, message)
            raise


def _run(app: App, job: Job, owner: str, lost: threading.Event) -> str:
    def report(done: int, total: int, message: str) -> None:
        if lost.is_set():
            raise JobLost(f"Job {job.id} was taken over by another worker.")
        app.store.jobs.progress(job.id, owner, done, total, message)

    return HANDLERS[job.kind](app, job, report)


class _Heartbeat:
    """Keeps a claimed job alive from a thread of its own, so that one slow answer does not look like a dead worker."""

    def __init__(self, app: App, job_id: int, owner: str, lost: threading.Event) -> None:
        self._app, self._job_id, self._owner, self._lost = app, job_id, owner, lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            try:
                self._app.store.jobs.beat(self._job_id, self._owner)
            except JobLost:
                self._lost.set()
                return
            except PldError as error:
                # The next beat may succeed; if none does, the lease ends and another worker takes over.
                print(f"pld worker: heartbeat failed: {error}", file=sys.stderr)  # noqa: T201

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def work(app: App, stop: threading.Event) -> None:
    """Run jobs until `stop` is set, each with the settings of the moment at which it is claimed.

    While the settings file cannot be used, none is claimed: its jobs wait, and the log says why.
    """
    owner, live, said = owner_name(), LiveSettings(app.settings), ""
    while not stop.is_set():
        try:
            current = replace(app, settings=live.now())
        except PldError as error:
            if str(error) != said:
                said = str(error)
                print(f"pld worker: {said} Jobs wait until then.", file=sys.stderr)  # noqa: T201
            stop.wait(POLL_S)
            continue
        said = ""
        if run_one(current, owner) is None:
            stop.wait(POLL_S)
