"""A prompt is counted by the student where it can, and an estimate says that it is one."""

from __future__ import annotations

import asyncio

import pytest

from pld_core.errors import BackendUnreachable, Failure, ReplyUnusable
from pld_core.model_ports import ChatReply, ChatRequest
from pld_core.prompt_manifest import CountMethod, TokenCount
from pld_core.token_count import count, estimated
from tests.factories import ToldChat


class CountingChat(ToldChat):
    """A student with a tokenizer of its own: a word is a token."""

    async def count_tokens(self, request: ChatRequest) -> int:
        return len(f"{request.system} {request.user}".split())


def unheard(request: ChatRequest) -> str:
    raise AssertionError("nothing is to be answered")


def blank(request: ChatRequest) -> str:
    error = ReplyUnusable("The model gave an empty answer.", " ", Failure.EMPTY)
    error.reply = ChatReply(" ", "told", "length", 1, prompt_tokens=42)
    raise error


def unreachable(request: ChatRequest) -> str:
    raise BackendUnreachable("Nobody answers.")


def test_a_tokenizer_counts_without_a_call() -> None:
    found = asyncio.run(count(CountingChat(unheard), "one two three"))
    assert found == TokenCount(4, CountMethod.TOKENIZER, "told")
    assert found.words == "4 tokens, counted by the tokenizer of told"


def test_else_a_call_of_one_token_reads_the_servers_count() -> None:
    student = ToldChat(lambda _: ChatReply("x", "told", "length", 1, prompt_tokens=1133))
    found = asyncio.run(count(student, "the prompt"))
    assert found == TokenCount(1133, CountMethod.PROBE, "told")
    assert found.words == "1,133 tokens, counted by told in a call of one token"
    (request,) = student.asked
    assert (request.system, request.max_tokens, request.schema) == ("the prompt", 1, None)


def test_a_blank_first_token_counts_all_the_same() -> None:
    assert asyncio.run(count(ToldChat(blank), "x")).tokens == 42


@pytest.mark.parametrize(
    ("student", "why"),
    [
        (ToldChat(unreachable), "told could not count: Nobody answers."),
        (ToldChat(lambda _: "x"), "told could not count: The server does not say how many tokens a prompt has."),
    ],
)
def test_a_student_that_cannot_count_leaves_an_estimate_that_says_why(student: ToldChat, why: str) -> None:
    found = asyncio.run(count(student, "four" * 10))
    assert found == TokenCount(10, CountMethod.ESTIMATE, note=why)
    assert found.words == f"about 10 tokens, estimated from the length: 4 bytes a token; {why}"


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("漢字", 2)])
def test_an_estimate_is_a_quarter_of_the_bytes_rounded_up(text: str, tokens: int) -> None:
    assert estimated(text) == TokenCount(tokens, CountMethod.ESTIMATE)
    assert asyncio.run(count(None, text)) == estimated(text)
