"""What this process has warmed up on Ollama servers lately: a backend opened for one question need not do so again.

What is kept is a count of tokens. It holds for the very weights, template, window and text that were counted, so an
entry is good only while the server has that digest in memory with that window.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pld_core.backends.ollama_facts import ModelFacts

LATELY_S = 600.0
"""As long as a model stays in memory after a call that asks for no other time."""
MOST = 1_000
"""Static parts that are remembered; an optimiser tries many. Each takes some hundred bytes."""


@dataclass(frozen=True)
class WarmKey:
    """A static part on a server: its address, the model's name, the window asked for, and the text's hash."""

    host: str
    model: str
    num_ctx: int
    static: str


@dataclass(frozen=True)
class _Entry:
    digest: str
    window: int
    tokens: int
    at: float


class WarmPrompts:
    """Counts of static parts. Sessions of the app share one; it may be used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing.

        Args:
            clock: seconds that only go forward.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: dict[WarmKey, _Entry] = {}

    def may_know(self, key: WarmKey) -> bool:
        """Whether it is worth asking the server what it holds in memory."""
        with self._lock:
            entry = self._entries.get(key)
            return entry is not None and self._clock() - entry.at <= LATELY_S

    def tokens(self, key: WarmKey, loaded: ModelFacts | None) -> int | None:
        """Return the count of a static part, None if it was not counted lately by what the server has in memory.

        Args:
            loaded: the model as the server holds it in memory now; None if it does not.
        """
        if loaded is None:
            return None
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or (entry.digest, entry.window) != (loaded.digest, loaded.loaded_context):
                return None
            if self._clock() - entry.at > LATELY_S:
                return None
            self._entries[key] = _Entry(entry.digest, entry.window, entry.tokens, self._clock())
            return entry.tokens

    def keep(self, key: WarmKey, loaded: ModelFacts | None, tokens: int | None) -> None:
        """Remember a count by the model in memory; nothing where the server does not tell which weights counted."""
        if loaded is None or tokens is None or not loaded.digest or not loaded.loaded_context:
            return
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = _Entry(loaded.digest, loaded.loaded_context, tokens, self._clock())
            while len(self._entries) > MOST:
                del self._entries[next(iter(self._entries))]


@functools.cache
def shared_warm_prompts() -> WarmPrompts:
    """Return the one that the whole process shares."""
    return WarmPrompts()
