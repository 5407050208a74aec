"""Prompts and exports, to the byte, on every machine. A change of a golden file is a change for everybody.

`PLD_WRITE_GOLDEN=1` writes the files anew; look at what changed before it is kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pld_core.canonical import hash_text
from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.models import PromptVersion, Split
from pld_core.prompt_export import FORMATS, export, file_name
from pld_core.prompt_export.source import ExportSource
from pld_core.prompt_manifest import CountMethod, PromptKind, TokenCount
from pld_core.prompt_style import Style
from tests.core.prompt_parts import REVISIONS, THREE, version
from tests.factories import make_examples, make_task

GOLDEN = Path(__file__).parents[1] / "golden"
TASK = make_task()
PROMPTS: dict[str, Callable[[], str]] = {
    "label": lambda: compile_prompt(TASK, THREE).text,
    "cited": lambda: compile_prompt(TASK, THREE, Choices(Style.CITED)).text,
    "letter": lambda: compile_prompt(TASK, THREE, Choices(Style.LETTER)).text,
    "no_rules": lambda: compile_baseline(TASK, (), Choices(kind=PromptKind.NO_RULES)).text,
    "five_shot": lambda: compile_baseline(TASK, make_examples(9), Choices(kind=PromptKind.FEW_SHOT, seed=7)).text,
}


def source(style: Style = Style.LABEL) -> ExportSource:
    made = version(3, choices=Choices(style, leave_out=("R3",), reason="No *room*."))
    counted = TokenCount(314, CountMethod.PROBE, "ollama:gemma3:4b")
    stored = PromptVersion(made.number, made.prompt, made.created_at, made.created_by, counted)
    return ExportSource(TASK, stored, REVISIONS, "gemma3:4b", 8192, make_examples(3, Split.VALIDATION))


def check(name: str, content: str) -> None:
    file = GOLDEN / name
    if os.environ.get("PLD_WRITE_GOLDEN"):
        file.write_bytes(content.encode("utf-8"))
    assert content.encode("utf-8") == file.read_bytes(), f"{name} is no longer what it was"


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_is_golden(name: str) -> None:
    check(f"prompt_{name}.txt", PROMPTS[name]())


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_is_golden(form: str) -> None:
    check(f"export_{file_name(source(), form)}", export(source(), form).decode("utf-8"))


PROGRAM = r"""
import hashlib, locale, sys
locale.setlocale(locale.LC_ALL, "")
from tests.core.test_prompt_golden import FORMATS, PROMPTS, export, source
found = hashlib.sha256()
for name in PROMPTS:
    found.update(PROMPTS[name]().encode())
for form in FORMATS:
    found.update(export(source(), form))
print(found.hexdigest())
"""


def test_another_process_locale_hash_seed_and_time_zone_give_the_same_bytes() -> None:
    def digest(**environment: str) -> str:
        env = {**os.environ, **environment, "PYTHONPATH": str(GOLDEN.parents[1])}
        done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, check=True, text=True)
        return done.stdout

    one = digest(LC_ALL="C", PYTHONHASHSEED="1", TZ="UTC", PYTHONUTF8="0")
    two = digest(LC_ALL="C.UTF-8", PYTHONHASHSEED="4242", TZ="Asia/Tokyo", PYTHONUTF8="1")
    assert one == two


def test_the_order_of_the_examples_does_not_matter_for_a_few_shot_baseline() -> None:
    examples = make_examples(9)
    choices = Choices(kind=PromptKind.FEW_SHOT, seed=7)
    one = compile_baseline(TASK, examples, choices)
    assert compile_baseline(TASK, examples[::-1], choices) == one
    assert one.sha256 == hash_text(one.text)
    assert one.manifest()["shots"] == {"seed": 7, "examples": list(one.build.shots.examples)}  # type: ignore[union-attr]
    assert compile_baseline(TASK, examples, Choices(kind=PromptKind.FEW_SHOT, seed=8)) != one


def test_letters_stand_in_the_manifest() -> None:
    manifest = compile_prompt(TASK, THREE, Choices(Style.LETTER)).manifest()
    assert (manifest["style"], manifest["letters"]) == ("letter", {"A": "keep", "B": "remove"})
    json.dumps(manifest)
