"""Phase 2, second half, as a use case: rules from clusters, evidence brought up to date, rules compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pld_core.coverage import Coverage, coverage_of
from pld_core.lineage import EvidenceUpdate, Key, Lineage, Part, StandingRule, match_parts
from pld_core.model_ports import Chat, Embedder
from pld_core.models import Actor, Example, MicroInstruction, Split, Task
from pld_core.nearness import Terrain, evidence_of
from pld_core.overlaps import find_overlaps
from pld_core.personal import shown_to_teacher
from pld_core.ports import Progress, Store
from pld_core.records import ExampleFilter, NewRule, StoredClustering
from pld_core.synthesis import TEMPLATE, Cluster, clusters_of, fitted, read_synthesis, synthesis_request
from pld_core.teaching import Answered, Ask, Teacher, Teaching
from pld_core.templates import template


@dataclass(frozen=True)
class Synthesised:
    """How a synthesis ended.

    Attributes:
        made: rules that are new and in review.
        already_there: clusters that go on as a rule that is there.
        failed: clusters whose reply could not be used.
        left: clusters that failed earlier and were left alone, because nobody asked to try them again.
        changed: rules whose evidence is another one now.
        stale: those of them that were approved and have to be reviewed again.
    """

    made: int
    already_there: int
    failed: int
    left: int = 0
    changed: int = 0
    stale: int = 0

    @property
    def words(self) -> str:
        words = f"{self.made} made, {self.already_there} already there, {self.failed} failed"
        words += f", {self.left} failed earlier and left alone" if self.left else ""
        words += f", {self.changed} with changed evidence" if self.changed else ""
        return words + (f", {self.stale} of them stale" if self.stale else "")


@dataclass(frozen=True)
class SynthesisPlan:
    """What a synthesis works on: the clusters as they were kept, and which rule each part of them goes on as.

    Examples that take no part any more are left out: no rule is to rest on them.
    """

    task: Task
    clustering: StoredClustering
    terrain: Terrain
    clusters: tuple[Cluster, ...]
    rules: tuple[StandingRule, ...]
    matched: dict[Key, str]

    @property
    def open(self) -> tuple[Cluster, ...]:
        """The clusters that no rule goes on for; the teacher is asked about these and no others."""
        return tuple(c for c in self.clusters if not any((c.number, part.label) in self.matched for part in c.parts))

    def asks(self, limit: int | None = None) -> list[Ask[Cluster]]:
        """Return what the teacher would be asked, at most `limit` calls."""
        chosen = [fitted(self.task, cluster, self.clustering.params.seed) for cluster in self.open[:limit]]
        return [Ask(cluster, synthesis_request(self.task, cluster)) for cluster in chosen]

    def updates(self) -> tuple[EvidenceUpdate, ...]:
        """Return what each live rule rests on now: its part of the clustering, or its own members if it has none."""
        parts = {part: cluster for cluster in self.clusters for part in cluster.parts}
        part_of = {self.matched[p.cluster, p.label]: p for p in parts if (p.cluster, p.label) in self.matched}
        return tuple(
            self._update(rule, part_of.get(rule.id), parts) for rule in self.rules if rule.is_live and rule.members
        )

    def _update(self, rule: StandingRule, part: Part | None, parts: dict[Part, Cluster]) -> EvidenceUpdate:
        lineage, mates = rule.lineage, frozenset[str]()
        if part is not None:
            others = [p for p in parts[part].parts if p != part and (p.cluster, p.label) not in self.matched]
            mates = mates.union(*(p.members for p in others))
            uncovered = tuple(p.label for p in others if p.label not in rule.labels)
            lineage = Lineage(self.clustering.id, part.cluster, tuple(sorted(part.members)), uncovered)
        evidence = evidence_of(self.terrain, lineage.members, rule.labels, mates, before=rule.evidence)
        return EvidenceUpdate(rule.id, rule.labels, evidence, lineage, f"Clustering {self.clustering.id}")


async def plan_synthesis(store: Store, embedder: Embedder, clustering_id: int) -> SynthesisPlan:
    """Rebuild the clusters from the stored points, not from a second clustering: people saw the stored ones."""
    clustering = store.logic.clustering(clustering_id)
    task = store.tasks.get(clustering.task)
    terrain, instructions = await _terrain(store, embedder, task.name)
    numbers = {point.example_hash: point.cluster for point in clustering.points}
    clusters = clusters_of(instructions, numbers, terrain)
    rules = store.lineage.standing(task.name)
    parts = [part for cluster in clusters for part in cluster.parts]
    matched = match_parts(parts, rules, frozenset(terrain.hashes))
    return SynthesisPlan(task, clustering, terrain, clusters, rules, matched)


async def synthesise(
    store: Store,
    teacher: Chat,
    embedder: Embedder,
    clustering_id: int,
    actor: Actor,
    report: Progress,
    teaching: Teaching | None = None,
    limit: int | None = None,
    retry_failed: bool = True,
) -> Synthesised:
    """Bring the evidence of the rules up to date, ask the teacher about clusters without a rule, compare the rules.

    A cluster that a rule goes on for is not asked about, whatever became of the rule: nothing decided is overwritten.
    The rules of one reply and their evidence are stored in one transaction and are in review.

    Args:
        limit: at most so many clusters are asked about, in the order of their numbers.
        retry_failed: also those whose reply could not be used before; each is a new call that is paid for.

    Raises:
        AccessRefused, ModelMissing, CallsStopped, BudgetReached: what was answered is kept.
    """
    plan = await plan_synthesis(store, embedder, clustering_id)
    task = plan.task
    updated = store.lineage.update(task.name, plan.updates(), frozenset(plan.terrain.hashes), actor)
    asks = plan.asks(limit)
    made = 0

    def read(cluster: Cluster, text: str) -> tuple[NewRule, ...]:
        return read_synthesis(task, cluster, text, teacher.name, clustering_id, plan.terrain)

    def keep(answers: Sequence[Answered[Cluster, tuple[NewRule, ...]]]) -> None:
        nonlocal made
        store.logic.record_calls(task.name, [(a.call, None) for a in answers if a.call is not None])
        for answer in answers:
            if answer.result is not None:
                made += len(store.lineage.enter(task.name, answer.result, actor))

    given = teaching or Teaching()
    # One at a time: rule numbers then follow the clusters, run after run.
    in_turn = replace(given, limits=replace(given.limits, in_flight=1))
    asking = Teacher(store, teacher, task.name, template(TEMPLATE).hash, read, keep, in_turn)
    already = len(plan.clusters) - len(plan.open)
    await asking.ask(asks, retry_failed, report, already, "clusters merged")
    await compare_rules(store, embedder, task.name)
    failed = sum(asking.tally.failed.values())
    return Synthesised(made, already, failed, asking.tally.left, updated.changed, updated.stale)


async def compare_rules(store: Store, embedder: Embedder, task: str) -> None:
    """Find the live rules that overlap, and note which revisions were compared; the earlier findings are replaced.

    Rules are embedded together with the instructions: an embedder that is fitted on its texts, as the built-in one is,
    makes nothing of a dozen of them.
    """
    rules = [rule for rule in store.lineage.standing(task) if rule.is_live]
    instructions = store.logic.active_instructions(task)
    conditions = [*(rule.condition for rule in rules), *(i.condition for i in instructions)]
    vectors = (await embedder.embed(conditions))[: len(rules)]
    store.lineage.note_overlaps(task, [rule.head for rule in rules], find_overlaps(rules, vectors))


def coverage(store: Store, task_name: str, clustering: StoredClustering | None = None) -> Coverage:
    """Return what the rules of a task cover, looked at with a kept clustering, or the newest; asks no model."""
    task = store.tasks.get(task_name)
    if clustering is None and (kept := store.logic.clusterings(task_name)):
        clustering = store.logic.clustering(kept[0].id)
    examples = store.tasks.examples(task_name, ExampleFilter(split=Split.TRAIN))
    return coverage_of(
        task.label_names,
        [(example.hash, example.label) for example in examples],
        store.lineage.standing(task_name),
        clustering.id if clustering else None,
        {point.example_hash: point.cluster for point in clustering.points} if clustering else {},
    )


async def _terrain(store: Store, embedder: Embedder, task: str) -> tuple[Terrain, tuple[MicroInstruction, ...]]:
    examples = store.tasks.examples(task, ExampleFilter(split=Split.TRAIN))
    place = {example.hash: row for row, example in enumerate(examples)}
    instructions = tuple(i for i in store.logic.active_instructions(task) if i.example_hash in place)
    inputs = await embedder.embed(_inputs(examples))
    found = await embedder.embed([instruction.condition for instruction in instructions])
    conditions = np.zeros((len(examples), found.shape[1]), dtype=np.float32)
    rows = [place[instruction.example_hash] for instruction in instructions]
    conditions[rows] = found
    read = np.zeros(len(examples), dtype=np.bool_)
    read[rows] = True
    terrain = Terrain(tuple(place), tuple(example.label for example in examples), inputs, conditions, read)
    return terrain, instructions


def compared_texts(store: Store, task: str) -> tuple[str, ...]:
    """Return every text that synthesis of a task embeds: inputs, conditions of instructions, conditions of rules."""
    examples = store.tasks.examples(task, ExampleFilter(split=Split.TRAIN))
    instructions = store.logic.active_instructions(task)
    rules = [rule for rule in store.lineage.standing(task) if rule.is_live]
    return (*_inputs(examples), *(i.condition for i in instructions), *(rule.condition for rule in rules))


def _inputs(examples: Sequence[Example]) -> list[str]:
    """Return the examples' texts, masked if their import asked for that: the embedder may be somebody else's."""
    return [shown_to_teacher(example).text for example in examples]
