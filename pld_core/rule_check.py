"""What a rule's text copies from its evidence, and how long it is for the student. Heuristics: people judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pld_core.models import Example, RuleText, Task
from pld_core.pricing import BYTES_A_TOKEN
from pld_core.quality import SHARED_WORDS, carried, shares_words
from pld_core.review import rule_sentences


@dataclass(frozen=True)
class Leak:
    """Something of one example that stands in the rule.

    Attributes:
        copies: a run of words is shared.
        details: names, numbers and dates of the example that the rule holds.
    """

    example_hash: str
    copies: bool
    details: tuple[str, ...]

    @property
    def words(self) -> str:
        """What was found, for people."""
        parts = [f"shares {SHARED_WORDS} words in a row or more"] if self.copies else []
        if self.details:
            parts.append(f"carries {', '.join(self.details)}")
        return " and ".join(parts)


def leaks(text: RuleText, examples: Iterable[Example], task: Task) -> tuple[Leak, ...]:
    """Return the examples that something in the rule was copied from, in their order.

    What the task itself says (title, guideline, labels) may stand in a rule.
    """
    said = " ".join([text.condition, *text.exceptions])
    public = " ".join([task.title, task.guideline, *(f"{label.name} {label.description}" for label in task.labels)])
    found = []
    for example in examples:
        copies, details = shares_words(said, example.text), carried(said, example.text, public)
        if copies or details:
            found.append(Leak(example.hash, copies, details))
    return tuple(found)


def likely_tokens(text: RuleText) -> int:
    """Return a guess of the tokens that the rule takes in a prompt; the student's own tokenizer was not asked.

    >>> likely_tokens(RuleText("t", "the clause binds one party", ("keep",)))
    10
    """
    condition, then, exceptions = rule_sentences(text)
    line = f"IF {condition}, THEN {then}." + "".join(f" EXCEPT {exception}." for exception in exceptions)
    return -(-len(line.encode("utf-8", "replace")) // BYTES_A_TOKEN)
