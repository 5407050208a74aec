"""Connections that wait to be used again: opening one reads the whole schema, which takes some milliseconds."""

from __future__ import annotations

import sqlite3
import weakref
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

MOST = 8
"""So many wait at most; more than that are never at work at the same time for long."""

Stamp = tuple[int, ...]
"""What changes with a file and its contents."""


class IdleConnections:
    """Open connections for reading one file that are in no transaction; any thread may have one for itself.

    A connection is used again only while the file is the one that it knows: what was put in the file's place, or
    changed behind SQLite's back, is always read anew.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path, self._connect = path, connect
        self._idle: deque[tuple[Stamp, sqlite3.Connection]] = deque()
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def lent(self) -> Generator[sqlite3.Connection]:
        """Lend a connection for reading; one on which something failed is not used again."""
        # The stamp is never newer than what the connection reads: at worst it is not used again.
        stamp = self._stamp()
        conn = self._waiting(stamp) or self._connect()
        try:
            yield conn
        except BaseException:
            conn.close()
            raise
        if len(self._idle) < MOST:
            self._idle.append((stamp, conn))
        else:
            conn.close()

    def _waiting(self, stamp: Stamp) -> sqlite3.Connection | None:
        """Return a connection that knows the file as it is now; the others that come up are closed."""
        while True:
            try:
                known, conn = self._idle.pop()
            except IndexError:
                return None
            if known == stamp:
                return conn
            conn.close()

    def _stamp(self) -> Stamp:
        """Return that of the file as it is now; empty where there is none yet."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return ()
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _close_all(idle: deque[tuple[Stamp, sqlite3.Connection]]) -> None:
    while idle:
        idle.pop()[1].close()
