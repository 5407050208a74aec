"""Strict shapes at the edges: what a teacher has to reply."""

from __future__ import annotations

import functools
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pld_core.canonical import Json
from pld_core.errors import Failure, ReplyUnusable
from pld_core.models import PRIORITIES

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class ExtractionReply(BaseModel):
    """Phase 1: one micro-instruction."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reasoning: Line
    condition: Line
    label: Line
    exceptions: list[Line]
    cues: list[Line]


class SynthesisedRule(BaseModel):
    """One rule of a cluster, for one label."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Title
    condition: Line
    label: Line
    exceptions: list[Line]
    priority: Annotated[int, Field(ge=min(PRIORITIES), le=max(PRIORITIES))]
    rationale: Line
    conflicts: list[Line]


class SynthesisReply(BaseModel):
    """Phase 2: what one cluster comes to: one rule, or one for each of its labels."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rules: Annotated[list[SynthesisedRule], Field(min_length=1)]


class ProposedText(BaseModel):
    """The whole text of a rule as an action leaves it, and the inputs that it is for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Title
    condition: Line
    label: Line
    exceptions: list[Line]
    priority: Annotated[int, Field(ge=min(PRIORITIES), le=max(PRIORITIES))]
    rationale: Line
    examples: list[Line]


class ProposedAction(BaseModel):
    """One action on named rules. Whether there is such an action, and whether it fits, is for `conflicts` to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Line
    rules: list[Line]
    reason: Line
    examples: list[Line]
    texts: list[ProposedText]


class ConflictReply(BaseModel):
    """Phase 3: the cause of one group of failures, and what to do about it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Line
    cause: Line
    actions: Annotated[list[ProposedAction], Field(min_length=1)]


class PairReply(BaseModel):
    """Phase 3, before any student has run: what two overlapping rules are to each other."""

    model_config = ConfigDict(extra="forbid", strict=True)

    verdict: Literal["contradiction", "exception", "duplicate", "unclear", "different_scope"]
    reason: Line
    examples: list[Line]


ReplyT = TypeVar("ReplyT", bound=BaseModel)


def read_reply(shape: type[ReplyT], text: str) -> ReplyT:
    """Parse a teacher's reply.

    Raises:
        ReplyUnusable: not JSON, or not of that shape; the raw text is kept in it.
    """
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the reply"
        raise ReplyUnusable(
            f"The teacher's reply cannot be used: {where}: {first['msg']}.", text, Failure.BAD_JSON
        ) from error


@functools.cache
def schema_of(shape: type[BaseModel]) -> dict[str, Json]:
    """Return the JSON schema that is sent along with the request; made once, not to be changed."""
    schema: dict[str, Json] = shape.model_json_schema()
    return schema
