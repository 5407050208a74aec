"""The prompt as text: exactly the bytes that the hash is of."""

from __future__ import annotations

from pld_core.prompt_export.source import ExportSource


def text(source: ExportSource) -> str:
    return source.version.prompt.text
