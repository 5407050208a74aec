"""Fixtures that every suite may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import SqliteStore, create_store
from tests.factories import TickingClock, url_of


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
