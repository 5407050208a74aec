"""Prompt templates: files with a version, and how material is set off from instructions in what is sent."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import resources

from pld_core.canonical import hash_text

_HEAD = re.compile(r"# version (\d+)\n\n?")


@dataclass(frozen=True)
class Template:
    """A prompt template that ships with the package.

    Attributes:
        name: the file's name, such as `student.txt`.
        version: counts up with each change of its words; it stands in the file's first line and is never sent.
        text: what is filled and sent.
        hash: of the whole file, `sha256:` and hex digits; it is recorded with every call and prompt.
    """

    name: str
    version: int
    text: str
    hash: str

    @property
    def words(self) -> str:
        """Such as `extraction, version 2 (1a2b3c4d)`."""
        short = self.hash.removeprefix("sha256:")[:8]
        return f"{self.name.removesuffix('.txt')}, version {self.version} ({short})"


@functools.cache
def template(name: str) -> Template:
    """Return a template, such as `student.txt`.

    Raises:
        ValueError: its first line is no version.
    """
    file = resources.files("pld_core").joinpath("prompts", name).read_text(encoding="utf-8")
    head = _HEAD.match(file)
    if head is None:
        raise ValueError(f"The template {name} does not begin with a line such as `# version 1`.")
    return Template(name, int(head[1]), file[head.end() :], hash_text(file))


def material(name: str, text: str, note: str = "") -> str:
    """Return a text between markers, as something to work on that cannot give instructions.

    Runs of three angle brackets in it are spaced out, so that no text can close its own block and speak for itself.

    >>> material("EXAMPLE", "a >>> b")
    '<<<EXAMPLE\\na > > > b\\nEXAMPLE>>>'
    """
    safe = text.replace("<<<", "< < <").replace(">>>", "> > >")
    return f"<<<{name}{note}\n{safe}\n{name}>>>"
