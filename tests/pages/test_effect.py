"""The effect on the student beside the rule: never a zero that nobody measured, ordered with its price, then shown."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.effect import Outcome
from pld_core.models import SYSTEM, JobState
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import BERT
from tests.pages.driving import Visit, Worker, press, press_at_once, prose, raw, run

RULE = "R2"


def measured(at: AppTest, worker: Worker) -> AppTest:
    press(at, "effect_open")
    press(at, "effect_start")
    assert worker().state is JobState.DONE
    return run(at)


def cases(at: AppTest, outcome: Outcome) -> AppTest:
    """Click a count."""
    (found,) = [group for group in at.segmented_control if str(group.key).startswith("effect_cases_")]
    found.set_value(outcome)
    return run(at)


def test_before_it_was_measured_no_figure_is_shown(demo: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("review", rule=RULE)
    assert "Not measured yet" in prose(at)
    assert "fixed" not in prose(at).lower()
    assert ollama.asked == []


def test_the_student_that_is_chosen_with_the_press_is_priced_before_it_is_asked(
    demo: App, visit: Visit, ollama: FakeOllama, embedded_student: None
) -> None:
    at = press(visit("review", rule=RULE), "effect_open")
    at.selectbox("effect_student").select("embedded")
    press_at_once(at, "effect_start")
    assert demo.store.jobs.recent("nda") == ()
    press(at, "effect_start")
    assert [job.params["student"] for job in demo.store.jobs.recent("nda")] == ["embedded"]


def test_the_price_is_told_before_it_is_ordered(demo: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(visit("review", rule=RULE), "effect_open")
    assert "Takes 30 questions: the 15 validation examples nearest to the rule's evidence, of 33" in prose(at)
    press(at, "effect_close")
    assert "Takes 30 questions" not in prose(at)
    assert ollama.asked == []
    assert demo.store.jobs.recent("nda") == ()


def test_what_was_ordered_is_shown_as_a_job_with_a_way_to_stop_it(demo: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(press(visit("review", rule=RULE), "effect_open"), "effect_start")
    (job,) = demo.store.jobs.recent("nda")
    assert (job.kind, job.params, job.created_by) == ("effect", {"rule": RULE, "student": STUDENT}, "anna")
    assert "Waiting for the worker." in prose(at)
    assert not [button for button in at.button if button.key == "effect_open"]
    press(at, f"job_button_{job.id}_queued")
    assert demo.store.jobs.get(job.id).state is JobState.CANCELLED
    other = visit("review", rule="R3")
    assert "Effect of a rule" not in prose(other)


def test_the_measured_counts_open_their_examples(demo: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    def learn(number: int) -> None:
        ollama.label = "Contradiction" if number <= 15 else "Entailment"

    ollama.before = learn
    at = measured(visit("review", rule=RULE), worker)
    (stored,) = demo.store.effects.of_rule(RULE)
    fixed = stored.effect.having(Outcome.FIXED)
    assert fixed
    assert f":green-badge[fixed {len(fixed)}]" in prose(at)
    assert "of 15 affected validation examples" in prose(at)
    assert f"Measured on {STUDENT}" in prose(at)
    before = [text.value for text in at.text]
    cases(at, Outcome.FIXED)
    opened = [text.value for text in at.text]
    for case in fixed:
        for _, value in demo.store.tasks.example("nda", case.example_hash).fields:
            assert value in opened
    assert len(opened) == len(before) + sum(
        len(demo.store.tasks.example("nda", case.example_hash).fields) for case in fixed
    )
    assert prose(at).count("without the rule :red[✗ Contradiction]  \nwith the rule :green[✓ Entailment]") == len(fixed)


def test_a_measurement_of_an_earlier_text_is_not_shown_as_current(
    demo: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = measured(visit("review", rule=RULE), worker)
    assert raw(at, "warning") == []
    dossier = demo.store.rules.dossier(RULE, SYSTEM)
    text = replace(dossier.head.text, condition="the clause says so in as many words")
    demo.store.rules.edit(RULE, dossier.head.hash, dossier.summary.state, text, "It was too wide.", BERT)
    assert raw(visit("review", rule=RULE), "warning") == ["Measured for an earlier text of the rule: measure it again."]


def test_measuring_again_tells_what_was_answered_before(
    demo: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = press(measured(visit("review", rule=RULE), worker), "effect_open")
    assert "Takes no question: all 30 were answered before" in prose(at)


def test_a_student_that_is_not_there_cannot_be_measured(demo: App, visit: Visit) -> None:
    at = press(visit("review", rule=RULE), "effect_open")
    assert at.button("effect_start").disabled
    assert "Takes" not in prose(at)
