"""Calls a second through the engine, stored, against the bare openai client at the same concurrency and the ideal.

The stub answers after 500 ms. Bare and engine take turns on the same stub in one run; the median of the rounds counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai

from benchmarks.fixed_delay_stub import DELAY_S
from pld_core import pipeline
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.calls import Limits
from pld_core.extraction import extraction_request
from pld_core.models import Actor, Example, Label, Role, Split, Task
from pld_core.ports import ChatRequest
from pld_core.teaching import Teaching
from storage import create_store

IN_FLIGHT = (32, 64, 128)
ROUNDS = 3
WAVES = 6
ACTOR = Actor("bench", frozenset(Role))
TASK = Task("bench", "Bench", ("text",), (Label("keep", "stays"), Label("remove", "goes")), "Decide.")


@contextmanager
def stub() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.fixed_delay_stub"], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("the stub has no output")
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.communicate()


def examples(n: int) -> list[Example]:
    return [Example((("text", f"Clause {i}: " + "the parties agree " * 20),), "keep", Split.TRAIN) for i in range(n)]


async def bare(url: str, given: list[Example], in_flight: int) -> float:
    """The plain client as its documents show it, same requests, with a semaphore; replies are thrown away."""
    requests = [extraction_request(TASK, example) for example in given]
    gate = asyncio.Semaphore(in_flight)
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def one(request: ChatRequest) -> None:
            async with gate:
                done = await client.chat.completions.create(
                    model="stub",
                    messages=[{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
                    response_format={
                        "type": "json_schema",
                        "json_schema": {"name": "answer", "strict": True, "schema": dict(request.schema or {})},
                    },
                    max_tokens=request.max_tokens,
                    temperature=request.temperature,
                    seed=request.seed,
                )
                if not done.choices[0].message.content:
                    raise AssertionError("the stub gave no answer")

        begin = time.perf_counter()
        await asyncio.gather(*(one(request) for request in requests))
        return time.perf_counter() - begin


async def ours(url: str, given: list[Example], in_flight: int) -> float:
    """What the product does: requests made, sent, read, checked, and stored with their instruction."""
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{Path(folder) / 'pld.db'}")
        store.tasks.create_with_examples(TASK, given, "bench", ACTOR)
        chat = OpenAIChat("stub", url, "none", retries=0, connections=in_flight)
        begin = time.perf_counter()
        outcome = await pipeline.extract(
            store, chat, TASK.name, lambda *_: None, Teaching(Limits(in_flight=in_flight), run="bench")
        )
        taken = time.perf_counter() - begin
        await chat.aclose()
        if outcome.made != len(given) or store.logic.spend("bench").calls != len(given):
            raise AssertionError(f"not everything was stored: {outcome.words}")
        return taken


def main() -> None:
    rows = []
    with stub() as url:
        for in_flight in IN_FLIGHT:
            given = examples(in_flight * WAVES)
            pairs = [
                (asyncio.run(bare(url, given, in_flight)), asyncio.run(ours(url, given, in_flight)))
                for _ in range(ROUNDS)
            ]
            base, taken = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
            ideal = WAVES * DELAY_S
            rate, load = len(given) / taken, os.getloadavg()[0]
            detail = f"{rate:.0f} / {len(given) / base:.0f} calls/s, load {load:.1f}"
            rows.append(
                {"case": f"engine / bare client, {in_flight} in flight", "ratio": base / taken, "detail": detail}
            )
            detail = f"{rate:.0f} / {len(given) / ideal:.0f} calls/s"
            rows.append({"case": f"engine / ideal, {in_flight} in flight", "ratio": ideal / taken, "detail": detail})
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
