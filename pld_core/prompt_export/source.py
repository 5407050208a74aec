"""What an export is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.models import Example, PromptVersion, Revision, Task
from pld_core.releases import BreakGlass


@dataclass(frozen=True)
class ExportSource:
    """A version with what the formats take beside it.

    Attributes:
        revisions: by hash, those that the version holds.
        model: name of the student's model on Ollama.
        num_ctx: its context window, in tokens.
        examples: validation examples, for formats that bring tests along.
        exception: by which the version holds a release label in spite of red gates; None where there is none.
        at: UTC time of the export, ISO 8601; says whether the exception has ended.
    """

    task: Task
    version: PromptVersion
    revisions: Mapping[str, Revision]
    model: str
    num_ctx: int
    examples: tuple[Example, ...]
    exception: BreakGlass | None = None
    at: str = ""

    @property
    def title(self) -> str:
        """Such as `nda, prompt version 3`, with the exception if there is one."""
        title = f"{self.task.name}, prompt version {self.version.number}"
        return f"{title} ({self.caution})" if self.exception else title

    @property
    def caution(self) -> str:
        """What has to be said of the version wherever it goes; empty where it holds no label by an exception."""
        return self.exception.words(self.at) if self.exception else ""

    @property
    def mark(self) -> str:
        """What the file's name says of an exception: the text itself has to stay as it was signed."""
        if self.exception is None:
            return ""
        return "-expired-exception" if self.exception.is_expired(self.at) else "-exception"
