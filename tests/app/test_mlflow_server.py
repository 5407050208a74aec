"""Logging to a running MLflow server, and reading back what arrived by its REST API.

It needs MLflow with its server (`pip install mlflow`), which no extra installs; without it these tests are skipped.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from pld_app.mlflow_log import QUIET, log_report
from pld_core.run_report import flat
from pld_core.run_report.content import RunReport
from pld_core.run_report.page import html
from tests.cli.running import wait_until
from tests.reports import report_of

HAS_SERVER = all(importlib.util.find_spec(name) for name in ("mlflow", "fastapi", "uvicorn", "sqlalchemy"))
pytestmark = [
    pytest.mark.skipif(not HAS_SERVER, reason="MLflow with its server is not installed: pip install mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of its own, which ends with the tests."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stores = ("--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", str(folder / "files"))
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, **QUIET}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([*command, *stores], stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait_until(lambda: running.poll() is not None or answers(f"http://127.0.0.1:{port}"), "the server of MLflow")
        assert running.poll() is None, (folder / "log").read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{port}"
    finally:
        # The workers are processes of the server's own session.
        os.killpg(running.pid, 15)
        running.wait(30)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def asked(address: str, path: str, body: Mapping[str, Any] | None = None, **query: str) -> Any:
    """Return what the REST API says."""
    url = f"{address}/api/2.0/mlflow/{path}"
    found = httpx.get(url, params=query, timeout=30) if body is None else httpx.post(url, json=body, timeout=30)
    return found.raise_for_status().json()


def artifact(address: str, run_id: str, name: str) -> str:
    found = httpx.get(f"{address}/get-artifact", params={"run_uuid": run_id, "path": name}, timeout=30)
    return found.raise_for_status().content.decode("utf-8")


def dated(number: int = 3) -> RunReport:
    report = report_of()
    return replace(report, run=replace(report.run, id=number, created_at="2026-01-02T03:04:05Z"))


def test_what_is_logged_can_be_read_back_from_the_server(server: str, capfd: pytest.CaptureFixture[str]) -> None:
    report = dated()
    logged = log_report(report, html(report), server)
    assert capfd.readouterr().out == "", "a command that prints JSON prints nothing else"
    run = asked(server, "runs/get", run_id=logged.run_id)["run"]
    assert run["info"]["status"] == "FINISHED"
    assert {one["key"]: one["value"] for one in run["data"]["metrics"]} == pytest.approx(flat.metrics(report))
    assert {one["key"]: one["value"] for one in run["data"]["params"]} == flat.params(report)
    tags = {one["key"]: one.get("value", "") for one in run["data"]["tags"]}
    assert flat.tags(report).items() <= tags.items()
    assert artifact(server, logged.run_id, "prompt.txt") == report.version.prompt.text
    assert json.loads(artifact(server, logged.run_id, "manifest.json")) == report.version.prompt.manifest()
    assert artifact(server, logged.run_id, "report.html") == html(report)


def test_logging_again_doubles_nothing_on_the_server(server: str) -> None:
    report = dated(4)
    first, again = (log_report(report, html(report), server) for _ in range(2))
    assert (first.is_new, again.is_new, again.run_id) == (True, False, first.run_id)
    experiment = asked(server, "experiments/get-by-name", experiment_name="pld-review/posts")["experiment"]
    wanted = {
        "experiment_ids": [experiment["experiment_id"]],
        "filter": f"tags.`pld.identity` = '{flat.identity(report)}'",
    }
    assert len(asked(server, "runs/search", wanted)["runs"]) == 1
    history = asked(server, "metrics/get-history", run_id=first.run_id, metric_key="n")["metrics"]
    assert len(history) == 1
