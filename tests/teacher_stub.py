"""A teacher on a real socket that speaks OpenAI's protocol and does, call by call, what a test tells it to do."""

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

from tests.batch_desk import Answer, BatchDesk, uploaded_file
from tests.factories import extraction_json

KEY = "sk-teacher-5up3r-s3cret"
MODEL = "big"


@dataclass(frozen=True)
class Fault:
    """What the stub does instead of a good answer.

    Attributes:
        status, headers, code: an error with this status; 0 for an answer.
        text: the answer's text in place of the right one; None for the right one.
        finish: why the answer ended.
        refusal: the model's refusal.
        cut: closes the socket after this many pieces; None for not at all.
        trickle: sends pieces without an end, until the client leaves.
    """

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    code: str = ""
    text: str | None = None
    finish: str = "stop"
    refusal: str = ""
    cut: int | None = None
    trickle: bool = False


GOOD = Fault()
Script = Callable[[int, str], Fault]
"""Tells what to do by (number of the call for the same text, the text), counted from 1."""


@dataclass
class TeacherStub:
    """A running stub: where it is, what it saw; `gate` holds every answer back while it is cleared.

    `refused` counts the requests whose key was wrong; they are not in `seen`.
    """

    url: str = ""
    script: Script = lambda _number, _text: GOOD
    seen: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: set[str] = field(default_factory=set)
    refused: int = 0
    desk: BatchDesk = field(default_factory=BatchDesk)
    release: threading.Semaphore | None = None
    """Lets so many answers out, then holds the rest back until the stub ends; None for no limit."""


def _right(text: str) -> str:
    """Return the answer that suits the example of a request."""
    label = text.rpartition("CORRECT LABEL: ")[2] or "keep"
    return extraction_json(label, f"the post is about case {zlib.crc32(text.encode())}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    stub: TeacherStub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""

    def do_GET(self) -> None:
        if not self._allowed():
            return
        place = self.path.removeprefix("/v1").partition("?")[0].strip("/").split("/")
        if place[0] == "models":
            self._json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
        elif place[0] == "files":
            self._step("content", lambda desk: desk.files[place[1]])
        elif len(place) == 2:
            self._step("look", lambda desk: desk.look(place[1], self._batch_answer))
        else:
            # Newest first, as the provider has it.
            self._step("list", lambda desk: {"object": "list", "data": list(desk.batches.values())[::-1]})

    def do_POST(self) -> None:
        content = self._body()
        if not self._allowed():
            return
        place = self.path.removeprefix("/v1").strip("/").split("/")
        if place[0] == "files":
            self._step("upload", lambda desk: desk.upload(uploaded_file(self.headers["content-type"], content)))
        elif place[0] == "batches" and len(place) == 3:
            self._step("cancel", lambda desk: desk.cancel(place[1]))
        elif place[0] == "batches":
            self._step("create", lambda desk: desk.create(json.loads(content)), after="created")
        else:
            self._chat(json.loads(content))

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers["content-length"]))
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _step(self, step: str, work: Callable[[BatchDesk], Any], after: str = "") -> None:
        desk = self.stub.desk
        with self.stub.lock:
            desk.steps[step] += 1
        if desk.is_missing:
            self._json(404, {"detail": "Not Found"})
            return
        if step != "content":
            self._pause(step)
        if self._is_refused(step):
            return
        try:
            with self.stub.lock:
                done = work(desk)
        except KeyError as missing:
            self._json(404, {"error": {"message": f"No such thing: {missing}", "code": None, "type": "error"}})
            return
        self._pause(after)
        if self._is_refused(after):
            return
        if isinstance(done, bytes):
            self._file(done)
        else:
            self._json(200, done)

    def _pause(self, step: str) -> None:
        desk = self.stub.desk
        if step and step == desk.pause_at:
            desk.reached.set()
            desk.gate.wait(60)

    def _is_refused(self, step: str) -> bool:
        waiting = self.stub.desk.refusals.get(step)
        if not waiting:
            return False
        status = waiting.pop(0)
        if status:
            self._json(status, {"error": {"message": "scripted", "type": "error", "code": None, "param": None}})
        else:
            self.close_connection = True
            self.connection.shutdown(2)
        return True

    def _file(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/jsonl")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        for number, line in enumerate(content.splitlines(keepends=True)):
            if number == self.stub.desk.lines:
                self._pause("content")
            self.wfile.write(line)
            self.wfile.flush()

    def _batch_answer(self, text: str) -> Answer:
        self.stub.seen[text] += 1
        fault = self.stub.script(self.stub.seen[text], text)
        if fault.status:
            error = {"message": "scripted", "type": "error", "code": fault.code or None, "param": None}
            return {"status_code": fault.status, "body": {"error": error}}
        message = {"role": "assistant", "content": _right(text) if fault.text is None else fault.text}
        message |= {"refusal": fault.refusal} if fault.refusal else {}
        self.stub.answered[text] += 1
        return {
            "status_code": 200,
            "body": {
                "model": f"{MODEL}-2026",
                "choices": [{"index": 0, "message": message, "finish_reason": fault.finish}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
            },
        }

    def _chat(self, body: dict[str, Any]) -> None:
        text = str(body["messages"][-1]["content"])
        with self.stub.lock:
            self.stub.seen[text] += 1
            number = self.stub.seen[text]
        if self.stub.release is not None and not self.stub.release.acquire(blocking=False):
            self.stub.gate.wait(60)
        fault = self.stub.script(number, text)
        if fault.status:
            error = {"message": "scripted", "type": "error", "code": fault.code or None, "param": None}
            self._json(fault.status, {"error": error}, dict(fault.headers))
            return
        try:
            self._answer(text, fault)
        except OSError:
            self.close_connection = True

    def _allowed(self) -> bool:
        sent = self.headers.get("authorization", "").removeprefix("Bearer ")
        with self.stub.lock:
            self.stub.keys.add(sent)
            self.stub.refused += sent != KEY
        if sent == KEY:
            return True
        error = {"message": f"Incorrect API key provided: {sent}", "type": "error", "code": "invalid_api_key"}
        self._json(401, {"error": error})
        return False

    def _answer(self, text: str, fault: Fault) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while fault.trickle:
            self._piece({"content": "and so on "})
        whole = _right(text) if fault.text is None else fault.text
        for at, start in enumerate(range(0, len(whole), 40)):
            if at == fault.cut:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self._piece({"content": whole[start : start + 40]})
        if fault.refusal:
            self._piece({"refusal": fault.refusal})
        self._event([{"index": 0, "delta": {}, "finish_reason": fault.finish}], None)
        self._event([], {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
        self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        with self.stub.lock:
            self.stub.answered[text] += 1

    def _piece(self, delta: dict[str, str]) -> None:
        self._event([{"index": 0, "delta": delta, "finish_reason": None}], None)

    def _event(self, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> None:
        content = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": f"{MODEL}-2026"}
        self._chunk(b"data: " + json.dumps({**content, "choices": choices, "usage": usage}).encode() + b"\n\n")

    def _chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _json(self, status: int, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(value).encode()
        # Without the date that the base class would send beside one of a test's own.
        self.send_response_only(status)
        date = {"date": self.date_time_string(), "content-type": "application/json"}
        for name, text in {**date, **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are what the tests are about."""


@contextmanager
def teacher_stub(script: Script = lambda _number, _text: GOOD) -> Iterator[TeacherStub]:
    """Serve on a free port of loopback."""
    stub = TeacherStub(script=script)
    bound = type("Bound", (_Handler,), {"stub": stub})
    with _Server(("127.0.0.1", 0), bound) as server:
        stub.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            stub.gate.set()
            stub.desk.gate.set()
            server.shutdown()
            thread.join()
