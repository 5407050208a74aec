"""Workspaces with a known conflict, and loops run on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pld_core.calls import Limits
from pld_core.conflicts.records import LoopLimits, LoopOrder, Tried
from pld_core.edited_trial import try_edited
from pld_core.greedy_order import add_up
from pld_core.model_ports import ChatRequest
from pld_core.models import Actor, Example, RuleText, Split
from pld_core.ports import Progress
from pld_core.resolving import LoopModels, Resolved, Working, resolve
from pld_core.teaching import Teaching
from storage import SqliteStore
from tests.conflict_models import Scripted, follow
from tests.core.conflict_parts import rule_text
from tests.core.virtual_time import InstantClock
from tests.factories import (
    ANNA,
    FirstWordEmbedder,
    ToldChat,
    approved_rule,
    fill,
    make_example,
    make_rule,
    no_report,
)

ORDER = LoopOrder("posts", "job 7")
SIZES = {Split.TRAIN: 6, Split.VALIDATION: 8, Split.TEST: 4}
ATTEMPTS = Limits(in_flight=1, attempts=1)

Kind = tuple[str, str]
"""Words that posts of a kind hold, and their gold label."""


def posts(kinds: Sequence[Kind], sizes: dict[Split, int] | None = None) -> tuple[Example, ...]:
    """Return posts of each kind in each split."""
    return tuple(
        make_example(f"{words} {split.value} {n}", label, split)
        for split, size in (sizes or SIZES).items()
        for words, label in kinds
        for n in range(size)
    )


@dataclass(frozen=True)
class RuleSpec:
    """A rule that is approved when a test begins; it rests on the training posts with `words`."""

    condition: str
    label: str
    words: str
    exceptions: tuple[str, ...] = ()
    priority: int = 2


def conflicted(
    store: SqliteStore, kinds: Sequence[Kind], rules: Sequence[RuleSpec], sizes: dict[Split, int] | None = None
) -> None:
    """Fill a workspace with posts and approved rules R1, R2 and so on."""
    examples = posts(kinds, sizes)
    fill(store, examples=examples)
    train = [e for e in examples if e.split is Split.TRAIN]
    for spec in rules:
        supports = [e for e in train if e.text.startswith(spec.words) and e.label == spec.label]
        text = rule_text(spec.condition, spec.label, spec.exceptions, spec.priority)
        approved_rule(store, make_rule(text, supports, origin=spec.condition))


@dataclass
class Stage:
    """A store with the models that take part in loops on it."""

    store: SqliteStore
    teacher: ToldChat
    student: ToldChat = field(default_factory=lambda: ToldChat(follow, "student"))

    @property
    def calls(self) -> int:
        return len(self.teacher.asked) + len(self.student.asked)

    def run(self, order: LoopOrder = ORDER, report: Progress = no_report, **working: object) -> Resolved:
        models = LoopModels(self.teacher, self.student, FirstWordEmbedder(), FirstWordEmbedder())
        given = Working(Teaching(limits=ATTEMPTS), ATTEMPTS, InstantClock())
        return asyncio.run(
            resolve(self.store, models, order, ANNA, report, replace(given, **working))  # type: ignore[arg-type]
        )

    def retry(self, proposal: str, *texts: RuleText, actor: Actor = ANNA) -> Tried:
        """Store texts in place of those of a proposal of loop 1, and try them."""
        edited = self.store.proposals.edit(1, proposal, texts, actor)
        return asyncio.run(try_edited(self.store, self.student, 1, proposal, edited.hash, actor, no_report))

    def add_up(self, number: int, actor: Actor = ANNA) -> tuple[Tried, ...]:
        """Add up the proposals of a round of loop 1."""
        return asyncio.run(add_up(self.store, self.student, 1, number, actor, no_report))


def stage(store: SqliteStore, say: Callable[[ChatRequest], str]) -> Stage:
    return Stage(store, ToldChat(say, "teacher"))


def scripted(store: SqliteStore, *script: tuple[str, object]) -> Stage:
    return stage(store, Scripted(script))  # type: ignore[arg-type]


def limited(**limits: object) -> LoopOrder:
    return replace(ORDER, limits=LoopLimits(**limits))  # type: ignore[arg-type]
