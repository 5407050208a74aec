"""Small values for tests, a clock that is wound by hand, and a model that says what a test tells it to say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pld_core.importers.rows import ColumnMap, ReadOptions, SourceRow
from pld_core.lineage import EvidenceUpdate, Lineage
from pld_core.model_ports import BackendStatus, ChatReply, ChatRequest
from pld_core.models import (
    Actor,
    ClusterParams,
    ClusterPoint,
    Evidence,
    EvidenceRole,
    Example,
    Judgement,
    Label,
    MicroInstruction,
    RejectCategory,
    RevisionState,
    Role,
    RuleText,
    Split,
    Task,
    Verdict,
)
from pld_core.policy import PLAIN, Policy
from pld_core.ports import Store
from pld_core.records import NewRule

LABELS = ("keep", "remove")
ALL_ROLES = frozenset(Role)
ANNA, BERT, CLEO = (Actor(name, ALL_ROLES) for name in ("anna", "bert", "cleo"))
READER = Actor("rita", frozenset({Role.ANALYST, Role.AUDITOR}))


@dataclass
class TickingClock:
    """Every look at it is one second later."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def make_task(name: str = "posts", guideline: str = "Keep what harms nobody.") -> Task:
    labels = (Label("keep", "The post stays."), Label("remove", "The post goes."))
    return Task(name, "Posts", ("post",), labels, guideline, teacher="told")


def make_example(text: str, label: str = "keep", split: Split = Split.TRAIN, source: str = "test") -> Example:
    return Example((("post", text),), label, split, source)


def make_examples(n: int, split: Split = Split.TRAIN) -> tuple[Example, ...]:
    """Return n examples, labels taking turns."""
    return tuple(make_example(f"{split} post number {i}", LABELS[i % 2], split) for i in range(n))


def make_instruction(example: Example, condition: str = "the post is friendly") -> MicroInstruction:
    return MicroInstruction(
        example.hash, condition, example.label, "It reads so.", ("it is irony",), ("kind words",), "told", "sha256:t"
    )


def make_text(condition: str = "the post is friendly", label: str = "keep", title: str = "Friendly posts") -> RuleText:
    return RuleText(title, condition, (label,), ("it is irony",), "Friendly posts harm nobody.")


def make_rule(
    text: RuleText | None = None,
    supports: Sequence[Example] = (),
    contradicts: Sequence[Example] = (),
    origin: str = "origin-1",
    clustering_id: int = 1,
) -> NewRule:
    evidence = [Evidence(e.hash, EvidenceRole.SUPPORTS, 0.9) for e in supports]
    evidence += [Evidence(e.hash, EvidenceRole.CONTRADICTS, 0.4) for e in contradicts]
    return NewRule(text or make_text(), "told", tuple(evidence), origin, clustering_id, 0)


def fill(
    store: Store, task: Task | None = None, examples: Sequence[Example] | None = None, policy: Policy = PLAIN
) -> tuple[Example, ...]:
    """Put a task with examples and one clustering into the store, so that rules can be proposed."""
    given = tuple(make_examples(4)) if examples is None else tuple(examples)
    wanted = task or make_task()
    store.tasks.create_with_examples(wanted, given, "test.csv", ANNA)
    points = [ClusterPoint(e.hash, e.label, 0, 0.5, -0.5) for e in given]
    store.logic.add_clustering(wanted.name, ClusterParams(), points, ANNA)
    if policy != PLAIN:
        store.policies.change(wanted.name, PLAIN, policy, "as the test needs it", ANNA)
    return given


def rule_in_review(store: Store, rule: NewRule | None = None, task: str = "posts") -> str:
    """Propose and submit a rule, supported by two training examples if none is given, and return its id."""
    wanted = rule or make_rule(supports=store.tasks.examples(task)[:2])
    rule_id = store.rules.propose(task, wanted, ANNA)
    assert rule_id is not None
    store.rules.submit(rule_id, ANNA)
    return rule_id


def verdict_on(
    store: Store,
    rule_id: str,
    verdict: Verdict = Verdict.APPROVE,
    reason: str = "I read the evidence.",
    category: RejectCategory | None = RejectCategory.OVER_BROAD,
) -> Judgement:
    """Return a verdict on the rule as it stands now."""
    seen = store.rules.summary(rule_id)
    return Judgement(rule_id, seen.head, seen.state, verdict, reason, category, "2026-01-02T03:00:00Z")


def approved_rule(store: Store, rule: NewRule | None = None) -> str:
    rule_id = rule_in_review(store, rule)
    store.rules.judge(verdict_on(store, rule_id), ANNA)
    assert store.rules.summary(rule_id).state is RevisionState.APPROVED
    return rule_id


def hashes_of(examples: Sequence[Example]) -> frozenset[str]:
    return frozenset(example.hash for example in examples)


def update_of(
    store: Store,
    rule_id: str,
    supports: Sequence[Example],
    contradicts: Sequence[Example] = (),
    near: Sequence[Example] = (),
    uncovered: tuple[str, ...] = (),
) -> EvidenceUpdate:
    """Return what a run would find for a rule that is to rest on these examples."""
    evidence = make_rule(supports=supports, contradicts=contradicts).evidence
    evidence += tuple(Evidence(e.hash, EvidenceRole.NEAR_MISS, 0.3) for e in near)
    lineage = Lineage(1, 0, tuple(sorted(e.hash for e in supports)), uncovered)
    return EvidenceUpdate(rule_id, store.rules.summary(rule_id).labels, evidence, lineage, "Clustering 2")


def extraction_json(label: str, condition: str = "the post is friendly") -> str:
    return json.dumps(
        {"reasoning": "It reads so.", "condition": condition, "label": label, "exceptions": [], "cues": ["kind words"]}
    )


def rule_json(label: str, conflicts: Sequence[str] = (), condition: str = "the post is friendly") -> dict[str, Any]:
    """Return one rule of a synthesis reply."""
    reply = {"title": "A rule", "condition": condition, "label": label, "exceptions": ["it is irony"]}
    return {**reply, "priority": 2, "rationale": "It follows.", "conflicts": list(conflicts)}


def synthesis_json(label: str, conflicts: Sequence[str] = ()) -> str:
    return json.dumps({"rules": [rule_json(label, conflicts)]})


@dataclass
class ToldChat:
    """A `Chat` that answers what `say` returns (or raises), and keeps every request it was asked."""

    say: Callable[[ChatRequest], str | ChatReply]
    name: str = "told"
    asked: list[ChatRequest] = field(default_factory=list)
    ready: bool = True

    async def status(self) -> BackendStatus:
        problem, fix = ("", "") if self.ready else ("It sleeps.", "Wake it up.")
        return BackendStatus(self.name, "Told", self.ready, self.name, problem, fix, digest="sha256:weights")

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request)
        said = self.say(request)
        return ChatReply(said, self.name, "stop", 7) if isinstance(said, str) else said

    async def stream(self, request: ChatRequest) -> AsyncIterator[str | ChatReply]:
        reply = await self.complete(request)
        half = len(reply.text) // 2
        yield reply.text[:half]
        yield reply.text[half:]
        yield reply

    async def aclose(self) -> None:
        """Nothing is held open."""


@dataclass
class FirstWordEmbedder:
    """An `Embedder` that sees the first word only: equal first words are equal vectors, others are far apart."""

    name: str = "first-word"

    async def status(self) -> BackendStatus:
        return BackendStatus(self.name, "First word", True, self.name)

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        words = sorted({text.split()[0] for text in texts})
        vectors = np.zeros((len(texts), len(words) + 1), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, words.index(text.split()[0])] = 0.9
            vectors[row, -1] = np.sqrt(1 - 0.81)
        return vectors


def no_report(done: int, total: int, message: str) -> None:
    """Watch the work without a word."""


@dataclass(frozen=True)
class ListSource:
    """A `Source` whose rows are given in memory; numbered as a spreadsheet does, so that the first is row 2."""

    given: Sequence[Mapping[str, str]]
    name: str = "posts.csv"
    sha256: str = "sha256:file"
    importer: str = "list 1"
    unit: str = "row"
    options: ReadOptions = field(default_factory=lambda: ReadOptions("csv"))
    notes: tuple[str, ...] = ()
    suggested: ColumnMap = field(default_factory=ColumnMap)
    sheets: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    guideline: str = ""
    title: str = ""
    problems: Mapping[int, str] = field(default_factory=dict)
    """Why rows cannot be read, by number."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column for row in self.given for column in row))

    @property
    def expected(self) -> int:
        return max(1, len(self.given))

    def rows(self) -> Iterator[SourceRow]:
        for number, values in enumerate(self.given, start=2):
            problem = self.problems.get(number, "")
            yield SourceRow(number, {} if problem else dict(values), problem=problem)
