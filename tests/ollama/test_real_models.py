"""Listing, making, reading back and getting models on a real Ollama server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pld_core.backends.ollama import OllamaChat
from pld_core.backends.ollama_facts import named
from pld_core.backends.ollama_models import OllamaModels, Publication
from pld_core.errors import BackendRefused, ModelMissing, ReplyUnusable
from pld_core.model_ports import ChatReply, ChatRequest
from tests.ollama.real_ollama import GEMMA, MISSING, SMOL, RealOllama

NAME = "pld-test-published:v3"
PROMPT = 'Rules of the task "NDA":\n\n1. IF {x}, THEN keep — always.\n"""quoted""" and <|odd|> signs\n'
WANTED = Publication(NAME, SMOL, PROMPT, {"num_ctx": 512, "temperature": 0, "seed": 0})


@pytest.fixture
def models(server: RealOllama) -> Iterator[OllamaModels]:
    yield OllamaModels(server.url)
    server.remove(NAME)


def test_the_list_tells_digest_size_and_what_is_loaded(server: RealOllama, models: OllamaModels) -> None:
    async def use() -> ChatReply:
        chat = OllamaChat(SMOL, server.url, num_ctx=256)
        try:
            return await chat.complete(ChatRequest("Answer.", "Hi.", "student", max_tokens=1))
        finally:
            await chat.aclose()

    asyncio.run(use())
    facts = named(SMOL, asyncio.run(models.all()))

    assert facts is not None
    assert facts.digest == server.digest(SMOL)
    assert (facts.size_bytes or 0) > 50_000_000
    assert facts.kind == "134.52M Q4_1"
    assert facts.loaded_context == 256


def test_a_published_prompt_is_read_back_word_for_word(server: RealOllama, models: OllamaModels) -> None:
    facts = asyncio.run(models.publish(WANTED))

    show = server.call("POST", "/api/show", {"model": NAME}).json()
    assert show["system"] == PROMPT
    assert facts.name == NAME
    assert facts.digest not in {"", server.digest(SMOL)}


def test_a_notice_is_shown_to_people_and_read_by_no_model(server: RealOllama, models: OllamaModels) -> None:
    notice = 'Released with red gates, by an exception until 2026-12-24. Reason: a "court" order'
    plain = asyncio.run(models.publish(WANTED))
    wanted = replace(WANTED, notice=notice)
    with pytest.raises(ReplyUnusable, match="does not state"):
        asyncio.run(models.verified(wanted))
    marked = asyncio.run(models.publish(wanted))

    show = server.call("POST", "/api/show", {"model": NAME}).json()
    assert notice in show["license"]
    assert show["system"] == PROMPT
    assert marked.digest != plain.digest
    question = [{"role": "user", "content": "INPUT"}]
    body = {"model": NAME, "messages": question, "stream": False, "_debug_render_only": True}
    assert notice not in server.call("POST", "/api/chat", body).json()["_debug_info"]["rendered_template"]


def test_the_same_prompt_gives_the_same_digest_and_another_one_another(models: OllamaModels) -> None:
    first = asyncio.run(models.publish(WANTED))
    again = asyncio.run(models.publish(WANTED))
    other = asyncio.run(models.publish(replace(WANTED, system=f"{PROMPT}2. Another rule.")))

    assert first.digest == again.digest
    assert first.digest != other.digest


def test_a_published_model_reads_its_prompt_without_being_sent_it(server: RealOllama, models: OllamaModels) -> None:
    asyncio.run(models.publish(replace(WANTED, student=GEMMA)))
    body = {
        "model": NAME,
        "messages": [{"role": "user", "content": "INPUT"}],
        "stream": False,
        "_debug_render_only": True,
    }

    read = server.call("POST", "/api/chat", body).json()["_debug_info"]["rendered_template"]

    assert read == f"<start_of_turn>user\n{PROMPT}\n\nINPUT<end_of_turn>\n<start_of_turn>model\n"


def test_nothing_is_made_of_a_student_that_is_not_there(server: RealOllama, models: OllamaModels) -> None:
    with pytest.raises((ModelMissing, BackendRefused)):
        asyncio.run(models.publish(replace(WANTED, student="UPPER/..//not a name")))

    assert named(NAME, asyncio.run(models.all())) is None


def test_a_model_that_no_library_has_is_refused_and_nothing_comes(models: OllamaModels) -> None:
    told: list[str] = []

    with pytest.raises(BackendRefused, match="Nothing was changed"):
        asyncio.run(models.pull(f"127.0.0.1:1/library/{MISSING}", lambda _done, _total, what: told.append(what)))

    assert "success" not in told
