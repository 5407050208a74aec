"""A server on loopback that answers every chat completion after a fixed delay, in a process of its own.

The delay in seconds may be given as its argument.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import partial

DELAY_S = 0.5
TEXT = json.dumps(
    {"reasoning": "r", "condition": "the clause binds one party", "label": "keep", "exceptions": [], "cues": []}
)
USAGE = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}
BASE = {"id": "1", "created": 0, "model": "stub"}


def in_json(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def whole() -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    return in_json({**BASE, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def streamed() -> bytes:
    first = {"index": 0, "delta": {"content": TEXT}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    kind = {**BASE, "object": "chat.completion.chunk"}
    parts = [{**kind, "choices": [first]}, {**kind, "choices": [last]}, {**kind, "choices": [], "usage": USAGE}]
    events = b"".join(b"data: " + json.dumps(part).encode() + b"\n\n" for part in parts) + b"data: [DONE]\n\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n" % len(events)
    return head + events


WHOLE, STREAMED = whole(), streamed()
MODELS = in_json({"object": "list", "data": [{"id": "stub", "object": "model"}]})


async def serve(delay_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            if head.startswith(b"GET"):
                writer.write(MODELS)
                continue
            await asyncio.sleep(delay_s)
            writer.write(STREAMED if b'"stream":true' in body.replace(b" ", b"") else WHOLE)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    delay_s = float(sys.argv[1]) if len(sys.argv) > 1 else DELAY_S
    server = await asyncio.start_server(partial(serve, delay_s), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
