"""Opening a workspace: brought up to date, or refused in one sentence with the file as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from pld_core.audit import GENESIS, seal
from pld_core.canonical import canonical_json
from pld_core.errors import (
    Failure,
    InvalidInput,
    PldError,
    SchemaMismatch,
    WorkspaceMissing,
    WorkspaceUnreadable,
)
from pld_core.models import Example, ExampleState
from pld_core.policy import PLAIN, Policy
from pld_core.records import ExampleFilter, Spend
from storage import create_store, open_for_audit, open_store
from storage.migrations import APPEND_ONLY, guard_triggers, migrate, missing_guards
from storage.migrations.steps import migrations
from storage.rows import task_row
from tests.contracts.data_sets import about, numbered
from tests.factories import ANNA, approved_rule, fill, make_example, make_task, url_of


def schema(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as conn:
        return {(str(a), str(b)) for a, b in conn.execute("SELECT name, sql FROM sqlite_master") if a[0] != "_"}


def test_a_new_workspace_has_every_migration_and_guard_and_opens_again(workspace: Path) -> None:
    store = create_store(url_of(workspace))
    fill(store)
    again = open_store(url_of(workspace))
    assert again.tasks.get("posts") == make_task()
    assert create_store(url_of(workspace)).tasks.all() == again.tasks.all()
    with closing(sqlite3.connect(workspace)) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM _sqlite_migrations ORDER BY rowid")]
        assert missing_guards(conn) == ()
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(names) == len(set(names)) >= 5
    assert len(guard_triggers()) == 3 * len(APPEND_ONLY)


@pytest.mark.parametrize("stop", [m.name for m in migrations._migrations][1:])
def test_a_workspace_of_every_older_schema_is_brought_to_the_same_schema(tmp_path: Path, stop: str) -> None:
    create_store(url_of(tmp_path / "new.db"))
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as conn:
        migrations.apply(Tables(conn), stop_before=stop)
        conn.commit()
    fill(open_store(url_of(old)))
    assert open_store(url_of(old)).events.verify().intact
    assert schema(old) == schema(tmp_path / "new.db")


LATER = ("dataset", "withdrawal", "second_opinion", "comment", "derivation")
"""Tables that came after the version before data sets."""
OLD_EXAMPLE = """INSERT INTO example (task, hash, fields, text, label, split, source, group_name)
    VALUES (?, ?, ?, ?, ?, 'train', ?, 'g')"""


def older_workspace(path: Path, examples: list[Example]) -> None:
    """Make a workspace as the version before data sets left it, with examples in two tasks and an import event."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        migrations.apply(Tables(conn), stop_before="m006_data_sets")
        there = {str(row[0]) for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for sql in guard_triggers().values():
            if sql.split(" ON ")[1].split()[0] in there:
                conn.execute(sql)
        for name in ("posts", "other"):
            task = {**task_row(make_task(name), "2025-01-01T00:00:00Z"), "four_eyes": int(name == "other")}
            conn.execute(
                f"INSERT INTO task ({', '.join(task)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                tuple(task.values()),
            )
            conn.execute("INSERT INTO guideline VALUES (?, 1, 'g', '2025', 'anna')", (name,))
            for e in examples:
                fields = canonical_json([list(pair) for pair in e.fields])
                conn.execute(OLD_EXAMPLE, (name, e.hash, fields, e.text, e.label, e.source))
        event = seal(1, "2025-02-02T00:00:00Z", "bert", "examples.imported", "posts", {"added": 3}, GENESIS)
        conn.execute(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                1,
                event.at,
                event.actor,
                event.kind,
                event.subject,
                canonical_json(event.payload),
                event.prev,
                event.hash,
            ),
        )


def test_examples_of_an_older_workspace_are_found_kept_and_stand_in_a_data_set(tmp_path: Path) -> None:
    old = [make_example("Größe zählt", source="a.csv line 2"), make_example("b"), make_example("b", "remove")]
    old = [replace(e, group="g") for e in old]
    older_workspace(tmp_path / "pld.db", old)
    store = open_store(url_of(tmp_path / "pld.db"))
    old[1:] = [replace(e, state=ExampleState.CONFLICT) for e in old[1:]]
    anyhow = ExampleFilter(states=())
    assert store.tasks.examples("posts", anyhow) == tuple(old)
    assert store.data.count_conflicts("posts") == 1
    assert [e.place for e in store.tasks.examples("posts", anyhow)] == [
        f"item {n} of earlier imports" for n in (1, 2, 3)
    ]
    assert store.tasks.examples("posts", ExampleFilter(search="grosse zahl")) == tuple(old[:1])
    (dataset,) = store.data.all("posts")
    assert (dataset.rows, dataset.created_by, dataset.created_at) == (3, "bert", "2025-02-02T00:00:00Z")
    assert [d.created_by for d in store.data.all("other")] == ["system"]
    with closing(sqlite3.connect(tmp_path / "pld.db")) as conn:
        hashes = [row[0] for row in conn.execute("SELECT text_hash FROM example WHERE task = 'posts' ORDER BY id")]
    assert hashes == [e.text_hash for e in old]
    again, added = store.data.add(make_task(), about(), numbered(old), ANNA)
    assert added == 0
    store.data.delete(again.id, "", ANNA)
    assert len(store.tasks.examples("posts", anyhow)) == 3
    assert store.events.verify().intact


def test_four_eyes_of_an_older_workspace_become_its_policy(tmp_path: Path) -> None:
    older_workspace(tmp_path / "pld.db", [])
    policies = open_store(url_of(tmp_path / "pld.db")).policies
    assert (policies.of("posts"), policies.history("posts")) == (PLAIN, ())
    assert policies.of("other") == Policy(four_eyes=True)
    assert [(c.by, c.at) for c in policies.history("other")] == [("system", "2025-01-01T00:00:00Z")]


def test_of_decisions_of_an_older_workspace_it_is_not_made_up_what_they_were_made_beside(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    store = create_store(url_of(path))
    fill(store)
    rule_id = approved_rule(store)
    with closing(sqlite3.connect(path)) as conn:
        for trigger in ("decision_no_update", "decision_no_delete", "decision_no_replace"):
            conn.execute(f"DROP TRIGGER {trigger}")
        conn.execute("ALTER TABLE decision DROP COLUMN guideline_version")
        conn.execute("ALTER TABLE decision DROP COLUMN overlaps")
        conn.execute("ALTER TABLE guideline DROP COLUMN reason")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm019_guidelines'")
        conn.commit()
    store = open_store(url_of(path))
    (decision,) = store.rules.dossier(rule_id, ANNA).decisions
    assert (decision.guideline_version, decision.overlaps) == (0, ())
    assert store.guidelines.current("posts").reason == ""
    assert store.guidelines.change("posts", 1, "Another.", "why", ANNA)[1].stale == (rule_id,)
    assert store.events.verify().intact


def test_calls_of_an_older_workspace_keep_their_problem_and_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    older_workspace(path, [make_example("a")])
    with closing(sqlite3.connect(path)) as conn:
        for problem in ("", "not JSON"):
            conn.execute(
                """INSERT INTO teacher_call (task, request_hash, purpose, subjects, teacher, template_hash, reply,
                       problem, prompt_tokens, output_tokens, latency_ms, at)
                   VALUES ('posts', ?, 'extraction', '[]', 'told', 't', '{}', ?, 1, 1, 1, '2025')""",
                (f"r{problem}", problem),
            )
        conn.commit()
    logic = open_store(url_of(path)).logic
    (failed,) = logic.failed_calls("posts")
    assert (failed.problem, failed.failure, failed.cost, failed.attempts) == ("not JSON", Failure.UNUSABLE, 0, 1)
    assert logic.stored_replies(["r"]).get("r") == "{}"
    assert logic.spend("posts") == Spend(2, 0, 2, 2)


def test_a_migration_that_is_cut_short_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    with closing(sqlite3.connect(path)) as conn:
        migrations.apply(Tables(conn), stop_before=migrations._migrations[2].name)
        conn.execute("CREATE TABLE prompt_version (in_the_way)")
        conn.commit()
    before = schema(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        with pytest.raises(sqlite3.OperationalError, match="prompt_version already exists"):
            migrate(Tables(conn))
        assert not conn.in_transaction
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("DROP TABLE prompt_version")
    open_store(url_of(path))


def test_a_workspace_of_a_newer_version_is_refused_by_the_migrations_name(workspace: Path) -> None:
    create_store(url_of(workspace))
    with closing(sqlite3.connect(workspace)) as conn:
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pld', 'm099_later', '')"
        )
        conn.commit()
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(SchemaMismatch, match=r"newer pld-review .*m099_later.* Update pld-review"):
            opening(url_of(workspace))


@pytest.mark.parametrize(
    "content", [b"hello", b"SQLite format 3\x00", b"SQLite format 3\x00" + b"\x07" * 5000, b"\x00" * 4096]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(WorkspaceUnreadable, match=r"notes\.db.* Nothing was changed"):
            opening(url_of(path))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_somebody_elses_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE photo (id)")
        conn.commit()
    before = path.read_bytes()
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(WorkspaceUnreadable, match="not a pld-review workspace"):
            opening(url_of(path))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_workspace_that_is_not_there_is_not_made_by_opening(tmp_path: Path) -> None:
    for opening in (open_store, open_for_audit):
        with pytest.raises(WorkspaceMissing, match=r"no workspace at .* `pld demo` makes one"):
            opening(url_of(tmp_path / "none" / "pld.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(PldError, match="Nothing was changed"):
            opening(url_of(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceUnreadable, match=r"cannot be made: .* --workspace"):
        create_store(url_of(tmp_path / "file" / "space" / "pld.db"))


@pytest.mark.parametrize("url", ["", "pld.db", "sqlite:///", "postgres://x/y", "sqlite:/x"])
def test_what_is_no_store_address_is_refused(url: str) -> None:
    for opening in (open_store, open_for_audit, create_store):
        with pytest.raises(InvalidInput, match="is not a store address"):
            opening(url)


@pytest.mark.parametrize("name", ["a b", "50%41", "what?", "c#", "ünï", "x&mode=rw"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    url = url_of(tmp_path / name / "pld.db")
    create_store(url).tasks.add(make_task(), ANNA)
    assert open_store(url).tasks.get("posts") == make_task()
    assert open_for_audit(url).events.verify().intact
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_file_left_by_a_crash_becomes_a_workspace(tmp_path: Path) -> None:
    path = tmp_path / "pld.db"
    path.touch()
    with pytest.raises(WorkspaceUnreadable):
        open_store(url_of(path))
    assert create_store(url_of(path)).tasks.all() == ()


def test_a_damaged_page_is_told_in_words(workspace: Path) -> None:
    fill(create_store(url_of(workspace)))
    data = bytearray(workspace.read_bytes())
    for at in range(4096, len(data)):
        data[at] = 0x5A
    workspace.write_bytes(bytes(data))
    with pytest.raises(WorkspaceUnreadable, match="Nothing was changed"):
        open_store(url_of(workspace)).events.verify()
