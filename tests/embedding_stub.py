"""Embedding models on a real socket, in OpenAI's protocol and in Ollama's, that do what a test tells them to do.

The vector of a text counts its words, so that texts with the same words lie near each other.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-embedder-5up3r-s3cret"
MODEL = "words"
DIMENSIONS = 32
Rows = list[list[float]]


@dataclass(frozen=True)
class EmbedFault:
    """What the stub does instead of a good answer.

    Attributes:
        status, headers, message: an error with this status; 0 for an answer.
        alter: what is sent in place of the right vectors.
        backwards: OpenAI's entries in reverse order, each with its right index.
        page: a web page with status 200.
        cut: closes the socket in the middle of the answer.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    message: str = "scripted"
    alter: Callable[[Rows], Any] = lambda rows: rows
    backwards: bool = False
    page: bool = False
    cut: bool = False


GOOD = EmbedFault()


@dataclass
class EmbeddingStub:
    """A running stub: where it is and what it saw.

    Attributes:
        script: tells what to do by the number of the request, counted from 1.
        requests: the texts of each request, in the order in which they came.
        keys: what came as a key.
    """

    url: str = ""
    script: Callable[[int], EmbedFault] = lambda _number: GOOD
    requests: list[list[str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def seen(self) -> Counter[str]:
        """How often each text came."""
        return Counter(text for request in self.requests for text in request)


def row_of(text: str) -> list[float]:
    """Return the stub's vector of a text, not of length 1."""
    row = [0.0] * DIMENSIONS
    for word in text.lower().split():
        row[zlib.crc32(word.encode()) % DIMENSIONS] += 1.0
    return row


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    stub: EmbeddingStub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""

    def do_GET(self) -> None:
        if self.path == "/api/tags":
            self._json(200, {"models": [{"name": f"{MODEL}:latest", "digest": "ab" * 32}]})
        elif self.path == "/api/ps":
            self._json(200, {"models": []})
        elif self._allowed():
            self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_ollama = self.path.startswith("/api/")
        if not is_ollama and not self._allowed():
            return
        if body["model"] != MODEL:
            message = f"model '{body['model']}' not found"
            self._json(404, {"error": message if is_ollama else {"message": message, "code": "model_not_found"}})
            return
        if self.path == "/api/show":
            self._json(200, {"model_info": {}})
            return
        with self.stub.lock:
            self.stub.requests.append(list(body["input"]))
            self.stub.bodies.append(body)
            number = len(self.stub.requests)
        fault = self.stub.script(number)
        if fault.status:
            error = fault.message if is_ollama else {"message": fault.message, "type": "error", "code": None}
            self._json(fault.status, {"error": error}, dict(fault.headers))
        elif fault.page:
            self._send(200, "text/html", b"<html><body>Welcome</body></html>")
        else:
            rows = fault.alter([row_of(text) for text in body["input"]])
            tokens = sum(len(text.split()) for text in body["input"])
            answer = _ollama(rows, tokens) if is_ollama else _openai(rows, tokens, fault.backwards)
            self._answer(json.dumps(answer).encode(), fault.cut)

    def _allowed(self) -> bool:
        sent = self.headers.get("authorization", "").removeprefix("Bearer ")
        with self.stub.lock:
            self.stub.keys.add(sent)
        if sent == KEY:
            return True
        self._json(401, {"error": {"message": f"Incorrect API key provided: {sent}", "code": "invalid_api_key"}})
        return False

    def _answer(self, content: bytes, cut: bool) -> None:
        if not cut:
            self._send(200, "application/json", content)
            return
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def _json(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value).encode(), headers)

    def _send(self, status: int, content_type: str, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in {"content-type": content_type, **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _openai(rows: Any, tokens: int, backwards: bool) -> dict[str, Any]:
    entries = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {
        "object": "list",
        "model": f"{MODEL}-2026",
        "data": entries[::-1] if backwards else entries,
        "usage": usage,
    }


def _ollama(rows: Any, tokens: int) -> dict[str, Any]:
    return {"model": MODEL, "embeddings": rows, "total_duration": 1, "prompt_eval_count": tokens}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what the tests are about."""


@contextmanager
def embedding_stub() -> Iterator[EmbeddingStub]:
    """Serve both protocols on a free port of loopback: OpenAI's under `/v1`, Ollama's under `/api`."""
    stub = EmbeddingStub()
    with _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"stub": stub})) as server:
        stub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
