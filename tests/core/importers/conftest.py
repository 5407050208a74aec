"""Files of each shape, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pld_core.errors import InvalidInput
from pld_core.importers import ReadOptions, Source, open_source

Open = Callable[..., Source]
Refuse = Callable[..., str]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Write a file and open it."""

    def write_and_open(name: str, data: str | bytes, options: ReadOptions = ReadOptions()) -> Source:  # noqa: B008
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return open_source(path, options)

    return write_and_open


@pytest.fixture
def refused(opened: Open) -> Refuse:
    """Write a file, open and read it, and return the sentence with which it was refused."""

    def write_and_read(name: str, data: str | bytes, options: ReadOptions = ReadOptions()) -> str:  # noqa: B008
        with pytest.raises(InvalidInput) as error:
            list(opened(name, data, options).rows())
        said = str(error.value)
        assert "Nothing was imported." in said
        assert "\n" not in said
        return said

    return write_and_read
