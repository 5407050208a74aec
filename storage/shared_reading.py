"""One connection for many reads of one thread: opening one parses the whole schema, which takes some milliseconds."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


class SharedReading:
    """Lends connections for reading: within `block` the reads of its thread take turns on one, else each has its own.

    This is no pool. A connection that waits for its next user while nobody is at work is a risk for the file: it may
    outlive the file that it was opened on, and somebody who opens and closes that file by other means takes its locks
    away. The one of a block is opened at the first read and closed at the block's end, whatever ends it, so it lives no
    longer than one long read may. It never leaves its thread, and between two reads it is in no transaction: it keeps
    no writer from moving the log into the file, and the next read sees what anybody wrote meanwhile.
    """

    def __init__(self) -> None:
        self._own = _OfThread()

    @contextmanager
    def block(self) -> Generator[None]:
        """Let the reads of this thread take turns on one connection until the outermost block ends."""
        own = self._own
        own.depth += 1
        try:
            yield
        finally:
            own.depth -= 1
            if not own.depth and own.waiting is not None:
                own.waiting.close()
                own.waiting = None

    @contextmanager
    def lent(self, connect: Callable[[], sqlite3.Connection]) -> Generator[sqlite3.Connection]:
        """Lend a connection that is in no transaction; a read within a read has one of its own, with its own state."""
        own = self._own
        conn, own.waiting = own.waiting or connect(), None
        try:
            yield conn
        except BaseException:
            # Nobody knows what it is in the middle of.
            conn.close()
            raise
        if own.depth and own.waiting is None:
            own.waiting = conn
        else:
            conn.close()


class _OfThread(threading.local):
    """What one thread has of it.

    Attributes:
        depth: how many blocks it is in.
        waiting: the connection that its next read takes; None before the first read and during one.
    """

    depth = 0
    waiting: sqlite3.Connection | None = None
