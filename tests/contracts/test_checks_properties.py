"""Whatever people do in whatever order: no seeded check is ever in force, and none gets into a prompt."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pld_core.compilation import compile_prompt
from pld_core.desk import Half, SeenRule, Tick
from pld_core.errors import PldError
from pld_core.models import (
    SYSTEM,
    Actor,
    EvidenceRole,
    RejectCategory,
    RevisionState,
    RuleDossier,
    Verdict,
    evidence_set_hash,
)
from pld_core.policy import Policy
from pld_core.review import FINAL_STATES
from storage import SqliteStore, create_store
from tests.factories import ANNA, BERT, CLEO, TickingClock, make_text, update_of, url_of, verdict_on
from tests.seeding import IRONY, KEPT, all_checks, fill_with_checks, plain_rule

Step = Callable[[SqliteStore, RuleDossier, RuleDossier, Actor], object]


def _seen(dossier: RuleDossier) -> SeenRule:
    return SeenRule(dossier.summary.id, dossier.head.hash, dossier.summary.state)


def _judge(verdict: Verdict) -> Step:
    return lambda store, one, _, who: store.rules.judge(verdict_on(store, one.summary.id, verdict), who)


def _edit(store: SqliteStore, one: RuleDossier, _: RuleDossier, who: Actor) -> object:
    text = make_text(f"the post is friendly in way {store.events.count()}")
    return store.rules.edit(one.summary.id, one.head.hash, one.summary.state, text, "clearer", who)


def _split(store: SqliteStore, one: RuleDossier, _: RuleDossier, who: Actor) -> object:
    supports = frozenset(e.example_hash for e in one.evidence if e.role is EvidenceRole.SUPPORTS)
    halves = Half(make_text("one half"), supports), Half(make_text("the other half"), supports)
    return store.desk.parts.split(_seen(one), halves, "two things", who)


def _merge(store: SqliteStore, one: RuleDossier, other: RuleDossier, who: Actor) -> object:
    return store.desk.parts.merge((_seen(one), _seen(other)), make_text("both"), "the same", who)


def _duplicate(store: SqliteStore, one: RuleDossier, other: RuleDossier, who: Actor) -> object:
    given_ = verdict_on(store, one.summary.id, Verdict.REJECT, "The same.", RejectCategory.DUPLICATE)
    return store.desk.queue.reject_duplicates([given_], other.summary.id, who)


def _withdraw(store: SqliteStore, one: RuleDossier, _: RuleDossier, who: Actor) -> object:
    return store.desk.queue.withdraw(one.summary.id, one.head.hash, one.summary.state, "I misread it.", who)


def _tick(store: SqliteStore, one: RuleDossier, _: RuleDossier, who: Actor) -> object:
    example = one.evidence[0].example_hash
    tick = Tick(one.summary.id, one.head.hash, evidence_set_hash(one.evidence), example, EvidenceRole.IRRELEVANT)
    return store.desk.ticks.tick(tick, who)


def _new_evidence(store: SqliteStore, one: RuleDossier, _: RuleDossier, who: Actor) -> object:
    update = update_of(store, one.summary.id, KEPT[:2], near=[IRONY])
    return store.lineage.update("posts", [update], frozenset(e.hash for e in (*KEPT, IRONY)), who)


STEPS: tuple[Step, ...] = (
    *(_judge(verdict) for verdict in (Verdict.APPROVE, Verdict.APPROVE, *Verdict)),
    *(_edit, _split, _merge, _duplicate, _withdraw, _tick, _new_evidence),
)


@settings(max_examples=30)
@given(
    st.booleans(),
    st.lists(
        st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99), st.sampled_from((ANNA, BERT, CLEO))),
        max_size=15,
    ),
)
def test_no_check_is_ever_in_force_or_in_a_prompt(four_eyes: bool, steps: list[tuple[Step, int, int, Actor]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = create_store(url_of(Path(folder) / "pld.db"), TickingClock())
        fill_with_checks(store, Policy(four_eyes=four_eyes, known_bad=20))
        store.lineage.enter("posts", [plain_rule(number) for number in range(16)], ANNA)
        checks = {check.rule_id for check in all_checks(store)}
        assert checks, "the lot of these rules falls the same way each time"
        for step, pick, pick_other, who in steps:
            rules = store.rules.queue("posts")
            # Half of the time on a check.
            wanted = sorted(checks)[pick % len(checks)] if pick % 2 else rules[pick % len(rules)].id
            one = store.rules.dossier(wanted, SYSTEM)
            other = store.rules.dossier(rules[pick_other % len(rules)].id, SYSTEM)
            with suppress(PldError):
                step(store, one, other, who)
            look(store, checks)


def look(store: SqliteStore, checks: set[str]) -> None:
    """Assert what always holds."""
    for check in all_checks(store):
        dossier = store.rules.dossier(check.rule_id, SYSTEM)
        assert dossier.summary.in_force == ""
        assert (check.outcome is not None) is (dossier.summary.state in FINAL_STATES)
        assert (check.outcome is None) is (dossier.summary.state is RevisionState.IN_REVIEW)
        if dossier.decisions:
            assert check.outcome
            assert len(dossier.decisions) == 1
    assert {check.rule_id for check in all_checks(store)} == checks, "nothing that people do draws another one"
    in_force = store.rules.in_force("posts")
    assert not {line.rule_id for _, line, _ in in_force} & checks
    if in_force:
        version = store.prompts.save(compile_prompt(store.tasks.get("posts"), in_force), ANNA)
        assert not {line.rule_id for line in version.prompt.rules} & checks
