"""Phase 2, second half: one rule for each label of a cluster. Pure; `synthesising.py` makes the calls."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pld_core.errors import Failure, InvalidInput, ReplyUnusable
from pld_core.extraction import teacher_system
from pld_core.lineage import Part, origin_of
from pld_core.model_ports import ChatRequest
from pld_core.models import NOISE, Actor, AuthorKind, Evidence, EvidenceRole, MicroInstruction, RuleText, Task
from pld_core.nearness import Terrain, evidence_of, neighbours_of
from pld_core.pricing import BYTES_A_TOKEN, likely_tokens
from pld_core.records import NewRule
from pld_core.review import clean_rule_text
from pld_core.templates import material
from pld_core.wire import SynthesisedRule, SynthesisReply, read_reply, schema_of

TEMPLATE = "synthesis.txt"
NEARBY = 8
"""How many instructions of other labels are shown to the teacher for contrast."""
REQUEST_TOKENS = 6_000
"""What a request may take, estimated: with the reply it fits a context window of 8,192, which servers on one machine
have, and a rule of thumb that is off by a sixth does no harm."""
REPLY_TOKENS = 1_024
TITLE_LENGTH = 80


@dataclass(frozen=True)
class Cluster:
    """A cluster to be merged: all its members, those that the teacher is shown, and instructions of other labels."""

    number: int
    members: tuple[MicroInstruction, ...]
    nearby: tuple[MicroInstruction, ...] = ()
    shown: tuple[MicroInstruction, ...] = ()

    @property
    def origin(self) -> str:
        """Hash of the set of examples, whatever the clustering's numbers."""
        return origin_of(member.example_hash for member in self.members)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The members by label, in the order of the labels' names."""
        by_label: dict[str, set[str]] = {}
        for member in self.members:
            by_label.setdefault(member.label, set()).add(member.example_hash)
        return tuple(Part(self.number, label, frozenset(by_label[label])) for label in sorted(by_label))


def clusters_of(
    instructions: Sequence[MicroInstruction], numbers: Mapping[str, int], terrain: Terrain
) -> tuple[Cluster, ...]:
    """Group instructions by the number of their example's cluster, each with what lies nearby; noise is left out.

    Args:
        numbers: cluster by example hash; an instruction whose example is not in it belongs to none.
    """
    members: dict[int, list[MicroInstruction]] = {}
    for instruction in instructions:
        number = numbers.get(instruction.example_hash, NOISE)
        if number != NOISE:
            members.setdefault(number, []).append(instruction)
    by_hash = {i.example_hash: i for i in instructions}
    found = []
    for number in sorted(members):
        inside = tuple(members[number])
        rows = terrain.rows_of([m.example_hash for m in inside])
        near = neighbours_of(terrain, rows, {m.label for m in inside})
        others = [by_hash[terrain.hashes[n.row]] for n in near if terrain.hashes[n.row] in by_hash]
        found.append(Cluster(number, inside, tuple(others[:NEARBY]), inside))
    return tuple(found)


def fitted(task: Task, cluster: Cluster, seed: int) -> Cluster:
    """Return the cluster with the members that fit into a request: all of them, else a sample.

    The sample is drawn by the seed and the cluster's examples. Each label is in it, with a share as in the cluster; a
    member that does not fit any more is left out. Those shown keep their order.
    """
    room = REQUEST_TOKENS - likely_tokens(synthesis_request(task, replace(cluster, shown=())))[0]
    if sum(_tokens(member) for member in cluster.members) <= room:
        return replace(cluster, shown=cluster.members)
    chosen: set[str] = set()
    seen: set[str] = set()
    for member in _drawn(cluster, seed):
        taken = _tokens(member)
        # One of each label is shown whatever it takes: a rule about unseen examples would be a guess.
        if taken <= room or member.label not in seen:
            chosen.add(member.example_hash)
            seen.add(member.label)
            room -= taken
    return replace(cluster, shown=tuple(m for m in cluster.members if m.example_hash in chosen))


def _drawn(cluster: Cluster, seed: int) -> list[MicroInstruction]:
    """Return the members in a drawn order: first one of each label, then each label as often as its share is."""
    lots = random.Random(f"{seed} {cluster.origin}")  # noqa: S311 - a sample, not a secret
    by_hash = {member.example_hash: member for member in cluster.members}
    ranked: list[tuple[float, str, MicroInstruction]] = []
    for part in cluster.parts:
        hashes = sorted(part.members)
        lots.shuffle(hashes)
        ranked += [(place / len(hashes), part.label, by_hash[content]) for place, content in enumerate(hashes)]
    return [member for _, _, member in sorted(ranked, key=lambda entry: entry[:2])]


def _tokens(instruction: MicroInstruction) -> int:
    return len(_line(instruction).encode("utf-8")) // BYTES_A_TOKEN + 1


def short_id(example_hash: str) -> str:
    """Return the id by which a request names an instruction: the first 8 hex digits of its example's hash."""
    return example_hash.removeprefix("sha256:")[:8]


def synthesis_request(task: Task, cluster: Cluster) -> ChatRequest:
    """Return the call that merges the shown members of one cluster."""
    sampled = len(cluster.shown) < len(cluster.members)
    size = f" ({len(cluster.shown):,} of {len(cluster.members):,})" if sampled else ""
    members = material("CLUSTER", "\n".join(_line(member) for member in cluster.shown), size)
    nearby = material("NEARBY", "\n".join(_line(other) for other in cluster.nearby) or "(none)")
    return ChatRequest(
        system=teacher_system(task, TEMPLATE),
        user=f"{members}\n\n{nearby}",
        purpose="synthesis",
        subjects=tuple(member.example_hash for member in cluster.shown),
        nearby=tuple(other.example_hash for other in cluster.nearby),
        schema=schema_of(SynthesisReply),
        max_tokens=REPLY_TOKENS,
    )


def read_synthesis(
    task: Task, cluster: Cluster, text: str, teacher: str, clustering_id: int, terrain: Terrain
) -> tuple[NewRule, ...]:
    """Turn a reply into rules, one a label, with their evidence.

    The teacher writes the text, nothing else: what a rule rests on and what speaks against it is found by
    `nearness.evidence_of`. An id in its conflicts that was not in the request is kept with the rule as ignored.

    Raises:
        ReplyUnusable: not the asked shape, a label that is undeclared, no member's or concluded twice, or a text beyond
            a rule's limits.
    """
    said = read_reply(SynthesisReply, text).rules
    concluded = [rule.label for rule in said]
    held = {part.label: part.members for part in cluster.parts}
    for label in concluded:
        if label not in task.label_names:
            problem = f"The teacher concluded {label!r}, which is not a declared label."
        elif label not in held:
            problem = f"The teacher concluded {label!r}, which no example of the cluster has."
        elif concluded.count(label) > 1:
            problem = f"The teacher wrote two rules for {label!r} of one cluster."
        else:
            continue
        raise ReplyUnusable(problem, text, Failure.WRONG_LABEL)
    uncovered = tuple(label for label in held if label not in concluded)
    mates = frozenset[str]().union(*(held[label] for label in uncovered))
    names = {short_id(other.example_hash): other.example_hash for other in cluster.nearby}
    return tuple(
        NewRule(
            text=_text(task, rule, text),
            author=teacher,
            evidence=evidence_of(
                terrain,
                held[rule.label],
                (rule.label,),
                mates,
                [names[name] for name in rule.conflicts if name in names],
            ),
            origin=origin_of(held[rule.label]),
            clustering_id=clustering_id,
            cluster=cluster.number,
            uncovered=uncovered,
            shown=tuple(sorted(m.example_hash for m in cluster.shown)),
            ignored=tuple(name for name in rule.conflicts if name not in names),
        )
        for rule in said
    )


def _text(task: Task, rule: SynthesisedRule, raw: str) -> RuleText:
    said = RuleText(
        rule.title, rule.condition, (rule.label,), tuple(rule.exceptions), rule.rationale, priority=rule.priority
    )
    try:
        return clean_rule_text(said, task.label_names)
    except InvalidInput as error:
        raise ReplyUnusable(f"The teacher's rule cannot be used: {error}", raw) from error


def promoted_rule(instruction: MicroInstruction, clustering_id: int, actor: Actor) -> NewRule:
    """Return the rule that a person makes of a single instruction that no cluster took in: noise may be a rare rule."""
    return NewRule(
        text=RuleText(
            title=textwrap.shorten(instruction.condition, TITLE_LENGTH, placeholder="…"),
            condition=instruction.condition,
            labels=(instruction.label,),
            exceptions=instruction.exceptions,
            rationale=instruction.reasoning,
        ),
        author=actor.name,
        author_kind=AuthorKind.PERSON,
        evidence=(Evidence(instruction.example_hash, EvidenceRole.SUPPORTS, 1.0),),
        origin=origin_of([instruction.example_hash]),
        clustering_id=clustering_id,
        cluster=NOISE,
    )


def _line(instruction: MicroInstruction) -> str:
    exceptions = "".join(f" EXCEPT {exception}" for exception in instruction.exceptions)
    return f"[{short_id(instruction.example_hash)}] IF {instruction.condition} THEN {instruction.label}{exceptions}"
