"""The prompt as a promptfoo configuration that runs: the student on Ollama, asked about validation examples.

promptfoo fills templates in what it reads, so no text of ours may hold one: every text is cut wherever a template
could begin, and joined again when it is sent. A text is never at the top of a variable either, where `file://` would be
read as a file.
"""

from __future__ import annotations

import json
import re

from pld_core.canonical import Json
from pld_core.compilation import input_of
from pld_core.models import Example
from pld_core.prompt_export.source import ExportSource
from pld_core.prompt_style import Style
from pld_core.sampling import stratified

SCHEMA = "https://promptfoo.dev/config-schema.json"
TESTS = 50
"""Most examples; they are drawn by seed and stratified by label."""
_SEAM = re.compile(r"(?<=\{)(?=[{%#])")
_LABEL_OF = {
    Style.LABEL: "JSON.parse(output).label",
    Style.CITED: "JSON.parse(output).label",
    Style.LETTER: "output.trim()",
}


def promptfoo(source: ExportSource) -> str:
    """Return the configuration as JSON, for `promptfoo eval -c FILE`."""
    prompt = source.version.prompt
    form = prompt.answer_form
    messages = [{"role": role, "content": f"{{{{ {role}.parts | join }}}}"} for role in ("system", "user")]
    options: dict[str, Json] = {
        "temperature": 0,
        "seed": 0,
        "num_ctx": source.num_ctx,
        "num_predict": form.max_tokens,
        # Too long a prompt is refused instead of being cut without a word.
        "passthrough": {"truncate": False, "shift": False, **({"format": form.schema} if form.schema else {})},
    }
    correct = f"{_LABEL_OF[prompt.style]} === context.vars.gold.parts.join('')"
    drawn = stratified(source.examples, prompt.labels, TESTS, seed=0)
    config: dict[str, Json] = {
        "$schema": SCHEMA,
        "description": f"{source.title}, {prompt.sha256}",
        "prompts": [{"id": prompt.sha256, "label": source.title, "raw": json.dumps(messages)}],
        "providers": [{"id": f"ollama:chat:{source.model}", "config": options}],
        "defaultTest": {
            "vars": {"system": _parts(prompt.text)},
            "assert": [{"type": "javascript", "value": correct, "metric": "accuracy"}],
        },
        "tests": [_test(source, example) for example in drawn],
    }
    return json.dumps(config, ensure_ascii=False, indent=2) + "\n"


def _test(source: ExportSource, example: Example) -> dict[str, Json]:
    form = source.version.prompt.answer_form
    gold = form.answer(example.label) if form.style is Style.LETTER else example.label
    user = _parts(input_of(source.task, example))
    return {"description": example.hash, "vars": {"user": user, "gold": _parts(gold)}}


def _parts(text: str) -> dict[str, Json]:
    return {"parts": _SEAM.split(text)}
