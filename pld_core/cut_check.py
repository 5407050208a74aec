"""Whether a server read the whole of what it was sent, told by the tokens it counted. Pure.

A server that cuts a prompt answers all the same, and no field of its answer says so. Ollama counts every token of the
prompt that it read, those from its prefix cache included, and a prompt that was cut fills the window exactly. How many
tokens an input takes cannot be known without the model's tokenizer, so what is checked are bounds: at least the static
part, as counted with an input of one character, and at most a token for each further byte.
"""

from __future__ import annotations

SEAM_TOKENS = 2
"""Where two texts meet, a tokenizer may join what stood apart or part what stood together: so many tokens at most."""
NOT_TOLD = "The server did not say how many tokens it read"
FAILED_INSTEAD = "The answer counts as failed."


def cut_problem(counted: int | None, static: int | None, input_text: str, num_ctx: int) -> str:
    """Return why it cannot be told that the whole request was read, empty if it was.

    >>> cut_problem(130, 120, "It rains today.", 2048)
    ''
    >>> cut_problem(90, 120, "It rains today.", 2048)
    'The server read 90 tokens, but the prompt alone has 120: part of it was cut. The answer counts as failed.'

    Args:
        counted: tokens of the prompt as the server counted them.
        static: the same for the static part with an input of one character.
        num_ctx: tokens that the window holds, prompt and answer together.
    """
    if counted is None or static is None:
        return f"{NOT_TOLD}, so it cannot be told whether the prompt was cut. {FAILED_INSTEAD}"
    if counted < static - SEAM_TOKENS:
        return (
            f"The server read {counted:,} tokens, but the prompt alone has {static:,}: part of it was cut. "
            f"{FAILED_INSTEAD}"
        )
    if counted >= num_ctx:
        return (
            f"The server read {counted:,} tokens, which fill the context window of {num_ctx:,}: the prompt was cut, or "
            f"there was no room for an answer. {FAILED_INSTEAD}"
        )
    most = static + len(input_text.encode("utf-8", "replace")) + SEAM_TOKENS
    if counted > most:
        return (
            f"The server read {counted:,} tokens, but prompt and input have {most:,} at most: it read something else. "
            f"{FAILED_INSTEAD}"
        )
    return ""
