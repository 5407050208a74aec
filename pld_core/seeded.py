"""Known-bad variants of rules: which rules get one, and what is made wrong in it. Pure; every lot is a hash."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pld_core.canonical import Json, hash_json
from pld_core.checks import CheckKind
from pld_core.models import Evidence, EvidenceRole, Example, Revision, RuleText
from pld_core.review import clean_rule_text

Item = TypeVar("Item")
FEWEST_WORDS = 4
"""A condition that is cut to less than this is a fragment that nobody takes for a rule."""
_ENOUGH_SUPPORT = 3
_CLAUSE = re.compile(
    r"[,;] (?:and|but|which|where|when|unless|provided that|as long as)\b(?! whether| even)"
    r"|(?<!even)(?<!or)(?<!and) (?:unless|provided that|as long as|where|when|but only)\b",
    re.IGNORECASE,
)
"""How a clause begins that restricts what stands before it. A bare `and` is none: it may join two words."""
_TELLING = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Variant:
    """A text that is known to be worse than the rule it was made of, and in what way."""

    kind: CheckKind
    text: RuleText


def lot(*parts: Json) -> int:
    """Return the lot of these values: the same on every machine, and 0 to 2^64 - 1 as if it was drawn."""
    return int(hash_json(list(parts)).removeprefix("sha256:")[:16], 16)


def is_drawn(revision_hash: str, policy: int, per_hundred: int) -> bool:
    """Return whether a revision that enters review gets a variant, under the change of policy of this number.

    >>> is_drawn("sha256:0", 1, 0), is_drawn("sha256:0", 1, 100)
    (False, True)
    """
    return lot("drawn", revision_hash, policy) % 10_000 < per_hundred * 100


def variant_of(
    revision: Revision,
    evidence: Sequence[Evidence],
    examples: Mapping[str, Example],
    declared: Sequence[str],
    policy: int,
) -> Variant | None:
    """Return the variant that is drawn for a revision, None if the evidence tells none of them to be bad.

    How far the evidence tells that:

    - flipped label: every supporting example has a label of the rule and none has the new one, so all contradict it;
    - dropped exception: the evidence holds an example of another label that shares a telling word with the exception.
      That it falls under the exception cannot be told by code;
    - over-broad: the evidence holds an example of another label that shares a telling word with what is left of the
      condition. That the dropped clause is what kept it out cannot be told by code.

    Of the last two kinds it is only certain that the variant says less than the rule that people have before them too;
    the figures are kept by kind for that.

    Args:
        examples: the examples of the evidence by hash.
        declared: the task's labels.
        policy: number of the change of policy that the revision is drawn under.
    """
    seed = (revision.hash, policy)
    found = {
        CheckKind.FLIPPED_LABEL: _flipped(revision.text, evidence, examples, declared, seed),
        CheckKind.DROPPED_EXCEPTION: _without_exception(revision.text, evidence, examples, seed),
        CheckKind.OVER_BROAD: _over_broad(revision.text, evidence, examples),
    }
    possible = [Variant(kind, clean_rule_text(text, tuple(declared))) for kind, text in found.items() if text]
    return _one(possible, "kind", *seed)


def thinned(evidence: Sequence[Evidence], revision_hash: str) -> tuple[Evidence, ...]:
    """Return the evidence for a variant: a supporting example less where there are enough, and nobody's ticks.

    With all of it, the hash of the evidence set would be the same for both and name the variant in the event log.
    """
    supports = [e.example_hash for e in evidence if e.role is EvidenceRole.SUPPORTS]
    left_out = _one(supports, "evidence", revision_hash) if len(supports) >= _ENOUGH_SUPPORT else None
    return tuple(replace(e, ticked_by="") for e in evidence if e.example_hash != left_out)


def widened(condition: str) -> str | None:
    """Return the condition without its last clause, None if there is none or too little would be left.

    >>> widened("the clause bans copies, and the hypothesis says that copies may be made")
    'the clause bans copies'
    """
    for match in reversed(list(_CLAUSE.finditer(condition))):
        left = condition[: match.start()].rstrip(" ,;")
        if len(left.split()) >= FEWEST_WORDS and left.count("(") == left.count(")"):
            return left
    return None


def _flipped(
    text: RuleText,
    evidence: Sequence[Evidence],
    examples: Mapping[str, Example],
    declared: Sequence[str],
    seed: tuple[str, int],
) -> RuleText | None:
    gold = {examples[e.example_hash].label for e in evidence if e.role is EvidenceRole.SUPPORTS}
    others = [label for label in declared if label not in text.labels]
    chosen = _one(others, "label", *seed) if gold and gold <= set(text.labels) else None
    return replace(text, labels=(chosen,)) if chosen else None


def _without_exception(
    text: RuleText, evidence: Sequence[Evidence], examples: Mapping[str, Example], seed: tuple[str, int]
) -> RuleText | None:
    telling = [e for e in text.exceptions if _touches(e, text, evidence, examples)]
    dropped = _one(telling, "exception", *seed)
    return replace(text, exceptions=tuple(e for e in text.exceptions if e != dropped)) if dropped else None


def _over_broad(text: RuleText, evidence: Sequence[Evidence], examples: Mapping[str, Example]) -> RuleText | None:
    left = widened(text.condition)
    return replace(text, condition=left) if left and _touches(left, text, evidence, examples) else None


def _touches(said: str, text: RuleText, evidence: Sequence[Evidence], examples: Mapping[str, Example]) -> bool:
    """Whether an example that the rule must not take in shares a telling word with what is said."""
    others = [examples[e.example_hash] for e in evidence]
    words = _words(said)
    return any(words & _words(example.text) for example in others if example.label not in text.labels)


def _words(text: str) -> set[str]:
    return set(_TELLING.findall(text.casefold()))


def _one(items: Sequence[Item], *seed: Json) -> Item | None:
    return items[lot(*seed) % len(items)] if items else None
