"""A prompt version published as a model of its own on a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pld_core.canonical import Json
from pld_core.models import PromptVersion


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
    """

    model: str
    digest: str
    student: str
    student_digest: str
    parameters: Mapping[str, int | float]
    hosts: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "model": self.model,
            "digest": self.digest,
            "student": self.student,
            "student_digest": self.student_digest,
            "parameters": dict(self.parameters),
            "hosts": list(self.hosts),
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
        )


def model_name(version: PromptVersion) -> str:
    """Return the name that a version is published under unless another is given, such as `pld-nda:v3`."""
    return f"pld-{version.prompt.task}:v{version.number}"
