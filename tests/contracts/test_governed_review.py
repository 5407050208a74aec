"""Several people at one governed task, whatever they do in whatever order: nothing illegal, nothing lost, all blind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pld_core.compilation import compile_prompt
from pld_core.desk import Half, SeenRule, Tick
from pld_core.errors import PldError
from pld_core.models import (
    SYSTEM,
    Actor,
    AuthorKind,
    Decision,
    EvidenceRole,
    Judgement,
    Label,
    RejectCategory,
    RevisionState,
    RuleDossier,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.records import EventFilter
from pld_core.review import FINAL_STATES
from storage import SqliteStore, create_store
from tests.factories import ALL_ROLES, ANNA, BERT, CLEO, TickingClock, make_text, rule_in_review, url_of
from tests.seeding import all_checks, fill_with_checks, plain_rule

S = RevisionState
DORA = Actor("dora", ALL_ROLES)
EVERYBODY = (ANNA, BERT, CLEO, DORA)
WHO = st.sampled_from(EVERYBODY)
PICK = st.integers(0, 40)
STRICT = Policy(four_eyes=True, blind=True, second_look=60, known_bad=20)
LEADS_TO = {
    "": {S.PROPOSED},
    S.PROPOSED: {S.IN_REVIEW},
    S.IN_REVIEW: {S.IN_REVIEW, S.FIRST_APPROVED, S.REJECTED, S.CHANGES_REQUESTED, S.RETIRED},
    S.FIRST_APPROVED: {S.APPROVED, S.DISPUTED, S.CHANGES_REQUESTED, S.IN_REVIEW, S.RETIRED},
    S.DISPUTED: {S.APPROVED, S.REJECTED, S.CHANGES_REQUESTED, S.IN_REVIEW},
    S.CHANGES_REQUESTED: {S.CHANGES_REQUESTED, S.IN_REVIEW, S.RETIRED},
    S.APPROVED: {S.SUPERSEDED, S.IN_REVIEW, S.STALE},
    S.STALE: {S.SUPERSEDED, S.IN_REVIEW, S.STALE},
}
"""Where a revision can go from where it stands; what is missing is final. Nothing is approved by one person."""


class GovernedReview(RuleBasedStateMachine):
    """Four people, four eyes, blind, second looks and seeded checks; a record of what was accepted is kept beside."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store: SqliteStore = create_store(url_of(Path(self.folder.name) / "pld.db"), TickingClock())
        fill_with_checks(self.store, STRICT)
        self.decided: list[Decision] = []
        self.written = 0
        self.screens: dict[str, RuleDossier] = {}
        for _ in range(6):
            self.bring_in()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule()
    def bring_in(self) -> None:
        self.written += 1
        rule_in_review(self.store, plain_rule(self.written))

    @rule(pick=PICK)
    def look_and_leave_it_open(self, pick: int) -> None:
        seen = self.look(pick, ANNA)
        self.screens[seen.summary.id] = seen

    @rule(pick=PICK, who=WHO, verdict=st.sampled_from([Verdict.APPROVE, Verdict.APPROVE, Verdict.APPROVE, *Verdict]))
    def judge(self, pick: int, who: Actor, verdict: Verdict) -> None:
        self.try_to_judge(self.look(pick, who), who, verdict)

    @rule(pick=PICK, who=WHO)
    def judge_on_an_old_screen(self, pick: int, who: Actor) -> None:
        if self.screens:
            seen = self.screens[sorted(self.screens)[pick % len(self.screens)]]
            self.try_to_judge(seen, who, Verdict.APPROVE)

    @rule(pick=PICK, who=WHO)
    def approve_with_somebody_else(self, pick: int, who: Actor) -> None:
        """Two approvals in a row, as most rules get them; without it hardly any would come into force."""
        for person in (who, EVERYBODY[(EVERYBODY.index(who) + 1) % len(EVERYBODY)]):
            self.try_to_judge(self.look(pick, person), person, Verdict.APPROVE)

    @rule(pick=PICK, who=WHO)
    def edit(self, pick: int, who: Actor) -> None:
        seen = self.look(pick, who)
        self.written += 1
        text = make_text(f"the friendly post thanks somebody in way {self.written}, and nobody is laughed at")
        edit = self.store.rules.edit
        self.attempt(lambda: edit(seen.summary.id, seen.head.hash, seen.summary.state, text, "clearer", who))

    @rule(pick=PICK, who=WHO, role=st.sampled_from(EvidenceRole))
    def tick(self, pick: int, who: Actor, role: EvidenceRole) -> None:
        seen = self.look(pick, who)
        if seen.evidence:
            link = seen.evidence[pick % len(seen.evidence)].example_hash
            tick = Tick(seen.summary.id, seen.head.hash, evidence_set_hash(seen.evidence), link, role)
            self.attempt(lambda: self.store.desk.ticks.tick(tick, who))

    @rule(pick=PICK, who=WHO)
    def withdraw(self, pick: int, who: Actor) -> None:
        seen, take_back = self.look(pick, who), self.store.desk.queue.withdraw
        self.attempt(lambda: take_back(seen.summary.id, seen.head.hash, seen.summary.state, "I misread it.", who))

    @rule(pick=PICK, who=WHO)
    def split(self, pick: int, who: Actor) -> None:
        seen = self.look(pick, who)
        self.written += 2
        supports = frozenset(e.example_hash for e in seen.evidence)
        halves = (
            Half(make_text(f"half {self.written - 1} of it"), supports),
            Half(make_text(f"half {self.written} of it"), supports),
        )
        self.attempt(lambda: self.store.desk.parts.split(_seen(seen), halves, "Two matters.", who))

    @rule(pick=PICK, other=PICK, who=WHO)
    def merge(self, pick: int, other: int, who: Actor) -> None:
        both = _seen(self.look(pick, who)), _seen(self.look(other, who))
        self.written += 1
        text = make_text(f"both of it, number {self.written}")
        self.attempt(lambda: self.store.desk.parts.merge(both, text, "One matter.", who))

    @rule(pick=PICK, who=WHO, confirm=st.booleans())
    def look_again(self, pick: int, who: Actor, confirm: bool) -> None:
        seen, looks = self.look(pick, who), self.store.desk.second_looks
        step: Callable[..., object] = looks.confirm if confirm else looks.reopen
        self.attempt(lambda: step(seen.summary.id, seen.head.hash, "I looked again.", who))

    @rule(pick=PICK, who=WHO)
    def talk(self, pick: int, who: Actor) -> None:
        rule_id = self.look(pick, who).summary.id
        self.attempt(lambda: self.store.desk.comments.add(rule_id, "Really, @bert?", who))
        self.attempt(lambda: self.store.desk.queue.tag([rule_id], f"seen by {who.name}", who))

    @rule(who=WHO)
    def change_the_guideline(self, who: Actor) -> None:
        self.written += 1
        seen = self.store.guidelines.current("posts").version
        self.store.guidelines.change("posts", seen, f"Keep what harms nobody, {self.written}.", "clearer", who)

    @rule(who=WHO)
    def describe_a_label(self, who: Actor) -> None:
        self.written += 1
        now = self.store.tasks.get("posts").labels
        wanted = tuple(Label(x.name, f"Meaning {self.written}.") if x.name == "remove" else x for x in now)
        self.store.labels.change("posts", now, wanted, "clearer", who)

    @rule(known_bad=st.sampled_from([0, 20]), second_look=st.sampled_from([0, 60, 100]))
    def change_the_policy(self, known_bad: int, second_look: int) -> None:
        now = self.store.policies.of("posts")
        wanted = replace(now, known_bad=known_bad, second_look=second_look)
        self.attempt(lambda: self.store.policies.change("posts", now, wanted, "another time", ANNA))

    # --- how it is done -----------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        with self.store.database.read() as conn:
            return [str(row[0]) for row in conn.execute("SELECT id FROM rule ORDER BY number")]

    def look(self, pick: int, who: Actor) -> RuleDossier:
        ids = self.ids()
        return self.store.rules.dossier(ids[pick % len(ids)], who)

    def attempt(self, step: Callable[[], object]) -> None:
        """Do something that may be refused; a refusal writes nothing, unless it closes a seeded check and says so."""
        closed = sum(check.outcome is not None for check in all_checks(self.store))
        before = self.store.events.count()
        try:
            step()
        except PldError:
            if sum(check.outcome is not None for check in all_checks(self.store)) == closed:
                assert self.store.events.count() == before

    def try_to_judge(self, seen: RuleDossier, who: Actor, verdict: Verdict) -> None:
        judgement = Judgement(
            seen.summary.id,
            seen.head.hash,
            seen.summary.state,
            verdict,
            "because",
            RejectCategory.OTHER,
            seen_evidence=evidence_set_hash(seen.evidence),
        )
        self.attempt(lambda: self.decided.append(self.store.rules.judge(judgement, who)))

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def every_step_of_every_revision_is_a_legal_one(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.database.read() as conn:
            moves = conn.execute("SELECT revision_hash, state FROM transition ORDER BY id").fetchall()
        last: dict[str, S] = {}
        for move in moves:
            before = last.get(move["revision_hash"])
            assert before not in FINAL_STATES, "nothing leads out of a final state"
            assert S(move["state"]) in LEADS_TO[before or ""], (before, move["state"])
            last[move["revision_hash"]] = S(move["state"])
        for rule_id in self.ids():
            found = self.store.rules.dossier(rule_id, SYSTEM)
            assert {revision.hash: last[revision.hash] for revision in found.revisions} == found.states
            assert found.summary.state is last[found.head.hash]

    @invariant()
    def no_decision_is_lost_or_made_twice(self) -> None:
        if not hasattr(self, "store"):
            return
        kept = [d for rule_id in self.ids() for d in self.store.rules.dossier(rule_id, SYSTEM).decisions]
        assert sorted(kept, key=lambda d: d.id) == self.decided

    @invariant()
    def what_is_in_force_was_approved_by_two_who_did_not_write_it(self) -> None:
        if not hasattr(self, "store"):
            return
        checks = {check.rule_id for check in all_checks(self.store)}
        in_force = self.store.rules.in_force("posts")
        for revision, entry, _ in in_force:
            found = self.store.rules.dossier(entry.rule_id, SYSTEM)
            assert found.states[revision.hash] is S.APPROVED
            taken_back = self.store.desk.queue.withdrawn(entry.rule_id)
            names = [
                d.reviewer
                for d in found.decisions
                if d.revision_hash == revision.hash and d.verdict is Verdict.APPROVE and d.id not in taken_back
            ]
            assert len(set(names[-2:])) == 2
            assert revision.author_kind is AuthorKind.TEACHER or names[-1] != revision.author
        assert not checks & {entry.rule_id for _, entry, _ in in_force}
        if in_force:
            prompt = compile_prompt(self.store.tasks.get("posts"), in_force)
            assert not checks & {line.rule_id for line in prompt.rules}

    @invariant()
    def nobody_who_may_still_decide_sees_a_first_decision(self) -> None:
        if not hasattr(self, "store"):
            return
        for rule_id in self.ids():
            whole = self.store.rules.dossier(rule_id, SYSTEM)
            if whole.summary.state is not S.FIRST_APPROVED:
                continue
            first = whole.decisions[-1]
            for reader in EVERYBODY:
                if reader.name == first.reviewer:
                    continue
                shown = self.store.rules.dossier(rule_id, reader)
                assert shown.withheld
                assert first.id not in {d.id for d in shown.decisions}
                assert first.reviewer != shown.summary.changed_by
                told = self.store.events.page(EventFilter(rule=rule_id), None, reader)
                assert not [e for e in told if e.payload.get("decision") == first.id]

    @invariant()
    def the_audit_chain_verifies(self) -> None:
        if hasattr(self, "store"):
            assert self.store.events.verify().intact


def _seen(dossier: RuleDossier) -> SeenRule:
    return SeenRule(dossier.summary.id, dossier.head.hash, dossier.summary.state)


TestGovernedReview = GovernedReview.TestCase
TestGovernedReview.settings = settings(
    max_examples=8, stateful_step_count=30, deadline=None, derandomize=True, database=None
)
