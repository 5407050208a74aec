"""What an Ollama server tells about its models, read from its answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pld_core.canonical import Json

KIND = ("parameter_size", "quantization_level")


@dataclass(frozen=True)
class ModelFacts:
    """A model on a server.

    Attributes:
        name: with its tag, as the server lists it.
        digest: `sha256:` and hex digits; of the model with its template, system text and parameters. Empty if untold.
        size_bytes: of its files; None if untold.
        kind: parameters and quantization, such as `4.3B Q4_K_M`; empty if untold.
        loaded_context: tokens of the window that it is loaded with; None while it is not in memory.
    """

    name: str
    digest: str
    size_bytes: int | None
    kind: str
    loaded_context: int | None

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "digest": self.digest,
            "size_bytes": self.size_bytes,
            "kind": self.kind,
            "loaded_context": self.loaded_context,
        }


def models_from(tags: Mapping[str, Any], loaded: Mapping[str, Any]) -> tuple[ModelFacts, ...]:
    """Return the models that `/api/tags` lists, by name; `loaded` is what `/api/ps` answers."""
    windows = {str(entry["name"]): whole(entry.get("context_length")) or 0 for entry in _entries(loaded)}
    found = []
    for entry in _entries(tags):
        details = _object(entry.get("details"))
        found.append(
            ModelFacts(
                name=str(entry["name"]),
                digest=_digest(entry),
                size_bytes=whole(entry.get("size")),
                kind=" ".join(str(details[key]) for key in KIND if details.get(key)),
                loaded_context=windows.get(str(entry["name"])),
            )
        )
    return tuple(sorted(found, key=lambda facts: facts.name))


def named(model: str, models: tuple[ModelFacts, ...]) -> ModelFacts | None:
    """Return the facts of a model, whose name may lack the tag `latest`, or None."""
    wanted = {model.casefold(), f"{model}:latest".casefold()}
    return next((facts for facts in models if facts.name.casefold() in wanted), None)


def model_context(show: Mapping[str, Any]) -> int | None:
    """Return the longest context that a model was made for, from what `/api/show` answers; None if untold."""
    info = _object(show.get("model_info"))
    return whole(info.get(f"{info.get('general.architecture')}.context_length"))


def whole(value: object) -> int | None:
    """Return a whole number, None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _entries(listed: Mapping[str, Any]) -> list[dict[str, Any]]:
    models = listed.get("models")
    return [entry for entry in models if _object(entry).get("name")] if isinstance(models, list) else []


def _digest(entry: Mapping[str, Any]) -> str:
    digest = str(entry.get("digest") or "")
    return digest if ":" in digest or not digest else f"sha256:{digest}"


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
