"""How many tokens a prompt has for a student: by its own tokenizer, by a call of one token, or else by its length."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pld_core.errors import BackendError, ReplyUnusable
from pld_core.model_ports import Chat, ChatReply, ChatRequest
from pld_core.prompt_manifest import CountMethod, TokenCount

BYTES_A_TOKEN = 4
SHORTEST_INPUT = "."
"""Stands for the input: templates differ in what they make of an empty one."""


@runtime_checkable
class Tokenizing(Protocol):
    """A student that can count without answering."""

    async def count_tokens(self, request: ChatRequest) -> int:
        """Return how many tokens the request has with the chat template around it; raises what `Chat` raises."""
        ...


def estimated(text: str, note: str = "") -> TokenCount:
    """Return an estimate from the length in UTF-8 bytes, rounded up.

    >>> estimated("four" * 3).tokens
    3
    """
    return TokenCount(-(-len(text.encode("utf-8")) // BYTES_A_TOKEN), CountMethod.ESTIMATE, note=note)


async def count(student: Chat | None, text: str) -> TokenCount:
    """Count a prompt as the student would read it, before an input of one character.

    Without a student, or with one that cannot count now, it is an estimate that says so.
    """
    if student is None:
        return estimated(text)
    request = ChatRequest(system=text, user=SHORTEST_INPUT, purpose="student", max_tokens=1)
    try:
        if isinstance(student, Tokenizing):
            return TokenCount(await student.count_tokens(request), CountMethod.TOKENIZER, student.name)
        return TokenCount(await _probed(student, request), CountMethod.PROBE, student.name)
    except BackendError as error:
        return estimated(text, f"{student.name} could not count: {error}")


async def _probed(student: Chat, request: ChatRequest) -> int:
    try:
        reply = await student.complete(request)
    except ReplyUnusable as error:
        # One token is often a blank, which is no answer; the server has counted the prompt all the same.
        if not isinstance(error.reply, ChatReply):
            raise
        reply = error.reply
    if reply.prompt_tokens is None:
        raise ReplyUnusable("The server does not say how many tokens a prompt has.", reply.text)
    return reply.prompt_tokens
