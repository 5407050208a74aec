"""What people make of a loop's proposals: into review, edited into review, or dismissed. Each is decided on once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from pld_core.canonical import Json, canonical_json
from pld_core.conflicts.edited import EditedTexts, texts_hash, with_texts
from pld_core.conflicts.records import Fate, MadeProposal, ProposalOutcome, Stage, Tried
from pld_core.errors import InvalidInput, MissingReason, NotFound
from pld_core.models import Actor, RuleText
from pld_core.permissions import Step, guarded
from pld_core.review import clean_rule_text
from storage import resolution_rows as shapes
from storage.connection import Database, Write
from storage.edited_texts import keep_edit, load_edits
from storage.repairs import Repair, brought_in
from storage.resolutions import load_resolution
from storage.task_queries import load_task


class SqliteProposals:
    def __init__(self, database: Database) -> None:
        self._database = database

    # --- reading ------------------------------------------------------------------------------------------------------

    def get(self, resolution_id: int, proposal_hash: str) -> MadeProposal:
        with self._database.read() as conn:
            return _load(conn, resolution_id, proposal_hash)

    def trials(self, resolution_id: int, proposal_hash: str) -> tuple[Tried, ...]:
        """Return the trials that held a proposal, in their order."""
        with self._database.read() as conn:
            return _trials(conn, resolution_id, proposal_hash)

    def outcome(self, resolution_id: int, proposal_hash: str) -> ProposalOutcome | None:
        with self._database.read() as conn:
            found = [o for o in load_outcomes(conn, resolution_id) if o.proposal == proposal_hash]
            return found[0] if found else None

    def outcomes(self, resolution_id: int) -> tuple[ProposalOutcome, ...]:
        """Return what was made of the proposals of a loop, oldest first."""
        with self._database.read() as conn:
            return load_outcomes(conn, resolution_id)

    def edits(self, resolution_id: int, proposal_hash: str = "") -> tuple[EditedTexts, ...]:
        """Return the texts that people wrote in place of the proposed ones, newest first."""
        with self._database.read() as conn:
            return load_edits(conn, resolution_id, proposal_hash)

    # --- changes ------------------------------------------------------------------------------------------------------

    @guarded(Step.ACCEPT_PROPOSAL)
    def edit(self, resolution_id: int, proposal_hash: str, texts: Sequence[RuleText], actor: Actor) -> EditedTexts:
        """Store texts that are to be tried in place of the proposed ones; the newest ones, given again, stay alone."""
        with self._database.write() as write:
            made = _load_open(write.conn, resolution_id, proposal_hash)
            task = load_task(write.conn, load_resolution(write.conn, resolution_id).order.task)
            cleaned = tuple(one.text for one in with_texts(task, made.proposal, texts).texts)
            newest = load_edits(write.conn, resolution_id, proposal_hash)[:1]
            if newest and newest[0].texts == cleaned:
                return newest[0]
            edited = EditedTexts(proposal_hash, cleaned, actor.name, write.now)
            keep_edit(write, resolution_id, task.name, made, edited, actor)
            return edited

    @guarded(Step.ACCEPT_PROPOSAL)
    def accept(
        self, resolution_id: int, proposal_hash: str, reason: str, actor: Actor, texts: Sequence[RuleText] = ()
    ) -> ProposalOutcome:
        """Bring what a proposal says into review; what is in force stays so until a replacement is approved."""
        with self._database.write() as write:
            made = _load_open(write.conn, resolution_id, proposal_hash)
            resolution = load_resolution(write.conn, resolution_id)
            declared = load_task(write.conn, resolution.order.task).label_names
            given = tuple(clean_rule_text(text, declared) for text in texts)
            proof = _proof(write.conn, resolution_id, proposal_hash, given)
            if proof is None and not reason.strip():
                what = "No trial of exactly these texts passed. They" if given else _NONE_PASSED
                raise MissingReason(f"{what} can go to review all the same, with a reason. Nothing was changed.")
            before = load_outcomes(write.conn, resolution_id)
            makers = _makers(write.conn, resolution_id)
            writer = _writer(write.conn, resolution_id, proposal_hash, given) or actor.name
            repair = Repair(resolution, made, before, makers, reason.strip(), given, writer)
            revisions = brought_in(write, repair, actor)
            fate = Fate.EDITED if given else Fate.ACCEPTED
            told: dict[str, Json] = {
                "passed": proof is not None,
                "prompt": proof.prompt_sha256 if proof else "",
                "texts": texts_hash(given) if given else "",
                "revisions": [r.hash for r in revisions],
            }
            rules = tuple(revision.rule_id for revision in revisions)
            outcome = ProposalOutcome(
                proposal_hash, fate, reason.strip(), tuple(r.hash for r in revisions), rules, actor.name, write.now
            )
            _record(write, resolution_id, made, outcome, told, actor)
            return outcome

    @guarded(Step.DISMISS_PROPOSAL)
    def dismiss(self, resolution_id: int, proposal_hash: str, reason: str, actor: Actor) -> ProposalOutcome:
        """Record that nothing is made of a proposal."""
        if not reason.strip():
            raise MissingReason("Dismissing a proposal needs a reason. Nothing was changed; say why.")
        with self._database.write() as write:
            made = _load_open(write.conn, resolution_id, proposal_hash)
            outcome = ProposalOutcome(proposal_hash, Fate.DISMISSED, reason.strip(), (), (), actor.name, write.now)
            _record(write, resolution_id, made, outcome, {}, actor)
            return outcome


def load_outcomes(conn: sqlite3.Connection, resolution_id: int) -> tuple[ProposalOutcome, ...]:
    """Return what was made of the proposals of a loop, oldest first."""
    found = conn.execute("SELECT * FROM proposal_outcome WHERE resolution_id = ? ORDER BY id", (resolution_id,))
    return tuple(
        ProposalOutcome(
            row["proposal"],
            Fate(row["fate"]),
            row["reason"],
            tuple(json.loads(row["revisions"])),
            tuple(json.loads(row["rules"])),
            row["by"],
            row["at"],
        )
        for row in found
    )


def _load(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str) -> MadeProposal:
    row = conn.execute(
        "SELECT * FROM proposal WHERE resolution_id = ? AND hash = ?", (resolution_id, proposal_hash)
    ).fetchone()
    if row is None:
        raise NotFound(f"Loop {resolution_id} has no proposal {proposal_hash[:19]}.")
    return shapes.proposal_from(row)


def _load_open(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str) -> MadeProposal:
    made = _load(conn, resolution_id, proposal_hash)
    for outcome in load_outcomes(conn, resolution_id):
        if outcome.proposal == proposal_hash:
            raise InvalidInput(
                f"{outcome.by} decided on this proposal already: {outcome.fate.value}. Nothing was changed."
            )
    return made


def _trials(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str) -> tuple[Tried, ...]:
    found = conn.execute(
        """SELECT * FROM proposal_trial WHERE resolution_id = ?
           AND EXISTS (SELECT 1 FROM json_each(proposals) WHERE value = ?) ORDER BY id""",
        (resolution_id, proposal_hash),
    )
    return tuple(shapes.trial_from(row) for row in found)


_NONE_PASSED = "No trial of this proposal alone passed. It"


def _proof(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str, texts: Sequence[RuleText]) -> Tried | None:
    """Return the passing trial of the proposal alone, or of exactly the texts that take the place of its own."""
    stage, tried_texts = (Stage.EDITED, texts_hash(texts)) if texts else (Stage.SINGLE, "")
    trials = _trials(conn, resolution_id, proposal_hash)
    return next((one for one in trials if one.stage is stage and one.texts == tried_texts and one.result.passes), None)


def _writer(conn: sqlite3.Connection, resolution_id: int, proposal_hash: str, texts: Sequence[RuleText]) -> str:
    """Return who wrote these texts; empty if nobody stored them before."""
    edits = load_edits(conn, resolution_id, proposal_hash)
    return next((one.by for one in edits if one.texts == tuple(texts)), "")


def _makers(conn: sqlite3.Connection, resolution_id: int) -> dict[str, MadeProposal]:
    """Return the proposal that makes each rule which is there in trials only, by the id that it has in them."""
    found = conn.execute("SELECT * FROM proposal WHERE resolution_id = ? ORDER BY id", (resolution_id,))
    proposals = [shapes.proposal_from(row) for row in found]
    return {rule_id: made for made in proposals for rule_id in made.proposal.makes}


def _record(
    write: Write,
    resolution_id: int,
    made: MadeProposal,
    outcome: ProposalOutcome,
    told: dict[str, Json],
    actor: Actor,
) -> None:
    write.insert(
        "proposal_outcome",
        {
            "resolution_id": resolution_id,
            "proposal": outcome.proposal,
            "fate": outcome.fate.value,
            "reason": outcome.reason,
            "revisions": canonical_json(list(outcome.revisions)),
            "rules": canonical_json(list(outcome.rules)),
            "by": outcome.by,
            "at": outcome.at,
        },
    )
    payload: dict[str, Json] = {
        "resolution": resolution_id,
        "proposal": outcome.proposal,
        "action": made.proposal.words,
        "rules": list(outcome.rules),
        "reason": outcome.reason,
        "signed_as": actor.signed_as,
        **told,
    }
    task = load_resolution(write.conn, resolution_id).order.task
    if outcome.fate is Fate.DISMISSED:
        write.event(actor, "proposal.dismissed", task, payload)
    else:
        write.event(actor, "proposal.edited" if outcome.fate is Fate.EDITED else "proposal.accepted", task, payload)
