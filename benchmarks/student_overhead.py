"""An evaluation, one question at a time, against a bare loop over the same client; and a first call against later ones.

The stub answers after 350 ms, as the embedded student does once its prompt is in the cache: it tells what keeping each
answer costs. The embedded student itself tells what an evaluation takes on a real model, and what the prefix cache
saves: the prompt of about 1,000 tokens stands first and the input last. It is left out where it is not installed.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.call_engine import ACTOR, TASK, stub
from pld_core.asking import Evaluation, answer_run, start_run, student_request
from pld_core.backends.embedded import EmbeddedChat, EmbeddedServer, missing_part
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.model_ports import Chat
from pld_core.models import CompiledPrompt, Example, Split
from storage import create_store

DELAY_S = 0.35
ROUNDS, QUESTIONS = 3, 20
REAL_ROUNDS, REAL_QUESTIONS = 4, 4
FIRST_CALLS, LATER_CALLS = 2, 4
LONG, SHORT = 20, 2
"""How often an input says that the parties agree; the real model reads every word of it."""
AIM = 1.05
RULE = "IF the clause says that the parties agree, THEN keep, EXCEPT it names a term.\n"
PROMPT = CompiledPrompt(TASK.name, "Decide.\n" + RULE * 45, "sha256:p", (), "sha256:t", 1, TASK.label_names)
"""1,000 tokens, give or take a tenth, as the embedded student counts."""


def examples(number: int, length: int) -> list[Example]:
    return [
        Example((("text", f"Clause {i}: " + "the parties agree " * length),), "keep", Split.VALIDATION)
        for i in range(number)
    ]


async def bare(chat: Chat, given: Sequence[Example]) -> float:
    requests = [student_request(PROMPT, example.fields) for example in given]
    begin = time.perf_counter()
    for request in requests:
        await chat.complete(request)
    return time.perf_counter() - begin


async def ours(chat: Chat, given: Sequence[Example]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{Path(folder) / 'pld.db'}")
        store.tasks.create_with_examples(TASK, given, "bench", ACTOR)
        store.prompts.save(PROMPT, ACTOR)
        run = await start_run(store, chat, Evaluation(TASK.name, 1, Split.VALIDATION), ACTOR)
        begin = time.perf_counter()
        await answer_run(store, chat, run, lambda *_: None)
        taken = time.perf_counter() - begin
        if len(store.runs.predictions(run.id)) != len(given):
            raise AssertionError("not every answer was stored")
        return taken


async def loops(case: str, chat: Chat, rounds: int, given: Sequence[Example]) -> dict[str, object]:
    """Return the row of both loops; they begin a round in turn, and the median of the rounds' ratios counts."""
    await bare(chat, given[:1])
    found = []
    for turn in range(rounds):
        first, second = (bare, ours) if turn % 2 else (ours, bare)
        one, two = await first(chat, given), await second(chat, given)
        found.append((one, two) if turn % 2 else (two, one))
    base, taken = (1000 * statistics.median(pair[side] for pair in found) / len(given) for side in (0, 1))
    return {
        "case": f"evaluation / bare loop, {case}",
        "ratio": statistics.median(mine / plain for plain, mine in found),
        "detail": f"{taken:.1f} / {base:.1f} ms an answer, aim at most {AIM}, load {os.getloadavg()[0]:.1f}",
    }


async def first_calls(chat: EmbeddedChat) -> dict[str, object]:
    """Return the row of the first call with a prompt against later ones; each round has a prompt of its own."""
    given = examples(1 + LATER_CALLS, SHORT)
    found = []
    for turn in range(FIRST_CALLS):
        # Another beginning: nothing of the prompt is in the cache.
        prompt = replace(PROMPT, text=f"Round {turn}. {PROMPT.text}")
        taken = []
        for example in given:
            begin = time.perf_counter()
            await chat.complete(student_request(prompt, example.fields))
            taken.append(1000 * (time.perf_counter() - begin))
        found.append((taken[0], statistics.median(taken[1:])))
    first, later = (statistics.median(pair[side] for pair in found) for side in (0, 1))
    tokens = await chat.count_tokens(student_request(PROMPT, (("text", "."),)))
    return {
        "case": "first call / later calls, embedded student",
        "ratio": statistics.median(cold / warm for cold, warm in found),
        "detail": f"{first:,.0f} / {later:,.0f} ms, prompt of {tokens:,} tokens, input last",
    }


async def with_stub(url: str) -> list[dict[str, object]]:
    chat = OpenAIChat("stub", url, "none")
    try:
        return [await loops("one at a time", chat, ROUNDS, examples(QUESTIONS, LONG))]
    finally:
        await chat.aclose()


async def with_embedded() -> list[dict[str, object]]:
    """Return the rows of the real model, in a child of its own that is warm before anything is measured."""
    server = EmbeddedServer()
    chat = EmbeddedChat(server)
    try:
        real = examples(REAL_QUESTIONS, SHORT)
        return [await loops("embedded student", chat, REAL_ROUNDS, real), await first_calls(chat)]
    finally:
        await chat.aclose()
        server.close()


def main() -> None:
    with stub(DELAY_S) as url:
        rows = asyncio.run(with_stub(url))
    if problem := missing_part():
        rows.append({"case": "embedded student", "ratio": None, "detail": problem})
    else:
        rows += asyncio.run(with_embedded())
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
