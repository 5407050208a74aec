"""A loop that has ended with a fake Ollama as its student, so that workers and commands can go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pld_app import wiring
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.model_ports import ChatRequest
from pld_core.models import Split
from pld_core.records import ExampleFilter
from pld_core.resolving import LoopModels, Working, resolve
from storage import create_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, use_student
from tests.conflict_models import Scripted, action, text
from tests.factories import ANNA, FirstWordEmbedder, ToldChat, no_report, url_of
from tests.resolving import RuleSpec, conflicted, limited

KINDS = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
RULES = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
VALIDATION = 8 * len(KINDS)


def says(ollama: FakeOllama, answer: Callable[[str], str]) -> Callable[[int], None]:
    """Return what sets the student's answer to each question by its text."""

    def choose(number: int) -> None:
        ollama.label = answer(ollama.asked[number - 1])

    return choose


def misreads(question: str) -> str:
    return "remove" if "insult" in question else "keep"


def reads(question: str) -> str:
    return "remove" if "insult plain" in question else "keep"


def proposed(request: ChatRequest) -> Sequence[dict[str, Any]]:
    return [
        action("add_exception", ["R1"], request, text("insult is said", "remove", ["banter is said"])),
        action("new_rule", [], request, text("laughter is said", "keep")),
        action("new_rule", [], request, text("a grin is said", "keep")),
    ]


def looped_on(space: Path, ollama: FakeOllama) -> App:
    """Return a workspace with a loop that has ended: under any change of its rules the fake Ollama reads jokes well."""
    use_student(space, ollama.url)
    store = create_store(url_of(space / "pld.db"))
    conflicted(store, KINDS, RULES)
    opened = App(load_settings(space, {}), store, ANNA)
    first_look = len(store.tasks.examples("posts", ExampleFilter(split=Split.TRAIN))) + VALIDATION
    wrong, well = says(ollama, misreads), says(ollama, reads)
    ollama.before = lambda number: (wrong if number <= first_look else well)(number)

    async def loop() -> None:
        async with wiring.student_backend(opened, STUDENT) as student:
            teacher = ToldChat(Scripted([("joke", proposed)]), "teacher")
            models = LoopModels(teacher, student, FirstWordEmbedder(), FirstWordEmbedder())
            await resolve(store, models, limited(rounds=1), ANNA, no_report, Working())

    asyncio.run(loop())
    ollama.asked.clear()
    ollama.before = well
    return opened
