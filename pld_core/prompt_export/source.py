"""What an export is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.models import Example, PromptVersion, Revision, Task


@dataclass(frozen=True)
class ExportSource:
    """A version with what the formats take beside it.

    Attributes:
        revisions: by hash, those that the version holds.
        model: name of the student's model on Ollama.
        num_ctx: its context window, in tokens.
        examples: validation examples, for formats that bring tests along.
    """

    task: Task
    version: PromptVersion
    revisions: Mapping[str, Revision]
    model: str
    num_ctx: int
    examples: tuple[Example, ...]

    @property
    def title(self) -> str:
        """Such as `nda, prompt version 3`."""
        return f"{self.task.name}, prompt version {self.version.number}"
