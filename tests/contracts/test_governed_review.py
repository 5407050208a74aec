"""Several people at one governed task, in any order of steps: nothing illegal, nothing lost, nothing seen too early."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, takewhile

from hypothesis import Phase, settings
from hypothesis.stateful import invariant

from pld_core.compilation import compile_prompt
from pld_core.errors import NotAllowed
from pld_core.models import SYSTEM, Actor, AuthorKind, EvidenceRole, ExampleState, RevisionState, RuleDossier
from pld_core.records import ExampleFilter
from pld_core.review import BEGINS_ANEW, Action, Standing, next_state
from storage.rule_queries import effective_evidence
from tests.contracts.governed import REVIEWING, GovernedTask
from tests.contracts.test_blind_store import everything
from tests.factories import ALL_ROLES
from tests.seeding import all_checks

S = RevisionState


@dataclass(frozen=True)
class Step:
    """A recorded transition: where it led, what was done, by whom."""

    state: RevisionState
    action: str
    actor: str


class GovernedReview(GovernedTask):
    """What holds after every step."""

    @invariant()
    def all_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        found = {rule_id: self.store.rules.dossier(rule_id, SYSTEM) for rule_id in self.ids()}
        histories = self.histories()
        every_step_is_in_the_table(histories)
        every_state_is_where_its_history_ends(found, histories)
        kept = sorted((d for x in found.values() for d in x.decisions), key=lambda d: d.id)
        assert kept == self.decided, "a decision was lost, or made up"
        self.what_is_in_force_was_approved_as_the_policy_asked(found, histories)
        self.nobody_who_may_still_decide_sees_a_first_decision(found)
        assert self.store.events.verify().intact

    def histories(self) -> dict[str, list[Step]]:
        """Return the transitions of every revision, oldest first."""
        with self.store.database.read() as conn:
            rows = conn.execute("SELECT revision_hash, state, action, actor FROM transition ORDER BY id").fetchall()
        found: dict[str, list[Step]] = {}
        for row in rows:
            found.setdefault(row["revision_hash"], []).append(Step(S(row["state"]), row["action"], row["actor"]))
        return found

    def what_is_in_force_was_approved_as_the_policy_asked(
        self, found: dict[str, RuleDossier], histories: dict[str, list[Step]]
    ) -> None:
        in_force = self.store.rules.in_force("posts")
        approved = {h for x in found.values() for h, state in x.states.items() if state is S.APPROVED}
        assert {revision.hash for revision, _, _ in in_force} == approved
        checks = {check.rule_id for check in all_checks(self.store)}
        assert not checks & {entry.rule_id for _, entry, _ in in_force}
        gone = self.store.tasks.examples("posts", ExampleFilter(states=(ExampleState.ARCHIVED,)))
        for revision, entry, _ in in_force:
            people = approvers(histories[revision.hash])
            decision = next(d for d in self.decided if d.id == entry.decision_id)
            assert decision.reviewer == people[-1]
            if decision.id in self.by_two:
                assert len(set(people)) >= 2, people
                assert revision.author_kind is AuthorKind.TEACHER or revision.author != people[-1]
            with self.store.database.read() as conn:
                evidence = effective_evidence(conn, revision.hash)
            assert not {e.example_hash for e in evidence if e.role in BEARING} & {example.hash for example in gone}
        if in_force:
            prompt = compile_prompt(self.store.tasks.get("posts"), in_force)
            assert not checks & {line.rule_id for line in prompt.rules}

    def nobody_who_may_still_decide_sees_a_first_decision(self, found: dict[str, RuleDossier]) -> None:
        if not self.store.policies.of("posts").blind:
            return
        for rule_id, whole in found.items():
            if whole.summary.state is not S.FIRST_APPROVED:
                continue
            first = whole.decisions[-1]
            # One reader a step; which one changes with what is written.
            readers = [person for person in REVIEWING if person.name != first.reviewer]
            reader = readers[self.said % len(readers)]
            told = everything(self.store, rule_id, reader)
            assert self.store.rules.dossier(rule_id, reader).withheld
            assert first.reason not in told
            said = [c for c in self.store.desk.comments.of_rule(rule_id, SYSTEM) if c.by == first.reviewer]
            assert not [c.text for c in said if c.at > first.decided_at and c.text in told]


BEARING = (EvidenceRole.SUPPORTS, EvidenceRole.CONTRADICTS)


def every_step_is_in_the_table(histories: dict[str, list[Step]]) -> None:
    """Ask the guard, with each policy, whether it leads from where the revision stood to where it was moved."""
    for history in histories.values():
        assert (history[0].state, history[0].action) == (S.PROPOSED, "propose")
        for before, step in pairwise(history):
            assert step.state in reachable(before.state, step), (before, step)


def reachable(state: RevisionState, step: Step) -> set[RevisionState]:
    """Return where the step leads, with and without four eyes."""
    action, led = Action(step.action), set[RevisionState]()
    own = (step.actor,) if action is Action.WITHDRAW else ()
    for four_eyes in (False, True):
        standing = Standing(state, "told", AuthorKind.TEACHER, approvers=own, four_eyes=four_eyes)
        try:
            led.add(next_state(standing, action, Actor(step.actor, ALL_ROLES)))
        except NotAllowed:
            continue
    return led


def every_state_is_where_its_history_ends(found: dict[str, RuleDossier], histories: dict[str, list[Step]]) -> None:
    for whole in found.values():
        assert whole.states == {revision.hash: histories[revision.hash][-1].state for revision in whole.revisions}
        assert whole.summary.state is whole.states[whole.head.hash]


def approvers(history: list[Step]) -> list[str]:
    """Return who approved since the review of the revision began for the last time, in order."""
    anew = {action.value for action in BEGINS_ANEW}
    since = list(takewhile(lambda step: step.action not in anew, reversed(history)))
    return [step.actor for step in reversed(since) if step.action == Action.APPROVE.value]


TestGovernedReview = GovernedReview.TestCase
# A failure is told with its steps as they were: making them fewer would take minutes.
TestGovernedReview.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
