"""Choosing among kinds of things by how many there are of each; all of them count unless somebody chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

Kind = TypeVar("Kind", bound=str)


def chosen_kinds(title: str, found: Iterable[Kind], words: Callable[[Kind], str], key: str) -> tuple[Kind, ...]:
    """Draw each kind with its count, and return those to be shown; nothing is drawn where there is one kind only.

    Args:
        found: the kind of each thing.
        words: what a kind is called.
    """
    counts = Counter(found)
    if len(counts) < 2:
        return tuple(counts)
    chosen = st.pills(
        title,
        list(counts),
        selection_mode="multi",
        format_func=lambda kind: f"{words(kind)} ({counts[kind]:,})",
        key=key,
    )
    return tuple(kind for kind in counts if kind in chosen) or tuple(counts)
