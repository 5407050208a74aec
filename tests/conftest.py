"""Fixtures that every suite may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from pld_app.cli import main
from pld_app.embedder_settings import EMBEDDER_ENVIRONMENT, EMBEDDER_KEY_VARIABLE
from pld_app.settings import ENVIRONMENT, KEY_VARIABLE
from pld_app.sign_in_settings import SECRETS_VARIABLE
from pld_app.teacher_settings import TEACHER_ENVIRONMENT, TEACHER_KEY_VARIABLE
from storage import SqliteStore, create_store
from tests.cli.running import ROOT, wait_until
from tests.factories import TickingClock, url_of

# A busy machine is no failure of a property; half of the usual examples keep the whole suite quick.
settings.register_profile("patient", deadline=None, max_examples=50)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests first: they run one after another in one process while the other does all the rest."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests found no Ollama, so that nobody takes a run without it for one with it."""
    skipped = [report for report in terminalreporter.getreports("skipped") if "ollama" in report.keywords]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests against a real Ollama were skipped: {skipped[0].longrepr[2]}"
        )


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Where the database of a test lies; nothing is there yet."""
    return tmp_path / "space" / "pld.db"


@pytest.fixture
def sqlite_store(workspace: Path, clock: TickingClock) -> SqliteStore:
    return create_store(url_of(workspace), clock)


@pytest.fixture
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of whoever runs the tests out of the environment."""
    for name in (
        *ENVIRONMENT.values(),
        *TEACHER_ENVIRONMENT.values(),
        *EMBEDDER_ENVIRONMENT.values(),
        EMBEDDER_KEY_VARIABLE,
        KEY_VARIABLE,
        TEACHER_KEY_VARIABLE,
        "PLD_WORKSPACE",
        SECRETS_VARIABLE,
        "OLLAMA_HOST",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo task `nda`, as `pld demo` builds it. Not to be changed: copies are.

    Built by one of the test processes; each of them reads a copy of its own.
    """
    own = tmp_path_factory.mktemp("template")
    shared = own.parents[1] / "pld-demo" if "PYTEST_XDIST_WORKER" in os.environ else own / "built"
    try:
        shared.mkdir()
    except FileExistsError:
        wait_until((shared / "ready").exists, "the demo workspace of another test process")
    else:
        assert main(["demo", "--task", "nda", "--workspace", str(shared / "space")]) == 0
        (shared / "ready").touch()
    return Path(shutil.copytree(shared / "space", own / "space"))


@pytest.fixture
def published() -> Callable[[str], Path]:
    """Return where a published data set lies, or skip."""
    folder = Path(os.environ.get("PLD_SHARED_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"{name} is not there; PLD_SHARED_DATA says where the published data sets lie")
        return path

    return find
