"""Live tests: one question to a student with one prompt, streamed, stoppable, and recorded word for word."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from pld_app.live_prompts import AskedPrompt
from pld_app.stopping import Stop
from pld_app.wiring import App, run_async, student_backend
from pld_core import asking
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.evaluation import failed_answer
from pld_core.model_ports import Chat, ChatReply, ChatRequest, TemplatedChat
from pld_core.models import Answer, AnswerStatus, Task
from pld_core.permissions import Step, guarded_app

STOPPED = "Stopped by hand before the answer was complete. It is no label."
TIMES = 5
"""How often a question is repeated to see how steady its answer is."""
PAUSE_S = 0.2
"""How long a reader waits for text before it looks whether somebody wants to stop."""


@dataclass(frozen=True)
class LiveQuestion:
    """One call of a live test.

    Attributes:
        student: as commands spell it.
        values: the input's text by field.
        temperature, seed: 0.0 gives the most likely answer each time, whatever the seed.
    """

    prompt: AskedPrompt
    student: str
    values: Mapping[str, str]
    temperature: float = 0.0
    seed: int = 0

    def repeated(self, times: int) -> tuple[LiveQuestion, ...]:
        """Return the question so many times, with seeds 0, 1, ..."""
        return tuple(replace(self, seed=seed) for seed in range(times))


@dataclass(frozen=True)
class LiveTest:
    """The outcome of one question to a student.

    Attributes:
        reply: None when none came to its end.
        number: the one under which it was recorded.
        sent: what was sent, word for word, with the model's digest and all options that can be told.
    """

    answer: Answer
    reply: ChatReply | None
    number: int
    question: LiveQuestion
    sent: Mapping[str, Json]


@guarded_app(Step.ASK)
def live_test(
    app: App, task: Task, question: LiveQuestion, on_text: Callable[[str], None], stop: Stop | None = None
) -> LiveTest:
    """Ask a student once, hand on its text as it grows, and record what was sent and what came back.

    What is stopped, by `stop` or by Ctrl+C, is recorded with what came so far, and has no label.

    Raises:
        InvalidInput: every input field is empty.
        BackendError: the student cannot be reached.
    """
    fields = tuple((name, question.values.get(name, "")) for name in task.input_fields)
    if not any(value.strip() for _, value in fields):
        raise InvalidInput("There is nothing to ask about: type a text or choose an example.")
    prompt = question.prompt.prompt
    request = replace(asking.student_request(prompt, fields), temperature=question.temperature, seed=question.seed)
    shown = [""]

    def show(text: str) -> None:
        shown.append(text)
        on_text(text)

    async def run() -> tuple[Answer, ChatReply | None, dict[str, Json]]:
        async with student_backend(app, question.student) as chat:
            # First, as a student that breaks on the way does not tell any more.
            sent = await _sent(chat, request, question.prompt, fields)
            asked = asyncio.ensure_future(asking.ask_streaming(chat, prompt.answer_form, request, show))
            with (stop or Stop()).over(asked):
                try:
                    return (*await asked, sent)
                except asyncio.CancelledError:
                    return failed_answer(STOPPED, shown[-1], AnswerStatus.STOPPED), None, sent

    answer, reply, sent = run_async(run())
    number = app.store.runs.record_live_test(task.name, prompt.sha256, question.student, sent, answer, app.actor)
    return LiveTest(answer, reply, number, question, sent)


async def _sent(
    chat: Chat, request: ChatRequest, asked: AskedPrompt, fields: tuple[tuple[str, str], ...]
) -> dict[str, Json]:
    sent: dict[str, Json] = {
        "fields": [list(pair) for pair in fields],
        "prompt": asked.as_json(),
        "system": request.system,
        "user": request.user,
        "schema": dict(request.schema or {}),
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "digest": (await chat.status()).digest,
    }
    return sent | {"body": dict(chat.body(request))} if isinstance(chat, TemplatedChat) else sent


class Running:
    """A question that a thread asks, for a reader that may be torn away at any moment.

    Use it with `contextlib.closing`: closing stops the student, and waits until what came is recorded.

    Attributes:
        outcome: None until there is one.
    """

    def __init__(self, ask: Callable[[Callable[[str], None], Stop], LiveTest]) -> None:
        """Begin.

        Args:
            ask: asks, and tells the text so far as it grows.
        """
        self.outcome: LiveTest | None = None
        self._stop = Stop()
        self._texts: queue.Queue[str | BaseException | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, args=(ask,), name="live-test", daemon=True)
        self._thread.start()

    def texts(self) -> Iterator[str]:
        """Yield the text so far, at least every 0.2 seconds, changed or not, until the answer has come.

        The reader gets a turn while nothing comes, so that it notices if somebody wants to stop.

        Raises:
            Whatever asking raised.
        """
        so_far = ""
        while True:
            try:
                told = self._texts.get(timeout=PAUSE_S)
            except queue.Empty:
                told = so_far
            if told is None:
                return
            if isinstance(told, BaseException):
                raise told
            so_far = told
            yield so_far

    def close(self) -> None:
        """Stop the student if it still answers, and wait until it has let go."""
        self._stop()
        self._thread.join()

    def _work(self, ask: Callable[[Callable[[str], None], Stop], LiveTest]) -> None:
        try:
            self.outcome = ask(self._texts.put, self._stop)
            self._texts.put(None)
        except BaseException as error:  # noqa: BLE001 - handed over and raised again by the reader
            self._texts.put(error)


@guarded_app(Step.ASK)
def begin_live_test(app: App, task: Task, question: LiveQuestion) -> Running:
    """Begin to ask in a thread of its own; see `live_test`."""
    return Running(lambda on_text, stop: live_test(app, task, question, on_text, stop))
