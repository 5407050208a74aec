"""Trials of proposals: on the examples that they affect, then on the whole validation split; alone and together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pld_core.answering import Examiner
from pld_core.conflicts.acceptance import Bar, Result, Verdict, early, judged
from pld_core.conflicts.changeset import Change, applied, compatible
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.records import Stage, Tried
from pld_core.conflicts.rounds import Attempt
from pld_core.conflicts.rule_set import RuleSet
from pld_core.effect import affected
from pld_core.model_ports import Embedder
from pld_core.models import Answer, CompiledPrompt, Example, Task
from pld_core.paired import Pair
from pld_core.token_count import estimated

SMALL_BATCH = 20
"""So many affected examples are asked first: a proposal that breaks more of them than it fixes goes no further."""


@dataclass(frozen=True)
class Trial:
    """A trial that was made, and the set of rules that it tried."""

    tried: Tried
    rules: RuleSet
    changes: tuple[Change, ...]

    @property
    def attempt(self) -> Attempt:
        return attempt_of(self.tried, [change.proposal for change in self.changes])


def attempt_of(tried: Tried, proposals: Sequence[Proposal]) -> Attempt:
    """Return what the loop looks at; it does not go on with what a reviewer has to look at first."""
    flagged = {proposal.hash for proposal in proposals if proposal.flags}
    return Attempt(tried.prompt_sha256, tried.result, not flagged & set(tried.proposals))


class Bench:
    """Tries changes of one set of rules on the validation examples of a loop."""

    def __init__(
        self,
        examiner: Examiner,
        task: Task,
        rules: RuleSet,
        validation: Sequence[Example],
        author: str,
        bar: Bar,
        seen: frozenset[str],
        what: str,
    ) -> None:
        """Prepare trials; nothing is asked yet.

        Args:
            rules: that the changes are made to.
            author: the teacher, under whose name the revisions stand.
            seen: prompts of sets that were tried in earlier rounds: they are not tried again.
            what: told with the progress.
        """
        self._examiner, self._task, self._rules, self._validation = examiner, task, rules, tuple(validation)
        self._author, self._bar, self._seen, self._what = author, bar, seen, what
        self._base = rules.prompt(task)

    async def alone(self, changes: Sequence[Change], near: Mapping[str, Sequence[Example]]) -> tuple[Trial, ...]:
        """Try each change alone; `near` are the examples that it affects, by the hash of its proposal."""
        trials = []
        for change in changes:
            trials.append(await self._try(Stage.SINGLE, (change,), near.get(change.proposal.hash, ())))
        return tuple(trials)

    async def together(self, singles: Sequence[Trial]) -> tuple[Trial, ...]:
        """Try all changes that pass their checks together, whatever they do alone, and those that pass alone.

        Of two that change the same rule the one with more gain is taken. Sets of less than two are no new trial.
        """
        fit = [t for t in singles if t.attempt.may_stand and t.tried.result.comparison is not None]
        ranked = sorted(fit, key=lambda trial: -trial.tried.result.gain)
        everything = compatible([trial.changes[0] for trial in ranked])
        passing = compatible([trial.changes[0] for trial in ranked if trial.tried.result.passes])
        sets = [together for together in dict.fromkeys((everything, passing)) if len(together) > 1]
        return tuple([await self._try(Stage.JOINT, together) for together in sets])

    async def greedy(self, singles: Sequence[Trial], stage: Stage = Stage.GREEDY) -> tuple[Trial, ...]:
        """Add up the changes one by one, those with most gain first; one that brings no gain is left out again.

        Each trial is of the whole sum so far against the rules without any change. See `greedy_cost`.
        """
        trials: list[Trial] = []
        held: tuple[Change, ...] = ()
        most = 0.0
        for trial in sorted(singles, key=lambda one: -one.tried.result.gain):
            wider = (*held, trial.changes[0])
            if not trial.attempt.may_stand or len(compatible(wider)) < len(wider):
                continue
            summed = await self._try(stage, wider)
            trials.append(summed)
            if summed.tried.result.gain > most:
                held, most = wider, summed.tried.result.gain
        return tuple(trials)

    async def edited(self, change: Change) -> Trial:
        """Try a change whose texts a person edited, on the whole validation split."""
        return await self._try(Stage.EDITED, (change,))

    async def _try(self, stage: Stage, changes: tuple[Change, ...], near: Sequence[Example] = ()) -> Trial:
        rules = applied(self._rules, changes, self._author)
        prompt = rules.prompt(self._task)
        result, examples = await self._result(prompt, near)
        tried = Tried(
            stage,
            tuple(change.proposal.hash for change in changes),
            self._base.sha256,
            prompt.sha256,
            result,
            estimated(prompt.text).tokens,
            estimated(self._base.text).tokens,
            tuple(example.hash for example in examples),
        )
        return Trial(tried, rules, changes)

    async def _result(self, prompt: CompiledPrompt, near: Sequence[Example]) -> tuple[Result, Sequence[Example]]:
        if prompt.sha256 == self._base.sha256:
            return Result(Verdict.NO_CHANGE, "It changes nothing in the prompt, so there was nothing to try."), ()
        if prompt.sha256 in self._seen:
            return Result(Verdict.SEEN_BEFORE, "This set of rules was tried in an earlier round."), ()
        if near and (lost := early(self._task.label_names, await self._pairs(prompt, near))):
            return lost, near
        return judged(self._task.label_names, await self._pairs(prompt, self._validation), self._bar), ()

    async def _pairs(self, prompt: CompiledPrompt, examples: Sequence[Example]) -> list[Pair]:
        what = f"{self._what}: trial on validation"
        before = await self._examiner.answers(self._base, examples, what)
        after = await self._examiner.answers(prompt, examples, what)
        return pairs_of(examples, before, after)


def pairs_of(examples: Sequence[Example], before: Mapping[str, Answer], after: Mapping[str, Answer]) -> list[Pair]:
    """Return the answers to examples side by side."""
    return [Pair(e.label, before[e.hash].label, after[e.hash].label) for e in examples]


def greedy_cost(changes: int, validation: int) -> int:
    """Return the most questions that a greedy order of so many changes takes; its first step was asked already.

    >>> greedy_cost(4, 150)
    450
    """
    return max(0, changes - 1) * validation


async def affected_by(
    embedder: Embedder, changes: Sequence[Change], train: Sequence[Example], validation: Sequence[Example]
) -> dict[str, tuple[Example, ...]]:
    """Return the validation examples that each change affects, nearest first, by the hash of its proposal.

    What tells of a change are the training examples that it rests on, else the conditions of its texts.
    """
    text_of = {example.hash: example.text for example in train}
    telling = {
        change.proposal.hash: [text_of[content] for content in change.proposal.examples if content in text_of]
        or [one.text.condition for one in change.proposal.texts]
        for change in changes
    }
    texts = [text for told in telling.values() for text in told]
    if not validation or not texts:
        return {}
    vectors = await embedder.embed([*texts, *(example.text for example in validation)])
    found, row = {}, 0
    for content, told in telling.items():
        own = np.concatenate([vectors[row : row + len(told)], vectors[len(texts) :]])
        found[content] = affected(len(told), own, validation)[:SMALL_BATCH] if told else ()
        row += len(told)
    return found
