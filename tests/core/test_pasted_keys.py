"""A key or a password is recognised before it is stored; names of models and addresses are not taken for one."""

from __future__ import annotations

import pytest

from pld_app.pasted_keys import HIDDEN, secret_in, without_secrets

KEYS = [
    "sk-proj-abcdefghij0123456789",
    "openai:sk-abcdefghijkl",
    "gsk_abcdefghijkl",
    "hf_abcdefghijklmnop",
    "AIzaSyA1234567890abcdefghijklmnopqrstu",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer abc.def.ghi",
    "Authorization: something",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
    "https://host/v1?api_key=abc",
    "0123456789abcdef0123456789abcdef",
]
INNOCENT = [
    "",
    "gemma3:4b",
    "openai:gpt-4.1-mini-2025-04-14",
    "ollama:hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "ft:gpt-4.1-mini:our-team::AbC123xy",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "http://127.0.0.1:11434",
    "https://generativelanguage.googleapis.com/v1beta/openai/",
    "risk-assessment-of-contracts",
    "Ada Basic",
    "@corp/model@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
]


@pytest.mark.parametrize("text", KEYS)
def test_a_key_is_recognised_and_nothing_of_it_is_shown(text: str) -> None:
    assert secret_in(text, {}) == "a key"
    assert without_secrets(text, {}) == HIDDEN


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_key_is_not_taken_for_one(text: str) -> None:
    assert secret_in(text, {}) == ""
    assert without_secrets(text, {}) == text


def test_a_key_of_the_environment_is_recognised_whatever_it_looks_like() -> None:
    assert secret_in("model-plainword-x", {"PLD_TEACHER_API_KEY": "plainword"}) == "a key"
    assert secret_in("model-none", {"PLD_OPENAI_API_KEY": "none"}) == "", "too short to mean anything"


def test_of_an_address_only_the_password_is_hidden() -> None:
    assert secret_in("https://anna:geheim@host:1/v1", {}) == "a password"
    assert without_secrets("https://anna:geheim@host:1/v1", {}) == f"https://{HIDDEN}@host:1/v1"
