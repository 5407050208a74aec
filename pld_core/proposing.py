"""Asking the teacher about groups of failures, and making of its replies what can be tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pld_core.conflicts.alike import folded
from pld_core.conflicts.carrying import carried
from pld_core.conflicts.changeset import Change
from pld_core.conflicts.chart import Chart
from pld_core.conflicts.flags import flags_of
from pld_core.conflicts.proposal import Proposal, Refusal, numbered, proposals_of
from pld_core.conflicts.records import AskedGroup, MadeProposal
from pld_core.conflicts.request import TEMPLATE, Shown, conflict_request
from pld_core.conflicts.rule_set import RuleSet
from pld_core.errors import CallsStopped
from pld_core.extraction import request_hash
from pld_core.model_ports import Chat
from pld_core.models import Evidence, EvidenceRole, Task
from pld_core.ports import Progress, Store
from pld_core.teaching import Answered, Ask, Teacher, Teaching
from pld_core.templates import template
from pld_core.wire import ConflictReply, read_reply


@dataclass(frozen=True)
class Replied:
    """A group as it was shown, and the reply; None where no usable one came, and `problem` says why."""

    shown: Shown
    reply: ConflictReply | None
    problem: str = ""

    @property
    def record(self) -> AskedGroup:
        if self.reply is None:
            return AskedGroup.of(self.shown, problem=self.problem)
        return AskedGroup.of(self.shown, self.reply.kind, self.reply.cause)


async def ask_teacher(
    store: Store, teacher: Chat, task: Task, shown: Sequence[Shown], teaching: Teaching, report: Progress, what: str
) -> tuple[Replied, ...]:
    """Ask about each group, unless the store has its reply; return the replies in the order of the groups.

    A reply that cannot be used is kept as one and not asked for again in the same run.

    Raises:
        CallsStopped: a call got no reply, which may pass; what was answered is kept.
        AccessRefused, ModelMissing, BudgetReached: as `Teacher.ask`.
    """
    replies: dict[str, ConflictReply] = {}

    def read(_: Shown, text: str) -> ConflictReply:
        return read_reply(ConflictReply, text)

    def keep(answers: Sequence[Answered[Shown, ConflictReply]]) -> None:
        store.logic.record_calls(task.name, [(a.call, None) for a in answers if a.call is not None])
        replies.update({a.subject.group.hash: a.result for a in answers if a.result is not None})

    asks = [Ask(one, conflict_request(task, one)) for one in shown]
    asking = Teacher(store, teacher, task.name, template(TEMPLATE).hash, read, keep, teaching)
    await asking.ask(asks, True, report, 0, what)
    failed = {call.request_hash: call for call in store.logic.failed_calls(task.name)}
    found = []
    for ask in asks:
        reply, call = replies.get(ask.subject.group.hash), failed.get(request_hash(teacher.name, ask.request))
        if reply is None and call is not None and call.failure and call.failure.is_passing:
            raise CallsStopped(f"{call.problem} What was answered is kept. Start again to go on.")
        found.append(Replied(ask.subject, reply, call.problem if call and reply is None else ""))
    return tuple(found)


def read_proposals(
    task: Task, replied: Sequence[Replied], first_free: int, round_: int
) -> tuple[tuple[Proposal, ...], int]:
    """Return the proposals of all replies in the order of the groups, and the next free number for new rules."""
    read = [p for one in replied if one.reply is not None for p in proposals_of(task, one.shown, one.reply)]
    return numbered(read, first_free, round_)


def conditions_of(proposals: Sequence[Proposal], rules: RuleSet) -> tuple[str, ...]:
    """Return the conditions that are compared: those of the rules, and those that are proposed."""
    proposed = [one.text.condition for proposal in proposals if proposal.changes_rules for one in proposal.texts]
    return tuple(dict.fromkeys([*(rule.text.condition for rule in rules.rules), *proposed]))


def checked(
    task: Task, proposals: Sequence[Proposal], replied: Sequence[Replied], rules: RuleSet, chart: Chart
) -> tuple[MadeProposal, ...]:
    """Return the proposals with what their texts rest on and what a reviewer has to look at.

    One of whose texts nothing would support is refused: nobody could judge it. Of those that say the same the first is
    tried, for all of them.
    """
    shown = {one.shown.group.hash: one.shown for one in replied}
    made = []
    for proposal, resting in folded(proposals):
        if not proposal.changes_rules:
            made.append(MadeProposal(proposal))
            continue
        evidence = carried(resting, [rules.rule(rule_id) for rule_id in proposal.rules], chart)
        if all(_is_supported(one) for one in evidence):
            linked = {e.example_hash for one in evidence for e in one}
            near = [e for e in chart.examples if e.hash in linked]
            near += [e for e in shown[proposal.group].examples if e.hash not in linked]
            flags = flags_of(task, proposal, rules, chart, near)
            made.append(MadeProposal(replace(proposal, flags=flags), evidence))
        else:
            problem = "No training example would support what it proposes."
            made.append(MadeProposal(replace(proposal, refusal=Refusal.RESTS_ON_NOTHING, problem=problem)))
    return tuple(made)


def _is_supported(evidence: Sequence[Evidence]) -> bool:
    return any(e.role is EvidenceRole.SUPPORTS for e in evidence)


def changes_of(made: Sequence[MadeProposal]) -> tuple[Change, ...]:
    """Return what can be tried."""
    return tuple(Change(one.proposal, one.evidence) for one in made if one.proposal.changes_rules)
