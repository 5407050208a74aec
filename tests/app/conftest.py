"""What tests beneath pages and commands share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def demo_copy(demo_template: Path, tmp_path: Path) -> Path:
    """A demo workspace of the test's own, whose user is anna: the task `nda`, 13 rules in review."""
    copy = tmp_path / "space"
    shutil.copytree(demo_template, copy)
    (copy / "settings.toml").write_text('user = "anna"\n', encoding="utf-8")
    return copy
