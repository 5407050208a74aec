"""No sentence of the importers reaches the page with an option of a command in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from pld_app.components.import_words import on_page
from tests.pages.driving import unescaped

CORE = Path(__file__).resolve().parents[2] / "pld_core"
COMMANDS = re.compile(r"--[a-z]|\bpld [a-z]")


def sentences() -> list[str]:
    """Return every text in the importers and the validation that names a command, docstrings left out."""
    found = []
    for file in sorted([*(CORE / "importers").glob("*.py"), *(CORE / "validation").glob("*.py")]):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        docstrings = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
        found += [part.value for part in parts if isinstance(part.value, str) and COMMANDS.search(part.value)]
    return found


def test_there_are_sentences_to_look_at() -> None:
    assert len(sentences()) > 5


@pytest.mark.parametrize("sentence", sentences())
def test_a_sentence_that_names_an_option_names_a_field_of_the_page_instead(sentence: str) -> None:
    assert not COMMANDS.search(unescaped(on_page(sentence)))


def test_a_missing_field_is_said_in_words_of_the_page() -> None:
    words = "The field 'clause' is missing. Nothing was imported. Say which column it is with --map COLUMN=clause."
    assert unescaped(on_page(words)).endswith("Nothing was imported. Choose a column for it above.")


def test_any_other_text_is_shown_letter_by_letter() -> None:
    assert on_page("<b>**loud**</b>") == r"\<b\>\*\*loud\*\*\<\/b\>"
