"""What comes of one streamed answer of an OpenAI-compatible server. Nothing of its shape is sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from openai.types.chat import ChatCompletionChunk

from pld_core.errors import Failure, ReplyUnusable
from pld_core.model_ports import ChatReply


@dataclass
class Heard:
    """What came of one answer so far."""

    text: str = ""
    refusal: str = ""
    finish: str = ""
    model: str = ""
    usage: Any = None
    timings: Mapping[str, Any] | None = None

    @classmethod
    def whole(cls, body: Mapping[str, Any]) -> Heard:
        """Read a completion that came in one piece, as JSON. Nothing of its shape is sure."""
        choices = body.get("choices")
        choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
        message, usage = _object(choice.get("message")), _object(body.get("usage"))
        told = {**usage, "prompt_tokens_details": SimpleNamespace(**_object(usage.get("prompt_tokens_details")))}
        return cls(
            text=_text(message.get("content")),
            refusal=_text(message.get("refusal")),
            finish=_text(choice.get("finish_reason")),
            model=_text(body.get("model")),
            usage=SimpleNamespace(**told),
        )

    def take(self, chunk: ChatCompletionChunk) -> str:
        """Add one chunk and return its text. Nothing of its shape is sure: the client does not check it."""
        self.model = chunk.model or self.model
        self.usage = getattr(chunk, "usage", None) or self.usage
        timings = (chunk.model_extra or {}).get("timings")
        self.timings = timings if isinstance(timings, dict) else self.timings
        choices = getattr(chunk, "choices", None)
        if not choices:
            return ""
        self.finish = choices[0].finish_reason or self.finish
        delta = getattr(choices[0], "delta", None)
        self.refusal += getattr(delta, "refusal", None) or ""
        piece = getattr(delta, "content", None) or ""
        self.text += piece
        return piece

    def check(self) -> None:
        """Raise `ReplyUnusable` for an answer that ended but cannot be used."""
        if self.refusal:
            raise ReplyUnusable(
                "The model refused to answer. Change the prompt or the input.", self.refusal, Failure.REFUSED
            )
        if self.finish == "content_filter":
            raise ReplyUnusable(
                "The server's content filter cut the answer. Change the input.", self.text, Failure.REFUSED
            )
        if not self.finish and not self.text:
            raise ReplyUnusable("The server sent an answer without any content. Try again.", "", Failure.EMPTY)
        if not self.finish:
            raise ReplyUnusable(
                "The server ended the answer before it was complete. Try again.", self.text, Failure.BROKEN
            )
        if not self.text.strip():
            raise ReplyUnusable("The model gave an empty answer. Try again.", self.text, Failure.EMPTY)

    def reply(self, model: str, context_size: int | None, latency_ms: int) -> ChatReply:
        timings = self.timings or {}
        fresh, cached = _whole(timings.get("prompt_n")), _whole(timings.get("cache_n"))
        details = getattr(self.usage, "prompt_tokens_details", None)
        told = _whole(getattr(self.usage, "prompt_tokens", None))
        told_cached = _whole(getattr(details, "cached_tokens", None))
        return ChatReply(
            text=self.text,
            model=self.model or model,
            finish="length" if self.finish == "length" else "stop",
            latency_ms=latency_ms,
            prompt_tokens=told if told is not None or fresh is None else fresh + (cached or 0),
            output_tokens=_whole(getattr(self.usage, "completion_tokens", timings.get("predicted_n"))),
            cached_tokens=cached if told_cached is None else told_cached,
            context_size=context_size,
            prompt_ms=_rounded(timings.get("prompt_ms")),
            output_ms=_rounded(timings.get("predicted_ms")),
        )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _rounded(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) else None
