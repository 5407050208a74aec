"""Audit packs and the event log as files: what page, command line and worker call."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

from pld_app.settings import Settings
from pld_app.whole_file import unwritable, whole_file
from pld_app.wiring import App
from pld_core.audit_ports import AuditSnapshot
from pld_core.canonical import Json, canonical_json
from pld_core.errors import InvalidInput, NotFound
from pld_core.event_words import sentence
from pld_core.models import SYSTEM, Actor, Event, Job, JobState
from pld_core.pack.building import PackFigures, PackOrder, write_pack
from pld_core.pack.inventory import event_json
from pld_core.permissions import Step, guarded_app, permits
from pld_core.ports import Progress
from pld_core.records import EventFilter
from pld_core.spreadsheet import csv_line

PACKS = "packs"
FORGET_AFTER_S = 7 * 24 * 3600
"""A pack in the workspace that waits for its download is removed after a week; it can be made again."""
LOG_COLUMNS = ("nr", "at", "who", "kind", "subject", "in_words", "payload", "hash", "previous_hash")


@dataclass(frozen=True)
class Pack:
    """A pack that was written: its figures, its size in bytes and its sha256."""

    figures: PackFigures
    size: int
    sha256: str

    @property
    def words(self) -> str:
        f = self.figures
        masking = f", personal data masked in {f.masked:,}" if f.masked else ""
        return (
            f"{f.rules:,} rules, {f.decisions:,} decisions, {f.examples:,} examples as evidence{masking}, "
            f"{f.events:,} events; {self.size / 1_000_000:,.1f} MB, {self.sha256}"
        )

    def as_json(self) -> dict[str, Json]:
        f = self.figures
        return {
            "rules": f.rules,
            "decisions": f.decisions,
            "examples": f.examples,
            "masked": f.masked,
            "events": f.events,
            "head": f.head,
            "bytes": self.size,
            "sha256": self.sha256,
        }


@guarded_app(Step.EXPORT)
def export_pack(app: App, task: str, target: Path, masking: bool, report: Progress) -> Pack:
    """Write the audit pack of a task to a file and record it; the file appears only when it is whole.

    Raises:
        MissingRole: the person may not export.
        NotFound: no such task.
        InvalidInput: the file cannot be written.
        StillBlind: the pack would show first decisions that the person does not see yet.
    """
    return _export(app, app.actor, task, target, masking, report)


def _export(app: App, reader: Actor, task: str, target: Path, masking: bool, report: Progress) -> Pack:
    """Write and record a pack as the reader sees the task; `app.actor` is who asked for it."""
    order = PackOrder(
        app.store.database.now(),
        app.actor.name,
        f"pld-review {version('pld-review')}",
        masking,
        open_checks=not permits(reader, Step.JUDGE),
    )
    with whole_file(target) as scratch:
        with scratch.open("xb") as file, app.store.audit.snapshot(task, reader) as snapshot:
            figures = _written(snapshot, file, target, order, report)
        pack = Pack(figures, scratch.stat().st_size, _sha256(scratch))
        app.store.audit.record_export(task, {**pack.as_json(), "masking": masking}, app.actor)
    return pack


def _written(snapshot: AuditSnapshot, file: IO[bytes], target: Path, order: PackOrder, report: Progress) -> PackFigures:
    try:
        return write_pack(snapshot, file, order, report)
    except OSError as error:
        # Told here, as the store would take it for a failure of the workspace.
        raise unwritable(target, error) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


# --- packs that wait in the workspace ---------------------------------------------------------------------------------


def waiting_pack(settings: Settings, job: Job) -> Path | None:
    """Return where the pack of a job waits for its download, None if the job has not ended well or it is gone.

    It is whole: whoever does not see all of it yet (`AuditStore.kept_from`) is not to get it.
    """
    path = _place(settings, job.id, job.task)
    return path if job.state is JobState.DONE and path.is_file() else None


@guarded_app(Step.EXPORT)
def make_waiting_pack(app: App, job: Job, report: Progress) -> Pack:
    """Write the pack that a job asks for into the workspace; packs of more than a week ago are removed.

    The worker acts with every role, so it names no open seeded check: whoever decides on rules may fetch the pack.
    """
    target = _place(app.settings, job.id, job.task)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _forget_old(target.parent)
    except OSError as error:
        raise InvalidInput(f"The folder {target.parent} cannot be used: {error.strerror}. No pack was made.") from error
    # Made whole, by the machine; who may fetch it is asked when somebody does.
    return _export(app, SYSTEM, job.task, target, bool(job.params.get("mask_personal")), report)


def pack_order(mask_personal: bool) -> Mapping[str, Json]:
    """Return the parameters of a job that makes a pack."""
    return {"mask_personal": mask_personal}


def _place(settings: Settings, job_id: int, task: str) -> Path:
    return settings.workspace / PACKS / f"audit-{task}-job{job_id}.zip"


def _forget_old(folder: Path) -> None:
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > FORGET_AFTER_S:
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class PackContent:
    """A pack whose bytes are read when somebody asks for them."""

    path: Path

    def __call__(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise NotFound("The pack is not there any more. Nothing was lost: make it again.") from error


# --- the log ----------------------------------------------------------------------------------------------------------


def log_as_csv(events: Iterator[Event]) -> Iterator[str]:
    """Yield the lines of a CSV file, formulas defused."""
    yield csv_line(LOG_COLUMNS)
    for event in events:
        who = [str(event.seq), event.at, event.actor, event.kind, event.subject]
        yield csv_line([*who, sentence(event), canonical_json(event.payload), event.hash, event.prev])


def log_as_jsonl(events: Iterator[Event]) -> Iterator[str]:
    """Yield one JSON value a line, as in an audit pack."""
    return (canonical_json(event_json(event)) + "\n" for event in events)


LOG_FORMATS: Mapping[str, Callable[[Iterator[Event]], Iterator[str]]] = {"csv": log_as_csv, "jsonl": log_as_jsonl}


@dataclass(frozen=True)
class LogContent:
    """The events that match, as a file that is made when somebody asks for it."""

    app: App
    where: EventFilter
    file_format: str

    def __call__(self) -> bytes:
        return "".join(LOG_FORMATS[self.file_format](self.app.store.audit.log(self.where, self.app.actor))).encode(
            "utf-8"
        )


def export_log(app: App, where: EventFilter, target: Path, file_format: str) -> int:
    """Write the events that match to a file, oldest first, and return their number.

    Raises:
        InvalidInput: the file cannot be written.
    """
    written = 0

    def counted() -> Iterator[Event]:
        nonlocal written
        for event in app.store.audit.log(where, app.actor):
            written += 1
            yield event

    with whole_file(target) as scratch, scratch.open("x", encoding="utf-8", newline="") as file:
        file.writelines(LOG_FORMATS[file_format](counted()))
    return written
