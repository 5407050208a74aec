"""The prompt as an Ollama Modelfile, for `ollama create NAME -f Modelfile`."""

from __future__ import annotations

from pld_core.errors import InvalidInput
from pld_core.prompt_export.source import ExportSource

QUOTES = '"""'


def modelfile(source: ExportSource) -> str:
    """Return a Modelfile whose system message is the prompt.

    An exception stands in a comment, and as a licence text: that goes into the model, where no model reads it.

    Raises:
        InvalidInput: the prompt, or the exception, holds three quotation marks in a row, which would end it there.
    """
    prompt = source.version.prompt
    notice = source.exception.notice if source.exception else ""
    if QUOTES in prompt.text + notice:
        raise InvalidInput(
            "The prompt or the exception's reason holds three quotation marks in a row, which a Modelfile cannot. "
            "Nothing was written. Change the guideline or the rule that has them, or export another format."
        )
    lines = [
        f"# {source.title}",
        f"# {prompt.sha256}",
        f"FROM {source.model}",
        "PARAMETER temperature 0",
        "PARAMETER seed 0",
        f"PARAMETER num_ctx {source.num_ctx}",
        f"PARAMETER num_predict {prompt.answer_form.max_tokens}",
        f"SYSTEM {QUOTES}{prompt.text}{QUOTES}",
    ]
    if notice:
        lines.append(f"LICENSE {QUOTES}{notice}{QUOTES}")
    return "\n".join(lines) + "\n"
