"""`pld serve` for real: app and worker as children, one address, and nothing left behind when it is stopped."""

from __future__ import annotations

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
from tests.cli.running import Pld, clean_environment, content_of, start_pld, wait_until
from tests.factories import url_of

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for child processes in /proc"),
    pytest.mark.xdist_group("serve"),
]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def is_running(pid: int) -> bool:
    return parent_and_state(pid)[1] not in ("", "Z", "X")


def health(port: int) -> str:
    # No proxy from the environment: it could not reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{HEALTH}", timeout=10) as reply:
        return str(reply.read(), "utf-8")


class Served:
    """A running `pld serve` and the lines it said so far."""

    def __init__(self, space: Path, port: int) -> None:
        self.space, self.port = space, port
        self.process = start_pld(
            "serve", "--workspace", space, environment=clean_environment(PLD_PORT=str(port), PLD_USER="anna")
        )
        self.lines: list[str] = []

    def read_until_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line.startswith("Workspace: "):
                return
        pytest.fail(f"serve ended: {self.process.communicate()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise


@pytest.fixture
def served(space: Path) -> Iterator[Served]:
    running = Served(space, free_port())
    try:
        running.read_until_ready()
        yield running
    finally:
        running.stop()


def test_serve_starts_app_and_worker_says_where_and_ends_both_when_told_to(served: Served, pld: Pld) -> None:
    assert f"pld-review is ready: http://127.0.0.1:{served.port}" in served.lines
    assert health(served.port) == "ok"
    children = children_of(served.process.pid)
    assert len(children) == 2

    # The worker works: a job that can only fail comes to its end.
    store = open_store(url_of(served.space / "pld.db"))
    job = store.jobs.enqueue("evaluate", "nda", {"prompt": 9, "student": "embedded", "split": "test"}, SYSTEM)
    wait_until(lambda: store.jobs.get(job.id).state is JobState.FAILED, "the worker")

    # A second one on the same port refuses and changes nothing.
    before = content_of(served.space)
    words = pld("serve", "--port", served.port, "--workspace", served.space).refusal
    assert f"http://127.0.0.1:{served.port}" in words
    assert content_of(served.space) == before

    served.stop()
    assert served.process.returncode == 0
    wait_until(lambda: not any(is_running(child) for child in children), "both children to end")


def test_serve_starts_a_worker_again_that_died(served: Served) -> None:
    app_and_worker = set(children_of(served.process.pid))

    def command(pid: int) -> str:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")

    (worker,) = [pid for pid in app_and_worker if "worker" in command(pid)]
    subprocess.run(["kill", "-9", str(worker)], check=True)
    wait_until(lambda: len(set(children_of(served.process.pid)) - {worker}) == 2, "another worker")
    assert health(served.port) == "ok"
