"""Verifying an exported JSON file: what in it is still as it was exported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pld_core.canonical import hash_json, hash_text
from pld_core.errors import InvalidInput
from pld_core.prompt_export.json_file import FORMAT
from pld_core.prompt_manifest import CountMethod, PromptKind
from pld_core.prompt_style import Style

LARGEST = 20_000_000
"""In bytes; a prompt is a small part of it."""
Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RuleShape(_Shape):
    """A numbered rule of the prompt."""

    number: Count
    rule: str
    revision: Hash
    decision: Count


class OrderShape(_Shape):
    """In which order the rules stand."""

    by: Literal["rank", "manual"]
    rules: list[str] = []
    reason: str = ""


class LeftOutShape(_Shape):
    """An approved rule that was left out."""

    rule: str
    revision: Hash
    reason: str


class ShotsShape(_Shape):
    """The examples of a few-shot baseline."""

    seed: int
    examples: list[Hash]


class ManifestShape(_Shape):
    """What a version records; of format 1 only the first six are there."""

    task: str
    sha256: Hash
    template: Hash
    guideline_version: Count
    labels: list[str]
    rules: list[RuleShape]
    format: int = 1
    style: Annotated[Style, Field(strict=False)] = Style.LABEL
    letters: dict[str, str] = {}
    kind: Annotated[PromptKind, Field(strict=False)] = PromptKind.RULES
    order: OrderShape | None = None
    left_out: list[LeftOutShape] = []
    shots: ShotsShape | None = None


class TokensShape(_Shape):
    """How long the prompt is, and who counted."""

    tokens: Count
    method: Annotated[CountMethod, Field(strict=False)]
    counter: str
    note: str


class ExceptionShape(_Shape):
    """By which the version was released in spite of red gates, as it stood when the file was exported."""

    reason: str
    until: str
    status: str


class BuiltShape(_Shape):
    """Who built the version, and when."""

    number: Count
    by: str
    at: str
    tokens: TokensShape
    exception: ExceptionShape | None = None


class PromptFile(_Shape):
    """The whole file."""

    format: Literal["pld-prompt 1"]
    text: str
    manifest: ManifestShape
    manifest_hash: Hash
    built: BuiltShape
    hash: Hash


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, and whether it is as it has to be."""

    name: str
    passed: bool
    found: str
    stated: str


@dataclass(frozen=True)
class Verification:
    """What became of verifying a file."""

    file: PromptFile
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not match, in words."""
        return tuple(check.name for check in self.checks if not check.passed)


def verify(content: bytes, expected: str = "") -> Verification:
    """Recompute every hash of an exported file.

    Args:
        expected: the prompt's sha256 as it is known from elsewhere, such as a sign-off; empty if it is not. Without it
            somebody who changes a file and computes all hashes anew is not noticed.

    Raises:
        InvalidInput: it is no such file.
    """
    raw = _read(content)
    file = _shaped(raw)
    rest = {name: value for name, value in raw.items() if name != "hash"}
    pairs = [
        ("the file's hash", hash_json(rest), file.hash),
        ("the text's sha256", hash_text(file.text), file.manifest.sha256),
        ("the manifest's hash", hash_json(raw["manifest"]), file.manifest_hash),
    ]
    if expected:
        pairs.append(("the sha256 that was expected", hash_text(file.text), expected))
    return Verification(file, tuple(Check(name, found == stated, found, stated) for name, found, stated in pairs))


def _read(content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise InvalidInput(f"The file is larger than {LARGEST:,} bytes, so it is no exported prompt. Choose another.")
    try:
        raw = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
        # Surrogates that stand alone have no bytes, so nothing could be hashed.
        json.dumps(raw, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The file is no exported prompt ({error}). Choose one that was exported as json."
        ) from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InvalidInput("The file is JSON, but no exported prompt. Choose one that was exported as json.")
    return raw


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _shaped(raw: dict[str, Any]) -> PromptFile:
    try:
        return PromptFile.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(
            f"The file is not as an exported prompt has to be: {where}: {first['msg']}. Export it again."
        ) from error
