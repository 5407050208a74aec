"""What an answer cost: time and its split, tokens and how many of them came from the cache, context used."""

from __future__ import annotations

import streamlit as st

from pld_core.model_ports import ChatReply
from pld_core.models import Answer


def draw_cost(answer: Answer, reply: ChatReply | None) -> None:
    """Draw time, tokens and context, each on a line of its own; what the server does not say is said to be unknown."""
    if reply is None:
        st.caption("It did not come to its end, so neither time nor tokens are known.")
        return
    with st.container(gap="xsmall"):
        st.markdown(f"**Time** {_seconds(answer.latency_ms)}")
        st.caption(_split(reply))
        st.markdown(f"**Tokens** prompt {_count(answer.prompt_tokens)}, answer {_count(answer.output_tokens)}")
        st.caption(_cache(answer))
        _draw_context(answer)


def _draw_context(answer: Answer) -> None:
    if not answer.context_size or answer.prompt_tokens is None:
        st.caption("Context used: the server does not say.")
        return
    used = answer.prompt_tokens + (answer.output_tokens or 0)
    st.progress(min(1.0, used / answer.context_size), text=f"Context: {used:,} of {answer.context_size:,} tokens")


def _split(reply: ChatReply) -> str:
    split = [("loading", reply.load_ms), ("prompt", reply.prompt_ms), ("answer", reply.output_ms)]
    parts = [f"{name} {_seconds(ms)}" for name, ms in split if ms is not None]
    return " · ".join(parts) or "The server does not say how the time was spent."


def _cache(answer: Answer) -> str:
    if answer.cached_tokens is None:
        return "The server does not say how much of the prompt came from its cache."
    return f"{answer.cached_tokens:,} of the prompt's tokens came from the cache."


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.2f} s"


def _count(tokens: int | None) -> str:
    return "not told" if tokens is None else f"{tokens:,}"
