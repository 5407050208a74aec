"""The reviewers' desk: drafts, ticks on evidence, the queue's tabs and leases, comments, splitting and merging rules.

What a person does here short of a decision. Values, and the port that stores them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pld_core.begun import BegunStore
from pld_core.models import (
    ANYBODY,
    ORDINARY,
    Actor,
    Decision,
    EvidenceRole,
    Judgement,
    RevisionState,
    RuleSummary,
    RuleText,
)
from pld_core.records import EVERY_RULE, Page, RuleFilter
from pld_core.second_look import SecondLookStore

LEASE_S = 600
"""A rule stays marked as open at somebody for ten minutes after the last activity: long enough to read a contract."""

# --- drafts -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DraftText:
    """What stands in the fields of an edit, word for word as it was typed: it need not be a rule yet."""

    title: str = ""
    condition: str = ""
    labels: tuple[str, ...] = ()
    exceptions: str = ""
    priority: int = ORDINARY
    note: str = ""

    @staticmethod
    def of(text: RuleText) -> DraftText:
        """Return the fields as they are before anybody types."""
        return DraftText(text.title, text.condition, text.labels, "\n".join(text.exceptions), text.priority)

    def rule_text(self, rationale: str) -> RuleText:
        """Return the rule that the fields stand for; an exception a line."""
        lines = tuple(line for line in (part.strip() for part in self.exceptions.splitlines()) if line)
        return RuleText(self.title, self.condition, self.labels, lines, rationale, self.priority)


@dataclass(frozen=True)
class Draft:
    """An unsaved edit; private to the person.

    Attributes:
        base: hash of the revision that it started from.
        base_number: that revision's number.
        at: UTC time of the last change, ISO 8601.
    """

    rule_id: str
    base: str
    base_number: int
    text: DraftText
    at: str


class DraftStore(Protocol):
    def save(self, rule_id: str, base: str, text: DraftText, actor: Actor) -> None:
        """Keep what was typed for an edit of this revision, in place of what was kept before."""
        ...

    def of_rule(self, rule_id: str, actor: Actor) -> tuple[Draft, ...]:
        """Return the actor's drafts on a rule, newest first."""
        ...

    def mine(self, task: str, actor: Actor) -> tuple[Draft, ...]:
        """Return the actor's drafts in a task, newest first."""
        ...

    def discard(self, rule_id: str, base: str, actor: Actor) -> DraftText | None:
        """Drop a draft and return what it held; None if there was none."""
        ...


# --- ticks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    """A person's word on what an example says of a rule.

    Attributes:
        seen_revision: hash of the revision that was on the screen.
        seen_evidence: hash of the evidence set that was on the screen.
    """

    rule_id: str
    seen_revision: str
    seen_evidence: str
    example_hash: str
    role: EvidenceRole


@dataclass(frozen=True)
class Ticked:
    """What a tick did: the role before, the state after, and the hash of the evidence set as it is now."""

    before: EvidenceRole
    state: RevisionState
    evidence_hash: str


class TickStore(Protocol):
    def tick(self, tick: Tick, actor: Actor) -> Ticked:
        """Give an example another role, which makes a new version of the evidence; the one before stays.

        Raises:
            RevisionMovedOn: the revision or the evidence on the screen was out of date.
            NotFound: the example is not among the evidence.
            IllegalTransition: the revision is final.
        """
        ...


# --- the queue --------------------------------------------------------------------------------------------------------


class Tab(StrEnum):
    """The queue's tabs."""

    MINE = "Mine"
    SECOND = "Second review"
    SECOND_LOOK = "Second look"
    STALE = "Stale"
    CONFLICTS = "Conflicts"
    FINDINGS = "Findings"
    DECIDED = "Decided"
    ALL = "All"


class QueueOrder(StrEnum):
    """What stands first: stale, conflicting, low support, then random; or the rules that harm most, these by that.

    Harm is that of the newest complete run over validation, see `analytics.harm_ground`; without one, as usual.
    """

    USUAL = "usual"
    HARM = "harm"


NO_HARM = "No complete run over validation has a baseline to tell harm against, so the rules stand in the usual order."


@dataclass(frozen=True)
class DeskFilter:
    """Which rules the queue shows, and in which order. `where.states` narrows the tab's own."""

    tab: Tab = Tab.MINE
    where: RuleFilter = EVERY_RULE
    tag: str = ""
    order: QueueOrder = QueueOrder.USUAL


@dataclass(frozen=True)
class Lease:
    """Who has a rule open. It only tells; it never blocks a decision."""

    holder: str
    since: str
    until: str


@dataclass(frozen=True)
class QueueRow:
    """A rule in the queue with what the desk knows of it.

    Attributes:
        assignee: to whom a lead gave it; empty for nobody.
        open_comments: threads that are not resolved.
        opened_by: who else has it open now; empty for nobody.
        second_opinion: somebody asked for another person's look at this revision, and nobody has decided since.
        open_findings: wrong answers of the student that were marked and are said to be about it.
        has_draft: the reader has an unsaved edit of it, or a decision that is begun and not signed.
    """

    summary: RuleSummary
    assignee: str = ""
    tags: tuple[str, ...] = ()
    open_comments: int = 0
    opened_by: str = ""
    second_opinion: bool = False
    open_findings: int = 0
    has_draft: bool = False


@dataclass(frozen=True)
class SecondOpinion:
    """A request that somebody else looks at a revision."""

    note: str
    by: str
    at: str


class QueueStore(Protocol):
    def rows(self, task: str, where: DeskFilter, page: Page, actor: Actor) -> tuple[QueueRow, ...]: ...
    def count(self, task: str, where: DeskFilter, actor: Actor) -> int: ...
    def row(self, rule_id: str, actor: Actor) -> QueueRow: ...
    def neighbours(self, rule_id: str, where: DeskFilter, actor: Actor) -> tuple[str | None, str | None]:
        """Return the ids before and after the rule in the queue's order, None at the ends.

        What somebody else has open is passed over on the way on, unless nothing else is left.
        """
        ...

    def position(self, rule_id: str, where: DeskFilter, actor: Actor) -> int | None:
        """Return how many rules stand before this one in the queue; None if it is not in it."""
        ...

    def open(self, rule_id: str, actor: Actor) -> Lease:
        """Take the rule's lease or renew one's own; return whoever holds it now."""
        ...

    def assign(self, rule_ids: Sequence[str], person: str, actor: Actor) -> None:
        """Give rules to a person; an empty name takes them back. A reviewer may do so for himself only."""
        ...

    def tag(self, rule_ids: Sequence[str], tag: str, actor: Actor) -> tuple[str, ...]:
        """Tag rules; return the ids that did not have the tag before."""
        ...

    def untag(self, rule_ids: Sequence[str], tag: str, actor: Actor) -> None: ...
    def tags(self, task: str) -> tuple[str, ...]: ...
    def people(self) -> tuple[str, ...]:
        """Return everybody who ever acted in this workspace or was granted a role, by name."""
        ...

    def ask_second_opinion(self, rule_id: str, seen_revision: str, note: str, actor: Actor) -> None: ...
    def second_opinions(self, rule_id: str, actor: Actor = ANYBODY) -> tuple[SecondOpinion, ...]:
        """Return the requests on the newest revision that the actor may see now, oldest first."""
        ...

    def reject_duplicates(self, judgements: Sequence[Judgement], of: str, actor: Actor) -> tuple[Decision, ...]:
        """Reject rules that say the same as the rule `of`: a decision each, all or none."""
        ...

    def withdraw(self, rule_id: str, seen_revision: str, seen_state: RevisionState, reason: str, actor: Actor) -> int:
        """Take back one's own last decision on the newest revision; return its number. The decision stays on record."""
        ...

    def withdrawn(self, rule_id: str) -> Mapping[int, tuple[str, str, str]]:
        """Return (by, at, reason) of each withdrawn decision of a rule, by the decision's number."""
        ...


# --- comments ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comment:
    """A remark on a rule, or on one example of its evidence.

    Attributes:
        example_hash: the example that it is about; empty for the rule.
        parent: number of the comment that it answers; None for the first of a thread.
        mentions: known people that it names with @.
        resolved: whether its thread is settled; of an answer, its first comment's.
        resolved_by: who settled it; empty if it is open.
    """

    id: int
    rule_id: str
    revision: int
    example_hash: str
    parent: int | None
    text: str
    mentions: tuple[str, ...]
    by: str
    at: str
    resolved: bool = False
    resolved_by: str = ""


class CommentStore(Protocol):
    def add(
        self, rule_id: str, text: str, actor: Actor, example_hash: str = "", parent: int | None = None
    ) -> Comment: ...
    def of_rule(self, rule_id: str, actor: Actor = ANYBODY) -> tuple[Comment, ...]:
        """Return the comments of a rule that the actor may see now, thread by thread, oldest first."""
        ...

    def get(self, comment_id: int, actor: Actor = ANYBODY) -> Comment:
        """Return one comment.

        Raises:
            NotFound: there is none.
            StillBlind: the actor sees it after deciding; so it is for answering, resolving and reopening it.
        """
        ...

    def mentioning(self, actor: Actor, task: str = "") -> tuple[Comment, ...]:
        """Return the comments that name the actor and that he has not answered, newest first; of open threads only.

        Without a task those of all tasks. What is kept from the actor until the own decision is not among them.
        """
        ...

    def resolve(self, comment_id: int, actor: Actor) -> Comment: ...
    def reopen(self, comment_id: int, actor: Actor) -> Comment: ...


# --- one rule to two, two rules to one --------------------------------------------------------------------------------


class Derivation(StrEnum):
    SPLIT = "split"
    MERGE = "merge"


@dataclass(frozen=True)
class Kin:
    """A rule that another one was made from, or that was made of it.

    Attributes:
        parent_number, child_number: the revisions' numbers.
    """

    kind: Derivation
    parent: str
    parent_number: int
    child: str
    reason: str
    by: str
    at: str


@dataclass(frozen=True)
class SeenRule:
    """A rule as it was on the screen."""

    rule_id: str
    revision: str
    state: RevisionState


@dataclass(frozen=True)
class Half:
    """One half of a split: its text, and the supporting examples that go with it, by hash."""

    text: RuleText
    supports: frozenset[str]


class PartStore(Protocol):
    def split(self, seen: SeenRule, halves: tuple[Half, Half], reason: str, actor: Actor) -> tuple[str, str]:
        """Make two rules of one and return their ids; both are in review.

        The rule that is split stays in force, if it is, until its halves are decided and one of them is approved; one
        that is undecided is settled as `changes_requested`.
        """
        ...

    def merge(self, seen: tuple[SeenRule, SeenRule], text: RuleText, reason: str, actor: Actor) -> str:
        """Make one rule of two, with the evidence of both, and return its id; it is in review."""
        ...

    def kin(self, rule_id: str) -> tuple[Kin, ...]:
        """Return what the rule was made from and what was made of it, oldest first."""
        ...


class DeskStore(Protocol):
    @property
    def drafts(self) -> DraftStore: ...
    @property
    def begun(self) -> BegunStore: ...
    @property
    def ticks(self) -> TickStore: ...
    @property
    def queue(self) -> QueueStore: ...
    @property
    def comments(self) -> CommentStore: ...
    @property
    def second_looks(self) -> SecondLookStore: ...
    @property
    def parts(self) -> PartStore: ...
