"""Ending a question that is being asked in another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stop:
    """Ends what it watches over as soon as somebody calls it, from any thread, before or while it goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False
        self._end: Callable[[], object] | None = None

    def __call__(self) -> None:
        """End it; nothing happens if it has ended already."""
        with self._lock:
            self._wanted = True
            if self._end is not None:
                self._end()

    @contextmanager
    def over(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """Cancel a task of the running loop when called. A task that has ended by then stays as it is."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._end = lambda: loop.call_soon_threadsafe(task.cancel)
            if self._wanted:
                self._end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None
