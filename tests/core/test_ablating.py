"""Leaving rules out: only what can change and was not asked before is asked, within the limit, and goes on later."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pld_core.ablating import Ablating, AblationEstimate, AblationOrder, AblationOutcome, ablate
from pld_core.ablation import Scope
from pld_core.attribution import UNCOVERED, Attribution, Claim, Method, by_citation
from pld_core.calls import Limits
from pld_core.compilation import Choices, compile_prompt, compile_without
from pld_core.errors import BackendUnreachable, CallsStopped, InvalidInput, JobCancelled, NotFound
from pld_core.evaluation import failed_answer
from pld_core.model_ports import ChatRequest
from pld_core.models import CompiledPrompt, Run, Split
from pld_core.ports import Progress
from pld_core.prompt_style import Style
from pld_core.run_setup import RunSetup
from storage import SqliteStore
from tests.answering import answer_of, answered_run
from tests.core.virtual_time import InstantClock
from tests.factories import (
    ANNA,
    ToldChat,
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_text,
    no_report,
)

EXAMPLES = make_examples(12, Split.VALIDATION)
KEEP = '{"label": "keep"}'
RUDE = "the post is rude"


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """Two rules in force; R1 claims the first six validation examples, R2 the next four, nobody the last two."""
    fill(sqlite_store, examples=[*make_examples(4), *EXAMPLES])
    train = sqlite_store.tasks.examples("posts")[:4]
    approved_rule(sqlite_store, make_rule(make_text(), train[:2]))
    approved_rule(sqlite_store, make_rule(make_text(RUDE, "remove"), train[2:], origin="other"))
    return sqlite_store


def prompt_of(store: SqliteStore) -> CompiledPrompt:
    return compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))


def run_of(store: SqliteStore) -> Run:
    """A run in which everything was answered rightly but the first example, which got no answer."""
    run = answered_run(store, prompt_of(store), EXAMPLES, {EXAMPLES[0].hash: failed_answer("slept")})
    owners = ["R1"] * 6 + ["R2"] * 4 + [UNCOVERED] * 2
    claims = tuple(Claim(e.hash, rule, True) for e, rule in zip(EXAMPLES, owners, strict=True))
    store.attributions.record(run.id, Attribution(Method.EVIDENCE, "", "b", ("R1", "R2"), claims), ANNA)
    return run


def left_out(
    store: SqliteStore, chat: ToldChat, order: AblationOrder, report: Progress = no_report, attempts: int = 1
) -> AblationOutcome:
    limits = Limits(in_flight=1, attempts=attempts)
    return asyncio.run(ablate(store, chat, order, report, ANNA, limits, InstantClock()))


def estimated(store: SqliteStore, order: AblationOrder, in_flight: int = 1) -> AblationEstimate:
    status = asyncio.run(ToldChat(keeps).status())
    return Ablating(store, status, order).estimate(in_flight)


def keeps(_: ChatRequest) -> str:
    return KEEP


def without_rude(chat: ToldChat) -> list[bool]:
    """Return for each question whether the rule on rude posts was left out of its prompt."""
    return [RUDE not in request.system for request in chat.asked]


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_only_what_a_rule_claims_and_the_run_answered_is_asked_the_last_rule_first(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    outcome = left_out(store, chat, AblationOrder(run.id))
    assert without_rude(chat) == [True] * 4 + [False] * 5
    assert [stored.ablation.of.rule_id for stored in outcome.stored] == ["R2", "R1"]
    assert (outcome.calls, outcome.open_rules) == (9, ())
    asked = {EXAMPLES[n].text for n in range(1, 10)}
    assert {request.user.split("\n", 1)[1] for request in chat.asked} == asked


def test_the_prompt_without_a_rule_is_the_runs_prompt_but_for_that_rule(store: SqliteStore) -> None:
    prompt = prompt_of(store)
    revisions = store.rules.revisions([rule.revision_hash for rule in prompt.rules])
    found = compile_without(store.tasks.get("posts"), prompt, revisions, "R2")
    assert [rule.rule_id for rule in found.rules] == [r.rule_id for r in prompt.rules if r.rule_id != "R2"]
    assert RUDE in prompt.text
    assert RUDE not in found.text
    assert compile_without(store.tasks.get("posts"), prompt, revisions, "R9").sha256 == prompt.sha256


def test_the_answers_with_the_rule_are_those_of_the_run(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    (stored,) = left_out(store, chat, AblationOrder(run.id, ("R2",))).stored
    found = stored.ablation
    # Examples 6 to 9 are to keep, remove, keep, remove; without the rule the student keeps everything.
    assert (found.fixed, found.broken, len(found.cases)) == (2, 0, 4)
    assert {case.with_rule.label == case.gold for case in found.cases} == {True}
    assert found.of.with_sha256 == run.prompt_sha256 != found.of.without_sha256


def test_all_answers_of_the_run_are_asked_if_that_is_wanted(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    (stored,) = left_out(store, chat, AblationOrder(run.id, ("R1",), Scope.ALL)).stored
    assert len(stored.ablation.cases) == len(chat.asked) == 11


def test_a_rule_is_at_fault_where_the_answer_is_right_only_without_it(store: SqliteStore) -> None:
    prompt = prompt_of(store)
    run = answered_run(store, prompt, EXAMPLES, {e.hash: answer_of("remove") for e in EXAMPLES})
    claims = tuple(Claim(e.hash, "R2" if place < 4 else UNCOVERED, True) for place, e in enumerate(EXAMPLES))
    store.attributions.record(run.id, Attribution(Method.EVIDENCE, "", "b", ("R1", "R2"), claims), ANNA)
    (stored,) = left_out(store, ToldChat(keeps), AblationOrder(run.id, ("R2",))).stored
    student = stored.ablation.student
    # Without R2 the student keeps everything; of the four examples the first and the third are to be kept.
    kept = {e.hash: frozenset({"R2"}) for e in EXAMPLES[:4] if e.label == "keep"}
    assert len(kept) == 2
    assert store.ablations.at_fault(student, prompt.sha256) == kept
    assert store.ablations.at_fault(student, "another prompt") == {}
    assert store.ablations.at_fault(replace(student, digest="sha256:other"), prompt.sha256) == {}


# --- never twice ------------------------------------------------------------------------------------------------------


def test_what_was_asked_before_is_not_asked_again_and_nothing_is_recorded_twice(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    first = left_out(store, chat, AblationOrder(run.id))
    events = store.events.count()
    again = left_out(store, chat, AblationOrder(run.id))
    assert (len(chat.asked), again.calls, again.stored) == (9, 0, first.stored)
    assert store.events.count() == events
    left_out(store, chat, AblationOrder(run.id, scope=Scope.ALL))
    assert len(chat.asked) == 9 + 7 + 6


def test_at_the_limit_it_stops_and_the_same_order_goes_on(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    first = left_out(store, chat, AblationOrder(run.id, max_calls=6))
    assert (first.calls, first.open_rules) == (6, ("R1",))
    assert [stored.ablation.of.rule_id for stored in first.stored] == ["R2"]
    assert "1 are left" in first.words
    second = left_out(store, chat, AblationOrder(run.id, max_calls=3))
    assert (second.calls, second.open_rules, len(chat.asked)) == (3, (), 9)
    assert [stored.ablation.of.rule_id for stored in second.stored] == ["R2", "R1"]


def test_with_no_call_allowed_only_what_is_known_is_recorded(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    assert left_out(store, chat, AblationOrder(run.id, max_calls=0)).open_rules == ("R2", "R1")
    assert chat.asked == []


def test_what_was_stopped_goes_on_where_it_was(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)

    def stop(_done: int, _total: int, _message: str) -> None:
        if len(chat.asked) == 6:
            raise JobCancelled("Stopped.")

    with pytest.raises(JobCancelled):
        left_out(store, chat, AblationOrder(run.id), stop)
    before = len(chat.asked)
    outcome = left_out(store, chat, AblationOrder(run.id))
    assert (outcome.calls, len(outcome.stored)) == (9 - before, 2)
    assert len(chat.asked) == 9


def test_a_student_that_answers_nothing_stops_it(store: SqliteStore) -> None:
    run = run_of(store)

    def silent(_: ChatRequest) -> str:
        raise BackendUnreachable("Nobody is there.")

    with pytest.raises((BackendUnreachable, CallsStopped)):
        left_out(store, ToldChat(silent), AblationOrder(run.id))
    assert store.ablations.of_run(run.id) == ()


# --- the estimate -----------------------------------------------------------------------------------------------------


def test_the_estimate_counts_what_is_not_known_yet(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    # The answers of the run took 7 ms each.
    found = estimated(store, AblationOrder(run.id))
    assert (found.rules, found.asked, found.calls) == (2, 9, 9)
    assert found.seconds == pytest.approx(0.063)
    left_out(store, chat, AblationOrder(run.id, ("R2",)))
    found = estimated(store, AblationOrder(run.id), in_flight=5)
    assert (found.asked, found.calls) == (9, 5)
    assert found.seconds == pytest.approx(0.007)
    assert found.words == ("2 rules to leave out, one at a time: 9 answers, 4 of them known; 5 questions, about 0 s.")


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_rule_that_the_prompt_does_not_hold_is_refused(store: SqliteStore) -> None:
    run = run_of(store)
    with pytest.raises(NotFound, match="does not hold R9"):
        left_out(store, ToldChat(keeps), AblationOrder(run.id, ("R9",)))


def test_other_weights_than_those_of_the_run_are_refused(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps, name="another")
    with pytest.raises(InvalidInput, match=f"Run {run.id} was answered by other weights"):
        left_out(store, chat, AblationOrder(run.id))
    assert chat.asked == []


def test_a_run_that_was_not_put_down_to_rules_is_refused(store: SqliteStore) -> None:
    run, chat = answered_run(store, prompt_of(store), EXAMPLES, {}), ToldChat(keeps)
    with pytest.raises(InvalidInput, match=f"pld attribute --run {run.id}"):
        left_out(store, chat, AblationOrder(run.id, scope=Scope.ALL))
    assert chat.asked == []


def test_a_run_that_drew_lots_is_refused(store: SqliteStore) -> None:
    version, chat = store.prompts.save(prompt_of(store), ANNA), ToldChat(keeps)
    place = (version.number, version.prompt.sha256, "told", "sha256:weights", Split.VALIDATION)
    hot = Run(0, "posts", *place, "", "", 12, None, RunSetup(temperature=0.7, seed=3))
    run = store.runs.start(hot, ANNA)
    with pytest.raises(InvalidInput, match=r"was asked with temperature 0\.7, seed 3"):
        left_out(store, chat, AblationOrder(run.id))
    assert chat.asked == []


def test_a_guideline_that_changed_since_is_refused(store: SqliteStore) -> None:
    run, chat = run_of(store), ToldChat(keeps)
    store.guidelines.change("posts", 1, "Keep nothing.", "stricter", ANNA)
    with pytest.raises(InvalidInput, match="have changed since this prompt was compiled"):
        left_out(store, chat, AblationOrder(run.id))
    assert chat.asked == []


# --- citations --------------------------------------------------------------------------------------------------------


def test_citations_are_confirmed_by_what_changes_without_the_rule(store: SqliteStore) -> None:
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"), Choices(style=Style.CITED))
    cited = {e.hash: answer_of(e.label, "R2") for e in EXAMPLES[:4]}
    run = answered_run(store, prompt, EXAMPLES, cited)
    store.attributions.record(
        run.id, by_citation(store.attributions.sources(prompt.rules), store.runs.predictions(run.id)), ANNA
    )
    chat = ToldChat(lambda _: '{"label": "keep", "rules": ["R1"]}')
    (stored,) = left_out(store, chat, AblationOrder(run.id, ("R2",))).stored
    assert (stored.ablation.confirmed.k, stored.ablation.confirmed.n) == (2, 4)
    assert len(chat.asked) == 4
