"""Texts that a person puts in place of the proposed ones, known by their hash: what was tried is what goes on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pld_core.canonical import hash_json
from pld_core.conflicts.proposal import Proposal
from pld_core.errors import InvalidInput
from pld_core.models import RuleText, Task
from pld_core.review import clean_rule_text


def texts_hash(texts: Sequence[RuleText]) -> str:
    """Return the hash of texts in their order: of every word of them, whether a prompt holds it or not."""
    return hash_json([text.as_json() for text in texts])


@dataclass(frozen=True)
class EditedTexts:
    """Texts that somebody wrote in place of those of a proposal.

    Attributes:
        proposal: its hash.
        texts: as many as the proposal has, in its order.
    """

    proposal: str
    texts: tuple[RuleText, ...]
    by: str
    at: str

    @property
    def hash(self) -> str:
        return texts_hash(self.texts)


def with_texts(task: Task, proposal: Proposal, texts: Sequence[RuleText]) -> Proposal:
    """Return a proposal with other texts.

    Raises:
        InvalidInput: it changes no text, there are not as many, or one is no rule.
    """
    if not proposal.changes_rules or not proposal.texts or len(texts) != len(proposal.texts):
        raise InvalidInput(
            f"{proposal.words} has {len(proposal.texts)} texts that could be tried otherwise, not {len(texts)}. "
            "Nothing was asked."
        )
    cleaned = [clean_rule_text(text, task.label_names) for text in texts]
    return replace(
        proposal, texts=tuple(replace(old, text=text) for old, text in zip(proposal.texts, cleaned, strict=True))
    )
