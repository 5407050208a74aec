"""The batch half of the stub teacher: files and batches, whose states and faults a test scripts."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from typing import Any

Answer = dict[str, Any]
"""A whole answer: `status_code` and `body`."""


@dataclass
class BatchDesk:
    """What the stub holds of files and batches.

    Attributes:
        states: what successive looks at a batch tell; the last stays. One list for all batches.
        most: how many requests are answered before a batch ends; None for all. The rest is told as `unasked`.
        unasked: code of the requests that were never asked; empty leaves them out of every file.
        problem: why a batch failed.
        is_missing: there are no batches at this server.
        refusals: by step (`upload`, `create`, `created`, `look`, `cancel`, `list`, `content`), the error statuses of
            the next calls; `created` refuses after the batch was made. Status 0 closes the connection.
        pause_at: the step at which the stub holds back its answer until `gate` is set; `content` after `lines` lines.
        reached: set when a step was paused at.
        submitted: how often each request was in a batch that was made, by its text.
        steps: how often each step was asked for.
    """

    states: list[str] = field(default_factory=lambda: ["completed"])
    most: int | None = None
    unasked: str = "batch_expired"
    problem: str = ""
    is_missing: bool = False
    refusals: dict[str, list[int]] = field(default_factory=dict)
    pause_at: str = ""
    lines: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    submitted: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)

    def upload(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files) + 1}"
        self.files[name] = content
        return {"id": name, "object": "file", "purpose": "batch", "bytes": len(content), "created_at": 1}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        name = f"batch_{len(self.batches) + 1}"
        for request in self.requests(body["input_file_id"]):
            self.submitted[text_of(request)] += 1
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "completion_window": body["completion_window"],
            "input_file_id": body["input_file_id"],
            "metadata": body["metadata"],
            "status": "validating",
            "created_at": int(time.time()),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
        }
        return self.batches[name]

    def look(self, name: str, answer: Callable[[str], Answer]) -> dict[str, Any]:
        batch = self.batches[name]
        if batch["status"] not in ("completed", "expired", "cancelled", "failed"):
            state = self.states[min(self.looks[name], len(self.states) - 1)]
            self.looks[name] += 1
            if batch["status"] == "cancelling":
                state = "cancelled"
            self._enter(batch, state, answer)
        return batch

    def cancel(self, name: str) -> dict[str, Any]:
        self.batches[name]["status"] = "cancelling"
        return self.batches[name]

    def requests(self, file: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[file].splitlines()]

    def _enter(self, batch: dict[str, Any], state: str, answer: Callable[[str], Answer]) -> None:
        batch["status"] = state
        if state == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": "scripted", "message": self.problem}]}
            return
        requests = self.requests(batch["input_file_id"])
        done = requests[: self.most]
        batch["request_counts"] = {"total": len(requests), "completed": len(done), "failed": 0}
        if state not in ("completed", "expired", "cancelled"):
            return
        good: list[Answer] = []
        bad: list[Answer] = []
        for request in done:
            response = answer(text_of(request))
            line = {"id": "1", "custom_id": request["custom_id"], "response": response, "error": None}
            (good if response["status_code"] == 200 else bad).append(line)
        batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}
        if self.unasked:
            error = {"code": self.unasked, "message": "It was not asked."}
            bad += [{"custom_id": r["custom_id"], "response": None, "error": error} for r in requests[len(done) :]]
        # In another order than asked: nothing may rest on it.
        for name, lines in (("output_file_id", good[::-1]), ("error_file_id", bad)):
            if lines:
                content = "".join(json.dumps(line) + "\n" for line in lines)
                batch[name] = self.upload(content.encode())["id"]


def text_of(request: dict[str, Any]) -> str:
    return str(request["body"]["messages"][-1]["content"])


def uploaded_file(content_type: str, body: bytes) -> bytes:
    """Return the content of the field `file` of a form."""
    form = BytesParser().parsebytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    parts = form.get_payload()
    assert isinstance(parts, list)
    for part in parts:
        if part.get_param("name", header="content-disposition") == "file":  # type: ignore[union-attr]  # a multipart has messages
            return bytes(part.get_payload(decode=True))  # type: ignore[union-attr]  # as above
    raise AssertionError("The form has no file.")
