"""Calls a second through the engine, stored, against the bare openai client at the same concurrency and the ideal.

The stub answers after 500 ms. Bare and engine take turns on the same stub, and in turn begin a round; the median of
the rounds' ratios counts, so that what else runs on the machine meets both. Processor time is that of this process
with its threads: it says what the engine itself costs, however busy the machine is.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai

from benchmarks.fixed_delay_stub import DELAY_S
from pld_core import pipeline
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.calls import Limits
from pld_core.extraction import extraction_request
from pld_core.model_ports import ChatRequest
from pld_core.models import Actor, Example, Label, Role, Split, Task
from pld_core.teaching import Teaching
from storage import create_store

IN_FLIGHT = (32, 64, 128)
ROUNDS = 4
WAVES = 6
ACTOR = Actor("bench", frozenset(Role))
TASK = Task("bench", "Bench", ("text",), (Label("keep", "stays"), Label("remove", "goes")), "Decide.")


@contextmanager
def stub(delay_s: float = DELAY_S) -> Iterator[str]:
    """Run the stub with this delay and yield its address."""
    command = [sys.executable, "-m", "benchmarks.fixed_delay_stub", str(delay_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("the stub has no output")
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
    finally:
        process.terminate()
        process.communicate()


def examples(n: int) -> list[Example]:
    return [Example((("text", f"Clause {i}: " + "the parties agree " * 20),), "keep", Split.TRAIN) for i in range(n)]


@dataclass(frozen=True)
class Taken:
    """What the calls of one side of a round took, in seconds: by the clock, and of the processor."""

    wall: float
    cpu: float


@dataclass
class Watch:
    """Measures a block."""

    taken: Taken = Taken(0.0, 0.0)

    @contextmanager
    def running(self) -> Iterator[None]:
        begin, spent = time.perf_counter(), processor_s()
        yield
        self.taken = Taken(time.perf_counter() - begin, processor_s() - spent)


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def bare(url: str, given: list[Example], in_flight: int) -> Taken:
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

        watch = Watch()
        with watch.running():
            await asyncio.gather(*(one(request) for request in requests))
        return watch.taken


async def ours(url: str, given: list[Example], in_flight: int) -> Taken:
    """What the product does: requests made, sent, read, checked, and stored with their instruction."""
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(f"sqlite:///{Path(folder) / 'pld.db'}")
        store.tasks.create_with_examples(TASK, given, "bench", ACTOR)
        chat = OpenAIChat("stub", url, "none", connections=in_flight)
        watch = Watch()
        with watch.running():
            outcome = await pipeline.extract(
                store, chat, TASK.name, lambda *_: None, Teaching(Limits(in_flight=in_flight), run="bench")
            )
        await chat.aclose()
        if outcome.made != len(given) or store.logic.spend("bench").calls != len(given):
            raise AssertionError(f"not everything was stored: {outcome.words}")
        return watch.taken


def measured(url: str, in_flight: int) -> list[dict[str, object]]:
    """Return the rows of one concurrency."""
    given = examples(in_flight * WAVES)
    plain: list[Taken] = []
    engine: list[Taken] = []
    for turn in range(ROUNDS):
        for side, kept in ((bare, plain), (ours, engine))[:: 1 if turn % 2 else -1]:
            kept.append(asyncio.run(side(url, given, in_flight)))
    base, taken = (statistics.median(t.wall for t in side) for side in (plain, engine))
    base_ms, taken_ms = (1000 * statistics.median(t.cpu for t in side) / len(given) for side in (plain, engine))
    ideal, load = WAVES * DELAY_S, os.getloadavg()[0]
    rates = f"{len(given) / taken:.0f} / {len(given) / base:.0f} calls/s, load {load:.1f}"
    return [
        {
            "case": f"engine / bare client, {in_flight} in flight",
            "ratio": statistics.median(b.wall / e.wall for b, e in zip(plain, engine, strict=True)),
            "detail": rates,
        },
        {
            "case": f"processor time, engine / bare, {in_flight} in flight",
            "ratio": statistics.median(e.cpu / b.cpu for b, e in zip(plain, engine, strict=True)),
            "detail": f"{taken_ms:.1f} / {base_ms:.1f} ms a call",
        },
        {
            "case": f"engine / ideal, {in_flight} in flight",
            "ratio": ideal / taken,
            "detail": f"{len(given) / taken:.0f} / {len(given) / ideal:.0f} calls/s",
        },
    ]


def main() -> None:
    with stub() as url:
        print(json.dumps({"rows": [row for in_flight in IN_FLIGHT for row in measured(url, in_flight)]}))


if __name__ == "__main__":
    main()
