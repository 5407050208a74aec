"""The demo workspace, built once a session and copied for each test, and `pld` in this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app.cli import main
from pld_app.settings import ENVIRONMENT, KEY_VARIABLE
from tests.cli.fake_ollama import FakeOllama, fake_ollama, use_student
from tests.cli.running import Outcome, Pld, wait_until


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the environment of whoever runs the tests out of them."""
    for name in (*ENVIRONMENT.values(), KEY_VARIABLE, "PLD_WORKSPACE", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pld(capsys: pytest.CaptureFixture[str]) -> Pld:
    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


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
def space(demo_template: Path, tmp_path: Path) -> Path:
    """A demo workspace of the test's own, whose user is anna."""
    copy = tmp_path / "space"
    shutil.copytree(demo_template, copy)
    (copy / "settings.toml").write_text('user = "anna"\n', encoding="utf-8")
    return copy


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A place for a workspace; nothing is there yet."""
    return tmp_path / "nowhere"


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with fake_ollama() as server:
        server.label = "Entailment"
        yield server


@pytest.fixture
def compiled(space: Path, pld: Pld, ollama: FakeOllama) -> Path:
    """A demo workspace with one approved rule, prompt version 1, and the fake Ollama as its student."""
    use_student(space, ollama.url)
    assert pld("rules", "approve", "R1", "--workspace", space).code == 0
    assert pld("compile", "--task", "nda", "--workspace", space).code == 0
    return space
