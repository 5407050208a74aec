"""OpenAI's Batch API: requests as a file of lines, a batch over it, answers as files of lines."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, NoReturn

import openai
from openai.types import Batch

from pld_core.backends.openai_answer import Heard
from pld_core.backends.openai_compatible import OpenAIChat, answer_format, messages_of
from pld_core.backends.openai_server import NOT_FOUND, Refusal
from pld_core.batches import BatchAnswer, BatchState, RemoteBatch
from pld_core.canonical import Json, canonical_json
from pld_core.errors import AccessRefused, BackendError, BackendRefused, BatchesMissing, BatchUnknown, ReplyUnusable
from pld_core.model_ports import ChatReply, ChatRequest

KEY = "pld_key"
"""What our key is called among the batch's metadata."""
OK = 200
WINDOW: Literal["24h"] = "24h"
UPLOAD_TIMEOUT_S = 600.0
"""For a file of 200 MB on a slow line."""
CLOCKS_APART_S = 3600.0
"""A batch cannot be older than its request, unless the two clocks differ."""
NEVER_ASKED = ("batch_expired", "batch_cancelled")
STATES = {
    "cancelling": BatchState.CANCELLING,
    "completed": BatchState.COMPLETED,
    "expired": BatchState.EXPIRED,
    "cancelled": BatchState.CANCELLED,
    "failed": BatchState.FAILED,
}
"""Every other state of the provider (`validating`, `in_progress`, `finalizing`) means that it runs."""


class OpenAIBatchChat(OpenAIChat):
    """A model that also takes batches. See `pld_core.batches.BatchChat` for what the methods promise."""

    def line(self, request_hash: str, request: ChatRequest) -> bytes:
        """Return one request as the uploaded file holds it: the same call that would be sent at once."""
        body: dict[str, Any] = {
            "model": self._server.model,
            "messages": messages_of(request),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if request.schema is not None:
            body["response_format"] = answer_format(request.schema)
        whole: Json = {"custom_id": request_hash, "method": "POST", "url": "/v1/chat/completions", "body": body}
        return canonical_json(whole).encode("utf-8") + b"\n"

    async def upload(self, lines: Sequence[bytes]) -> str:
        """Upload requests and return the file's name; nothing is asked yet."""
        client = self._server.client.with_options(timeout=UPLOAD_TIMEOUT_S)
        async with self._translating():
            uploaded = await client.files.create(file=("requests.jsonl", b"".join(lines)), purpose="batch")
        return self._named(getattr(uploaded, "id", ""))

    async def create(self, file_id: str, key: str) -> RemoteBatch:
        """Have the requests of a file answered; `key` is kept with the batch."""
        async with self._translating(file_id, in_path=False):
            created = await self._server.client.batches.create(
                input_file_id=file_id,
                endpoint="/v1/chat/completions",
                completion_window=WINDOW,
                metadata={KEY: key},
            )
        return self._remote(created)

    async def find(self, key: str, since: str) -> RemoteBatch | None:
        """Look through the provider's list, newest first, for the batch with this key."""
        oldest = datetime.fromisoformat(since).timestamp() - CLOCKS_APART_S
        async with self._translating():
            async for batch in self._server.client.batches.list(limit=100):
                if (getattr(batch, "metadata", None) or {}).get(KEY) == key:
                    return self._remote(batch)
                if (getattr(batch, "created_at", None) or oldest) < oldest:
                    return None
        return None

    async def look(self, remote_id: str) -> RemoteBatch:
        async with self._translating(remote_id):
            return self._remote(await self._server.client.batches.retrieve(remote_id))

    async def cancel(self, remote_id: str) -> RemoteBatch:
        async with self._translating(remote_id):
            return self._remote(await self._server.client.batches.cancel(remote_id))

    async def answers(self, file_id: str) -> AsyncGenerator[BatchAnswer, None]:
        """Yield the answers of a file as they come; a line that is none of ours is passed over."""
        async with (
            self._translating(file_id),
            self._server.client.files.with_streaming_response.content(file_id) as response,
        ):
            async for line in response.iter_lines():
                if (found := self._answer(line)) is not None:
                    yield found

    def _answer(self, line: str) -> BatchAnswer | None:
        try:
            value = json.loads(line)
        except ValueError:
            return None
        if not isinstance(value, dict) or not isinstance(value.get("custom_id"), str):
            return None
        error, response = _object(value, "error"), _object(value, "response")
        if error.get("code") in NEVER_ASKED:
            return None
        status, body = response.get("status_code"), _object(response, "body")
        if status == OK:
            return BatchAnswer(value["custom_id"], self._completed(body))
        told = _object(body, "error") or error
        number = status if isinstance(status, int) else 0
        return BatchAnswer(value["custom_id"], self._server.for_status(Refusal(number, told, "no reason given")))

    def _completed(self, body: Mapping[str, Any]) -> ChatReply | BackendError:
        heard = Heard.whole(body)
        reply = heard.reply(self._server.model, self._context_size, 0)
        try:
            heard.check()
        except ReplyUnusable as error:
            error.reply = reply
            return error
        return reply

    def _remote(self, batch: Batch) -> RemoteBatch:
        counts = getattr(batch, "request_counts", None)
        errors = getattr(getattr(batch, "errors", None), "data", None) or ()
        words = "; ".join(str(getattr(error, "message", "") or getattr(error, "code", "")) for error in errors[:3])
        return RemoteBatch(
            id=self._named(getattr(batch, "id", "")),
            state=STATES.get(str(getattr(batch, "status", "")), BatchState.RUNNING),
            done=getattr(counts, "completed", 0) or 0,
            failed=getattr(counts, "failed", 0) or 0,
            output_file=getattr(batch, "output_file_id", None) or "",
            error_file=getattr(batch, "error_file_id", None) or "",
            problem=self._server.quote(words) if words else "",
        )

    def _named(self, given: object) -> str:
        """Return a name that the server gave, or raise: a web page with status 200 has none."""
        if not isinstance(given, str) or not given:
            raise BackendRefused(self._server.not_compatible)
        return given

    @asynccontextmanager
    async def _translating(self, known: str = "", in_path: bool = True) -> AsyncIterator[None]:
        """Raise our errors. A 404 means that the server does not know `known`, if that is part of the address."""
        if self._server.key_problem:
            raise AccessRefused(f"{self._server.key_problem}.")
        try:
            yield
        except openai.APIStatusError as error:
            if error.status_code != NOT_FOUND:
                self._server.raise_translated(error, "")
            if known and (in_path or known in str(error)):
                self._raise_unknown(known, error)
            raise BatchesMissing(
                f"The server at {self._server.shown_url} takes no batches (status 404). Nothing was asked. "
                "Extract without a batch."
            ) from error
        except openai.OpenAIError as error:
            self._server.raise_translated(error, "")
        except ValueError as error:
            raise BackendRefused(self._server.not_compatible) from error

    def _raise_unknown(self, known: str, error: Exception) -> NoReturn:
        raise BatchUnknown(
            f"The server at {self._server.shown_url} does not know {known}. If it was made at another address or with "
            "another account, set that again; else cancel the batch here, and ask its requests anew."
        ) from error


def _object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
