"""What the loop needs of a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pld_core.conflicts.edited import EditedTexts
from pld_core.conflicts.pairs import PairJudgement
from pld_core.conflicts.records import (
    HeldOutScore,
    LoopBasis,
    LoopOrder,
    MadeProposal,
    ProposalOutcome,
    Resolution,
    RoundRecord,
    RuleLock,
    Tried,
)
from pld_core.conflicts.rule_set import TrialRule
from pld_core.conflicts.stopped import LoopStop
from pld_core.models import Actor, RuleText


class ResolutionStore(Protocol):
    """Loops, their rounds, proposals and trials. Nothing of it is ever changed."""

    def rules_ticked_out(self, task: str) -> tuple[TrialRule, ...]:
        """Return the stale rules that nothing of is in force and that somebody ticked an example against."""
        ...

    def rules_in_force(self, task: str) -> tuple[TrialRule, ...]:
        """Return the rules that a prompt may be compiled from, with their evidence and whether they are locked."""
        ...

    def marks(self) -> tuple[int, ...]:
        """Return numbers of which one grows with each thing that is added to what a loop is estimated from."""
        ...

    def first_free(self) -> int:
        """Return the number that the next new rule would have."""
        ...

    def begin(self, order: LoopOrder, basis: LoopBasis, actor: Actor) -> Resolution:
        """Store a loop with its event, or return the one that was begun under the same key, as it was begun.

        Raises:
            MissingRole: the actor may not order loops.
        """
        ...

    def begun_as(self, key: str) -> Resolution | None:
        """Return the loop that was begun under this key; None if there is none, or for an empty key."""
        ...

    def spent(self, resolution: Resolution, prompt_sha256: str, example_hashes: Sequence[str]) -> int:
        """Return how many of these questions were answered since the loop began."""
        ...

    def keep_round(self, resolution_id: int, record: RoundRecord) -> None:
        """Store a round with its proposals and trials in one transaction; one that is there stays."""
        ...

    def keep_trial(self, resolution_id: int, number: int, tried: Tried) -> None:
        """Store a trial of an edited proposal with the round that the proposal is of; an equal one stays alone."""
        ...

    def keep_steps(self, resolution_id: int, number: int, steps: Sequence[Tried], actor: Actor) -> None:
        """Store the greedy order of a round that was over with its event; a round has one.

        Raises:
            MissingRole: the actor may not order loops.
        """
        ...

    def note_stop(self, resolution_id: int, stop: LoopStop, actor: Actor) -> None:
        """Record that a start of a loop came to no end, and what was spent by then."""
        ...

    def finish(self, resolution_id: int, score: HeldOutScore, actor: Actor) -> None:
        """Record the end of a loop with its event; a loop ends once."""
        ...

    def get(self, resolution_id: int) -> Resolution: ...
    def all(self, task: str) -> tuple[Resolution, ...]:
        """Return the loops of a task, newest first."""
        ...

    def rounds(self, resolution_id: int) -> tuple[RoundRecord, ...]:
        """Return the rounds of a loop that are over, round 0 first."""
        ...

    def stops(self, resolution_id: int) -> tuple[LoopStop, ...]:
        """Return where a loop stopped before its end, newest first."""
        ...

    def score(self, resolution_id: int) -> HeldOutScore | None:
        """Return the figures on the test split; None while the loop has not ended."""
        ...


class PairStore(Protocol):
    """What a teacher takes overlapping rules for. Nothing of it is ever changed."""

    def overlapping(self, task: str) -> tuple[TrialRule, ...]:
        """Return the newest revisions of the rules that overlap another, with their evidence."""
        ...

    def keep(self, judgement: PairJudgement, actor: Actor) -> None:
        """Store a word on a pair with its event; one of the same call on the same revisions stays alone.

        Raises:
            MissingRole: the actor may not let a teacher judge pairs.
        """
        ...

    def judged(self, task: str) -> tuple[PairJudgement, ...]:
        """Return the newest word on each pair of newest revisions."""
        ...

    def judged_earlier(self, task: str) -> frozenset[tuple[str, str]]:
        """Return the ids of the rules, the lower number first, of each word on a revision that is not the newest."""
        ...


class LockStore(Protocol):
    """Rules that a loop is not to change."""

    def lock(self, rule_id: str, reason: str, actor: Actor) -> RuleLock: ...
    def unlock(self, rule_id: str, reason: str, actor: Actor) -> RuleLock: ...
    def locked(self, task: str) -> frozenset[str]:
        """Return the ids of the locked rules of a task."""
        ...

    def history(self, rule_id: str) -> tuple[RuleLock, ...]:
        """Return every word on a rule, newest first."""
        ...


class ProposalStore(Protocol):
    """What people make of proposals."""

    def get(self, resolution_id: int, proposal_hash: str) -> MadeProposal: ...
    def trials(self, resolution_id: int, proposal_hash: str) -> tuple[Tried, ...]:
        """Return the trials that held a proposal, in their order."""
        ...

    def outcome(self, resolution_id: int, proposal_hash: str) -> ProposalOutcome | None: ...
    def outcomes(self, resolution_id: int) -> tuple[ProposalOutcome, ...]:
        """Return what was made of the proposals of a loop, oldest first."""
        ...

    def edits(self, resolution_id: int, proposal_hash: str = "") -> tuple[EditedTexts, ...]:
        """Return the texts that people wrote in place of the proposed ones, newest first.

        Args:
            proposal_hash: of the only proposal that is meant; empty for all of the loop.
        """
        ...

    def edit(self, resolution_id: int, proposal_hash: str, texts: Sequence[RuleText], actor: Actor) -> EditedTexts:
        """Store texts that are to be tried in place of the proposed ones; they are no rule by that.

        Raises:
            InvalidInput: the proposal is decided on already or changes no text, or the texts are no rules.
            MissingRole: the actor may not accept proposals.
        """
        ...

    def accept(
        self, resolution_id: int, proposal_hash: str, reason: str, actor: Actor, texts: Sequence[RuleText] = ()
    ) -> ProposalOutcome:
        """Bring what a proposal says into review; what is in force stays so until a replacement is approved.

        Args:
            reason: needed where no trial of the proposal alone passed; with `texts`, no trial of exactly these.
            texts: in place of the proposed ones; who stored them is their author, else the actor.

        Raises:
            InvalidInput: it was refused, is decided on already, says that nothing is to change, or names a rule that
                another proposal makes, which is to be accepted first.
            MissingReason: it passed no trial, and there is no reason.
            RuleLocked: a reviewer locked a rule that it changes.
            RevisionMovedOn: such a rule is another one now than the loop saw.
            MissingRole: the actor may not accept proposals, or not retire a rule.
        """
        ...

    def dismiss(self, resolution_id: int, proposal_hash: str, reason: str, actor: Actor) -> ProposalOutcome:
        """Record that nothing is made of a proposal.

        Raises:
            InvalidInput: it is decided on already.
            MissingReason: no reason.
        """
        ...
