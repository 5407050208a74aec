"""Proposals of a loop as a person decides on them: what they rest on, their trials, what was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_app import edited_trials
from pld_app.edited_trials import EditedTrial
from pld_app.wiring import App
from pld_core.conflicts.proposal import ActionKind, Proposal, Refusal
from pld_core.conflicts.records import (
    AskedGroup,
    MadeProposal,
    ProposalOutcome,
    Resolution,
    RoundRecord,
    Stage,
    Tried,
)
from pld_core.effect import Case
from pld_core.models import Example, RuleText, Split
from pld_core.records import ExampleFilter


class Standing(StrEnum):
    """What a proposal has come to by itself, before anybody decides."""

    PASSES = "passes"
    HELD = "does not pass"
    NOT_TRIED = "not tried"
    SAID_ALREADY = "said already"
    REFUSED = "refused"
    KEEP = "changes nothing"


@dataclass(frozen=True)
class ShownProposal:
    """A proposal with all that its card shows.

    Attributes:
        base: the round before its own, whose rules it changes.
        group: what the teacher was asked about; None if that is not kept.
        alone: its trial by itself; None if there is none.
        sums: trials of it together with others.
        edited: texts that somebody tried in its place, the newest.
        locked: rules that it changes and that are locked now.
    """

    loop: Resolution
    base: RoundRecord
    made: MadeProposal
    hash: str
    group: AskedGroup | None
    alone: Tried | None
    sums: tuple[Tried, ...]
    outcome: ProposalOutcome | None
    edited: EditedTrial | None
    locked: tuple[str, ...]

    @property
    def said(self) -> Proposal:
        return self.made.proposal

    @property
    def key(self) -> str:
        """Names its widgets."""
        return f"{self.loop.id}_{self.hash.removeprefix('sha256:')[:16]}"

    @property
    def standing(self) -> Standing:
        if self.said.refusal is not None:
            said_already = self.said.refusal is Refusal.SAID_ALREADY
            return Standing.SAID_ALREADY if said_already else Standing.REFUSED
        if not self.said.changes_rules:
            return Standing.KEEP
        if self.alone is None:
            return Standing.NOT_TRIED
        return Standing.PASSES if self.alone.result.passes else Standing.HELD

    @property
    def why(self) -> str:
        """Why it does not pass, in one sentence; empty if it does."""
        if self.standing in (Standing.REFUSED, Standing.SAID_ALREADY):
            return self.said.problem
        if self.standing is Standing.KEEP:
            return "The teacher leaves the rule as it is. There is nothing to accept."
        if self.alone is None:
            return "The loop came to its limit of trials before this one."
        return "" if self.alone.result.passes else self.alone.result.reason

    @property
    def retires(self) -> bool:
        """Whether accepting it takes a rule out of force at once: there is no revision that could be reviewed."""
        return self.said.action == ActionKind.RETIRE

    def old_texts(self) -> tuple[RuleText, ...]:
        """Return the texts of the rules that it names, as far as they are in its round."""
        return tuple(
            self.base.rules.rule(rule_id).text for rule_id in self.said.rules if rule_id in self.base.rules.ids
        )


def shown_round(app: App, loop: Resolution, rounds: Sequence[RoundRecord], number: int) -> tuple[ShownProposal, ...]:
    """Return the proposals of a round, open ones first, of those that pass first, then by gain."""
    record, base = rounds[number], rounds[number - 1]
    store, task = app.store, loop.order.task
    outcomes = {outcome.proposal: outcome for outcome in store.proposals.outcomes(loop.id)}
    locked = store.locks.locked(task)
    groups = {group.hash: group for group in record.groups}
    edits = edited_trials.newest_edits(app, loop.id, record.trials)
    found = []
    for made in record.proposals:
        content = made.proposal.hash
        trials = [tried for tried in record.trials if content in tried.proposals]
        found.append(
            ShownProposal(
                loop,
                base,
                made,
                content,
                groups.get(made.proposal.group),
                next((tried for tried in trials if tried.stage is Stage.SINGLE), None),
                tuple(tried for tried in trials if tried.stage is Stage.JOINT),
                outcomes.get(content),
                edits.get(content),
                tuple(rule_id for rule_id in made.proposal.rules if rule_id in locked),
            )
        )
    return tuple(sorted(found, key=_rank))


def _rank(one: ShownProposal) -> tuple[bool, int, float]:
    gain = one.alone.result.gain if one.alone else 0.0
    return one.outcome is not None, list(Standing).index(one.standing), -gain


def cases_of(app: App, loop: Resolution, tried: Tried) -> tuple[Case, ...]:
    """Return the examples of a trial with both stored answers; those that are not in the task any more are left out."""
    hashes = tried.examples or loop.basis.examples[Split.VALIDATION]
    examples = validation_of(app, loop.order.task)
    student, answers = loop.basis.student, app.store.effects.answers
    before, after = (answers(student, prompt, hashes) for prompt in (tried.base_sha256, tried.prompt_sha256))
    return tuple(
        Case(content, examples[content].label, before[content], after[content])
        for content in hashes
        if content in examples and content in before and content in after
    )


def validation_of(app: App, task: str) -> dict[str, Example]:
    """Return the validation examples of a task by hash."""
    found = app.store.tasks.examples(task, ExampleFilter(split=Split.VALIDATION))
    return {example.hash: example for example in found}
