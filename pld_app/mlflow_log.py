"""Logging a run with its report to MLflow, where teams keep their experiments. It is an extra: `pld-review[mlflow]`.

The library is imported only when something is logged, and told to report no use of itself to its makers.
"""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.run_report import flat
from pld_core.run_report.content import RunReport

URI_VARIABLE = "MLFLOW_TRACKING_URI"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
"""MLflow would try a server that is not there for minutes; who wants that sets the variables."""
SILENT = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
"""MLflow prints where a run can be looked at, in the middle of what `--json` prints."""
FOLDERS = {"MLFLOW_ALLOW_FILE_STORE": "true"}
"""MLflow asks whether a folder is really meant; naming one says so."""

MOST_AT_ONCE = 100
"""MLflow takes so many parameters in one call."""


@dataclass(frozen=True)
class Logged:
    """Where a run was logged.

    Attributes:
        run_id: MLflow's id of it.
        is_new: False where the run had been logged before and was brought up to date.
    """

    uri: str
    experiment: str
    run_id: str
    is_new: bool

    @property
    def words(self) -> str:
        what = "Logged to" if self.is_new else "Brought up to date in"
        return f"{what} MLflow at {self.uri}: experiment {self.experiment}, run {self.run_id}."

    def as_json(self) -> dict[str, Json]:
        return {"uri": self.uri, "experiment": self.experiment, "run_id": self.run_id, "new": self.is_new}


def tracking_uri(given: str, environment: Mapping[str, str]) -> str:
    """Return the address to log to: the one given, a folder as `file:`, else the one of the environment.

    Raises:
        InvalidInput: there is none, or it holds a name or a password, which would be kept in shell histories and logs.
    """
    wanted = given.strip() or environment.get(URI_VARIABLE, "").strip()
    if not wanted:
        raise InvalidInput(
            f"There is no MLflow to log to. Nothing was logged. Name an address or a folder after --mlflow, or set "
            f"{URI_VARIABLE}."
        )
    if "://" not in wanted and wanted.partition(":")[0] not in ("file", "databricks", "sqlite"):
        return Path(wanted).absolute().as_uri()
    if urlsplit(wanted).username or urlsplit(wanted).password:
        raise InvalidInput(
            "The address of MLflow holds a name or a password. Nothing was logged. Leave them out and set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
        )
    return wanted


def log_report(report: RunReport, page: str, uri: str) -> Logged:
    """Log a run once: a run that was logged before is brought up to date.

    Args:
        page: the report as HTML, which becomes an artifact beside the prompt and its manifest.
        uri: as `tracking_uri` returns it.

    Raises:
        InvalidInput: MLflow is not installed, or does not take the run.
    """
    for name, value in (QUIET | PATIENCE | SILENT | (FOLDERS if uri.startswith("file:") else {})).items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise InvalidInput(
            "MLflow is not installed. Nothing was logged. Install its light client: pip install 'pld-review[mlflow]'"
        ) from error
    try:
        return _log(MlflowClient(tracking_uri=uri), report, page, uri)
    except (MlflowException, OSError) as error:
        said = textwrap.shorten(str(error), 300, placeholder=" …")
        raise InvalidInput(
            f"MLflow at {uri} did not take the run: {said.rstrip('.')}. Nothing changed in the workspace. "
            "Put that right and log again: what arrived is kept and not doubled."
        ) from error


def _log(client: Any, report: RunReport, page: str, uri: str) -> Logged:
    experiment, own = f"pld-review/{report.task.name}", flat.identity(report)
    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    earlier = client.search_runs([place], f"tags.`pld.identity` = '{own}'", max_results=1)
    run = earlier[0] if earlier else _begin(client, report, place, own)
    _bring_up_to_date(client, run, report)
    prompt = report.version.prompt
    client.log_text(run.info.run_id, prompt.text, "prompt.txt")
    client.log_dict(run.info.run_id, prompt.manifest(), "manifest.json")
    client.log_text(run.info.run_id, page, "report.html")
    if report.is_complete:
        client.set_terminated(run.info.run_id)
    return Logged(uri, experiment, run.info.run_id, not earlier)


def _begin(client: Any, report: RunReport, place: str, own: str) -> Any:
    began = int(datetime.fromisoformat(report.run.created_at).timestamp() * 1000)
    tags = {"pld.identity": own, "mlflow.user": report.run.created_by}
    return client.create_run(place, start_time=began, tags=tags, run_name=f"{report.task.name} run {report.run.id}")


def _bring_up_to_date(client: Any, run: Any, report: RunReport) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now, known = int(time.time() * 1000), run.data
    # Only what is new: MLflow keeps each figure it is told as one more point, and refuses another value of a parameter.
    figures = flat.changed(flat.metrics(report), known.metrics)
    params = {name: value for name, value in flat.params(report).items() if name not in known.params}
    for part in _parts([Metric(name, value, now, 0) for name, value in figures.items()]):
        client.log_batch(run.info.run_id, metrics=part)
    for part in _parts([Param(name, value) for name, value in params.items()]):
        client.log_batch(run.info.run_id, params=part)
    client.log_batch(run.info.run_id, tags=[RunTag(name, value) for name, value in flat.tags(report).items()])


def _parts(entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (entries[start : start + MOST_AT_ONCE] for start in range(0, len(entries), MOST_AT_ONCE))
