"""Asking the student: one question live, or every example of a split. All calls go through the call engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pld_core.answer_key import answer_key
from pld_core.calls import Call, Limits, Settled, Subject
from pld_core.canonical import Json
from pld_core.compilation import student_input
from pld_core.effect import StudentKey
from pld_core.engine import Engine
from pld_core.errors import BackendError, Failure, InvalidInput, ReplyUnusable
from pld_core.evaluation import answer_from, failed_answer, running_words
from pld_core.held_back import HeldBack
from pld_core.metrics import cells_of, figures
from pld_core.model_ports import BackendStatus, Chat, ChatReply, ChatRequest
from pld_core.models import SYSTEM, Actor, Answer, AnswerStatus, CompiledPrompt, Example, Prediction, Run, Split, Task
from pld_core.pace import Clock
from pld_core.ports import Progress, Store
from pld_core.prompt_style import AnswerForm
from pld_core.records import ExampleFilter
from pld_core.rule_shuffle import shuffled_prompt
from pld_core.run_setup import PLAIN_SETUP, RunSetup

ONE_BY_ONE = Limits(in_flight=1)
LIVE = Limits(in_flight=1, attempts=3, first_wait_s=0.5, longest_wait_s=15.0)
"""Somebody sits there and waits: fewer attempts and shorter pauses than in a run."""
READABLE = (None, Failure.LENGTH, Failure.EMPTY, Failure.UNVERIFIED)
"""How a call may end that brought a whole reply; whether it states a label is for `answer_from` to say."""


@dataclass(frozen=True)
class Evaluation:
    """What is to be evaluated; a job gets the run that it had begun, without a job each is a run of its own."""

    task: str
    prompt_number: int
    split: Split
    job_id: int | None = None
    setup: RunSetup = PLAIN_SETUP


def student_request(prompt: CompiledPrompt, fields: tuple[tuple[str, str], ...]) -> ChatRequest:
    """Return the call that classifies one input: static prompt first, input last, an answer in the prompt's style."""
    form = prompt.answer_form
    return ChatRequest(
        system=prompt.text,
        user=student_input(fields),
        purpose="student",
        schema=form.schema,
        max_tokens=form.max_tokens,
    )


def example_request(task: Task, prompt: CompiledPrompt, example: Example) -> ChatRequest:
    """Return the call that classifies an example of the task."""
    values = dict(example.fields)
    return student_request(prompt, tuple((name, values.get(name, "")) for name in task.input_fields))


def answer_of(form: AnswerForm, settled: Settled[Subject]) -> Answer:
    """Turn a settled call into an answer; without a whole reply it is failed or refused, which counts as wrong."""
    if settled.reply is not None and settled.failure in READABLE:
        return answer_from(form, settled.reply)
    status = AnswerStatus.REFUSED if settled.failure is Failure.REFUSED else AnswerStatus.FAILED
    return failed_answer(settled.problem, settled.raw, status)


# --- one question -----------------------------------------------------------------------------------------------------


class _Shown:
    """A `Chat` that hands on the text as it grows. What broke after some of it was shown is not to be tried again."""

    def __init__(self, chat: Chat, on_text: Callable[[str], None]) -> None:
        self._chat, self._on_text = chat, on_text

    @property
    def name(self) -> str:
        return self._chat.name

    async def status(self) -> BackendStatus:
        return await self._chat.status()

    async def complete(self, request: ChatRequest) -> ChatReply:
        so_far, reply = "", None
        try:
            async for piece in self.stream(request):
                if isinstance(piece, ChatReply):
                    reply = piece
                else:
                    so_far += piece
                    self._on_text(so_far)
        except BackendError as error:
            if so_far:
                refused = isinstance(error, ReplyUnusable) and error.kind is Failure.REFUSED
                kind = Failure.REFUSED if refused else Failure.UNUSABLE
                raise ReplyUnusable(str(error), so_far, kind) from error
            raise
        if reply is None:
            raise ReplyUnusable("The student's answer ended before it was complete.", so_far)
        return reply

    def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        return self._chat.stream(request)

    async def aclose(self) -> None:
        await self._chat.aclose()


async def ask_streaming(
    student: Chat,
    form: AnswerForm,
    request: ChatRequest,
    on_text: Callable[[str], None],
    clock: Clock | None = None,
) -> tuple[Answer, ChatReply | None]:
    """Ask the student once, handing on the text so far as it grows; the reply is None when none came to its end.

    A call that failed before anything of its answer was shown is tried again. Cancel it to stop the server.

    Args:
        form: of the prompt's answers.

    Raises:
        BackendError: the student cannot be reached, is busy, or refuses whoever asks.
    """
    engine: Engine[None] = Engine(_Shown(student, on_text), LIVE, clock=clock)
    settled = await engine.settle(Call(request, None))
    if settled.has_no_answer:
        raise BackendError(settled.problem)
    whole = settled.reply if settled.failure in READABLE else None
    return answer_of(form, settled), whole


# --- every example of a split -----------------------------------------------------------------------------------------


async def start_run(store: Store, student: Chat, wanted: Evaluation, actor: Actor) -> Run:
    """Begin a run, or return the one that the job had begun.

    Raises:
        NotFound: there is no such task or prompt version.
        InvalidInput: the rules are to be shuffled, and there are fewer than two.
        MissingReason: the test split is looked at without saying why.
        BackendError: the student is not ready; no run is begun.
    """
    version = store.prompts.get(wanted.task, wanted.prompt_number)
    trial = shuffled_prompt(version.prompt, wanted.setup.seed) if wanted.setup.shuffled else None
    prompt = trial or version.prompt
    status = await ready_status(student)
    key = run_key(store.tasks.get(wanted.task), prompt, wanted.setup, status)
    run = Run(
        id=0,
        task=wanted.task,
        prompt_number=version.number,
        prompt_sha256=prompt.sha256,
        student=student.name,
        digest=status.digest,
        split=wanted.split,
        created_at="",
        created_by=actor.name,
        total=store.tasks.count_examples(wanted.task, ExampleFilter(split=wanted.split)),
        job_id=wanted.job_id,
        setup=replace(wanted.setup, options=key.options),
    )
    return store.runs.start(run, actor, trial)


def run_key(task: Task, prompt: CompiledPrompt, setup: RunSetup, status: BackendStatus) -> StudentKey:
    """Return by what answers to a prompt are found in the cache, if they are asked for as the setup says."""
    return answer_key(task, _set_up(student_request(prompt, ()), setup), status)


def _set_up(request: ChatRequest, setup: RunSetup) -> ChatRequest:
    return replace(request, temperature=setup.temperature, seed=setup.seed)


async def answer_run(
    store: Store,
    student: Chat,
    run: Run,
    report: Progress,
    limits: Limits = ONE_BY_ONE,
    clock: Clock | None = None,
) -> None:
    """Ask the student about every example of the run that has no answer yet; each answer is kept as it comes.

    What the same weights were asked before in just this way is taken from the cache of answers, not asked again.

    A call that failed after all attempts is held back; see `HeldBack`.

    Args:
        limits: `in_flight` is how many questions the student takes at a time.

    Raises:
        BackendError: the student cannot be reached, refuses whoever asks, or answered nothing several times in a row;
            the answers so far are kept.
        InvalidInput: the student is not the one that the run was begun with, or is asked in another way now.
    """
    status = await ready_status(student)
    if (student.name, status.digest) != (run.student, run.digest):
        raise InvalidInput(
            f"Run {run.id} was begun with other weights of {run.student} than are there now. Its answers are kept. "
            "Start a new run."
        )
    asking = _Asking(store, student, run, status, report)
    engine: Engine[Example] = Engine(student, limits, clock=clock)
    asking.tell()
    await engine.run(asking.calls(), asking.held_back.record, asking.tell)
    await asking.held_back.close()
    summary: dict[str, Json] = figures(asking.task.label_names, cells_of(store.runs.predictions(run.id))).as_json()
    told: dict[str, Json] = {"from_cache": store.runs.from_cache(run.id), **run.setup.as_json()}
    store.runs.finish(run.id, summary | told, SYSTEM)


class _Asking:
    """The questions of a run that are open, and what becomes of their answers."""

    def __init__(self, store: Store, student: Chat, run: Run, status: BackendStatus, report: Progress) -> None:
        self._store, self._run, self._report = store, run, report
        self.task = store.tasks.get(run.task)
        trial = store.runs.trial_prompt(run.id)
        self._prompt = trial or store.prompts.get(run.task, run.prompt_number).prompt
        self._key = run_key(self.task, self._prompt, run.setup, status)
        if run.setup.options not in ("", self._key.options):
            raise InvalidInput(
                f"Run {run.id} was begun with another context window, other input fields or another form of the "
                "answers than there are now. Its answers are kept. Start a new run."
            )
        examples = store.tasks.examples(run.task, ExampleFilter(split=run.split))
        store.runs.take_cached(run, self._key, examples)
        have = store.runs.predictions(run.id)
        answered = {prediction.example_hash for prediction in have}
        self._todo = [example for example in examples if example.hash not in answered]
        self._total, self._kept = len(examples), len(examples) - len(self._todo)
        self._right = sum(prediction.answer.label == prediction.gold for prediction in have)
        self.held_back = HeldBack(student, self._keep, has_answers=self._kept > 0)

    def calls(self) -> Iterator[Call[Example]]:
        for example in self._todo:
            yield Call(_set_up(example_request(self.task, self._prompt, example), self._run.setup), example)

    def tell(self) -> None:
        self._report(self._kept, self._total, running_words(self._right, self._kept))

    async def _keep(self, settled: Sequence[Settled[Example]]) -> None:
        predictions = [
            Prediction(one.call.subject.hash, one.call.subject.label, answer_of(self._prompt.answer_form, one))
            for one in settled
        ]
        # In a thread: the disk must not hold up the calls under way.
        await asyncio.to_thread(self._store.runs.add_predictions, self._run.id, predictions, self._key)
        self._kept += len(predictions)
        self._right += sum(prediction.answer.label == prediction.gold for prediction in predictions)


async def ready_status(student: Chat) -> BackendStatus:
    """Return the status of a student that is ready.

    Raises:
        BackendError: it is not.
    """
    status = await student.status()
    if not status.ready:
        raise BackendError(f"{status.problem} {status.fix}".strip())
    return status
