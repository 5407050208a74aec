"""How long the lines of rules are in a prompt, told by counts: thousands of texts need not be read for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextSize:
    """How much text a number of rules have.

    Attributes:
        rules: how many there are.
        text_bytes: UTF-8 of their ids, conditions, labels and exceptions.
        labels, exceptions: how many of these they have together.
    """

    rules: int = 0
    text_bytes: int = 0
    labels: int = 0
    exceptions: int = 0
