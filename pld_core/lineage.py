"""Which examples a rule rests on, and which rule a cluster goes on as when there are new data. Pure.

Lineage is kept by code: a rule's members are the examples of one label in one cluster, whatever a teacher said of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pld_core.canonical import hash_json
from pld_core.models import Evidence, EvidenceRole, RevisionState, evidence_set_hash
from pld_core.review import FINAL_STATES

DECIDED_STATES = frozenset({RevisionState.APPROVED, RevisionState.FIRST_APPROVED, RevisionState.DISPUTED})
"""Somebody's decision is bound to the evidence as it was: a change that bears on nothing is not worth undoing it."""
_BEARING = (EvidenceRole.SUPPORTS, EvidenceRole.CONTRADICTS)


def origin_of(example_hashes: Iterable[str]) -> str:
    """Return the origin of a rule that rests on these examples, whatever their order."""
    return hash_json(sorted(example_hashes))


@dataclass(frozen=True)
class Lineage:
    """What a rule was merged from, or goes on as.

    Attributes:
        members: the examples of its label in its cluster, by hash, sorted.
        uncovered: labels that the cluster holds and no rule of it concludes.
        shown: the members that a teacher was shown; empty where no teacher was asked.
        ignored: ids in the teacher's reply that were not in the request.
    """

    clustering_id: int
    cluster: int
    members: tuple[str, ...]
    uncovered: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class EvidenceChange:
    """A change of a revision's evidence after it was written.

    Attributes:
        number: the version of the evidence that it led to; the first has number 1 and is no change.
        added, removed: hashes of the examples that came and went, sorted.
        reason: why, in one sentence.
        state: the state of the revision after it.
        at: UTC time, ISO 8601.
        ticked: hash of the example that a person gave another role, if that is the change.
    """

    number: int
    evidence_hash: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    reason: str
    state: RevisionState
    at: str
    ticked: str = ""


@dataclass(frozen=True)
class Setback:
    """A decision on a revision that a change of something else made obsolete.

    Attributes:
        revision: its number.
        state: where that led the revision.
        reason: why, in one sentence.
        at: UTC time, ISO 8601.
    """

    revision: int
    state: RevisionState
    reason: str
    at: str


@dataclass(frozen=True)
class RuleTrace:
    """Where a rule comes from: its first lineage, its newest one, and how the newest revision's evidence changed.

    Attributes:
        setbacks: what made decisions on any revision obsolete besides its evidence, oldest first.
    """

    first: Lineage
    now: Lineage
    changes: tuple[EvidenceChange, ...]
    setbacks: tuple[Setback, ...] = ()


@dataclass(frozen=True)
class StandingRule:
    """A rule as it stands, for comparing it with clusters."""

    id: str
    number: int
    head: str
    labels: tuple[str, ...]
    state: RevisionState
    condition: str
    lineage: Lineage
    evidence: tuple[Evidence, ...]

    @property
    def members(self) -> frozenset[str]:
        return frozenset(self.lineage.members)

    @property
    def is_live(self) -> bool:
        """Whether it is in force or may come to be; of a final one only the memory counts."""
        return self.state not in FINAL_STATES

    @property
    def supports(self) -> frozenset[str]:
        return frozenset(e.example_hash for e in self.evidence if e.role is EvidenceRole.SUPPORTS)


@dataclass(frozen=True)
class EvidenceUpdate:
    """What a rule rests on now.

    Attributes:
        labels: the rule's labels that the evidence was made for; if they changed meanwhile it does not fit any more.
        reason: why it is looked at, such as `clustering 4`.
    """

    rule_id: str
    labels: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    lineage: Lineage
    reason: str


@dataclass(frozen=True)
class UpdateCount:
    """How many rules got changed evidence, and how many of those went stale by it."""

    changed: int = 0
    stale: int = 0


@dataclass(frozen=True)
class Part:
    """The examples of one label in one cluster."""

    cluster: int
    label: str
    members: frozenset[str]


Key = tuple[int, str]
"""Cluster and label of a part."""


def match_parts(parts: Sequence[Part], rules: Sequence[StandingRule], active: frozenset[str]) -> dict[Key, str]:
    """Return the rule that each part goes on as; a part without one is not in it. One rule for a part, one part a rule.

    First come equal sets of members. Then live rules by the number of members that they share with a part: the largest
    first, of equal ones the part with fewest others, then the lower rule number, then the lower cluster. A rule goes on
    only where the shared ones are at least half of the part, or half of the rule's members that still take part. Last
    come rejected and retired rules: such a decision holds for a part of which at least half was before it.

    Args:
        active: the examples that take part.
    """
    found: dict[Key, str] = {}
    used: set[str] = set()
    by_origin = {origin_of(rule.members): rule for rule in rules}
    for part in parts:
        same = by_origin.get(origin_of(part.members))
        if same is not None and same.id not in used:
            found[part.cluster, part.label] = same.id
            used.add(same.id)
    for live in (True, False):
        for part, rule in _candidates(parts, [rule for rule in rules if rule.is_live is live], active):
            if (part.cluster, part.label) not in found and rule.id not in used:
                found[part.cluster, part.label] = rule.id
                used.add(rule.id)
    return found


def _candidates(
    parts: Sequence[Part], rules: Sequence[StandingRule], active: frozenset[str]
) -> list[tuple[Part, StandingRule]]:
    by_example: dict[str, list[StandingRule]] = {}
    for rule in rules:
        for member in rule.members & active:
            by_example.setdefault(member, []).append(rule)
    ranked = []
    for part in parts:
        shared = Counter(rule.id for member in part.members for rule in by_example.get(member, ()))
        for rule in {rule.id: rule for member in part.members for rule in by_example.get(member, ())}.values():
            both = shared[rule.id]
            most = 2 * both >= len(part.members)
            if most or (rule.is_live and 2 * both >= len(rule.members & active)):
                rank = (-both, len(part.members), rule.number, part.cluster, part.label)
                ranked.append((rank, part, rule))
    return [(part, rule) for _, part, rule in sorted(ranked, key=lambda entry: entry[0])]


def takes_over(
    state: RevisionState, old: tuple[Evidence, ...], new: tuple[Evidence, ...], active: frozenset[str]
) -> bool:
    """Return whether a revision in this state gets the new evidence in place of the old.

    What is final keeps its evidence. What somebody decided on keeps it unless the change bears on the decision: other
    supporting examples, a contradicting one that was not there, or one for or against it that takes no part any more.
    """
    if state in FINAL_STATES or evidence_set_hash(old) == evidence_set_hash(new):
        return False
    if state not in DECIDED_STATES:
        return True
    seen = {e.example_hash for e in old}
    return (
        _with_role(old, EvidenceRole.SUPPORTS) != _with_role(new, EvidenceRole.SUPPORTS)
        or not _with_role(new, EvidenceRole.CONTRADICTS) <= seen
        or any(e.role in _BEARING and e.example_hash not in active for e in old)
    )


def keep_ticks(old: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the new evidence with what people said of its examples: a role that a person gave stands."""
    ticked = {e.example_hash: e for e in old if e.ticked_by}
    kept = []
    for e in new:
        tick = ticked.get(e.example_hash)
        role, by = (tick.role, tick.ticked_by) if tick else (e.role, "")
        kept.append(replace(e, role=role, ticked_by=by))
    return tuple(kept)


def lost_ticks(old: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the ticked evidence whose example is not in the new evidence: its tick goes with it."""
    there = {e.example_hash for e in new}
    return tuple(e for e in old if e.ticked_by and e.example_hash not in there)


def _with_role(evidence: Iterable[Evidence], role: EvidenceRole) -> set[str]:
    return {e.example_hash for e in evidence if e.role is role}


def came_and_went(old: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the hashes of the examples that are only in the new evidence, and of those only in the old, sorted."""
    before, after = ({e.example_hash for e in evidence} for evidence in (old, new))
    return tuple(sorted(after - before)), tuple(sorted(before - after))


def change_words(added: int, removed: int, cause: str, ticks: int = 0) -> str:
    """Return what happened to a rule's evidence as one sentence; `ticks` is how many of people's ticks went with it.

    >>> change_words(3, 1, "clustering 4", 1)
    'clustering 4: 3 examples were added to its evidence, 1 example was taken out, and 1 tick with it'
    """
    parts = [f"{_examples(added)} added to its evidence"] if added else []
    parts += [f"{_examples(removed)} taken out" if added else f"{_examples(removed)} taken out of its evidence"] * (
        removed > 0
    )
    if ticks:
        parts.append(f"and {'1 tick' if ticks == 1 else f'{ticks:,} ticks'} with {'it' if removed == 1 else 'them'}")
    return f"{cause}: {', '.join(parts) or 'the roles of its examples changed'}"


def _examples(number: int) -> str:
    return "1 example was" if number == 1 else f"{number:,} examples were"


def for_labels(
    evidence: Iterable[Evidence], labels: tuple[str, ...], label_of: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """Return the evidence as it bears on a rule that concludes these labels: no example of another label supports it.

    A near miss that the rule now concludes rightly is none; what a person marked irrelevant stays so. A tick that says
    something else than the new labels do is none any more: it was about another rule.
    """
    found = []
    for e in evidence:
        right = label_of[e.example_hash] in labels
        role = e.role
        if role in _BEARING:
            role = EvidenceRole.SUPPORTS if right else EvidenceRole.CONTRADICTS
        elif role is EvidenceRole.NEAR_MISS and right:
            continue
        found.append(replace(e, role=role, ticked_by=e.ticked_by if role is e.role else ""))
    return tuple(found)
