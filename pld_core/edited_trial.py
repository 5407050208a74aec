"""A proposal with other texts: a person edits it, and it is tried again before it goes to review."""

from __future__ import annotations

from dataclasses import replace

from pld_core.answering import Examiner
from pld_core.asking import ready_status
from pld_core.conflicts.changeset import Change
from pld_core.conflicts.edited import with_texts
from pld_core.conflicts.records import Tried
from pld_core.errors import NotFound
from pld_core.measuring import student_key
from pld_core.model_ports import Chat
from pld_core.models import Actor, Split
from pld_core.permissions import Step, require
from pld_core.ports import Progress, Store
from pld_core.resolving import Working, pinned, refuse_other_student
from pld_core.trying import Bench


async def try_edited(
    store: Store,
    student: Chat,
    resolution_id: int,
    proposal_hash: str,
    texts: str,
    actor: Actor,
    report: Progress,
    working: Working | None = None,
) -> Tried:
    """Try texts that are stored in place of the proposed ones, against the rules that the proposal was made for.

    The trial is kept with their hash. It counts against no cap but is asked once only, as any question.

    Args:
        texts: their hash.

    Raises:
        MissingRole: the actor may not accept proposals.
        NotFound: nobody stored such texts for this proposal.
        InvalidInput: what the loop works on changed, or the student is another one.
        BackendError, CallsStopped: what was answered is kept.
    """
    require(actor, Step.ACCEPT_PROPOSAL)
    resolution, made = store.resolutions.get(resolution_id), store.proposals.get(resolution_id, proposal_hash)
    task, given = store.tasks.get(resolution.order.task), working or Working()
    edited = next((one for one in store.proposals.edits(resolution_id, proposal_hash) if one.hash == texts), None)
    if edited is None:
        raise NotFound("These texts are not stored for this proposal. Nothing was asked. Order their trial once more.")
    refuse_other_student(resolution, student_key(task, await ready_status(student)))
    proposal = with_texts(task, made.proposal, edited.texts)
    examiner = Examiner(store, student, task, resolution, report, None, given.limits, given.clock)
    base = store.resolutions.rounds(resolution_id)[proposal.round - 1].rules
    validation = pinned(store, task, resolution)[Split.VALIDATION]
    bench = Bench(examiner, task, base, validation, edited.by, resolution.order.bar, frozenset(), proposal.words)
    trial = await bench.edited(Change(proposal, made.evidence))
    tried = replace(trial.tried, proposals=(proposal_hash,), texts=edited.hash)
    store.resolutions.keep_trial(resolution_id, proposal.round, tried)
    return tried
