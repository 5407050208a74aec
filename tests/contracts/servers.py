"""Servers that speak the two model protocols over real sockets, with the faults that real ones have.

What a server does depends on the model that is asked for:

- `good`: answers. With a schema, the first label that it allows; else the words of the user's text, one a piece.
- `endless`: sends pieces until the client goes away, then sets `client_left`.
- `drops`: sends two pieces, then closes the socket in the middle of the answer.
- `cut`: sends two pieces, then ends the answer properly but without saying that it is done.
- `busy`: 503. `fails`: reports an error inside the stream. `html`: a web page with status 200.
- anything else: 404.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-test-5up3r-s3cret"
WINDOW_WORDS = 100
DIGEST = "a2af6cc3eb7fa8be8504abaf9b04e88f17a119ec3f04a3addf55f92841195f5a"
MODELS = ("good", "endless", "drops", "cut", "busy", "fails", "html")


@dataclass
class FakeServer:
    """A running server: where it listens and what it saw."""

    url: str
    client_left: threading.Event = field(default_factory=threading.Event)
    bodies: list[dict[str, Any]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    facts: FakeServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Keep quiet."""

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.facts.bodies.append(found)
        return found

    def send_json(self, status: int, content: Mapping[str, Any]) -> None:
        self.send_whole(status, "application/json", json.dumps(content).encode())

    def send_whole(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def send_page(self) -> None:
        self.send_whole(200, "text/html", b"<html>\n<body>Welcome: data</body>\n</html>")

    def begin(self, content_type: str) -> None:
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def send_chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def send_piece(self, piece: str) -> None:
        raise NotImplementedError

    def send_pieces_until_client_leaves(self) -> None:
        try:
            while True:
                self.send_piece("and so on ")
        except OSError:
            self.close_connection = True
            self.facts.client_left.set()


class _OllamaHandler(_Handler):
    def do_GET(self) -> None:
        if self.path == "/api/version":
            self.send_json(200, {"version": "0.12.0"})
        elif self.path == "/api/ps":
            self.send_json(200, {"models": []})
        elif self.path == "/api/tags":
            models = [{"name": f"{name}:latest", "model": f"{name}:latest", "digest": DIGEST} for name in MODELS]
            self.send_json(200, {"models": models})
        else:
            self.send_whole(404, "text/plain", b"404 page not found")

    def do_POST(self) -> None:
        body = self.body()
        model = str(body.get("model", "")).removesuffix(":latest")
        if model not in MODELS:
            self.send_json(404, {"error": f"model '{model}' not found"})
        elif self.path == "/api/show":
            self.send_json(200, {"details": {"family": "fake"}})
        elif self.path != "/api/chat":
            self.send_whole(404, "text/plain", b"404 page not found")
        elif model == "busy":
            self.send_json(503, {"error": "server busy, please try again. maximum pending requests exceeded"})
        elif model == "html":
            self.send_page()
        elif body["stream"] is False:
            # A warm-up, which every call is preceded by.
            self.send_json(200, {"done": True, "prompt_eval_count": _words_of(body)})
        elif _words_of(body) > WINDOW_WORDS and body.get("truncate") is False:
            self.send_json(400, {"error": "the input length exceeds the context length"})
        else:
            self.begin("application/x-ndjson")
            self.chat(model, body)

    def chat(self, model: str, body: dict[str, Any]) -> None:
        if model == "endless":
            self.send_pieces_until_client_leaves()
            return
        if model in {"drops", "cut", "fails"}:
            self.send_piece("half ")
            self.send_piece("an ")
            if model == "drops":
                self.drop()
                return
            if model == "fails":
                self.send_line({"error": "an error was encountered while running the model"})
            self.end()
            return
        pieces, cut = _answer(body["messages"], body.get("format"), body["options"]["num_predict"])
        for piece in pieces:
            self.send_piece(piece)
        self.send_line(
            {
                "model": model,
                "message": {"role": "assistant", "content": ""},
                "done": True,
                "done_reason": "length" if cut else "stop",
                "load_duration": 2_000_000,
                "prompt_eval_count": _words_of(body),
                "prompt_eval_duration": 30_000_000,
                "eval_count": len(pieces),
                "eval_duration": 40_000_000,
            }
        )
        self.end()

    def send_piece(self, piece: str) -> None:
        self.send_line({"model": "fake", "message": {"role": "assistant", "content": piece}, "done": False})

    def send_line(self, content: Mapping[str, Any]) -> None:
        self.send_chunk(json.dumps(content, ensure_ascii=False).encode() + b"\n")


class _OpenAIHandler(_Handler):
    def do_GET(self) -> None:
        if not self.allowed():
            return
        if self.path == "/v1/models":
            entries = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in MODELS]
            self.send_json(200, {"object": "list", "data": entries})
        else:
            self.send_page()

    def do_POST(self) -> None:
        body = self.body()
        if not self.allowed():
            return
        model = body["model"]
        if model not in MODELS:
            self.send_error_json(404, f"The model `{model}` does not exist", "model_not_found")
        elif model == "html" or self.path != "/v1/chat/completions":
            self.send_page()
        elif model == "busy":
            self.send_error_json(503, "overloaded", "overloaded")
        elif _words_of(body) > WINDOW_WORDS:
            self.send_error_json(400, "This model's maximum context length is 100 tokens.", "context_length_exceeded")
        else:
            self.begin("text/event-stream")
            self.chat(model, body)

    def allowed(self) -> bool:
        sent = self.headers.get("authorization", "")
        if sent == f"Bearer {KEY}":
            return True
        # As some servers do, the key comes back in the message.
        self.send_error_json(401, f"Incorrect API key provided: {sent.removeprefix('Bearer ')}", "invalid_api_key")
        return False

    def chat(self, model: str, body: dict[str, Any]) -> None:
        if model == "endless":
            self.send_pieces_until_client_leaves()
            return
        if model in {"drops", "cut", "fails"}:
            self.send_piece("half ")
            self.send_piece("an ")
            if model == "drops":
                self.drop()
                return
            if model == "fails":
                self.send_event({"error": {"message": "the model ran out of memory", "type": "server_error"}})
            self.end()
            return
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
        pieces, cut = _answer(body["messages"], schema, body["max_tokens"])
        for piece in pieces:
            self.send_piece(piece)
        self.send_event(_chunk([{"index": 0, "delta": {}, "finish_reason": "length" if cut else "stop"}]))
        if body.get("stream_options", {}).get("include_usage"):
            words = _words_of(body)
            usage = {
                "prompt_tokens": words,
                "completion_tokens": len(pieces),
                "total_tokens": words + len(pieces),
                "prompt_tokens_details": {"cached_tokens": 1},
            }
            self.send_event(_chunk([]) | {"usage": usage})
        self.send_chunk(b"data: [DONE]\n\n")
        self.end()

    def send_piece(self, piece: str) -> None:
        self.send_event(_chunk([{"index": 0, "delta": {"content": piece}, "finish_reason": None}]))

    def send_event(self, content: Mapping[str, Any]) -> None:
        self.send_chunk(b"data: " + json.dumps(content).encode() + b"\n\n")

    def send_error_json(self, status: int, message: str, code: str) -> None:
        self.send_json(status, {"error": {"message": message, "type": "error", "code": code, "param": None}})


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "good", "choices": choices}


def _words_of(body: Mapping[str, Any]) -> int:
    return sum(len(message["content"].split()) for message in body["messages"])


def _answer(
    messages: list[dict[str, str]], schema: Mapping[str, Any] | None, max_tokens: int
) -> tuple[list[str], bool]:
    """Return the pieces of the answer, at most `max_tokens`, and whether some were left out."""
    if schema is None:
        pieces = [f"{word} " for word in messages[-1]["content"].split()]
    else:
        label = schema["properties"]["label"]["enum"][0]
        pieces = ['{"label": ', json.dumps(label), "}"]
    return pieces[:max_tokens], len(pieces) > max_tokens


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what went wrong, unless it is only a client that left, which the tests do on purpose."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the base declares more than it needs


@contextmanager
def _serving(handler: type[_Handler]) -> Iterator[FakeServer]:
    facts = FakeServer(url="")
    bound = type("Bound", (handler,), {"facts": facts})
    with _QuietServer(("127.0.0.1", 0), bound) as server:
        facts.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield facts
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def ollama_server() -> Iterator[FakeServer]:
    """Serve Ollama's own protocol on a free port."""
    with _serving(_OllamaHandler) as facts:
        yield facts


@contextmanager
def openai_server() -> Iterator[FakeServer]:
    """Serve OpenAI's chat completions on a free port; every request must carry `KEY`."""
    with _serving(_OpenAIHandler) as facts:
        yield facts


@contextmanager
def nobody_listening() -> Iterator[str]:
    """Hold a port where every connection is refused: bound, so that nobody else takes it, but not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
