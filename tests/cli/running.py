"""Running `pld` in this process or in one of its own, and looking at what it left behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
"""How long a condition may take on a slow machine before a test gives up."""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on stdout."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """The one sentence on stderr of a command that refused."""
        assert self.out == ""
        return self.stopped

    @property
    def stopped(self) -> str:
        """The one sentence on stderr of a command that refused after it printed what it had found."""
        assert self.code == 1, (self.code, self.out, self.err)
        assert "Traceback" not in self.err
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("pld: ")
        return lines[0].removeprefix("pld: ")


class Pld(Protocol):
    """Runs `pld` with these arguments in this process."""

    def __call__(self, *arguments: object) -> Outcome: ...


def clean_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without settings of ours, and with `extra`."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PLD_", "OLLAMA_"))}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


def start_pld(*arguments: object, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start `python -m pld_app.cli` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pld_app.cli", *map(str, arguments)],
        cwd=ROOT,
        env=dict(environment or clean_environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def content_of(folder: Path) -> dict[str, str]:
    """Return a digest of each file below the folder; two equal results mean that no byte changed.

    What SQLite keeps beside a file that is open is left out, unless it holds a change that is not in the file.
    """
    files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    beside = {
        name for name, content in files.items() if name.endswith("-shm") or (name.endswith("-wal") and not content)
    }
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name not in beside}


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Look again and again until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"still waiting for: {what}"
        time.sleep(0.02)
