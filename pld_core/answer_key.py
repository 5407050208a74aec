"""Which answers of a student may stand for each other: what the cache of answers is asked by."""

from __future__ import annotations

from pld_core.canonical import Json, hash_json
from pld_core.effect import StudentKey
from pld_core.model_ports import BackendStatus, ChatRequest
from pld_core.models import Task


def answer_key(task: Task, request: ChatRequest, status: BackendStatus) -> StudentKey:
    """Return whose answers are interchangeable with those of this student, as it is now, to questions like this one.

    Args:
        request: any question in the form; its texts do not matter.
    """
    options: dict[str, Json] = {
        "fields": list(task.input_fields),
        "schema": dict(request.schema or {}),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "context_size": status.context_size,
    }
    return StudentKey(status.name, status.digest, hash_json(options))
