"""From approved rules to an answer of the released prompt, in a real browser with the real embedded student."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_core.models import Actor, Role, Split
from pld_core.releases import ReleaseLabel
from storage import open_store
from tests.cli.fake_ollama import write_settings
from tests.e2e.conftest import Served, Visitor, serve
from tests.factories import url_of, verdict_on

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.student]

BEA = Actor("Bea Reviewer", frozenset({Role.REVIEWER}))
TEST_EXAMPLES = 30
PATIENCE_S = 240.0
"""A busy machine takes two seconds for each answer."""


@pytest.fixture
def served(embedded_student: None, demo_workspace: Path, tmp_path: Path) -> Iterator[Served]:
    """The demo with two rules that Bea approved, and the embedded student as the student of the workspace."""
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    write_settings(workspace, student="embedded")
    store = open_store(url_of(workspace / "pld.db"))
    for rule in ("R1", "R2"):
        store.rules.judge(verdict_on(store, rule), BEA)
    yield from serve(workspace, tmp_path / "serve.log")


def write(visitor: Visitor, label: str, text: str) -> None:
    """Type into a field and leave it, which keeps what was typed."""
    field = visitor.page.locator(".st-key-release_sign").get_by_label(label)
    field.fill(text)
    field.press("Tab")
    visitor.settle()


def release(visitor: Visitor, label: str, reason: str) -> None:
    """Choose the label, sign with a reason, and wait until the page says so."""
    panel = visitor.page.locator(".st-key-release_sign")
    panel.get_by_role("radio", name=label).or_(panel.get_by_role("button", name=label, exact=True)).first.click()
    panel.get_by_role("button", name=f"Sign and release as {label}").wait_for()
    write(visitor, "Reason, kept with the release", reason)
    panel.get_by_role("button", name=f"Sign and release as {label}").click()
    visitor.page.get_by_text(f"{label.capitalize()} is on version 1").first.wait_for()
    visitor.settle()


def until_evaluated(served: Served) -> None:
    """Wait until the worker has asked about every test example; a job that ended in another way fails at once."""
    store = open_store(url_of(served.workspace / "pld.db"))
    deadline = time.monotonic() + PATIENCE_S
    while not (job := store.jobs.recent("nda")[0]).state.is_final:
        assert time.monotonic() < deadline, f"still {job.state.value}: {job}"
        time.sleep(0.2)
    (run,) = store.runs.all("nda")
    assert (run.student, run.split, run.total) == ("embedded", Split.TEST, TEST_EXAMPLES), job
    assert len(store.runs.predictions(run.id)) == TEST_EXAMPLES, job


def test_a_version_is_compiled_evaluated_released_and_asked(served: Served, visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("prompt?task=nda")
    visitor.click("compile")
    page.get_by_text("Version 1: 2 rules").wait_for()
    visitor.settle()

    # Nothing was evaluated: red gates lead to where it is put right, and nobody can sign.
    gates = page.locator(".st-key-release_gates")
    gates.get_by_text("2 gates red").wait_for()
    fix = gates.get_by_role("link", name="Put it right on Evaluate").first
    assert "evaluate?task=nda" in (fix.get_attribute("href") or "")
    page.get_by_text("2 gates red. Put them right, or make an exception.").wait_for()
    visitor.settle()
    assert page.get_by_role("button", name="Sign and release as production").is_disabled()

    # What cannot wait goes past them as a candidate, by an exception that stands beside the label.
    page.get_by_text("Release in spite of red gates (exception)").click()
    write(visitor, "Why it cannot wait", "The pilot begins today.")
    release(visitor, "candidate", "To be tried by the pilot.")
    page.locator(".st-key-holder_candidate").get_by_text("released with red gates").wait_for()
    page.locator(".st-key-holder_production").get_by_text("on no version").wait_for()

    # The worker asks the real student about the whole test split; its weak answers all state a label.
    visitor.click("run_on_test")
    page.get_by_text(f"of {TEST_EXAMPLES} answered").first.wait_for()
    until_evaluated(served)
    visitor.go("prompt?task=nda")
    gates.get_by_text("No gate is red").wait_for()
    assert gates.get_by_text(f"embedded on test, {TEST_EXAMPLES} answers").count() == 1

    release(visitor, "candidate", "Tried, and evaluated now: the exception ends.")
    release(visitor, "production", "Evaluated on the test split.")
    held = open_store(url_of(served.workspace / "pld.db")).releases.holder("nda", ReleaseLabel.PRODUCTION)
    assert held is not None
    assert (held.version, held.by, held.break_glass) == (1, "Ada Reviewer", None)
    visitor.go("?task=nda")
    page.get_by_text("In production: version 1").wait_for()
    page.get_by_text("embedded on test").first.wait_for()

    # The released prompt answers.
    visitor.go("live-test?task=nda")
    page.get_by_role("button", name=re.compile("^Ask")).first.click()
    result = page.locator("[class*=st-key-result]").first
    result.get_by_text('"label"').first.wait_for()
    visitor.settle()
    told = result.inner_text()
    assert "embedded" in told
    assert re.search(r"\d s\b", told), "how long it took"
    assert "Context" in told
    assert visitor.outside == []
    assert visitor.page_errors == []
