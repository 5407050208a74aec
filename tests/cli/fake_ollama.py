"""An Ollama server that answers what a test tells it to, counts its questions, and can be stopped at any of them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = "fake"
STUDENT = f"ollama:{MODEL}"
DIGEST = "ab" * 32
PROMPT_TOKENS = 123
"""It counts as many in a warm-up as in a question, which is not among those asked."""


def say_nothing(number: int) -> None:
    """Let every question through."""


def no_label(prompt: str) -> str:
    """Leave the label to what the server answers to every question."""
    return ""


@dataclass
class FakeOllama:
    """A running server.

    Attributes:
        label: the label that it answers to every question.
        says: the label that it answers to a whole prompt, input included; empty for the one above.
        counted: tokens that it says it read of a question.
        models: names of the models that it holds.
        before: called with 1, 2, ... before each answer, in the thread of that request; may block or raise.
        published: what was made there, by name.
        cited: the rules that it names, to prompts that ask for some.
        breaks: it says a few letters, and then hangs up itself.
        holds: it says a few letters, and then waits until the caller hangs up; `hung_up` is set when that happened.
        asked: the user texts of all questions, in the order in which they came.
        options: what each question was asked with beside its text, in the same order.
    """

    url: str
    label: str = ""
    says: Callable[[str], str] = no_label
    counted: int = PROMPT_TOKENS
    models: list[str] = field(default_factory=lambda: [MODEL])
    published: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: Callable[[int], None] = say_nothing
    cited: list[str] = field(default_factory=list)
    breaks: bool = False
    holds: bool = False
    hung_up: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, text: str) -> int:
        with self.lock:
            self.asked.append(text)
            return len(self.asked)


class _Handler(BaseHTTPRequestHandler):
    timeout = 30
    facts: FakeOllama

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""

    def do_GET(self) -> None:
        held = [] if self.path == "/api/ps" else self.facts.models
        self.send(200, {"models": [{"name": f"{name}:latest", "digest": DIGEST} for name in held]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/api/create":
            self.facts.models.append(body["model"].removesuffix(":latest"))
            self.facts.published[body["model"]] = body
            self.send(200, {"status": "success"})
            return
        if body["model"] not in self.facts.models:
            self.send(404, {"error": f"model '{body['model']}' not found"})
            return
        if self.path == "/api/show":
            made = self.facts.published.get(body["model"], {})
            parameters = "\n".join(f"{name:<30} {value}" for name, value in made.get("parameters", {}).items())
            info = {"general.architecture": "fake", "fake.context_length": 131072}
            self.send(
                200,
                {
                    "model_info": info,
                    "system": made.get("system", ""),
                    "parameters": parameters,
                    "license": "\n".join(made.get("license", [])),
                },
            )
            return
        if body.get("_debug_render_only"):
            text = "".join(message["content"] for message in body["messages"])
            self.send(200, {"done": False, "_debug_info": {"rendered_template": f"<template>{text}"}})
            return
        if body["stream"] is False:
            self.send(200, {"done": True, "prompt_eval_count": PROMPT_TOKENS})
            return
        self.facts.options.append(body["options"])
        self.facts.before(self.facts.note(body["messages"][-1]["content"]))
        if self.facts.holds or self.facts.breaks:
            self.begin()
            return
        # Whoever only counts tokens asks for no form.
        wanted = body.get("format", {}).get("properties", {})
        first = wanted["label"]["enum"][0] if wanted else ""
        prompt = "\n".join(message["content"] for message in body["messages"])
        said: dict[str, Any] = {"label": self.facts.says(prompt) or self.facts.label or first}
        said |= {"rules": self.facts.cited} if "rules" in wanted else {}
        self.send(
            200,
            {
                "model": MODEL,
                "message": {"role": "assistant", "content": json.dumps(said)},
                "done": True,
                "done_reason": "stop",
                "prompt_eval_count": self.facts.counted,
                "eval_count": 7,
            },
        )

    def begin(self) -> None:
        """Begin an answer that never comes to its end."""
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.end_headers()
        begun = {"model": MODEL, "message": {"role": "assistant", "content": '{"la'}, "done": False}
        self.wfile.write(json.dumps(begun).encode() + b"\n")
        self.wfile.flush()
        self.close_connection = True
        if self.facts.holds:
            with suppress(ConnectionError):
                self.connection.recv(1)
            self.facts.hung_up.set()

    def send(self, status: int, content: Mapping[str, Any]) -> None:
        whole = json.dumps(content).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("content-length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole)


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what went wrong, unless it is only a client that was killed on purpose."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the base declares more


@contextmanager
def fake_ollama() -> Iterator[FakeOllama]:
    """Serve on a free port until the block ends."""
    facts = FakeOllama("")
    with _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"facts": facts})) as server:
        facts.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield facts
        finally:
            server.shutdown()
            thread.join()


def write_settings(space: Path, **values: str) -> None:
    """Write the workspace's settings file."""
    space.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in values.items()]
    (space / "settings.toml").write_text("".join(lines), encoding="utf-8")


def use_student(space: Path, url: str, model: str = MODEL) -> None:
    """Make the model on this server the student of the workspace."""
    write_settings(space, ollama_host=url, ollama_model=model, student=f"ollama:{model}", user="anna")
