"""Complete runs with answers as a test wants them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pld_core.models import Answer, AnswerStatus, CompiledPrompt, Example, Prediction, Run, Split
from pld_core.run_setup import PLAIN_SETUP, RunSetup
from storage import SqliteStore
from tests.factories import ANNA


def answer_of(label: str | None, *cited: str, latency_ms: int = 7, tokens: int | None = 100) -> Answer:
    """Return an answer; without a label it is malformed."""
    status = AnswerStatus.OK if label else AnswerStatus.MALFORMED
    return Answer(label, label or "?", status, latency_ms, tokens, 4 if tokens else None, cited=cited)


def answered_run(
    store: SqliteStore,
    prompt: CompiledPrompt,
    examples: Iterable[Example],
    answers: Mapping[str, Answer],
    split: Split = Split.VALIDATION,
    student: str = "told",
    finished: bool = True,
    setup: RunSetup | None = None,
) -> Run:
    """Store a run of a prompt in which the examples were answered so; those not named are answered with their gold.

    Args:
        answers: by content hash.
        setup: how it asks; plain, if none is given.
    """
    version = store.prompts.save(prompt, ANNA)
    asked = list(examples)
    setup = setup or (RunSetup(reason="as the test needs it") if split is Split.TEST else PLAIN_SETUP)
    place = (version.number, prompt.sha256, student, "sha256:weights", split)
    new = Run(0, "posts", *place, "", "", len(asked), None, setup)
    run = store.runs.start(new, ANNA)
    given = [Prediction(e.hash, e.label, answers.get(e.hash, answer_of(e.label))) for e in asked]
    store.runs.add_predictions(run.id, given)
    if finished:
        store.runs.finish(run.id, {}, ANNA)
    return run
