"""A proposal with other texts: a person edits it, and it is tried again before it goes to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pld_core.answering import Examiner
from pld_core.asking import ready_status
from pld_core.conflicts.changeset import Change
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.records import Tried
from pld_core.errors import InvalidInput
from pld_core.measuring import student_key
from pld_core.models import Actor, RuleText, Split, Task
from pld_core.permissions import Step, require
from pld_core.ports import Progress, Store
from pld_core.resolving import LoopModels, Working, pinned, refuse_others
from pld_core.review import clean_rule_text
from pld_core.trying import Bench


async def try_edited(
    store: Store,
    models: LoopModels,
    resolution_id: int,
    proposal_hash: str,
    texts: Sequence[RuleText],
    actor: Actor,
    report: Progress,
    working: Working | None = None,
) -> Tried:
    """Try a proposal of a loop with other texts, against the rules that it was made for; the trial is kept with it.

    It counts against no cap but is asked once only, as any question.

    Raises:
        MissingRole: the actor may not accept proposals.
        InvalidInput: the proposal changes no text, the texts are no rules, or what the loop works on changed.
        BackendError, CallsStopped: what was answered is kept.
    """
    require(actor, Step.ACCEPT_PROPOSAL)
    resolution, made = store.resolutions.get(resolution_id), store.proposals.get(resolution_id, proposal_hash)
    task, given = store.tasks.get(resolution.order.task), working or Working()
    refuse_others(resolution, models, student_key(task, await ready_status(models.student)))
    proposal = with_texts(task, made.proposal, texts)
    examiner = Examiner(store, models.student, task, resolution, report, None, given.limits, given.clock)
    base = store.resolutions.rounds(resolution_id)[proposal.round - 1].rules
    validation = pinned(store, task, resolution)[Split.VALIDATION]
    bench = Bench(examiner, task, base, validation, actor.name, resolution.order.bar, frozenset(), proposal.words)
    trial = await bench.edited(Change(proposal, made.evidence))
    tried = replace(trial.tried, proposals=(proposal_hash,))
    store.resolutions.keep_trial(resolution_id, proposal.round, tried)
    return tried


def with_texts(task: Task, proposal: Proposal, texts: Sequence[RuleText]) -> Proposal:
    """Return a proposal with other texts.

    Raises:
        InvalidInput: it changes no text, there are not as many, or one is no rule.
    """
    if not proposal.changes_rules or not proposal.texts or len(texts) != len(proposal.texts):
        raise InvalidInput(
            f"{proposal.words} has {len(proposal.texts)} texts that could be tried otherwise, not {len(texts)}. "
            "Nothing was asked."
        )
    cleaned = [clean_rule_text(text, task.label_names) for text in texts]
    return replace(
        proposal, texts=tuple(replace(old, text=text) for old, text in zip(proposal.texts, cleaned, strict=True))
    )
