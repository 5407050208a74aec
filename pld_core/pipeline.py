"""The use cases that take time: they spread pure functions over examples, store each result at once, and can resume."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pld_core.canonical import Json
from pld_core.clustering import cluster_points
from pld_core.compilation import student_input
from pld_core.errors import BackendError, Failure, InvalidInput, PromptTooLong, ReplyUnusable
from pld_core.evaluation import answer_from, answer_schema, failed_answer, score
from pld_core.extraction import TEMPLATE as EXTRACTION
from pld_core.extraction import extraction_request, read_extraction, template_hash
from pld_core.models import (
    NOISE,
    SYSTEM,
    Actor,
    Answer,
    ClusterParams,
    CompiledPrompt,
    Example,
    MicroInstruction,
    Prediction,
    RevisionState,
    Run,
    Split,
    Task,
)
from pld_core.personal import shown_to_teacher
from pld_core.ports import (
    Chat,
    ChatReply,
    ChatRequest,
    Embedder,
    ExampleFilter,
    NewRule,
    Progress,
    RuleFilter,
    Store,
    StoredClustering,
)
from pld_core.synthesis import TEMPLATE as SYNTHESIS
from pld_core.synthesis import Cluster, clusters_of, origin_of, read_synthesis, synthesis_request
from pld_core.teaching import Answered, Ask, Tally, Teacher, Teaching

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
    """

    made: int
    already_there: int
    failed: int
    dropped: int = 0
    left: int = 0

    @property
    def words(self) -> str:
        words = f"{self.made} made, {self.already_there} already there, {self.failed} failed"
        words += f", {self.dropped} dropped (answer format only)" if self.dropped else ""
        return words + (f", {self.left} failed earlier and left alone" if self.left else "")


def _outcome(tally: Tally, already: int) -> Outcome:
    dropped = tally.failed.get(Failure.FORMAT_ONLY, 0)
    return Outcome(tally.made, already, sum(tally.failed.values()) - dropped, dropped, tally.left)


def open_extractions(store: Store, task_name: str, limit: int | None = None) -> tuple[list[Ask[Example]], int]:
    """Return what has to be asked for the training examples without an instruction, and how many have one.

    Args:
        limit: at most so many, in the order of import; None for all.
    """
    task = store.tasks.get(task_name)
    examples = store.tasks.examples(task_name, ExampleFilter(split=Split.TRAIN))
    have = {instruction.example_hash for instruction in store.logic.instructions(task_name)}
    todo = [example for example in examples if example.hash not in have]
    return [Ask(example, extraction_request(task, example)) for example in todo[:limit]], len(examples) - len(todo)


async def extract(
    store: Store,
    teacher: Chat,
    task_name: str,
    report: Progress,
    teaching: Teaching | None = None,
    limit: int | None = None,
    retry_failed: bool = False,
) -> Outcome:
    """Phase 1: one micro-instruction for each training example that has none yet.

    A reply that cannot be used is a recorded failure, and the run goes on. A teacher that cannot be reached stops it.

    Args:
        limit: at most so many examples, in the order of import.
        retry_failed: also those whose reply could not be used before; each is a new call that is paid for.

    Raises:
        AccessRefused, ModelMissing, CallsStopped, BudgetReached: what was answered is kept.
    """
    asks, already = open_extractions(store, task_name, limit)

    def read(example: Example, text: str) -> MicroInstruction:
        return read_extraction(example, text, teacher.name)

    def keep(answers: Sequence[Answered[Example, MicroInstruction]]) -> None:
        store.logic.record_calls(task_name, [(a.call, a.result) for a in answers if a.call is not None])
        for answer in answers:
            if answer.call is None and answer.result is not None:
                store.logic.add_instruction(task_name, answer.result)

    asking = Teacher(store, teacher, task_name, template_hash(EXTRACTION), read, keep, teaching or Teaching())
    await asking.ask(asks, retry_failed, report, already, "instructions extracted")
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


async def synthesise(
    store: Store,
    teacher: Chat,
    embedder: Embedder,
    clustering_id: int,
    actor: Actor,
    report: Progress,
    teaching: Teaching | None = None,
) -> Outcome:
    """Phase 2: merge each cluster into one rule and put it into review; an example set that has a rule is skipped."""
    clustering = store.logic.clustering(clustering_id)
    task = store.tasks.get(clustering.task)
    clusters = await _stored_clusters(store, embedder, clustering)
    # A process that was stopped between the two steps of `keep` left its rule proposed; nobody else would submit it.
    for left in store.rules.queue(task.name, RuleFilter(states=(RevisionState.PROPOSED,))):
        store.rules.submit(left.id, actor)
    have = store.rules.origins(task.name)
    asks = [Ask(cluster, synthesis_request(task, cluster)) for cluster in clusters if cluster.origin not in have]

    def read(cluster: Cluster, text: str) -> NewRule:
        return read_synthesis(task, cluster, text, teacher.name, clustering_id)

    def keep(answers: Sequence[Answered[Cluster, NewRule]]) -> None:
        store.logic.record_calls(task.name, [(a.call, None) for a in answers if a.call is not None])
        for answer in answers:
            rule_id = store.rules.propose(task.name, answer.result, actor) if answer.result else None
            if rule_id is not None:
                store.rules.submit(rule_id, actor)

    given = teaching or Teaching()
    # One at a time: rule numbers then follow the clusters, run after run.
    in_turn = replace(given, limits=replace(given.limits, in_flight=1))
    asking = Teacher(store, teacher, task.name, template_hash(SYNTHESIS), read, keep, in_turn)
    already = len(clusters) - len(asks)
    # A rule that failed is asked for again: whoever starts synthesis asks for just that.
    await asking.ask(asks, True, report, already, "rules synthesised")
    return _outcome(asking.tally, already)


def awaited_rules(store: Store, clustering: StoredClustering) -> tuple[int, int]:
    """Return how many rules synthesis would ask the teacher for, and how many clusters have theirs already."""
    active = {i.example_hash for i in store.logic.active_instructions(clustering.task)}
    members: dict[int, list[str]] = {}
    for point in clustering.points:
        if point.cluster != NOISE and point.example_hash in active:
            members.setdefault(point.cluster, []).append(point.example_hash)
    have = store.rules.origins(clustering.task)
    there = sum(origin_of(hashes) in have for hashes in members.values())
    return len(members) - there, there


def student_request(task: Task, prompt_text: str, fields: tuple[tuple[str, str], ...]) -> ChatRequest:
    """Return the call that classifies one input: static prompt first, input last, declared labels only."""
    return ChatRequest(
        system=prompt_text,
        user=student_input(fields),
        purpose="student",
        schema=answer_schema(task),
        max_tokens=ANSWER_TOKENS,
    )


async def ask(student: Chat, task: Task, prompt: CompiledPrompt, fields: tuple[tuple[str, str], ...]) -> Answer:
    """Ask the student once. An answer that cannot be used is a failed answer; a student that is down raises."""
    try:
        return answer_from(task, await student.complete(student_request(task, prompt.text, fields)))
    except ReplyUnusable as error:
        return failed_answer(str(error), error.raw)
    except PromptTooLong as error:
        return failed_answer(str(error))


async def ask_streaming(
    student: Chat,
    task: Task,
    prompt: CompiledPrompt,
    fields: tuple[tuple[str, str], ...],
    on_text: Callable[[str], None],
) -> tuple[Answer, ChatReply | None]:
    """Ask the student once, handing on the text so far as it grows; the reply is None when none came to its end."""
    so_far = ""
    stream = student.stream(student_request(task, prompt.text, fields))
    try:
        async for piece in stream:
            if isinstance(piece, ChatReply):
                return answer_from(task, piece), piece
            so_far += piece
            on_text(so_far)
    except (ReplyUnusable, PromptTooLong) as error:
        return failed_answer(str(error), so_far), None
    return failed_answer("The student's answer ended before it was complete.", so_far), None


async def evaluate(
    store: Store,
    student: Chat,
    task_name: str,
    prompt_number: int,
    split: Split,
    job_id: int | None,
    actor: Actor,
    report: Progress,
) -> Run:
    """Ask the student about every example of a split and keep each answer; a resumed job asks only what is missing.

    Raises:
        BackendError: the student cannot be reached; the answers so far are kept.
    """
    task = store.tasks.get(task_name)
    version = store.prompts.get(task_name, prompt_number)
    examples = store.tasks.examples(task_name, ExampleFilter(split=split))
    status = await student.status()
    if not status.ready:
        raise BackendError(f"{status.problem} {status.fix}".strip())
    run = store.runs.start(
        Run(
            id=0,
            task=task_name,
            prompt_number=version.number,
            prompt_sha256=version.prompt.sha256,
            student=student.name,
            digest=status.digest,
            split=split,
            created_at="",
            created_by=actor.name,
            total=len(examples),
            job_id=job_id,
        ),
        actor,
    )
    have = {prediction.example_hash for prediction in store.runs.predictions(run.id)}
    todo = [example for example in examples if example.hash not in have]

    async def one(example: Example) -> bool:
        values = dict(example.fields)
        fields = tuple((name, values.get(name, "")) for name in task.input_fields)
        answer = await ask(student, task, version.prompt, fields)
        store.runs.add_prediction(run.id, Prediction(example.hash, example.label, answer))
        return True

    await _spread(todo, one, report, len(examples) - len(todo), "examples answered", 1)
    summary: dict[str, Json] = score(task.label_names, store.runs.predictions(run.id)).as_json()
    store.runs.finish(run.id, summary, SYSTEM)
    return run


async def _stored_clusters(store: Store, embedder: Embedder, clustering: StoredClustering) -> tuple[Cluster, ...]:
    """Rebuild the clusters from the stored points, not from a second clustering: people saw the stored ones.

    An example that was withdrawn or archived since is left out: no rule is to rest on it.
    """
    numbers = {point.example_hash: point.cluster for point in clustering.points}
    instructions, conditions, texts = compared_texts(store, clustering)
    vectors = await embedder.embed(conditions)
    inputs = await embedder.embed(texts)
    return clusters_of(instructions, vectors, inputs, [numbers[i.example_hash] for i in instructions])


def compared_texts(store: Store, clustering: StoredClustering) -> tuple[list[MicroInstruction], list[str], list[str]]:
    """Return the instructions of a stored clustering that take part, and what synthesis embeds of them.

    That is each one's condition, and its example's text: masked if its import asked for that, as an embedder may be
    somebody else's server.
    """
    there = {point.example_hash for point in clustering.points}
    texts = {e.hash: shown_to_teacher(e).text for e in store.tasks.examples(clustering.task) if e.hash in there}
    instructions = [i for i in store.logic.instructions(clustering.task) if i.example_hash in texts]
    return instructions, [i.condition for i in instructions], [texts[i.example_hash] for i in instructions]


async def _spread(
    items: Sequence[Item],
    one: Callable[[Item], Awaitable[bool]],
    report: Progress,
    already: int,
    what: str,
    in_flight: int,
) -> int:
    """Run `one` over the items, at most `in_flight` at a time, reporting after each; return how many succeeded.

    The first error stops the rest: what was finished is stored already.
    """
    total, finished, succeeded = already + len(items), already, 0
    report(finished, total, what)
    gate, stopped = asyncio.Semaphore(in_flight), False

    async def guarded(item: Item) -> None:
        nonlocal finished, succeeded, stopped
        async with gate:
            # Whoever waits at the gate when another fails is let in before it is cancelled, and would be paid for.
            if stopped:
                return
            try:
                succeeded += await one(item)
                finished += 1
                report(finished, total, what)
            except BaseException:
                stopped = True
                raise

    tasks = [asyncio.ensure_future(guarded(item)) for item in items]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return succeeded
