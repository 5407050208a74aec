"""The app in Streamlit's test driver, on a workspace of the test's own."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from pld_app import wiring
from pld_app.wiring import App
from pld_app.worker import run_one
from pld_core.models import Job
from tests.cli.fake_ollama import MODEL, STUDENT, FakeOllama, fake_ollama
from tests.factories import verdict_on
from tests.pages.driving import ROOT, Visit, Worker, go, run


class NavigationPages(PagesManager):
    """Serves the pages that app.py declares, as `pld_app.server` has it.

    The test driver would otherwise find the folder `pages` and run a page's file without app.py around it.
    """

    def __init__(self, *args: object, **kwargs: object) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came


@pytest.fixture
def workspace_folder(tmp_path: Path) -> Path:
    """The folder that the app is told to use; nothing is there yet."""
    return tmp_path / "space"


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(autouse=True)
def environment(
    no_settings_from_outside: None,
    monkeypatch: pytest.MonkeyPatch,
    workspace_folder: Path,
    nobody: str,
    tmp_path: Path,
) -> None:
    """Anna's settings; no student is there unless a test brings one."""
    monkeypatch.setenv("PLD_WORKSPACE", str(workspace_folder))
    monkeypatch.setenv("PLD_USER", "anna")
    monkeypatch.setenv("PLD_STUDENT", STUDENT)
    monkeypatch.setenv("PLD_OLLAMA_MODEL", MODEL)
    monkeypatch.setenv("PLD_OLLAMA_HOST", nobody)
    monkeypatch.setenv("PLD_EMBEDDED_WEIGHTS", str(tmp_path / "no-weights.gguf"))
    monkeypatch.setattr(app_test, "PagesManager", NavigationPages)


@pytest.fixture(scope="session")
def components() -> BidiComponentManager:
    """No component at all. The driver would look through every installed package for some, anew for each visit."""
    return BidiComponentManager()


@pytest.fixture
def visit(components: BidiComponentManager) -> Visit:
    def open_page(page: str, **address: str) -> AppTest:
        at = AppTest.from_file(ROOT / "app.py", default_timeout=60)
        at._bidi_component_manager = components
        for name, value in address.items():
            at.query_params[name] = value
        # The driver knows the pages only after one run; an address is kept until its page reads it.
        run(at)
        return at if page == "home" else go(at, page)

    return open_page


@pytest.fixture
def empty(workspace_folder: Path) -> App:
    """A workspace without any task."""
    return wiring.create_app(workspace_folder)


@pytest.fixture
def demo(demo_template: Path, workspace_folder: Path) -> App:
    """The demo task `nda`: 178 examples, 13 rules in review, nothing decided."""
    shutil.copytree(demo_template, workspace_folder)
    return wiring.open_app(workspace_folder)


@pytest.fixture
def compiled(demo: App) -> App:
    """The demo with rule R1 approved and prompt version 1 compiled from it."""
    demo.store.rules.judge(verdict_on(demo.store, "R1"), demo.actor)
    wiring.compile_task(demo, "nda")
    return demo


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOllama]:
    """An Ollama server that answers `Entailment` to everything."""
    with fake_ollama() as server:
        server.label = "Entailment"
        monkeypatch.setenv("PLD_OLLAMA_HOST", server.url)
        yield server


@pytest.fixture
def worker(workspace_folder: Path) -> Worker:
    def run_a_job() -> Job:
        done = run_one(wiring.open_app(workspace_folder), "worker")
        assert done is not None, "no job is queued"
        return done

    return run_a_job


@pytest.fixture
def embedded_student(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make the embedded student look installed; nothing of it is run."""
    (tmp_path / "xllamacpp.py").touch()
    (tmp_path / "weights.gguf").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PLD_EMBEDDED_WEIGHTS", str(tmp_path / "weights.gguf"))
