"""The scripted teacher says what was written for it and refuses everything else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from pld_core.backends.scripted import CAUTION, Script, ScriptedChat, ScriptedSynthesis
from pld_core.errors import ReplyUnusable
from pld_core.model_ports import ChatReply, ChatRequest
from pld_core.synthesis import short_id

A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
REPLY: dict[str, str | int | list[str]] = {
    "title": "T",
    "condition": "c",
    "label": "keep",
    "exceptions": ["x"],
    "rationale": "r",
}
OTHER: dict[str, str | int | list[str]] = {**REPLY, "title": "U"}
CHAT = ScriptedChat(
    "scripted:test",
    Script(
        {A: '{"a": 1}', B: '{"b": 2}'},
        (ScriptedSynthesis(frozenset({A, B}), REPLY, (C, D)), ScriptedSynthesis(frozenset({C}), OTHER)),
    ),
)
EXTRACTION = ChatRequest("s", "u", "extraction", (A,))
SYNTHESIS = ChatRequest("s", "u", "synthesis", (A, B), nearby=(D,))


def said(request: ChatRequest) -> str:
    return asyncio.run(CHAT.complete(request)).text


def rule(request: ChatRequest) -> dict[str, object]:
    (found,) = json.loads(said(request))["rules"]
    return dict(found)


def test_extraction_replies_are_found_by_example_and_not_by_words() -> None:
    assert said(EXTRACTION) == '{"a": 1}'
    assert said(replace(EXTRACTION, system="quite", user="different")) == '{"a": 1}'
    assert said(replace(EXTRACTION, subjects=(B,))) == '{"b": 2}'


@pytest.mark.parametrize("subjects", [(), (C,), ("",)])
def test_an_unknown_example_is_refused(subjects: tuple[str, ...]) -> None:
    with pytest.raises(ReplyUnusable, match="no reply for this example"):
        said(replace(EXTRACTION, subjects=subjects))


def test_the_merged_rule_is_the_one_with_the_largest_overlap() -> None:
    assert rule(replace(SYNTHESIS, subjects=(A, B, C)))["title"] == "T"
    assert rule(replace(SYNTHESIS, subjects=(C, D)))["title"] == "U"


def test_only_conflicts_that_the_request_shows_are_named() -> None:
    assert rule(SYNTHESIS) == {**REPLY, "conflicts": [short_id(D)]}
    assert rule(replace(SYNTHESIS, nearby=(C, D)))["conflicts"] == [short_id(C), short_id(D)]
    assert rule(replace(SYNTHESIS, nearby=()))["conflicts"] == []


@pytest.mark.parametrize("request_", [replace(SYNTHESIS, subjects=(D,)), replace(SYNTHESIS, purpose="student")])
def test_an_unknown_cluster_and_another_purpose_are_refused(request_: ChatRequest) -> None:
    with pytest.raises(ReplyUnusable, match="no reply for this cluster"):
        said(request_)


def test_an_empty_script_refuses_everything() -> None:
    empty = ScriptedChat("scripted:none", Script({}, ()))
    for request in (EXTRACTION, SYNTHESIS):
        with pytest.raises(ReplyUnusable):
            asyncio.run(empty.complete(request))


def test_the_status_is_ready_and_says_what_it_is() -> None:
    status = asyncio.run(CHAT.status())
    assert (status.ready, status.name, status.problem, status.caution) == (True, "scripted:test", "", CAUTION)


def test_a_stream_ends_with_the_whole_reply() -> None:
    async def pieces() -> list[str | ChatReply]:
        return [piece async for piece in CHAT.stream(EXTRACTION)]

    *texts, last = asyncio.run(pieces())
    assert last == asyncio.run(CHAT.complete(EXTRACTION))
    assert "".join(text for text in texts if isinstance(text, str)) == '{"a": 1}'
