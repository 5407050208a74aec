"""Phase 2, second half: one rule for each cluster, with its evidence. Pure; `pipeline.py` makes the calls."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pld_core.canonical import hash_json
from pld_core.errors import Failure, InvalidInput, ReplyUnusable
from pld_core.extraction import teacher_system
from pld_core.models import NOISE, Actor, AuthorKind, Evidence, EvidenceRole, MicroInstruction, RuleText, Task
from pld_core.neighbours import Vectors
from pld_core.ports import ChatRequest, NewRule
from pld_core.review import clean_rule_text
from pld_core.wire import SynthesisReply, read_reply, schema_of

TEMPLATE = "synthesis.txt"
NEARBY = 8
"""How many instructions of other labels are shown to the teacher for contrast."""
TITLE_LENGTH = 80
NEAR_MISSES = 4
"""How many of them become near-miss evidence; the reviewer sees the closest ones."""


def origin_of(example_hashes: Iterable[str]) -> str:
    """Return the origin of a rule that rests on these examples, whatever their order."""
    return hash_json(sorted(example_hashes))


@dataclass(frozen=True)
class Cluster:
    """A cluster to be merged: members, and the closest instructions of other labels, each with its closeness.

    Closeness is the cosine similarity to the cluster's centre, -1 to 1: of the condition for members, of condition and
    input in equal parts for the nearby ones.
    """

    number: int
    members: tuple[tuple[MicroInstruction, float], ...]
    nearby: tuple[tuple[MicroInstruction, float], ...]

    @property
    def origin(self) -> str:
        """Hash of the set of examples; the same set gives the same rule origin, whatever the clustering's numbers."""
        return origin_of(member.example_hash for member, _ in self.members)


def clusters_of(
    instructions: Sequence[MicroInstruction], vectors: Vectors, inputs: Vectors, numbers: Sequence[int]
) -> tuple[Cluster, ...]:
    """Group the rows by cluster number; noise is left out.

    Args:
        vectors: one row an instruction, the embedding of its condition.
        inputs: one row an instruction, the embedding of its example's text. Two examples with like inputs and different
            labels are near misses even where their instructions are worded apart, so both count, half each.
        numbers: the cluster of each row.
    """
    found = []
    column = np.asarray(numbers)
    for number in sorted({n for n in numbers if n != NOISE}):
        inside = np.flatnonzero(column == number).tolist()
        closeness = _closeness(vectors, inside)
        nearness = (closeness + _closeness(inputs, inside)) / 2
        labels = {instructions[i].label for i in inside}
        by_nearness = np.argsort(-nearness, kind="stable").tolist()
        others = [i for i in by_nearness if instructions[i].label not in labels][:NEARBY]
        found.append(
            Cluster(
                number=int(number),
                members=tuple((instructions[i], float(closeness[i])) for i in inside),
                nearby=tuple((instructions[i], float(nearness[i])) for i in others if nearness[i] > 0),
            )
        )
    return tuple(found)


def _closeness(vectors: Vectors, inside: list[int]) -> Vectors:
    """Return the cosine similarity of each row to the centre of the rows `inside`; zeros if they cancel out."""
    centre = vectors[inside].mean(axis=0)
    length = float(np.linalg.norm(centre))
    if not length:
        return np.zeros(len(vectors), dtype=np.float32)
    return np.asarray(vectors @ (centre / length), dtype=np.float32)


def short_id(example_hash: str) -> str:
    """Return the id by which a request names an instruction: the first 8 hex digits of its example's hash."""
    return example_hash.removeprefix("sha256:")[:8]


def synthesis_request(task: Task, cluster: Cluster) -> ChatRequest:
    """Return the call that merges one cluster into one rule."""
    parts = ["<<<CLUSTER"]
    parts += [_line(member) for member, _ in cluster.members]
    parts += ["CLUSTER>>>", "", "<<<NEARBY"]
    parts += [_line(other) for other, _ in cluster.nearby] or ["(none)"]
    parts += ["NEARBY>>>"]
    return ChatRequest(
        system=teacher_system(task, TEMPLATE),
        user="\n".join(parts),
        purpose="synthesis",
        subjects=tuple(member.example_hash for member, _ in cluster.members),
        nearby=tuple(other.example_hash for other, _ in cluster.nearby),
        schema=schema_of(SynthesisReply),
        max_tokens=1024,
    )


def read_synthesis(task: Task, cluster: Cluster, text: str, teacher: str, clustering_id: int) -> NewRule:
    """Turn a reply into a rule with its evidence.

    Members support it (one of another label, which a clustering over all labels may hold, contradicts it); nearby
    examples that the teacher admits it decides wrongly contradict it; the closest of the rest are near misses. Lineage
    is kept here: an id that was not in the request is never taken over.

    Raises:
        ReplyUnusable: not the asked shape, a label that is undeclared or no member's, a text beyond a rule's limits, or
            a conflict id that was not in the request.
    """
    reply = read_reply(SynthesisReply, text)
    if reply.label not in task.label_names:
        raise ReplyUnusable(
            f"The teacher concluded {reply.label!r}, which is not a declared label.", text, Failure.WRONG_LABEL
        )
    if reply.label not in {member.label for member, _ in cluster.members}:
        raise ReplyUnusable(
            f"The teacher concluded {reply.label!r}, which no example of the cluster has.", text, Failure.WRONG_LABEL
        )
    shown = {short_id(other.example_hash) for other, _ in cluster.nearby}
    if invented := [name for name in reply.conflicts if name not in shown]:
        raise ReplyUnusable(f"The teacher named the id {invented[0]!r}, which was not in the request.", text)
    said = RuleText(reply.title, reply.condition, (reply.label,), tuple(reply.exceptions), reply.rationale)
    try:
        rule_text = clean_rule_text(said, task.label_names)
    except InvalidInput as error:
        raise ReplyUnusable(f"The teacher's rule cannot be used: {error}", text) from error
    evidence = [
        Evidence(
            m.example_hash,
            EvidenceRole.SUPPORTS if m.label == reply.label else EvidenceRole.CONTRADICTS,
            _rounded(closeness),
        )
        for m, closeness in cluster.members
    ]
    near_misses = 0
    for other, closeness in cluster.nearby:
        if short_id(other.example_hash) in reply.conflicts:
            evidence.append(Evidence(other.example_hash, EvidenceRole.CONTRADICTS, _rounded(closeness)))
        elif near_misses < NEAR_MISSES:
            near_misses += 1
            evidence.append(Evidence(other.example_hash, EvidenceRole.NEAR_MISS, _rounded(closeness)))
    return NewRule(
        text=rule_text,
        author=teacher,
        evidence=tuple(evidence),
        origin=cluster.origin,
        clustering_id=clustering_id,
        cluster=cluster.number,
    )


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


def _rounded(closeness: float) -> float:
    """Six digits: beyond that the same data gives different bits on different processors."""
    return round(closeness, 6)
