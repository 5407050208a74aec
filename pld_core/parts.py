"""One rule to two, two rules to one: which evidence goes where. Lineage is kept by code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pld_core.canonical import hash_json
from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import Evidence, EvidenceRole

_WEIGHT = {
    EvidenceRole.CONTRADICTS: 3,
    EvidenceRole.SUPPORTS: 2,
    EvidenceRole.NEAR_MISS: 1,
    EvidenceRole.IRRELEVANT: 0,
}
"""Which role an example gets that stands in both rules with another one: what speaks against a rule is never lost."""


def supporting(evidence: tuple[Evidence, ...]) -> tuple[str, ...]:
    """Return the hashes of the supporting examples, in their order."""
    return tuple(e.example_hash for e in evidence if e.role is EvidenceRole.SUPPORTS)


def default_halves(
    supports: tuple[str, ...], labels: Mapping[str, str], first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return which supporting examples go with which half unless a person chooses: by gold label, else with both.

    Args:
        labels: the gold label of each example.
        first, second: labels that the halves conclude.
    """
    ours: list[set[str]] = [set(), set()]
    for example in supports:
        label = labels[example]
        fits = [label in first, label in second]
        for side in (0, 1):
            if fits[side] or not any(fits):
                ours[side].add(example)
    return frozenset(ours[0]), frozenset(ours[1])


def half_evidence(evidence: tuple[Evidence, ...], supports: frozenset[str]) -> tuple[Evidence, ...]:
    """Return the evidence of a half: the supporting examples chosen for it, and all that the rule had besides.

    Raises:
        InvalidInput: none was chosen, or one that does not support the rule.
    """
    there = set(supporting(evidence))
    if not supports:
        raise InvalidInput("Each half needs at least one supporting example. Nothing was changed; your text is kept.")
    if unknown := sorted(supports - there):
        raise InvalidInput(f"The example {unknown[0][:19]} does not support this rule. Nothing was changed.")
    return tuple(e for e in evidence if e.role is not EvidenceRole.SUPPORTS or e.example_hash in supports)


def merged_evidence(one: tuple[Evidence, ...], other: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the evidence of both; of an example in both the role that weighs more, and the greater closeness."""
    found: dict[str, Evidence] = {}
    for evidence in (*one, *other):
        there = found.get(evidence.example_hash)
        if there is None:
            found[evidence.example_hash] = evidence
            continue
        role = max(there.role, evidence.role, key=lambda r: _WEIGHT[r])
        weighty = there if there.role is role else evidence
        found[evidence.example_hash] = replace(
            weighty,
            closeness=max(there.closeness, evidence.closeness),
            note=there.note or evidence.note,
            ticked_by=weighty.ticked_by or (evidence.ticked_by if evidence.role is role else ""),
        )
    return tuple(sorted(found.values(), key=lambda e: (-e.closeness, e.example_hash)))


def part_origin(kind: str, parents: tuple[str, ...], part: int) -> str:
    """Return the origin of a rule that was made of others: the same step on the same revisions is made once."""
    return hash_json({"kind": kind, "parents": list(parents), "part": part})


def require_part_reason(reason: str) -> str:
    """Return the reason on one line.

    Raises:
        MissingReason: it is empty.
    """
    if not reason.strip():
        raise MissingReason("Splitting and merging need a reason. Nothing was changed; your text is kept.")
    return " ".join(reason.split())
