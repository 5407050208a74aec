"""Many inputs for a student at once, for commands, the job and the page: reading, ordering, answering, the table."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pld_app.whole_file import whole_file
from pld_app.wiring import App, run_async, student_backend
from pld_core.asking import ready_status
from pld_core.batch_asking import answer_batch, batch_order
from pld_core.calls import Limits
from pld_core.canonical import Json
from pld_core.count_words import count
from pld_core.errors import InvalidInput, NotFound
from pld_core.importers import open_source
from pld_core.importers.encodings import find_encoding, open_text
from pld_core.importers.files import look_at, unreadable
from pld_core.live_batch import (
    BatchLine,
    LiveBatch,
    ReadInputs,
    lines_of,
    read_lines,
    read_source,
    right_of,
    unusable_of,
)
from pld_core.model_ports import BackendStatus
from pld_core.models import PromptVersion, Task
from pld_core.permissions import Step, guarded_app
from pld_core.ports import Progress
from pld_core.spreadsheet import csv_line

FILE_TYPES = ("txt", "csv", "tsv", "jsonl", "json", "xlsx")
FORMATS = ("csv", "jsonl")
MOST_BYTES = 20 * 2**20
"""Of a file: two hundred of the longest inputs and room to spare."""
_RESULT = (
    "label",
    "status",
    "problem",
    "gold",
    "right",
    "cited",
    "raw",
    "latency_ms",
    "prompt_tokens",
    "answer_tokens",
)


def read_file(task: Task, path: Path, name: str = "") -> ReadInputs:
    """Read the inputs of a file; a text file holds one on each line, any other format is a table.

    Args:
        name: what to call the file where `path` is a temporary copy.

    Raises:
        InvalidInput: it cannot be read, lacks a column, or holds nothing or too much.
    """
    file = look_at(path, name)
    if file.ending != "txt":
        return read_source(task, open_source(path, name=name))
    try:
        with open_text(file, find_encoding(file, "")) as lines:
            return read_lines(task, lines.read(MOST_BYTES), file.name)
    except OSError as error:
        raise unreadable(file.name, error) from error


def read_bytes(task: Task, name: str, content: bytes) -> ReadInputs:
    """Read the inputs of an upload, as `read_file` does."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"{name} is larger than {MOST_BYTES // 2**20} MiB. Nothing was asked. Take fewer inputs, or import them as "
            "examples."
        )
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(content)
        copy.flush()
        return read_file(task, Path(copy.name), name)


@guarded_app(Step.ASK)
def order(app: App, version: PromptVersion, student: str, read: ReadInputs) -> LiveBatch:
    """Store what is to be asked of a student, as it is now; nothing is asked yet.

    Raises:
        BackendError: the student is not ready; nothing is stored.
    """

    async def look() -> BackendStatus:
        async with student_backend(app, student) as chat:
            return await ready_status(chat)

    return app.store.live_batches.order(batch_order(version, run_async(look()), read), app.actor)


@guarded_app(Step.ASK)
def begun(app: App, task: str, number: int) -> LiveBatch:
    """Return a batch of the task, to go on with.

    Raises:
        NotFound: the task has no such batch.
    """
    batch = app.store.live_batches.get(number)
    if batch.order.task != task:
        raise NotFound(f"Batch {number} belongs to the task {batch.order.task}, not to {task}.")
    return batch


@guarded_app(Step.ASK)
def answer(app: App, number: int, report: Progress) -> LiveBatch:
    """Ask what has no answer yet in a batch, and return the batch.

    Raises:
        BackendError, InvalidInput: as `batch_asking.answer_batch`; the answers so far are kept.
    """
    batch = app.store.live_batches.get(number)
    student = batch.order.student
    prompt = app.store.prompts.get(batch.order.task, batch.order.prompt_number).prompt
    limits = Limits(in_flight=app.settings.in_flight(student))

    async def work() -> None:
        async with student_backend(app, student) as chat:
            await answer_batch(app.store.live_batches, chat, batch, prompt, report, limits)

    run_async(work())
    return batch


def lines(app: App, batch: LiveBatch) -> tuple[BatchLine, ...]:
    """Return a line for each input of a batch, with its answer as far as there is one."""
    return lines_of(batch.order.read.inputs, app.store.live_batches.answers(batch.id))


def result_words(app: App, batch: LiveBatch) -> str:
    """Say what came of a batch so far."""
    found = lines(app, batch)
    answered = sum(line.answer is not None for line in found)
    right = right_of(found)
    parts = [f"{answered:,} of {len(found):,} inputs answered"]
    parts += [f"{unusable_of(found):,} without a label"]
    parts += [f"of those with a gold label {right.words} right"] if right.n else []
    return f"{'; '.join(parts)}."


def estimate_words(app: App, task: str, student: str, read: ReadInputs) -> str:
    """Say what a batch will take, by how long the student took in the newest batches and runs of the task."""
    questions = count(read.different, "question")
    taken = _latencies(app, task, student)
    if not taken:
        return f"{questions}. How long that takes is not known: {student} has answered nothing here yet."
    seconds = statistics.median(taken) / 1000 * read.different / app.settings.in_flight(student)
    length = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    return f"{questions}, about {length} by the median of {len(taken):,} earlier answers."


def _latencies(app: App, task: str, student: str) -> list[int]:
    """Return milliseconds of the newest batch and the newest run with this student that hold an answer."""
    found: list[int] = []
    batches = (batch for batch in app.store.live_batches.all(task) if batch.order.student == student)
    if newest := next(batches, None):
        found += [one.latency_ms for one in app.store.live_batches.answers(newest.id).values() if one.latency_ms]
    runs = (run for run in app.store.runs.all(task) if run.student == student)
    if latest := next(runs, None):
        found += [p.answer.latency_ms for p in app.store.runs.predictions(latest.id) if p.answer.latency_ms]
    return found


# --- the table --------------------------------------------------------------------------------------------------------


def table(found: Sequence[BatchLine]) -> list[dict[str, Json]]:
    """Return a record for each line: its number, its fields, and what the student said."""
    return [{"line": line.number, **dict(line.given.fields), **_said(line)} for line in found]


def as_csv(task: Task, found: Sequence[BatchLine]) -> bytes:
    """Return the table for a spreadsheet, formulas defused."""
    names = [name if name not in task.input_fields else f"result_{name}" for name in _RESULT]
    text = csv_line(["line", *task.input_fields, *names])
    for line in found:
        cells = [str(line.number), *(value for _, value in line.given.fields)]
        text += csv_line([*cells, *(_cell(value) for value in _said(line).values())])
    return text.encode("utf-8-sig")


def as_jsonl(found: Sequence[BatchLine]) -> bytes:
    """Return the table word for word, one JSON object a line."""
    records = [{"line": one.number, "fields": dict(one.given.fields), **_said(one)} for one in found]
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode()


def table_format(target: Path) -> str:
    """Return the format that a file's ending names.

    Raises:
        InvalidInput: it is neither .csv nor .jsonl.
    """
    ending = target.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise InvalidInput(
            f"{target.name!r} ends neither in .csv nor in .jsonl. Nothing was asked or written. Name a file with such "
            "an ending."
        )
    return ending


def write_table(task: Task, found: Sequence[BatchLine], target: Path) -> None:
    """Write the table to a file, which appears only when it is whole.

    Raises:
        InvalidInput: its ending is neither .csv nor .jsonl, or it cannot be written.
    """
    content = as_csv(task, found) if table_format(target) == "csv" else as_jsonl(found)
    with whole_file(target) as scratch:
        scratch.write_bytes(content)


def _said(line: BatchLine) -> Mapping[str, Json]:
    answer = line.answer
    if answer is None:
        values: list[Json] = [None, "not asked", "", line.given.gold or None, None, [], "", None, None, None]
    else:
        values = [
            answer.label,
            answer.status.value,
            answer.problem,
            line.given.gold or None,
            line.is_right,
            list(answer.cited),
            answer.raw,
            answer.latency_ms,
            answer.prompt_tokens,
            answer.output_tokens,
        ]
    return dict(zip(_RESULT, values, strict=True))


def _cell(value: Json) -> str:
    if isinstance(value, bool):
        return "right" if value else "wrong"
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return "" if value is None else str(value)
