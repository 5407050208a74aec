"""Phase 1: the request for one micro-instruction, and reading its reply. Pure; `pipeline.py` makes the calls."""

from __future__ import annotations

from pld_core.canonical import hash_json
from pld_core.compilation import input_of
from pld_core.errors import Failure, ReplyUnusable
from pld_core.model_ports import ChatRequest
from pld_core.models import Example, MicroInstruction, Task
from pld_core.personal import shown_to_teacher
from pld_core.quality import restates_format
from pld_core.templates import material, template
from pld_core.wire import ExtractionReply, read_reply, schema_of

TEMPLATE = "extraction.txt"


def teacher_system(task: Task, template_name: str) -> str:
    """Render the static part of a teacher's request: task, guideline and labels, the latter two set off as material."""
    labels = "\n".join(f"- {label.name}: {label.description}" for label in task.labels)
    return template(template_name).text.format(
        title=" ".join(task.title.split()),
        guideline=material("GUIDELINE", task.guideline.strip()),
        labels=material("LABELS", labels),
    )


def extraction_request(task: Task, example: Example) -> ChatRequest:
    """Return the call that abstracts one labelled example into one instruction; personal data masked if so imported."""
    shown = material("EXAMPLE", input_of(task, shown_to_teacher(example)))
    return ChatRequest(
        system=teacher_system(task, TEMPLATE),
        user=f"{shown}\n\nCORRECT LABEL: {example.label}",
        purpose="extraction",
        subjects=(example.hash,),
        schema=schema_of(ExtractionReply),
        max_tokens=1024,
    )


def read_extraction(example: Example, text: str, teacher: str) -> MicroInstruction:
    """Turn a reply into a micro-instruction.

    Raises:
        ReplyUnusable: not the asked shape, it concludes another label than the example's, or it is about the format of
            the answer and not about the input.
    """
    reply = read_reply(ExtractionReply, text)
    if reply.label != example.label:
        raise ReplyUnusable(
            f"The teacher concluded {reply.label!r}, but the example is labelled {example.label!r}.",
            text,
            Failure.WRONG_LABEL,
        )
    if restates_format(reply.condition):
        raise ReplyUnusable("The instruction only restates the answer's format.", text, Failure.FORMAT_ONLY)
    return MicroInstruction(
        example_hash=example.hash,
        condition=reply.condition,
        label=reply.label,
        reasoning=reply.reasoning,
        exceptions=tuple(reply.exceptions),
        cues=tuple(reply.cues),
        teacher=teacher,
        template_hash=template(TEMPLATE).hash,
    )


def request_hash(teacher: str, request: ChatRequest) -> str:
    """Return what makes two calls the same call: teacher, texts, schema and options."""
    return hash_json(
        {
            "teacher": teacher,
            "system": request.system,
            "user": request.user,
            "schema": request.schema,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
    )
