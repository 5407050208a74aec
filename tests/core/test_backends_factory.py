"""Opening a backend by its name."""

from __future__ import annotations

import asyncio

import pytest

from pld_core.backends import BackendSettings, open_chat
from pld_core.errors import BackendRefused, InvalidInput
from pld_core.model_ports import BackendStatus, ChatRequest

REQUEST = ChatRequest(system="s", user="u", purpose="student")


def status_and_refusal(settings: BackendSettings) -> tuple[BackendStatus, str]:
    async def run() -> tuple[BackendStatus, str]:
        chat = open_chat("openai:gpt-9", settings)
        try:
            found = await chat.status()
            with pytest.raises(BackendRefused) as caught:
                await chat.complete(REQUEST)
            return found, str(caught.value)
        finally:
            await chat.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["embedded", "ollama:gemma3:4b", "ollama:hf.co/a/b:Q4_K_M", "openai:gpt-4.1-mini"])
def test_a_backend_has_the_name_it_was_opened_by(name: str) -> None:
    async def run() -> str:
        chat = open_chat(name, BackendSettings(openai_api_key="sk-1"))
        await chat.aclose()
        return chat.name

    assert asyncio.run(run()) == name


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"embedded.*ollama.*openai"):
        open_chat("claude", BackendSettings())


@pytest.mark.parametrize("name", ["", "ollama", "ollama:", "openai: ", "embedded:other"])
def test_a_name_that_lacks_or_holds_too_much_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        open_chat(name, BackendSettings())


@pytest.mark.parametrize("address", ["", "127.0.0.1:11434", "ftp://here", "http://", "http://here:port", "http://[::1"])
@pytest.mark.parametrize("name", ["ollama:gemma3:4b", "openai:gpt-9"])
def test_an_address_that_is_none_is_refused(name: str, address: str) -> None:
    with pytest.raises(InvalidInput, match="address"):
        open_chat(name, BackendSettings(ollama_host=address, openai_base_url=address))


def test_without_a_key_a_far_server_is_not_even_asked() -> None:
    found, refusal = status_and_refusal(BackendSettings(openai_base_url="https://llm.invalid/v1"))

    assert not found.ready
    assert found.problem == refusal == "No key: set PLD_OPENAI_API_KEY."
    assert "PLD_OPENAI_API_KEY" in found.fix


@pytest.mark.parametrize("key", ["sk-\x00secret", "sk-secret\nsecond line", "sk-sécret"])
def test_a_key_that_cannot_be_sent_is_told_without_showing_it(key: str) -> None:
    settings = BackendSettings(openai_base_url="https://llm.invalid/v1", openai_api_key=key)
    found, refusal = status_and_refusal(settings)

    assert found.problem == refusal
    assert "copy it again" in refusal
    assert "cret" not in f"{found!r}{refusal}{settings!r}"
