"""What is sent to Ollama's `/api/chat`. The client library has no arguments for `truncate` and `shift`; without them a
prompt that is longer than the window is cut silently and the answer still comes with status 200.
"""

from __future__ import annotations

from dataclasses import replace

from pld_core.canonical import Json
from pld_core.model_ports import ChatRequest

SHORTEST_INPUT = "."


def chat_body(model: str, request: ChatRequest, num_ctx: int, keep_alive: str) -> dict[str, Json]:
    """Return the JSON of a call: static part first, input last, nothing cut, one fixed window."""
    body: dict[str, Json] = {
        "model": model,
        "messages": [
            {"role": "system", "content": request.system},
            {"role": "user", "content": request.user},
        ],
        "stream": True,
        # Too long a prompt is refused with a 400 instead of being cut without a word.
        "truncate": False,
        "shift": False,
        "keep_alive": keep_alive,
        "options": {
            "temperature": request.temperature,
            "seed": request.seed,
            "num_ctx": num_ctx,
            "num_predict": request.max_tokens,
        },
    }
    if request.schema is not None:
        body["format"] = dict(request.schema)
    return body


def warm_up_body(model: str, request: ChatRequest, num_ctx: int, keep_alive: str) -> dict[str, Json]:
    """Return the JSON of the call that loads the model and the static part of a request, and has it counted.

    It asks for one token: 0 would mean no limit.
    """
    shortest = replace(request, user=SHORTEST_INPUT, schema=None, max_tokens=1)
    return chat_body(model, shortest, num_ctx, keep_alive) | {"stream": False}
