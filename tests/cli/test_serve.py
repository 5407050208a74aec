"""`pld serve` for real: app and worker as children, one address, and nothing left behind when it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pld_app.serve import HEALTH
from pld_core.models import SYSTEM, JobState
from storage import open_store
from tests.cli.running import Pld, clean_environment, start_pld, wait_until
from tests.factories import url_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for child processes in /proc")


def parent_and_state(pid: int) -> tuple[int, str]:
    """Return the parent's id and the state letter of a process, (0, "") if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0, ""
    return int(fields[1]), fields[0]


def children_of(pid: int) -> list[int]:
    found = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    return [child for child in found if parent_and_state(child)[0] == pid]


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")


def is_running(pid: int) -> bool:
    return parent_and_state(pid)[1] not in ("", "Z", "X")


def health(port: int) -> str:
    # No proxy from the environment: it could not reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{HEALTH}", timeout=10) as reply:
        return str(reply.read(), "utf-8")


def read_until_ready(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines on stdout up to the last that serve says before it only watches."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Workspace: "):
            return lines
    pytest.fail(f"serve ended: {process.communicate()}")


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serving(space: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`pld serve`, started but perhaps not ready yet; stopped at the end whatever happens."""
    # A proxy that is not there: serve must not ask it for the way to this very machine.
    environment = clean_environment(PLD_PORT=str(port), http_proxy="http://127.0.0.1:9", no_proxy="")
    process = start_pld("serve", "--workspace", space, environment=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=30)


def test_serve_runs_app_and_worker_under_one_address_until_it_is_told_to_stop(
    serving: subprocess.Popen[str], space: Path, port: int, pld: Pld
) -> None:
    address = f"http://127.0.0.1:{port}"
    assert read_until_ready(serving) == [
        f"pld-review is ready: {address}",
        f"Workspace: {space}. Stop with Ctrl+C; nothing decided is lost.",
    ]
    assert health(port) == "ok"

    # The worker works: a job that can only fail comes to its end.
    store = open_store(url_of(space / "pld.db"))
    job = store.jobs.enqueue("evaluate", "nda", {"prompt": 9, "student": "embedded", "split": "train"}, SYSTEM)
    wait_until(lambda: store.jobs.get(job.id).state is JobState.FAILED, "the worker")

    # A second one on the same port refuses and records nothing.
    before = store.events.verify()
    assert address in pld("serve", "--port", port, "--workspace", space).refusal
    assert store.events.verify() == before

    # A worker that dies is started again; the app goes on.
    (worker,) = [child for child in children_of(serving.pid) if "pld_app.cli worker" in command_of(child)]
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(children_of(serving.pid)) - {worker}) == 2, "another worker")
    assert health(port) == "ok"

    children = children_of(serving.pid)
    serving.terminate()
    out, err = serving.communicate(timeout=30)
    assert (serving.returncode, "Traceback" in err) == (0, False)
    assert out.splitlines() == ["The worker ended with exit code -9; starting it again. Jobs continue."]
    wait_until(lambda: not any(is_running(child) for child in children), "both children to end")
