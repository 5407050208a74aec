"""People at one governed task, whatever they do in whatever order. What always holds then: see test_governed_review."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pld_core.decision_book import read_book, write_book
from pld_core.decision_check import read_decisions
from pld_core.decision_sheet import DecisionSheet, sheet_row
from pld_core.desk import Half, SeenRule, Tick
from pld_core.errors import PldError
from pld_core.models import (
    SYSTEM,
    Actor,
    Decision,
    EvidenceRole,
    Judgement,
    Label,
    RejectCategory,
    Role,
    RuleDossier,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.records import RuleFilter
from pld_core.review import AWAITING_DECISION
from storage import SqliteStore, create_store
from tests.factories import ANNA as ADA
from tests.factories import READER, TickingClock, make_rule, make_text, rule_in_review, url_of
from tests.seeding import KEPT, all_checks, fill_with_checks, plain_rule
from tests.sheets import fill_in

ANNA, BERT, CARLA = (Actor(name, frozenset({Role.REVIEWER})) for name in ("anna", "bert", "carla"))
LEA = Actor("lea", frozenset({Role.LEAD, Role.ADMIN}))
REVIEWING = (ANNA, BERT, CARLA, LEA)
WHO = st.sampled_from(REVIEWING)
PICK = st.integers(0, 60)
STRICT = Policy(four_eyes=True, blind=True, second_look=60, known_bad=20)
POLICIES = st.sampled_from(
    [
        STRICT,
        replace(STRICT, known_bad=0),
        replace(STRICT, blind=False, second_look=100),
        Policy(known_bad=20),
        Policy(four_eyes=True),
    ]
)


class GovernedTask(RuleBasedStateMachine):
    """What people can do to rules. What the store accepted is noted beside it.

    Attributes:
        decided: every decision that a call returned.
        by_two: numbers of the decisions that were made under four eyes.
        said: numbers all that people write, so that everything written is told apart.
    """

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store: SqliteStore = create_store(url_of(Path(self.folder.name) / "pld.db"), TickingClock())
        fill_with_checks(self.store, STRICT)
        # The first two examples stay when the first data set is withdrawn.
        self.store.tasks.import_examples("posts", KEPT[:2], "again.csv", ADA)
        self.decided: list[Decision] = []
        self.by_two: set[int] = set()
        self.said = 0
        self.screens: list[RuleDossier] = []
        for pick in range(6):
            self.bring_in(pick, "in review")
        for pick in range(3):
            self.approve_with_somebody_else(pick, ANNA)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    # --- deciding -----------------------------------------------------------------------------------------------------

    @rule(pick=PICK, who=st.sampled_from((*REVIEWING, READER)), verdict=st.sampled_from(Verdict))
    def judge(self, pick: int, who: Actor, verdict: Verdict) -> None:
        before = len(self.decided)
        self.try_to_judge(self.look(pick, who), who, verdict)
        assert who != READER or len(self.decided) == before

    @rule(pick=PICK, who=WHO)
    def approve_with_somebody_else(self, pick: int, who: Actor) -> None:
        """Two approvals in a row, as most rules get them; without it hardly any would come into force."""
        rule_id = self.one_that_waits(pick)
        for person in (who, REVIEWING[(REVIEWING.index(who) + 1) % len(REVIEWING)]):
            self.try_to_judge(self.store.rules.dossier(rule_id, person), person, Verdict.APPROVE)

    @rule(pick=PICK, who=WHO, verdict=st.sampled_from(Verdict))
    def judge_one_that_waits(self, pick: int, who: Actor, verdict: Verdict) -> None:
        self.try_to_judge(self.store.rules.dossier(self.one_that_waits(pick), who), who, verdict)

    @rule(pick=PICK, who=WHO, verdict=st.sampled_from(Verdict))
    def judge_on_an_old_screen(self, pick: int, who: Actor, verdict: Verdict) -> None:
        if self.screens:
            self.try_to_judge(self.screens[pick % len(self.screens)], who, verdict)

    @rule(picks=st.lists(PICK, min_size=2, max_size=4, unique=True), who=WHO, old=st.booleans())
    def hand_in_a_sheet(self, picks: list[int], who: Actor, old: bool) -> None:
        """Approve and reject by turns on a sheet, perhaps of rules that somebody has decided on meanwhile."""
        found = {seen.summary.id: seen for seen in (self.look(pick, who) for pick in picks)}
        rows = tuple(sheet_row(seen) for seen in found.values())
        content = write_book(DecisionSheet(self.store.sheets.origin("posts", who.name), rows))
        if old:
            self.judge(picks[0], who, Verdict.APPROVE)
        kinds = ("approve", ""), ("reject", "over broad")
        filled = fill_in(content, {rule_id: (*kinds[n % 2], self.words()) for n, rule_id in enumerate(found)})
        reading = read_decisions(read_book(filled, "rules.xlsx"))

        def record() -> None:
            for row in self.store.sheets.record(reading, who).decided:
                made = self.store.rules.dossier(row.rule_id, SYSTEM).decisions
                self.note(*(d for d in made if d.id == row.decision))

        self.attempt(record)

    @rule(pick=PICK, of=PICK, who=WHO)
    def reject_as_duplicate(self, pick: int, of: int, who: Actor) -> None:
        seen, kept = self.look(pick, who), self.look(of, who)
        judgement = replace(self.judgement(seen, Verdict.REJECT), category=RejectCategory.DUPLICATE)
        reject = self.store.desk.queue.reject_duplicates
        self.attempt(lambda: self.note(*reject([judgement], kept.summary.id, who)))

    @rule(pick=PICK, who=WHO)
    def withdraw(self, pick: int, who: Actor) -> None:
        seen, take_back = self.look(pick, who), self.store.desk.queue.withdraw

        def withdraw() -> None:
            number = take_back(seen.summary.id, seen.head.hash, seen.summary.state, self.words(), who)
            assert [d.reviewer for d in self.decided if d.id == number] == [who.name]

        self.attempt(withdraw)

    @rule(pick=PICK, who=WHO, confirm=st.booleans())
    def look_again(self, pick: int, who: Actor, confirm: bool) -> None:
        seen, looks = self.look(pick, who), self.store.desk.second_looks
        step: Callable[..., object] = looks.confirm if confirm else looks.reopen
        self.attempt(lambda: step(seen.summary.id, seen.head.hash, self.words(), who))

    # --- changing rules -----------------------------------------------------------------------------------------------

    @rule(pick=PICK, way=st.sampled_from(["in review", "in review", "without evidence", "proposed", "an old one"]))
    def bring_in(self, pick: int, way: str) -> None:
        self.said += 1
        match way:
            case "in review":
                rule_in_review(self.store, plain_rule(self.said))
            case "without evidence":
                rule_in_review(self.store, make_rule(make_text(self.words()), origin=f"bare {self.said}"))
            case "proposed":
                self.store.rules.propose("posts", plain_rule(self.said), ADA)
            case _:
                rule_id = self.look(pick, ANNA).summary.id
                self.attempt(lambda: self.store.rules.submit(rule_id, ANNA))

    @rule(pick=PICK, who=WHO)
    def edit(self, pick: int, who: Actor) -> None:
        seen, text, edit = self.look(pick, who), make_text(self.words()), self.store.rules.edit
        self.attempt(lambda: edit(seen.summary.id, seen.head.hash, seen.summary.state, text, "clearer", who))

    @rule(pick=PICK, who=WHO, role=st.sampled_from(EvidenceRole))
    def tick(self, pick: int, who: Actor, role: EvidenceRole) -> None:
        seen = self.look(pick, who)
        if seen.evidence:
            example = seen.evidence[pick % len(seen.evidence)].example_hash
            tick = Tick(seen.summary.id, seen.head.hash, evidence_set_hash(seen.evidence), example, role)
            self.attempt(lambda: self.store.desk.ticks.tick(tick, who))

    @rule(pick=PICK, who=WHO)
    def split(self, pick: int, who: Actor) -> None:
        seen = self.look(pick, who)
        supports = frozenset(e.example_hash for e in seen.evidence)
        halves = Half(make_text(self.words()), supports), Half(make_text(self.words()), supports)
        self.attempt(lambda: self.store.desk.parts.split(_seen(seen), halves, "Two matters.", who))

    @rule(pick=PICK, other=PICK, who=WHO)
    def merge(self, pick: int, other: int, who: Actor) -> None:
        both, text = (_seen(self.look(pick, who)), _seen(self.look(other, who))), make_text(self.words())
        self.attempt(lambda: self.store.desk.parts.merge(both, text, "One matter.", who))

    # --- around the rules ---------------------------------------------------------------------------------------------

    @rule(pick=PICK, who=WHO, to=WHO)
    def talk(self, pick: int, who: Actor, to: Actor) -> None:
        seen, desk = self.look(pick, who), self.store.desk
        rule_id = seen.summary.id
        self.attempt(lambda: desk.comments.add(rule_id, f"{self.words()}, @bert?", who))
        if shown := desk.comments.of_rule(rule_id, who):
            self.attempt(lambda: desk.comments.resolve(shown[0].id, who))
        self.attempt(lambda: desk.queue.ask_second_opinion(rule_id, seen.head.hash, self.words(), who))
        self.attempt(lambda: desk.queue.tag([rule_id], self.words(), who))
        self.attempt(lambda: desk.queue.assign([rule_id], to.name, who))

    @rule(label=st.booleans())
    def change_what_rules_are_read_by(self, label: bool) -> None:
        if label:
            now = self.store.tasks.get("posts").labels
            wanted = tuple(Label(x.name, f"It means {self.words()}") if x.name == "remove" else x for x in now)
            self.store.labels.change("posts", now, wanted, "clearer", LEA)
        else:
            seen = self.store.guidelines.current("posts").version
            self.store.guidelines.change("posts", seen, f"Keep what harms nobody. {self.words()}", "clearer", LEA)

    @rule(back=st.booleans())
    def withdraw_data(self, back: bool) -> None:
        if back:
            self.store.data.restore(1, LEA)
        else:
            self.store.data.archive(1, "its authors asked for it", LEA)

    @rule(policy=POLICIES)
    def change_the_policy(self, policy: Policy) -> None:
        now = self.store.policies.of("posts")
        self.attempt(lambda: self.store.policies.change("posts", now, policy, self.words(), LEA))

    # --- how it is done -----------------------------------------------------------------------------------------------

    def ids(self) -> list[str]:
        with self.store.database.read() as conn:
            return [str(row[0]) for row in conn.execute("SELECT id FROM rule ORDER BY number")]

    def one_that_waits(self, pick: int) -> str:
        """Return a rule in review that somebody can approve, or any if there is none."""
        rows = self.store.rules.queue("posts", RuleFilter(AWAITING_DECISION), actor=SYSTEM)
        ids = [row.id for row in rows if row.support] or self.ids()
        return ids[pick % len(ids)]

    def look(self, pick: int, who: Actor) -> RuleDossier:
        """Return a rule as it is on somebody's screen, which stays open."""
        ids = self.ids()
        self.screens.append(self.store.rules.dossier(ids[pick % len(ids)], who))
        return self.screens[-1]

    def words(self) -> str:
        """Return something that nobody has written before."""
        self.said += 1
        return f"remark no. {self.said}: it is friendly"

    def attempt(self, step: Callable[[], object]) -> None:
        """Do something that may be refused; a refusal writes nothing, unless it closes a seeded check and says so."""
        closed, before = self.closed_checks(), self.store.events.count()
        try:
            step()
        except PldError:
            if self.closed_checks() == closed:
                assert self.store.events.count() == before

    def closed_checks(self) -> int:
        return sum(check.outcome is not None for check in all_checks(self.store))

    def judgement(self, seen: RuleDossier, verdict: Verdict) -> Judgement:
        return Judgement(
            seen.summary.id,
            seen.head.hash,
            seen.summary.state,
            verdict,
            self.words(),
            RejectCategory.OTHER,
            seen_evidence=evidence_set_hash(seen.evidence),
        )

    def try_to_judge(self, seen: RuleDossier, who: Actor, verdict: Verdict) -> None:
        self.attempt(lambda: self.note(self.store.rules.judge(self.judgement(seen, verdict), who)))

    def note(self, *made: Decision) -> None:
        """Note decisions that were just recorded."""
        self.decided += made
        if self.store.policies.of("posts").four_eyes:
            self.by_two |= {decision.id for decision in made}


def _seen(dossier: RuleDossier) -> SeenRule:
    return SeenRule(dossier.summary.id, dossier.head.hash, dossier.summary.state)
