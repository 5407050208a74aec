"""Many inputs for a student at once: pasted or from a file, answered by the worker, with a table to take away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pandas as pd
import streamlit as st

from pld_app import live_batches, session
from pld_app.components.job_progress import draw_jobs, order_job
from pld_app.components.permitted import allowed
from pld_app.components.student_choice import draw_student
from pld_app.components.text import count, moment, plain
from pld_core.errors import PldError
from pld_core.live_batch import MOST_INPUTS, LiveBatch, ReadInputs, read_lines, right_of, unusable_of
from pld_core.model_ports import BackendStatus
from pld_core.models import ListedPrompt, Task
from pld_core.permissions import Step

PASTE, FILE = "Paste lines", "Choose a file"
PREVIEWED = 5
ROWS_IN_SIGHT = 10


def draw_batch(task: Task, versions: tuple[ListedPrompt, ...]) -> None:
    """Draw the order of a batch on the left, its progress and the results of one on the right.

    Args:
        versions: the task's prompt versions, newest first; at least one.
    """
    left, right = st.columns([45, 55], gap="medium")
    with left:
        labels = {v.number: f"Version {v.number}, {count(v.rules, 'rule')}" for v in versions}
        key = f"batch_version_{task.name}"
        number = st.selectbox("Prompt version", list(labels), format_func=lambda n: labels[n], key=key)
        version = next(v for v in versions if v.number == number)
        student = draw_student("batch_student")
        read = _draw_inputs(task)
        _draw_order(task, version, student, read)
    with right:
        draw_jobs(task.name, "live_batch", limit=2)
        _draw_results(task)


def _draw_inputs(task: Task) -> ReadInputs | None:
    """Draw where the inputs come from, and what was read; None while there is nothing that could be asked."""
    how = st.segmented_control("Inputs", [PASTE, FILE], default=PASTE, required=True, key="batch_how")
    read = _pasted(task) if how == PASTE else _uploaded(task)
    if read is None:
        return None
    golds = sum(bool(given.gold) for given in read.inputs)
    notes = [count(len(read.inputs), "input")]
    notes += [f"{read.different:,} of them different"] if read.different < len(read.inputs) else []
    notes += [f"{golds:,} with a gold label"] if golds else []
    notes += [f"{count(read.empty, 'empty line')} left out"] if read.empty else []
    st.caption(f"Read from {plain(read.source)}: {', '.join(notes)}.")
    rows = [{**dict(given.fields), "gold label": given.gold or "–"} for given in read.inputs[:PREVIEWED]]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    return read


def _pasted(task: Task) -> ReadInputs | None:
    label = f"One input a line, at most {MOST_INPUTS}"
    if len(task.input_fields) > 1:
        label += f"; several fields divided by tabs, in the order {', '.join(task.input_fields)}"
    text = st.text_area(plain(label), key=f"batch_text_{task.name}", persist_state="session", height=160)
    return _read(lambda: read_lines(task, text)) if text.strip() else None


def _uploaded(task: Task) -> ReadInputs | None:
    upload = st.file_uploader(
        plain(
            f"A file with at most {MOST_INPUTS} inputs: a line each, or a table with the columns "
            f"{', '.join(task.input_fields)}, and label if you know it"
        ),
        type=list(live_batches.FILE_TYPES),
        max_upload_size=live_batches.MOST_BYTES // 2**20,
        key=f"batch_file_{task.name}",
    )
    if upload is None:
        return None
    return _read(lambda: live_batches.read_bytes(task, upload.name, upload.getvalue()))


def _read(read: Callable[[], ReadInputs]) -> ReadInputs | None:
    try:
        return read()
    except PldError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None


def _draw_order(task: Task, version: ListedPrompt, student: BackendStatus, read: ReadInputs | None) -> None:
    if read is None:
        st.caption("What was read appears here before anything is asked.")
    else:
        words = live_batches.estimate_words(session.app(), task.name, student.name, read)
        st.caption(plain(f"{words} The worker asks them; you can leave this page."))
    st.button(
        "Ask about all of them",
        type="primary",
        key="start_batch",
        **allowed(Step.ASK, student.ready and read is not None),
        **session.as_shown("batch_", _order, task, version, student.name, read),
    )


def _order(task: Task, version: ListedPrompt, student: str, read: ReadInputs) -> None:
    app = session.app()
    try:
        batch = live_batches.order(app, app.store.prompts.get(task.name, version.number), student, read)
    except PldError as error:
        session.complain(error)
        return
    order_job("live_batch", task.name, {"batch": batch.id})
    session.preset(f"batch_{task.name}", batch.id)


def _draw_results(task: Task) -> None:
    batches = session.app().store.live_batches.all(task.name)
    if not batches:
        st.info("No batch yet. Its answers appear here while it goes on.")
        return
    labels = {batch.id: _title(batch) for batch in batches}
    number = st.selectbox("Batch", list(labels), format_func=lambda n: labels[n], key=f"batch_{task.name}")
    _draw_result(task, next(batch for batch in batches if batch.id == number))


def _title(batch: LiveBatch) -> str:
    order = batch.order
    return (
        f"Batch {batch.id} · {count(len(order.read.inputs), 'input')} · version {order.prompt_number} · "
        f"{order.student} · {moment(batch.at)}"
    )


def _draw_result(task: Task, batch: LiveBatch) -> None:
    found = live_batches.lines(session.app(), batch)
    answered, right = sum(line.answer is not None for line in found), right_of(found)
    columns = st.columns(3)
    columns[0].metric("Answered", f"{answered:,} of {len(found):,}")
    columns[1].metric("Without a label", f"{unusable_of(found):,}")
    columns[2].metric("Right", f"{right.k:,} of {right.n:,}" if right.n else "–")
    columns[2].caption(right.words if right.n else "no input has a gold label")
    rows = live_batches.table(found)
    shown = [
        {
            "line": row["line"],
            "input": " · ".join(text for _, text in line.given.fields if text.strip()),
            "the student says": row["label"] or f"no label ({row['status']})" if line.answer else "not asked yet",
            "gold label": row["gold"] or "",
            "right": {True: "right", False: "wrong", None: ""}[line.is_right],
            "rules it names": " ".join(line.answer.cited) if line.answer else "",
            "seconds": line.answer.latency_ms / 1000 if line.answer else None,
            "raw answer or problem": (line.answer.problem or line.answer.raw) if line.answer else "",
        }
        for row, line in zip(rows, found, strict=True)
    ]
    frame = pd.DataFrame(shown)
    empty = [name for name in ("gold label", "right", "rules it names") if not frame[name].any()]
    height: int | Literal["auto"] = 380 if len(shown) > ROWS_IN_SIGHT else "auto"
    st.dataframe(frame.drop(columns=empty), hide_index=True, width="stretch", height=height)
    with st.container(horizontal=True):
        name = f"{task.name}-batch-{batch.id}"
        csv, jsonl = live_batches.as_csv(task, found), live_batches.as_jsonl(found)
        st.download_button("Table as CSV", csv, f"{name}.csv", "text/csv", key="batch_csv", on_click="ignore")
        st.download_button(
            "Table as JSON Lines", jsonl, f"{name}.jsonl", "application/jsonl", key="batch_jsonl", on_click="ignore"
        )
    st.caption(
        plain(
            f"Ordered by {batch.by} for the weights {batch.order.digest[:19] or 'that the server does not name'}; what "
            "was sent is recorded word for word."
        )
    )
