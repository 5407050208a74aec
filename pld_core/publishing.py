"""A prompt version published as a model of its own on a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pld_core.canonical import Json
from pld_core.models import PromptVersion
from pld_core.releases import BreakGlass


@dataclass(frozen=True)
class PublishedModel:
    """What was made of a prompt version.

    Attributes:
        model: its name on the servers.
        digest: as the servers list it; of weights, template, prompt and parameters together.
        student: the model that it was made of, as backends name it.
        student_digest: of that model at the time.
        parameters: that it answers with if nobody asks for others.
        hosts: addresses of the servers, without passwords.
        notice: the exception by which the prompt was released, as the model states it; empty where there was none.
    """

    model: str
    digest: str
    student: str
    student_digest: str
    parameters: Mapping[str, int | float]
    hosts: tuple[str, ...]
    notice: str = ""

    def as_json(self) -> dict[str, Json]:
        return {
            "model": self.model,
            "digest": self.digest,
            "student": self.student,
            "student_digest": self.student_digest,
            "parameters": dict(self.parameters),
            "hosts": list(self.hosts),
            "notice": self.notice,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PublishedModel:
        return cls(
            model=value["model"],
            digest=value["digest"],
            student=value["student"],
            student_digest=value["student_digest"],
            parameters=value["parameters"],
            hosts=tuple(value["hosts"]),
            # What was published before exceptions were stated has none.
            notice=value.get("notice", ""),
        )


MARK = "exception"
"""What the name of a model says that holds a prompt released by an exception."""


def model_name(version: PromptVersion, exception: BreakGlass | None) -> str:
    """Return the name that a version is published under unless another is given.

    Such as `pld-nda:v3`, or `pld-nda:v3-exception` while it is released by one: lists of models show nothing but names.
    """
    mark = f"-{MARK}" if exception else ""
    return f"pld-{version.prompt.task}:v{version.number}{mark}"


def unmarked(made: PublishedModel, exception: BreakGlass | None) -> str:
    """Say that a model does not state the exception by which its prompt is released now; empty where it does."""
    if exception is None or made.notice == exception.notice:
        return ""
    return f"{made.model} was published before the exception and says nothing of it. Remove it there, or publish anew."
