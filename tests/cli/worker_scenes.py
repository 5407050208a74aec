"""Scenes that every kind of job goes through: done by a worker, killed in the middle of it, taken over by another."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from datetime import datetime, timedelta

from pld_app.wiring import App
from pld_app.worker import LEASE_S, owner_name, run_one
from pld_core.models import Job
from storage import open_store
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import clean_environment, start_pld, wait_until


def run_queued(app: App) -> Job:
    """Do the job that is next in the queue and return how it ended."""
    job = run_one(app, owner_name())
    assert job is not None
    return job


def kill_worker_at(app: App, ollama: FakeOllama, number: int) -> None:
    """Start a worker process, and kill it while it waits for the answer to its question of this number."""
    kill_pld_at(ollama, number, "worker", "--workspace", app.settings.workspace)


def kill_pld_at(ollama: FakeOllama, number: int, *arguments: object, **environment: str) -> None:
    """Start `pld` as a process, and kill it while it waits for the answer to its question of this number."""
    reached, release = threading.Event(), threading.Event()
    earlier = ollama.before

    def hold(asked: int) -> None:
        earlier(asked)
        if asked == number:
            reached.set()
            release.wait(60)

    ollama.before = hold
    victim = start_pld(*arguments, environment=clean_environment(**environment))
    try:
        wait_until(reached.is_set, f"question {number}")
    finally:
        victim.kill()
        victim.communicate()
        release.set()
    assert victim.returncode == -signal.SIGKILL


def seen_after(app: App, job_id: int, seconds: float) -> App:
    """Return the app with its store's clock so many seconds after the job's last sign of life."""
    late = datetime.fromisoformat(app.store.jobs.get(job_id).heartbeat_at) + timedelta(seconds=seconds)
    return replace(app, store=open_store(app.settings.store_url, lambda: late))


def run_taken_over(app: App, job_id: int) -> Job:
    """Do a job whose worker was killed, as another worker that comes once its lease is over."""
    return run_queued(seen_after(app, job_id, LEASE_S + 1))
