"""A real Ollama server: the one at OLLAMA_HOST, or one of our own on a free port with its own models folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from pld_core.backends.embedded import find_weights
from tests.cli.running import wait_until

SMOL, GEMMA, MISSING = "pld-test-smol", "pld-test-gemma", "pld-test-nowhere"
CHATML_TEMPLATE = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
)
GEMMA_TEMPLATE = """{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if eq .Role "user" }}<start_of_turn>user
{{- if and (eq $i 1) $.System }}
{{ $.System }}
{{ end }}
{{ .Content }}<end_of_turn>
{{ else if eq .Role "assistant" }}<start_of_turn>model
{{ .Content }}<end_of_turn>
{{ end }}
{{- if $last }}<start_of_turn>model
{{ end }}
{{- end }}"""
"""As Gemma 3 has it: there is no system role, so the system text stands at the head of the first question."""
PARAMETERS = {"stop": ["<|im_end|>", "<end_of_turn>"], "num_thread": 1}
"""One thread: two that wait for each other on a busy machine take many times as long."""
HTTP_PATIENCE_S = 120.0


@dataclass
class RealOllama:
    """A running server.

    Attributes:
        process: None for a server that is not ours, which is never stopped.
        models: the folder of its models, None for a server that is not ours.
    """

    url: str
    process: subprocess.Popen[bytes] | None = None
    models: Path | None = None
    made: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask it directly, past everything that is tested."""
        return httpx.request(method, f"{self.url}{path}", json=body, timeout=HTTP_PATIENCE_S, trust_env=False)

    def make_students(self, weights: Path) -> None:
        """Make the test student twice: with its own template, and with one such as Gemma 3 has."""
        content = weights.read_bytes()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        sent = httpx.post(f"{self.url}/api/blobs/{digest}", content=content, timeout=HTTP_PATIENCE_S, trust_env=False)
        assert sent.status_code in {200, 201}, sent.text
        for name, template in ((SMOL, CHATML_TEMPLATE), (GEMMA, GEMMA_TEMPLATE)):
            body = {
                "model": name,
                "files": {weights.name: digest},
                "template": template,
                "parameters": PARAMETERS,
                "stream": False,
            }
            answer = self.call("POST", "/api/create", body)
            assert answer.status_code == 200, answer.text
            self.made.append(name)

    def loaded(self) -> dict[str, int]:
        """Return the window of each model in memory, by name."""
        return {entry["name"]: entry["context_length"] for entry in self.call("GET", "/api/ps").json()["models"]}

    def digest(self, model: str) -> str:
        """Return the digest that it lists for a model."""
        listed = self.call("GET", "/api/tags").json()["models"]
        return f"sha256:{next(entry['digest'] for entry in listed if entry['name'] == f'{model}:latest')}"

    def remove(self, model: str) -> None:
        self.call("DELETE", "/api/delete", {"model": model})

    def kill(self) -> None:
        """End it at once, with the processes that run its models."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def why_not() -> str:
    """Return why there is no server for tests here, empty if there is one."""
    if find_weights() is None:
        return "the weights of the test student are not installed"
    if not os.environ.get("OLLAMA_HOST") and shutil.which("ollama") is None:
        return "there is no Ollama: neither OLLAMA_HOST nor an ollama on the PATH"
    return ""


@contextmanager
def own_server(models: Path, **environment: str) -> Iterator[RealOllama]:
    """Start the `ollama` on the PATH on a free port, and stop it with all that it started."""
    binary = shutil.which("ollama")
    assert binary is not None
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
    process = subprocess.Popen(
        [binary, "serve"],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")},
            "HOME": str(models.parent),
            "OLLAMA_HOST": url,
            "OLLAMA_MODELS": str(models),
            "OLLAMA_NO_CLOUD": "1",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = RealOllama(url, process, models)
    try:
        wait_until(lambda: _answers(server), "an Ollama server to start")
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()


def _answers(server: RealOllama) -> bool:
    assert server.process is not None
    assert server.process.poll() is None, "the Ollama server ended while it started"
    try:
        return server.call("GET", "/api/version").status_code == 200
    except httpx.TransportError:
        return False
