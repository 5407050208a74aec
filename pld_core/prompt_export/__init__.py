"""Prompt versions as files, one module a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pld_core.errors import InvalidInput
from pld_core.prompt_export.json_file import json_file
from pld_core.prompt_export.markdown import markdown
from pld_core.prompt_export.modelfile import modelfile
from pld_core.prompt_export.openai_messages import openai_messages
from pld_core.prompt_export.promptfoo import promptfoo
from pld_core.prompt_export.source import ExportSource
from pld_core.prompt_export.text import text


@dataclass(frozen=True)
class Format:
    """A format that versions are exported in.

    Attributes:
        title: for people.
        ending: of the file's name, after task and version.
        media_type: for downloads.
        is_bare: whether it holds the prompt as it was signed and nothing else, so that its name alone can say more.
        has_titles: whether it takes the revisions of the rules, which are left out of the source otherwise.
        has_tests: whether it takes validation examples, which are left out of the source otherwise.
        has_window: whether it names the student's context window, which is 0 in the source otherwise.
    """

    title: str
    ending: str
    media_type: str
    write: Callable[[ExportSource], str]
    is_bare: bool = False
    has_titles: bool = False
    has_tests: bool = False
    has_window: bool = False


FORMATS: Mapping[str, Format] = {
    "text": Format("Text", ".txt", "text/plain", text, is_bare=True),
    "markdown": Format("Markdown, with where each rule comes from", ".md", "text/markdown", markdown, has_titles=True),
    "json": Format("JSON with manifest, which verifies", ".json", "application/json", json_file),
    "openai": Format("OpenAI messages", ".openai.json", "application/json", openai_messages, is_bare=True),
    "modelfile": Format("Ollama Modelfile", ".Modelfile", "text/plain", modelfile, has_window=True),
    "promptfoo": Format(
        "promptfoo configuration", ".promptfoo.json", "application/json", promptfoo, has_tests=True, has_window=True
    ),
}


def format_named(name: str) -> Format:
    """Return a format.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in FORMATS:
        raise InvalidInput(f"There is no export format {name!r}. Nothing was written. There are: {', '.join(FORMATS)}.")
    return FORMATS[name]


def export(source: ExportSource, name: str) -> bytes:
    """Return a version in a format, as UTF-8.

    Raises:
        InvalidInput: there is no such format, or the prompt cannot be written in it.
    """
    return format_named(name).write(source).encode("utf-8")


def file_name(source: ExportSource, name: str) -> str:
    """Return what the file is called, such as `nda-v3.txt`, or `nda-v3-exception.txt` where it is released by one."""
    return f"{source.task.name}-v{source.version.number}{source.mark}{FORMATS[name].ending}"
