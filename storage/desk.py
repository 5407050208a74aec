"""The reviewers' desk, one part an attribute."""

from __future__ import annotations

from storage.connection import Database
from storage.desk_begun import SqliteBegun
from storage.desk_comments import SqliteComments
from storage.desk_drafts import SqliteDrafts
from storage.desk_looks import SqliteSecondLooks
from storage.desk_parts import SqliteParts
from storage.desk_queue import SqliteQueue
from storage.desk_ticks import SqliteTicks


class SqliteDesk:
    def __init__(self, database: Database) -> None:
        self.drafts = SqliteDrafts(database)
        self.begun = SqliteBegun(database)
        self.ticks = SqliteTicks(database)
        self.queue = SqliteQueue(database)
        self.comments = SqliteComments(database)
        self.second_looks = SqliteSecondLooks(database)
        self.parts = SqliteParts(database)
