"""Data sets: what was imported from which file, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pld_core.canonical import Json, canonical_json, hash_json
from pld_core.errors import DataInUse, MissingReason, NotFound
from pld_core.models import Actor, Example, Split, Task
from pld_core.permissions import Step, guarded
from pld_core.records import ColumnChoice, Dataset, DatasetState, ImportRow, LabelConflict, NewDataset, Page
from storage.connection import Database, Write
from storage.dataset_queries import (
    DATASET,
    ONLY_HERE,
    count_conflicts,
    load_dataset,
    load_standing_dataset,
    load_usage,
    resting_rules,
)
from storage.evidence_writes import drop_inactive
from storage.example_queries import EXAMPLE
from storage.example_rows import column_choice_from, dataset_from, example_from
from storage.importing import Imported, import_dataset
from storage.kept_record import kept_hash
from storage.rule_queries import VERSION
from storage.standing import archive_unheld, clear_conflicts, enter_state, revive
from storage.task_queries import add_task, has_task, load_task


class SqliteData:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- data sets ----------------------------------------------------------------------------------------------------

    @guarded(Step.IMPORT_DATA)
    def add(self, task: Task, dataset: NewDataset, rows: Iterable[ImportRow], actor: Actor) -> tuple[Dataset, int]:
        """Import a data set in one transaction and return it with the number of examples that were new.

        The rows are read while the write lock is held: reading them must not write to this workspace, which would wait
        for itself. Where the task is there, its stored labels and fields count, not those of `task`. A row that is to
        be masked masks an example that was there unmasked; an archived one becomes active again.

        Raises:
            InvalidInput: a label that the task does not declare, a field that it needs and the example lacks, or a text
                that has no bytes.
        """
        with self._database.write() as write:
            if not has_task(write.conn, task.name):
                add_task(write, task, actor)
            imported = import_dataset(write, load_task(write.conn, task.name), dataset, rows, actor)
            if not imported.was_there:
                _record_import(write, task.name, dataset, imported, actor)
                if imported.conflicts:
                    drop_inactive(write, task.name, "An import brought label conflicts", actor)
            return load_dataset(write.conn, imported.dataset_id), imported.added

    def get(self, dataset_id: int) -> Dataset:
        """Return a data set, deleted ones too.

        Raises:
            NotFound: there is none of this id.
        """
        with self._database.read() as conn:
            return load_dataset(conn, dataset_id)

    def all(self, task: str) -> tuple[Dataset, ...]:
        """Return the data sets of a task that are not deleted, newest first."""
        with self._database.read() as conn:
            load_task(conn, task)
            found = conn.execute(f"{DATASET} WHERE task = ? AND state <> 'deleted' ORDER BY id DESC", (task,))
            return tuple(dataset_from(row) for row in found)

    def resting(self, dataset_id: int) -> tuple[str, ...]:
        """Return the ids of rules whose evidence would be lost with the data set, in the order of their numbers."""
        with self._database.read() as conn:
            return resting_rules(conn, load_dataset(conn, dataset_id))

    @guarded(Step.ARCHIVE_DATA)
    def archive(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Take its examples out of use, except those that another active data set holds too; once is enough.

        Raises:
            NotFound: there is none of this id, or it was deleted.
        """
        with self._database.write() as write:
            dataset = load_standing_dataset(write.conn, dataset_id)
            if dataset.state is DatasetState.ARCHIVED:
                return
            enter_state(write, dataset.id, DatasetState.ARCHIVED, reason.strip(), actor.name)
            archived = archive_unheld(write, dataset)
            _event(write, actor, "dataset.archived", dataset, {"archived": archived, "reason": reason.strip()})
            drop_inactive(write, dataset.task, f"Data set {dataset.id} was archived", actor)

    @guarded(Step.RESTORE_DATA)
    def restore(self, dataset_id: int, actor: Actor) -> None:
        """Bring an archived data set back: its examples are active or in conflict again, withdrawn ones stay so.

        Raises:
            NotFound: there is none of this id, or it was deleted.
        """
        with self._database.write() as write:
            dataset = load_standing_dataset(write.conn, dataset_id)
            if dataset.state is DatasetState.ACTIVE:
                return
            enter_state(write, dataset.id, DatasetState.ACTIVE, "", actor.name)
            _event(write, actor, "dataset.restored", dataset, {"restored": revive(write, dataset)})
            drop_inactive(write, dataset.task, f"Data set {dataset.id} was restored", actor)

    @guarded(Step.DELETE_DATA)
    def delete(self, dataset_id: int, reason: str, actor: Actor) -> None:
        """Delete its examples, except those that another data set holds too; its record and report stay.

        Raises:
            NotFound: there is none of this id, or it was deleted already.
            DataInUse: rules, instructions or predictions rest on its examples; archiving is the way out.
        """
        with self._database.write() as write:
            dataset = load_standing_dataset(write.conn, dataset_id)
            load_usage(write.conn, dataset).refuse(dataset)
            enter_state(write, dataset.id, DatasetState.DELETED, reason.strip(), actor.name)
            deleted = _delete_examples(write, dataset.id)
            # What is left of it may now be held by archived data sets only.
            archive_unheld(write, dataset)
            write.conn.execute("DELETE FROM dataset_row WHERE dataset_id = ?", (dataset.id,))
            clear_conflicts(write, dataset.task)
            _event(write, actor, "dataset.deleted", dataset, {"deleted": deleted, "reason": reason.strip()})
            drop_inactive(write, dataset.task, f"Data set {dataset.id} was deleted", actor)

    # --- label conflicts ----------------------------------------------------------------------------------------------

    def conflicts(self, task: str, page: Page | None = None) -> tuple[LabelConflict, ...]:
        """Return the unsettled label conflicts, oldest first."""
        limit = (page.limit, page.offset) if page else (-1, 0)
        with self._database.read() as conn:
            load_task(conn, task)
            wanted = """SELECT text_hash FROM example WHERE task = ? AND state = 'conflict'
                GROUP BY text_hash ORDER BY min(id) LIMIT ? OFFSET ?"""
            sql = (
                f"""{EXAMPLE} WHERE e.task = ? AND +e.state = 'conflict' AND e.text_hash IN ({wanted}) ORDER BY e.id"""
            )
            by_text: dict[str, list[Example]] = {}
            for row in conn.execute(sql, (task, task, *limit)):
                by_text.setdefault(str(row["text_hash"]), []).append(example_from(row))
        return tuple(LabelConflict(text_hash, tuple(examples)) for text_hash, examples in by_text.items())

    def count_conflicts(self, task: str) -> int:
        with self._database.read() as conn:
            return count_conflicts(conn, task)

    @guarded(Step.SETTLE_LABELS)
    def settle(self, task: str, text_hash: str, keep: str, reason: str, actor: Actor) -> None:
        """Settle a conflict: the example with hash `keep` becomes active (empty: none), the others are withdrawn.

        Raises:
            NotFound: no such unsettled conflict, or `keep` is none of its examples.
            MissingReason: the reason is empty.
        """
        if not reason.strip():
            raise MissingReason("Settling a conflict needs a reason. Nothing was changed. Say why this label is right.")
        with self._database.write() as write:
            where = "task = ? AND text_hash = ? AND +state = 'conflict'"
            sql = f"SELECT hash FROM example WHERE {where} ORDER BY id"  # noqa: S608 - literals
            hashes = [str(row["hash"]) for row in write.conn.execute(sql, (task, text_hash))]
            if not hashes:
                raise NotFound(
                    f"There is no unsettled conflict of {text_hash[:19]} in {task}. Nothing was changed. "
                    "Somebody may have settled it meanwhile; open the list again."
                )
            if keep and keep not in hashes:
                raise NotFound(
                    f"The example {keep[:19]} is none of this conflict. Nothing was changed. Open the conflict again."
                )
            write.conn.execute(
                f"UPDATE example SET state = iif(hash = ?, 'active', 'withdrawn') WHERE {where}",  # noqa: S608 - literals
                (keep, task, text_hash),
            )
            withdrawn: list[Json] = [content for content in hashes if content != keep]
            payload: dict[str, Json] = {"text": text_hash, "keep": keep, "withdrawn": withdrawn}
            write.event(actor, "conflict.settled", task, {**payload, "reason": reason.strip()})
            drop_inactive(write, task, "A label conflict was settled", actor)

    # --- splits -------------------------------------------------------------------------------------------------------

    @guarded(Step.RESPLIT)
    def resplit(self, task: str, splits: Mapping[str, Split], seed: int, actor: Actor) -> int:
        """Give examples (by hash) new splits; return how many changed. Those not named keep theirs.

        Raises:
            DataInUse: an example with an instruction would leave train.
        """
        with self._database.write() as write:
            load_task(write.conn, task)
            write.conn.execute("CREATE TEMP TABLE wanted (hash TEXT PRIMARY KEY, split TEXT NOT NULL) STRICT")
            write.conn.executemany(
                "INSERT INTO wanted VALUES (?, ?)", [(content, split.value) for content, split in splits.items()]
            )
            bound = write.conn.execute(
                """SELECT count(*) FROM micro_instruction AS m JOIN wanted AS w ON w.hash = m.example_hash
                   WHERE m.task = ? AND w.split <> 'train'""",
                (task,),
            ).fetchone()[0]
            if bound:
                raise DataInUse(
                    f"{bound:,} examples with a teacher's instruction would leave train: the student would be tested "
                    "on what its rules were made from. Nothing was changed. Split again with those kept in train."
                )
            changed = write.conn.execute(
                """UPDATE example SET split = w.split FROM wanted AS w
                   WHERE example.task = ? AND example.hash = w.hash AND example.split <> w.split""",
                (task,),
            ).rowcount
            if changed:
                sql = "SELECT split, count(*) FROM example WHERE task = ? AND state = 'active' GROUP BY split"
                now: dict[str, Json] = {str(row[0]): int(row[1]) for row in write.conn.execute(sql, (task,))}
                write.event(actor, "examples.resplit", task, {"seed": seed, "changed": changed, "splits": now})
            return changed

    def instructed(self, task: str) -> frozenset[str]:
        """Return the hashes of the examples that an instruction was made from; they have to stay in train."""
        with self._database.read() as conn:
            found = conn.execute("SELECT example_hash FROM micro_instruction WHERE task = ?", (task,))
            return frozenset(str(row["example_hash"]) for row in found)

    # --- columns and evidence -----------------------------------------------------------------------------------------

    @guarded(Step.IMPORT_DATA)
    def remember_columns(self, shape: str, choice: Mapping[str, Json], actor: Actor) -> None:
        """Keep what was chosen for files of one shape; the newest choice counts."""
        text = canonical_json(dict(choice))
        with self._database.write() as write:
            old = write.conn.execute("SELECT choice FROM column_choice WHERE shape = ?", (shape,)).fetchone()
            if old is not None and old["choice"] == text:
                return
            write.conn.execute(
                """INSERT INTO column_choice (shape, choice, by, at) VALUES (?, ?, ?, ?) ON CONFLICT (shape)
                   DO UPDATE SET choice = excluded.choice, by = excluded.by, at = excluded.at""",
                (shape, text, actor.name, write.now),
            )
            write.event(actor, "columns.remembered", shape, {"choice": dict(choice)})

    def remembered_columns(self, shape: str) -> ColumnChoice | None:
        with self._database.read() as conn:
            row = conn.execute("SELECT * FROM column_choice WHERE shape = ?", (shape,)).fetchone()
        return None if row is None else column_choice_from(row)

    def rules_of(self, task: str, example_hash: str) -> tuple[str, ...]:
        """Return the ids of rules with the example in the evidence of their newest revision."""
        with self._database.read() as conn:
            found = conn.execute(
                f"""SELECT DISTINCT r.number, r.id FROM evidence JOIN rule AS r ON r.head = evidence.revision_hash
                    WHERE evidence.task = ? AND evidence.example_hash = ? AND evidence.version = {VERSION}
                    ORDER BY r.number""",  # noqa: S608 - a constant of this package
                (task, example_hash),
            )
            return tuple(str(row["id"]) for row in found)


def _record_import(write: Write, task: str, about: NewDataset, imported: Imported, actor: Actor) -> None:
    """Append the event with figures; the report itself lies with the data set."""
    kept: dict[str, Json] = {"kept": kept_hash(write.conn, imported.dataset_id)} if about.kept_columns else {}
    write.event(
        actor,
        "dataset.imported",
        task,
        {
            "dataset": imported.dataset_id,
            "file": about.file,
            "sha256": about.sha256,
            "importer": about.importer,
            "params": hash_json(dict(about.params)),
            "report": hash_json(dict(about.report)),
            "rows": imported.rows,
            "added": imported.added,
            "conflicts": imported.conflicts,
            **kept,
        },
    )


def _event(write: Write, actor: Actor, kind: str, dataset: Dataset, figures: dict[str, Json]) -> None:
    named: dict[str, Json] = {"dataset": dataset.id, "file": dataset.about.file, "sha256": dataset.about.sha256}
    write.event(actor, kind, dataset.task, {**named, **figures})


def _delete_examples(write: Write, dataset_id: int) -> int:
    """Delete the examples that no other data set holds, and their entries in the full-text index."""
    conn = write.conn
    conn.execute("CREATE TEMP TABLE going (id INTEGER PRIMARY KEY) STRICT")
    conn.execute(f"INSERT INTO going {ONLY_HERE} GROUP BY r.example_id", {"dataset": dataset_id})
    # The index forgets a text only if it is told that text once more, so it comes before the example goes.
    conn.execute(
        """INSERT INTO example_fts (example_fts, rowid, text)
           SELECT 'delete', e.id, e.text FROM example AS e WHERE e.id IN (SELECT id FROM going)"""
    )
    conn.execute("DELETE FROM dataset_row WHERE example_id IN (SELECT id FROM going)")
    return conn.execute("DELETE FROM example WHERE id IN (SELECT id FROM going)").rowcount
