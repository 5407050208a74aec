"""Reading the student's answers."""

from __future__ import annotations

from pld_core.model_ports import ChatReply
from pld_core.models import Answer, AnswerStatus
from pld_core.prompt_style import AnswerForm, Style
from pld_core.proportion import SMALL_SAMPLE, Proportion, percent_words


def answer_from(form: AnswerForm, reply: ChatReply) -> Answer:
    """Turn a reply into an answer; one that was cut or is not in the form keeps its raw text and has no label.

    A letter is all that there is room for, so a reply that ends there was not cut.
    """
    reading = form.read(reply.text)
    status, problem = AnswerStatus.OK, ""
    if reply.unverified:
        reading, status, problem = None, AnswerStatus.UNVERIFIED, reply.unverified
    elif reply.finish == "length" and (reading is None or form.style is not Style.LETTER):
        reading, status, problem = None, AnswerStatus.CUT, "The answer was cut before it ended."
    elif reading is None:
        status, problem = AnswerStatus.MALFORMED, "The answer is not one of the declared labels."
    return Answer(
        label=reading.label if reading else None,
        raw=reply.text,
        status=status,
        latency_ms=reply.latency_ms,
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
        cached_tokens=reply.cached_tokens,
        context_size=reply.context_size,
        problem=problem,
        cited=reading.cited if reading else (),
    )


def failed_answer(problem: str, raw: str = "", status: AnswerStatus = AnswerStatus.FAILED) -> Answer:
    """Return the record of a question that got no answer, or a refusal; it counts as wrong."""
    return Answer(label=None, raw=raw, status=status, latency_ms=0, problem=problem)


def running_words(right: int, answered: int) -> str:
    """Say how a run does so far, after how many are answered: `answered, 24 right (77%, 60 to 89%)`."""
    found = Proportion.of(right, answered)
    if found.rate is None or found.low is None or found.high is None or answered < SMALL_SAMPLE:
        return f"answered, {right:,} right" if answered else "answered"
    return f"answered, {right:,} right ({', '.join(percent_words(found.rate, found.low, found.high))})"
