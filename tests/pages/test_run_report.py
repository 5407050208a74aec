"""The button on the Evaluate page that makes the report of the chosen run."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Run, Split
from pld_core.records import ExampleFilter
from tests.factories import ANNA
from tests.pages.driving import Visit, prose, raw, run
from tests.pages.test_release import evaluate


def unanswered(app: App) -> None:
    """Begin a run that has no answer yet."""
    version = app.store.prompts.get("nda", 1)
    total = app.store.tasks.count_examples("nda", ExampleFilter(split=Split.VALIDATION))
    wanted = Run(0, "nda", 1, version.prompt.sha256, "told", "sha256:w", Split.VALIDATION, "", "", total, None)
    app.store.runs.start(wanted, ANNA)


def button(at: AppTest) -> tuple[str, bool]:
    """Return label and whether it is greyed out."""
    (found,) = [one for one in at.get("download_button") if "report" in one.proto.label]
    return found.proto.label, found.proto.disabled


def test_without_a_run_there_is_nothing_to_report(compiled: App, visit: Visit) -> None:
    at = visit("evaluate")
    assert not at.get("download_button")


def test_the_report_is_that_of_the_chosen_run(compiled: App, visit: Visit) -> None:
    evaluate(compiled, 1)
    evaluate(compiled, 1)
    at = visit("evaluate")
    assert button(at) == ("Download the report of run 2", False)
    assert "pld report --task nda --run 2 --out report.html" in raw(at, "code")
    at.selectbox("run_nda").select(1)
    assert button(run(at)) == ("Download the report of run 1", False)
    assert "It holds no texts of examples" in prose(at)


def test_a_run_without_an_answer_cannot_be_reported(compiled: App, visit: Visit) -> None:
    unanswered(compiled)
    assert button(visit("evaluate")) == ("Download the report of run 1", True)
