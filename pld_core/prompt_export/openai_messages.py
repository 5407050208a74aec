"""The prompt as the body of a chat completion: messages with a place for the input, and the form of the answer."""

from __future__ import annotations

import json

from pld_core.canonical import Json
from pld_core.compilation import student_input
from pld_core.prompt_export.source import ExportSource


def openai_messages(source: ExportSource) -> str:
    """Return everything of a request but the model; `{{field}}` stands where a field of the input goes."""
    prompt = source.version.prompt
    form = prompt.answer_form
    user = student_input(tuple((name, f"{{{{{name}}}}}") for name in source.task.input_fields))
    messages: Json = [{"role": "system", "content": prompt.text}, {"role": "user", "content": user}]
    body: dict[str, Json] = {"messages": messages, "temperature": 0, "seed": 0, "max_tokens": form.max_tokens}
    if form.schema is not None:
        schema: Json = {"name": "answer", "strict": True, "schema": form.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
