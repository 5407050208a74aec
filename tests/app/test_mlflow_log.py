"""Logging to MLflow: where to, what, and once. The real client logs to a folder; skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pld_app.mlflow_log import QUIET, Logged, log_report, tracking_uri
from pld_core.errors import InvalidInput
from pld_core.run_report import flat
from pld_core.run_report.content import RunReport
from pld_core.run_report.page import html
from tests.reports import MOSTLY, RIGHT, report_of

IS_THERE = importlib.util.find_spec("mlflow") is not None
with_mlflow = pytest.mark.skipif(not IS_THERE, reason="the extra pld-review[mlflow] is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what logging sets for the library, and let a server that is not there be asked once."""
    for name in (*QUIET, "MLFLOW_ALLOW_FILE_STORE", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def client(folder: Path) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=folder.as_uri())


def logged(report: RunReport, folder: Path) -> Logged:
    return log_report(report, html(report), folder.as_uri())


def dated() -> RunReport:
    report = report_of()
    return replace(report, run=replace(report.run, created_at="2026-01-02T03:04:05Z"))


def test_the_address_comes_from_the_option_or_the_environment(tmp_path: Path) -> None:
    set_there = {"MLFLOW_TRACKING_URI": "https://flows.test"}
    assert tracking_uri("", set_there) == "https://flows.test"
    assert tracking_uri("http://other.test:5000", set_there) == "http://other.test:5000"
    assert tracking_uri(str(tmp_path), {}) == tmp_path.as_uri()
    assert tracking_uri("databricks", {}) == "databricks"
    with pytest.raises(InvalidInput, match="There is no MLflow to log to"):
        tracking_uri(" ", {})


@pytest.mark.parametrize("uri", ["https://anna:secret@flows.test", "https://token@flows.test"])
def test_an_address_with_credentials_is_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(InvalidInput, match="holds a name or a password") as refused:
        tracking_uri(uri, {})
    assert "secret" not in str(refused.value)
    assert "token@" not in str(refused.value)


@pytest.mark.skipif(IS_THERE, reason="MLflow is installed")
def test_without_the_extra_the_refusal_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"pip install 'pld-review\[mlflow\]'"):
        logged(dated(), tmp_path)


@with_mlflow
def test_a_run_is_logged_with_figures_hashes_prompt_and_report(tmp_path: Path) -> None:
    report = dated()
    found = logged(report, tmp_path / "runs")
    assert found.is_new
    run = client(tmp_path / "runs").get_run(found.run_id)
    assert run.data.metrics == flat.metrics(report)
    assert run.data.params == flat.params(report)
    assert flat.tags(report).items() <= run.data.tags.items()
    assert run.data.tags["mlflow.user"] == "anna"
    assert run.info.status == "FINISHED"
    artifacts = Path(run.info.artifact_uri.removeprefix("file://"))
    assert (artifacts / "prompt.txt").read_text(encoding="utf-8") == report.version.prompt.text
    assert json.loads((artifacts / "manifest.json").read_text(encoding="utf-8")) == report.version.prompt.manifest()
    assert (artifacts / "report.html").read_text(encoding="utf-8") == html(report)


@with_mlflow
def test_logging_again_brings_up_to_date_and_doubles_nothing(tmp_path: Path) -> None:
    first = logged(dated(), tmp_path)
    again = logged(dated(), tmp_path)
    assert (again.run_id, again.is_new) == (first.run_id, False)
    better = report_of(RIGHT)
    logged(replace(better, run=dated().run), tmp_path)
    there = client(tmp_path)
    experiment = there.get_experiment_by_name("pld-review/posts").experiment_id
    assert [run.info.run_id for run in there.search_runs([experiment])] == [first.run_id]
    # The figure that changed has two points, the one that did not has one.
    assert [point.value for point in there.get_metric_history(first.run_id, "correct")] == [20, 24]
    assert len(there.get_metric_history(first.run_id, "n")) == 1


@with_mlflow
def test_another_run_is_another_entry_and_one_under_way_is_not_finished(tmp_path: Path) -> None:
    report = dated()
    other = replace(report, run=replace(report.run, id=4, total=30))
    one, two = logged(report, tmp_path), logged(other, tmp_path)
    assert one.run_id != two.run_id
    assert client(tmp_path).get_run(two.run_id).info.status == "RUNNING"


@with_mlflow
def test_more_labels_than_one_call_takes_are_logged(tmp_path: Path) -> None:
    report = dated()
    many = tuple(replace(report.task.labels[0], name=f"label {i}") for i in range(150))
    found = logged(replace(report, task=replace(report.task, labels=many)), tmp_path)
    assert client(tmp_path).get_run(found.run_id).data.params["label_150"] == "label 149"


@with_mlflow
def test_a_server_that_is_not_there_is_named_with_the_way_on() -> None:
    with pytest.raises(InvalidInput, match=r"MLflow at http://127.0.0.1:9 did not take the run: .* log again"):
        log_report(dated(), "", "http://127.0.0.1:9")


def test_figures_have_their_intervals_and_few_answers_no_rate() -> None:
    found = flat.metrics(report_of(MOSTLY))
    assert (found["n"], found["correct"], found["answers_without_label"]) == (24, 20, 1)
    assert found["accuracy_low"] < found["accuracy"] < found["accuracy_high"]
    assert found["macro_f1_low"] < found["macro_f1"] < found["macro_f1_high"]
    assert found["label_1_n"] == 12
    few = flat.metrics(report_of(RIGHT[:6]))
    assert few == {"n": 6, "correct": 6, "answers_without_label": 0, "test_looks": 0, "label_1_n": 3, "label_2_n": 3}


def test_the_identity_of_a_run_holds_while_it_goes_on_and_differs_between_workspaces() -> None:
    report = dated()
    assert flat.identity(report) == flat.identity(replace(report, answers=report.answers[:5]))
    elsewhere = replace(report, run=replace(report.run, created_at="2026-01-02T03:04:06Z"))
    assert flat.identity(report) != flat.identity(elsewhere)
