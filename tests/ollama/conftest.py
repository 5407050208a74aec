"""One real server for all of these tests, with the test students on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_app.settings import with_scheme
from pld_core.backends.embedded import find_weights
from tests.ollama.real_ollama import RealOllama, own_server, why_not

HERE = Path(__file__).parent
GIVEN_HOST = os.environ.get("OLLAMA_HOST", "").strip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, and keep them in one process: they share a server."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.ollama)
            item.add_marker(pytest.mark.xdist_group("ollama"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOllama]:
    """The server at OLLAMA_HOST, or one of our own; what was made on it is removed again."""
    if problem := why_not():
        pytest.skip(problem)
    weights = find_weights()
    assert weights is not None
    if GIVEN_HOST:
        theirs = RealOllama(with_scheme(GIVEN_HOST))
        theirs.make_students(weights)
        yield theirs
        for model in theirs.made:
            theirs.remove(model)
        return
    folder = tmp_path_factory.mktemp("ollama")
    with own_server(folder / "models", OLLAMA_KEEP_ALIVE="10m") as ours:
        ours.make_students(weights)
        yield ours


@pytest.fixture(scope="session")
def own_models(server: RealOllama) -> Path:
    """The models folder of a server of our own, for tests that start another one to stop or to fill it."""
    if server.models is None or shutil.which("ollama") is None:
        pytest.skip("the server at OLLAMA_HOST is not ours to stop or to fill")
    return server.models
