"""Proposals of one round that say the same, each for another group: they are tried once, as one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pld_core.conflicts.proposal import ActionKind, Proposal, Refusal

SAID_ALREADY = "Another proposal of this round says the same. The two were tried as one, with the examples of both."


def folded(proposals: Sequence[Proposal]) -> tuple[tuple[Proposal, Proposal], ...]:
    """Return each proposal as it is kept, and with the examples that it is to rest on.

    Of those that can be tried and say the same, the first rests on the examples of all; the others are refused, and
    kept with their own reasons and examples.
    """
    found = []
    for proposal in proposals:
        alike = [one for one in proposals if proposal.changes_rules and one.changes_rules and _same(one, proposal)]
        if alike and alike[0] is not proposal:
            kept = replace(proposal, refusal=Refusal.SAID_ALREADY, problem=SAID_ALREADY)
            found.append((kept, kept))
        else:
            found.append((proposal, joined(alike) if alike else proposal))
    return tuple(found)


def joined(alike: Sequence[Proposal]) -> Proposal:
    """Return the first of proposals that say the same, resting on the examples of all of them."""
    first = alike[0]
    texts = tuple(
        replace(text, examples=_union(*(one.texts[part].examples for one in alike)))
        for part, text in enumerate(first.texts)
    )
    return replace(first, texts=texts, examples=_union(*(one.examples for one in alike)))


def _union(*hashes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(content for some in hashes for content in some))


def _same(one: Proposal, other: Proposal) -> bool:
    """Return whether two proposals do the same to the same rules; titles and rationales are in no prompt."""
    return _says(one) == _says(other)


def _says(proposal: Proposal) -> tuple[object, ...]:
    texts = [one.text for one in proposal.texts]
    words = tuple((text.condition, text.labels, text.exceptions, text.priority) for text in texts)
    return proposal.action == ActionKind.RETIRE, proposal.kind.makes_rules, tuple(sorted(proposal.rules)), words
