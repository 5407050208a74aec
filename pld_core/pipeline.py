"""The use cases that take time: they spread pure functions over examples, store each result at once, and can resume."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pld_core.clustering import cluster_points
from pld_core.errors import Failure, InvalidInput
from pld_core.extraction import TEMPLATE as EXTRACTION
from pld_core.extraction import extraction_request, read_extraction
from pld_core.model_ports import Chat, Embedder
from pld_core.models import (
    Actor,
    ClusterParams,
    Example,
    MicroInstruction,
    Split,
)
from pld_core.ports import Progress, Store
from pld_core.records import ExampleFilter, StoredClustering
from pld_core.teaching import Answered, Ask, Tally, Teacher, Teaching
from pld_core.templates import template

Item = TypeVar("Item")
ANSWER_TOKENS = 64
"""Room for `{"label": "..."}`; a label never takes more."""


@dataclass(frozen=True)
class Outcome:
    """How a step over many items ended.

    Attributes:
        made: what is there now and was not before.
        already_there: skipped because it was there.
        failed: asked, and no usable answer came; dropped ones are not counted here.
        dropped: answers that only restate the answer's format.
        left: failed earlier and left alone, because nobody asked to try them again.
        in_batches: left alone because they wait for their answer in an open batch.
    """

    made: int
    already_there: int
    failed: int
    dropped: int = 0
    left: int = 0
    in_batches: int = 0

    @property
    def words(self) -> str:
        words = f"{self.made} made, {self.already_there} already there, {self.failed} failed"
        words += f", {self.dropped} dropped (answer format only)" if self.dropped else ""
        words += f", {self.left} failed earlier and left alone" if self.left else ""
        return words + (f", {self.in_batches} in an open batch" if self.in_batches else "")


def _outcome(tally: Tally, already: int) -> Outcome:
    dropped = tally.failed.get(Failure.FORMAT_ONLY, 0)
    return Outcome(tally.made, already, sum(tally.failed.values()) - dropped, dropped, tally.left, tally.in_batches)


def open_extractions(
    store: Store, task_name: str, only: Collection[str] | None = None
) -> tuple[list[Ask[Example]], int]:
    """Return what has to be asked for the training examples without an instruction, and how many have one.

    Args:
        only: content hashes of the examples to look at; None for all.
    """
    task = store.tasks.get(task_name)
    examples = store.tasks.examples(task_name, ExampleFilter(split=Split.TRAIN))
    wanted = [example for example in examples if only is None or example.hash in only]
    have = {instruction.example_hash for instruction in store.logic.instructions(task_name)}
    todo = [example for example in wanted if example.hash not in have]
    return [Ask(example, extraction_request(task, example)) for example in todo], len(wanted) - len(todo)


async def extract(
    store: Store,
    teacher: Chat,
    task_name: str,
    report: Progress,
    teaching: Teaching | None = None,
    limit: int | None = None,
    only: Collection[str] | None = None,
) -> Outcome:
    """Phase 1: one micro-instruction for each training example that has none yet.

    A reply that cannot be used is a recorded failure, and the run goes on. A teacher that cannot be reached stops it.

    Args:
        limit: make at most so many calls, in the order of import.
        only: content hashes of the examples to ask about, also those whose reply could not be used before; each is a
            new call that is paid for. None for all, without those.

    Raises:
        AccessRefused, ModelMissing, CallsStopped, BudgetReached: what was answered is kept.
    """
    asks, already = open_extractions(store, task_name, only)

    def read(example: Example, text: str) -> MicroInstruction:
        return read_extraction(example, text, teacher.name)

    def keep(answers: Sequence[Answered[Example, MicroInstruction]]) -> None:
        store.logic.record_calls(task_name, [(a.call, a.result) for a in answers if a.call is not None])
        for answer in answers:
            if answer.call is None and answer.result is not None:
                store.logic.add_instruction(task_name, answer.result)

    asking = Teacher(store, teacher, task_name, template(EXTRACTION).hash, read, keep, teaching or Teaching())
    await asking.ask(asks, only is not None, report, already, "instructions extracted", limit)
    return _outcome(asking.tally, already)


async def save_clustering(
    store: Store, embedder: Embedder, task_name: str, params: ClusterParams, actor: Actor
) -> StoredClustering:
    """Phase 2: cluster the instructions of the active examples and keep the result with its parameters.

    Raises:
        InvalidInput: there is no instruction, or a parameter is out of range.
    """
    instructions = store.logic.active_instructions(task_name)
    if not instructions:
        raise InvalidInput(f"Task {task_name} has no instructions yet, so there is nothing to cluster.")
    vectors = await embedder.embed([instruction.condition for instruction in instructions])
    params = replace(params, embedder=embedder.name)
    return store.logic.add_clustering(task_name, params, cluster_points(instructions, vectors, params), actor)
