"""How large a student's context window has to be: prompt, longest input and answer, rounded up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STEP = 1024
"""Windows are multiples of this, so that a rule more or a longer input seldom makes the server load the model anew."""
BYTES_A_TOKEN = 3
"""Of UTF-8, on the safe side: English takes about 4.5 bytes a token. Where it is wrong all the same, the request is
refused as too long and never cut."""
TRIAL_TOKENS = 256
"""Room for a rule that is tried before it is approved."""


def estimated_tokens(size_bytes: int) -> int:
    """Return about how many tokens a text of so many bytes takes, rather too many than too few.

    >>> estimated_tokens(10)
    4
    """
    return -(-size_bytes // BYTES_A_TOKEN)


@dataclass(frozen=True)
class ContextNeed:
    """Tokens that one task needs, all estimated.

    Attributes:
        prompt: its longest prompt, with room for a rule that is tried.
        input: its longest example.
        output: most tokens of an answer.
    """

    prompt: int
    input: int
    output: int

    @classmethod
    def of(cls, prompt_bytes: int, input_bytes: int, output_tokens: int) -> ContextNeed:
        prompt = estimated_tokens(prompt_bytes) + TRIAL_TOKENS
        return cls(prompt, estimated_tokens(input_bytes), output_tokens)

    @property
    def total(self) -> int:
        return self.prompt + self.input + self.output

    @property
    def size(self) -> int:
        """The window that holds it.

        >>> ContextNeed(prompt=900, input=100, output=64).size
        2048
        """
        return max(1, -(-self.total // STEP)) * STEP

    @property
    def words(self) -> str:
        """Such as `prompt 900 + longest input 100 + answer 64 = 1,064 tokens, estimated`."""
        return (
            f"prompt {self.prompt:,} + longest input {self.input:,} + answer {self.output:,} = {self.total:,} tokens, "
            "estimated"
        )


def one_size(needs: Sequence[ContextNeed], otherwise: int) -> int:
    """Return one window for all tasks: a server loads a model anew whenever the size changes.

    Args:
        otherwise: for a workspace without any task.
    """
    return max((need.size for need in needs), default=otherwise)
