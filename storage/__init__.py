"""The workspace's database. SQL lives only here."""

from storage.sqlite import SqliteStore, create_store, open_for_audit, open_store

__all__ = ["SqliteStore", "create_store", "open_for_audit", "open_store"]
