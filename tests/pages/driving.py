"""Driving the app in tests: opening a page as a link does, reading what is on the screen, choosing a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from pld_app.components.text import BREAK
from pld_app.session import CHANGED
from pld_core.models import Job

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "home",
    "data",
    "extract",
    "clusters",
    "review",
    "conflicts",
    "prompt",
    "live_test",
    "evaluate",
    "errors",
    "audit",
    "settings",
)
NASTY = "<b>bold</b> ![x](http://evil.test/x.png) $x^2$ **loud** :red[red]"
"""What a text could bring along that must be shown letter by letter."""
_PROSE = (
    *("title", "header", "subheader", "markdown", "caption", "text", "code"),
    *("info", "success", "warning", "error", "toast", "page_link"),
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Visit(Protocol):
    """Opens a page of the app in the test's workspace, with these values in the address."""

    def __call__(self, page: str, **address: str) -> AppTest: ...


class Worker(Protocol):
    """Runs one queued job to its end, as `pld worker` does."""

    def __call__(self) -> Job: ...


def run(at: AppTest) -> AppTest:
    """Run the page once; no page may ever end in an exception."""
    at.run()
    assert not at.exception, at.exception[0].value
    return at


def go(at: AppTest, page: str) -> AppTest:
    """Go to another page in the same session."""
    return run(at.switch_page(f"pages/{page}.py"))


def press(at: AppTest, key: str) -> AppTest:
    """Press a button, if a person could."""
    button = at.button(key)
    assert not button.disabled, f"{key} is greyed out"
    button.click()
    return run(at)


def press_at_once(at: AppTest, key: str) -> AppTest:
    """Press a button right out of the field that was changed: both come together, so nothing is done, and it is told.

    After it the page shows what was entered, and the button is about that.
    """
    press(at, key)
    assert CHANGED in prose(at)
    return at


def unescaped(text: str) -> str:
    """Return a Markdown text as it is read, without what keeps its punctuation as it stands."""
    return _ESCAPED.sub(r"\1", text.replace(BREAK, ""))


def raw(at: AppTest, *kinds: str) -> list[str]:
    """Return the texts of elements of these kinds as they are sent to the browser, main part and sidebar."""
    return [str(found.value) for kind in kinds for found in at.get(kind) if isinstance(found, Element)]


def prose(at: AppTest) -> str:
    """Return all prose on the screen as it is read."""
    return "\n".join(unescaped(text) for text in raw(at, *_PROSE))


def links(at: AppTest) -> list[str]:
    return [unescaped(text) for text in raw(at, "page_link")]


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in at.metric}


def choose_row(at: AppTest, key: str, row: int) -> AppTest:
    """Click a row of a table."""
    at.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return run(at)


def takes_literally(texts: Iterable[str], part: str) -> bool:
    """Return whether a Markdown element holds `part` with every punctuation mark of it escaped."""
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", part)
    return any(escaped in text.replace(BREAK, "") for text in texts)
