"""An evaluation, one question at a time, against a bare loop over the same client: what keeping each answer costs.

The stub answers after 350 ms, as the embedded student does once its prompt is in the cache.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.call_engine import ACTOR, TASK, stub
from pld_core.asking import Evaluation, answer_run, start_run, student_request
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.models import CompiledPrompt, Example, Split
from storage import create_store

DELAY_S = 0.35
ROUNDS = 3
QUESTIONS = 20
AIM = 1.05
PROMPT = CompiledPrompt(TASK.name, "Decide. " * 300, "sha256:p", (), "sha256:t", 1, TASK.label_names)


def examples() -> list[Example]:
    return [
        Example((("text", f"Clause {i}: " + "the parties agree " * 20),), "keep", Split.VALIDATION)
        for i in range(QUESTIONS)
    ]


async def bare(chat: OpenAIChat) -> float:
    requests = [student_request(PROMPT, example.fields) for example in examples()]
    begin = time.perf_counter()
    for request in requests:
        await chat.complete(request)
    return time.perf_counter() - begin


async def ours(chat: OpenAIChat) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{Path(folder) / 'pld.db'}")
        store.tasks.create_with_examples(TASK, examples(), "bench", ACTOR)
        store.prompts.save(PROMPT, ACTOR)
        run = await start_run(store, chat, Evaluation(TASK.name, 1, Split.VALIDATION), ACTOR)
        begin = time.perf_counter()
        await answer_run(store, chat, run, lambda *_: None)
        taken = time.perf_counter() - begin
        if len(store.runs.predictions(run.id)) != QUESTIONS:
            raise AssertionError("not every answer was stored")
        return taken


async def rounds(url: str) -> list[tuple[float, float]]:
    """Return (bare, ours) in seconds for each round; the two begin a round in turn."""
    chat = OpenAIChat("stub", url, "none")
    found = []
    for turn in range(ROUNDS):
        first, second = (bare, ours) if turn % 2 else (ours, bare)
        one, two = await first(chat), await second(chat)
        found.append((one, two) if turn % 2 else (two, one))
    await chat.aclose()
    return found


def main() -> None:
    with stub(DELAY_S) as url:
        found = asyncio.run(rounds(url))
    base, taken = (1000 * statistics.median(pair[side] for pair in found) / QUESTIONS for side in (0, 1))
    row = {
        "case": "evaluation / bare loop, one at a time",
        "ratio": statistics.median(mine / plain for plain, mine in found),
        "detail": f"{taken:.1f} / {base:.1f} ms an answer, aim at most {AIM}, load {os.getloadavg()[0]:.1f}",
    }
    print(json.dumps({"rows": [row]}))


if __name__ == "__main__":
    main()
