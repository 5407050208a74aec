"""A demo workspace of each test's own, and `pld` in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app.cli import main
from tests.cli.fake_ollama import FakeOllama, fake_ollama, use_student
from tests.cli.running import Outcome, Pld


@pytest.fixture(autouse=True)
def own_settings_only(no_settings_from_outside: None) -> None:
    """Keep the environment of whoever runs the tests out of them."""


@pytest.fixture
def pld(capsys: pytest.CaptureFixture[str]) -> Pld:
    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run


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
