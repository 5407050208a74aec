"""The store on SQLite, through sqlite-utils."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path

from pld_core.errors import InvalidInput, WorkspaceMissing, WorkspaceUnreadable
from storage.ablations import SqliteAblations
from storage.analytics import SqliteAnalytics
from storage.attributions import SqliteAttributions
from storage.audit_queries import SqliteAudit
from storage.batches import SqliteBatches
from storage.checks import SqliteChecks
from storage.connection import Clock, Database, utc_now
from storage.data import SqliteData
from storage.desk import SqliteDesk
from storage.effects import SqliteEffects
from storage.embeddings import SqliteEmbeddings
from storage.events import SqliteEvents
from storage.findings import SqliteFindings
from storage.gate_policies import SqliteGatePolicies
from storage.guidelines import SqliteGuidelines
from storage.jobs import SqliteJobs
from storage.kept import SqliteKept
from storage.labels import SqliteLabels
from storage.lineage import SqliteLineage
from storage.live_batches import SqliteLiveBatches
from storage.logic import SqliteLogic
from storage.migrations import check_schema, migrate
from storage.oversight_queries import SqliteOversight
from storage.pair_judgements import SqlitePairs
from storage.policies import SqlitePolicies
from storage.prompts import SqlitePrompts
from storage.proposals import SqliteProposals
from storage.releases import SqliteReleases
from storage.resolutions import SqliteResolutions
from storage.roles import SqliteRoles
from storage.rule_locks import SqliteLocks
from storage.rules import SqliteRules
from storage.runs import SqliteRuns
from storage.sheets import SqliteSheets
from storage.tasks import SqliteTasks

_SCHEME = "sqlite:///"


class SqliteStore:
    """A workspace's store. Cheap to make, holds no connection outside `reading`; any thread or process may have one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tasks = SqliteTasks(database)
        self.data = SqliteData(database)
        self.kept = SqliteKept(database)
        self.logic = SqliteLogic(database)
        self.embeddings = SqliteEmbeddings(database)
        self.batches = SqliteBatches(database)
        self.rules = SqliteRules(database)
        self.lineage = SqliteLineage(database)
        self.desk = SqliteDesk(database)
        self.sheets = SqliteSheets(database)
        self.policies = SqlitePolicies(database)
        self.gate_policies = SqliteGatePolicies(database)
        self.guidelines = SqliteGuidelines(database)
        self.labels = SqliteLabels(database)
        self.checks = SqliteChecks(database)
        self.prompts = SqlitePrompts(database)
        self.releases = SqliteReleases(database)
        self.runs = SqliteRuns(database)
        self.effects = SqliteEffects(database)
        self.findings = SqliteFindings(database)
        self.live_batches = SqliteLiveBatches(database)
        self.attributions = SqliteAttributions(database)
        self.ablations = SqliteAblations(database)
        self.analytics = SqliteAnalytics(database)
        self.resolutions = SqliteResolutions(database)
        self.proposals = SqliteProposals(database)
        self.locks = SqliteLocks(database)
        self.pairs = SqlitePairs(database)
        self.jobs = SqliteJobs(database)
        self.roles = SqliteRoles(database)
        self.events = SqliteEvents(database)
        self.audit = SqliteAudit(database)
        self.oversight = SqliteOversight(database)

    def reading(self) -> AbstractContextManager[None]:
        """Let all reads of this thread in the block take turns on one connection; writes have their own, as ever."""
        return self.database.reading()


def open_store(url: str, clock: Clock = utc_now) -> SqliteStore:
    """Open an existing workspace, bring its schema up to date and assert its guards.

    Args:
        url: `sqlite:///` and the path of the database file.

    Raises:
        WorkspaceError: missing, unreadable, newer than this version, or its guards are gone.
    """
    database = _database(url, clock)
    _require(database)
    with database.raw() as tables:
        migrate(tables)
    return SqliteStore(database)


def open_for_audit(url: str, clock: Clock = utc_now) -> SqliteStore:
    """Open an existing workspace for verification only: nothing is migrated, missing guards are left for the report."""
    database = _database(url, clock)
    _require(database)
    with database.raw() as tables:
        check_schema(tables)
        if not tables["event"].exists():
            raise _not_ours(database)
    return SqliteStore(database)


def create_store(url: str, clock: Clock = utc_now) -> SqliteStore:
    """Open the workspace, or make an empty one where there is none."""
    database = _database(url, clock)
    if database.path.exists() and not _is_blank(database.path):
        return open_store(url, clock)
    try:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceUnreadable(
            f"The workspace folder {database.path.parent} cannot be made: {error.strerror}. Nothing was changed. "
            "Choose another place with --workspace."
        ) from error
    with database.raw() as tables:
        migrate(tables)
    return SqliteStore(database)


def _database(url: str, clock: Clock) -> Database:
    if not url.startswith(_SCHEME) or len(url) == len(_SCHEME):
        raise InvalidInput(f"{url!r} is not a store address. It has to look like {_SCHEME}path/to/pld.db.")
    return Database(Path(url.removeprefix(_SCHEME)), clock)


def _is_blank(path: Path) -> bool:
    """Whether the file is a database without any table: another process is just making it, or was stopped there."""
    try:
        if not path.is_file():
            return False
        if path.stat().st_size == 0:
            return True
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as conn:
            return conn.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    except (OSError, sqlite3.DatabaseError):
        return False


def _require(database: Database) -> None:
    """Refuse what is not there or not ours, before anything is written to it."""
    try:
        if not database.path.is_file():
            raise WorkspaceMissing(
                f"There is no workspace at {database.path.parent}. Nothing was changed. "
                "`pld demo` makes one with two tasks to look at, `pld import` one with your data."
            )
    except OSError as error:
        raise WorkspaceUnreadable(
            f"The workspace file {database.path} cannot be read: {error.strerror}. Nothing was changed. "
            "Check the path and its permissions."
        ) from error
    # Read-only and without touching the journal mode: somebody else's database stays as it is. By SQLite alone: a file
    # that this process opened by itself and closed would take with it the locks of all its connections to that file.
    try:
        conn = sqlite3.connect(f"{database.path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            known = conn.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
        finally:
            conn.close()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_NOTADB:
            raise _not_ours(database) from error
        raise WorkspaceUnreadable(
            f"The workspace file {database.path} cannot be read ({error}). Nothing was changed. Restore a backup."
        ) from error
    if known is None:
        raise _not_ours(database)


def _not_ours(database: Database) -> WorkspaceUnreadable:
    return WorkspaceUnreadable(
        f"The file {database.path} is not a pld-review workspace. Nothing was changed. "
        "Check the path given with --workspace or PLD_WORKSPACE."
    )
