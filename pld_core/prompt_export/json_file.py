"""The prompt with its manifest as a JSON file, sealed by hashes so that another workspace can verify it."""

from __future__ import annotations

import json

from pld_core.canonical import Json, hash_json
from pld_core.prompt_export.source import ExportSource
from pld_core.token_count import estimated

FORMAT = "pld-prompt 1"


def document(source: ExportSource) -> dict[str, Json]:
    """Return the file's content: text, manifest, how it was built, a hash of the manifest and one of all the rest."""
    version, prompt = source.version, source.version.prompt
    content: dict[str, Json] = {
        "format": FORMAT,
        "text": prompt.text,
        "manifest": prompt.manifest(),
        "manifest_hash": prompt.manifest_hash,
        "built": {
            "number": version.number,
            "by": version.created_by,
            "at": version.created_at,
            "tokens": (version.tokens or estimated(prompt.text)).as_json(),
            **({"exception": source.exception.as_json(source.at)} if source.exception else {}),
        },
    }
    return {**content, "hash": hash_json(content)}


def json_file(source: ExportSource) -> str:
    return json.dumps(document(source), ensure_ascii=False, indent=2) + "\n"
