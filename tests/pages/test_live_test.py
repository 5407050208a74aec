"""Live test: one question with up to three prompts; what was said, what it cost, and what to do without a student."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import wiring
from pld_app.wiring import App
from pld_core.compilation import input_of
from pld_core.models import Example, Split
from pld_core.records import ExampleFilter, Page
from tests.cli.fake_ollama import MODEL, STUDENT, FakeOllama
from tests.factories import verdict_on
from tests.pages.driving import NASTY, Visit, go, links, press, prose, raw, run


def badges(at: AppTest) -> list[str]:
    return [text for text in raw(at, "markdown") if "-badge[" in text]


def first_example(app: App, label: str = "") -> Example:
    return app.store.tasks.examples("nda", ExampleFilter(Split.VALIDATION, label), Page(0, 1))[0]


def only(at: AppTest, *prompts: str) -> AppTest:
    """Choose which prompts are asked."""
    at.multiselect("test_prompts_nda").set_value(list(prompts))
    return run(at)


def type_own(at: AppTest, clause: str, hypothesis: str) -> AppTest:
    at.segmented_control("test_how").set_value("Type a text")
    run(at)
    at.text_area("test_nda_clause").set_value(clause)
    at.text_area("test_nda_hypothesis").set_value(hypothesis)
    return run(at)


def test_without_a_prompt_version_the_way_to_one_is_shown(demo: App, visit: Visit) -> None:
    at = visit("live_test")
    assert raw(at, "info") == ["There is no prompt version to test yet. Approve a rule, then compile."]
    assert links(at) == ["Go to Prompt"]
    assert "ask" not in [button.key for button in at.button]


def test_an_answer_is_shown_with_its_label_its_cost_and_the_gold_label(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = only(visit("live_test"), "1")
    assert "The answers appear here" in prose(at)
    example = first_example(compiled)
    ollama.label = example.label
    press(at, "ask")
    assert ollama.asked == [input_of(compiled.store.tasks.get("nda"), example)]
    assert badges(at) == [
        f":blue-badge[{example.label}]",
        f":green-badge[agrees with the gold label {example.label}]",
    ]
    assert raw(at, "code")[-1] == f'{{"label": "{example.label}"}}'
    assert "**Tokens** prompt 123, answer 7" in prose(at)
    assert "The server does not say how much of the prompt came from its cache." in prose(at)
    assert "Context: 130 of " in prose(at) or at.get("progress")
    assert "Version 1" in prose(at)
    (event,) = compiled.store.events.page(page=Page(0, 1))
    assert (event.kind, event.actor) == ("student.asked", "anna")


def test_an_answer_that_differs_from_the_gold_label_says_so(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    ollama.label = next(label for label in ("Entailment", "Contradiction") if label != first_example(compiled).label)
    at = press(visit("live_test"), "ask")
    assert f":orange-badge[differs from the gold label {first_example(compiled).label}]" in badges(at)


@pytest.mark.parametrize("said", ["Banana", "entailment", "Entailment or not"])
def test_an_answer_outside_the_labels_counts_as_wrong(
    compiled: App, visit: Visit, ollama: FakeOllama, said: str
) -> None:
    ollama.label = said
    at = press(only(visit("live_test"), "1"), "ask")
    assert badges(at)[0] == ":red-badge[:material/error: no label: malformed, counts as wrong]"
    assert badges(at)[1].startswith(":orange-badge[differs from the gold label ")
    assert "The answer is not one of the declared labels." in prose(at)
    assert raw(at, "code")[-1] == f'{{"label": "{said}"}}'


def test_what_the_student_says_is_plain_text(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    ollama.label = NASTY
    at = press(visit("live_test"), "ask")
    assert raw(at, "code")[-1] == f'{{"label": "{NASTY}"}}'
    assert not [text for text in raw(at, "markdown", "caption") if "evil" in text]


def test_a_text_of_ones_own_has_no_gold_label(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = type_own(only(visit("live_test"), "1"), "The Recipient keeps it secret.", "It is secret.")
    press(at, "ask")
    assert ollama.asked == ["CLAUSE:\nThe Recipient keeps it secret.\n\nHYPOTHESIS:\nIt is secret."]
    assert badges(at) == [":blue-badge[Entailment]"]


def test_nothing_typed_is_refused_in_words_and_nothing_is_asked(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = press(type_own(visit("live_test"), "  ", ""), "ask")
    assert "There is nothing to ask about: type a text or choose an example." in prose(at)
    assert len(at.error) == 1
    assert ollama.asked == []


def test_a_search_that_matches_no_example_says_so(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("live_test")
    at.text_input("test_search").set_value("no clause says this")
    run(at)
    assert "No example matches." in raw(at, "info")
    press(at, "ask")
    assert "There is nothing to ask about" in prose(at)
    assert ollama.asked == []


def test_an_example_of_another_split_can_be_picked_and_read(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = only(visit("live_test"), "1")
    at.selectbox("test_split").select(Split.TEST)
    run(at)
    at.selectbox("test_example_nda_test_").select(4)
    run(at)
    example = compiled.store.tasks.examples("nda", ExampleFilter(Split.TEST), Page(4, 1))[0]
    assert [text.value for text in at.text] == [value for _, value in example.fields]
    press(at, "ask")
    assert ollama.asked == [input_of(compiled.store.tasks.get("nda"), example)]


def test_the_chosen_version_is_the_one_that_is_asked(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    compiled.store.rules.judge(verdict_on(compiled.store, "R2"), compiled.actor)
    wiring.compile_task(compiled, "nda")
    at = visit("live_test")
    assert at.multiselect("test_prompts_nda").value == ["2", "no-rules"]
    press(only(at, "1"), "ask")
    assert "**Version 1**" in prose(at)
    (event,) = compiled.store.events.page(page=Page(0, 1))
    assert compiled.store.prompts.get("nda", 1).prompt.sha256 in str(event.payload)


def test_the_last_answer_is_still_there_after_a_look_at_another_page(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = press(only(visit("live_test"), "1"), "ask")
    go(at, "home")
    go(at, "live_test")
    assert badges(at)[0] == ":blue-badge[Entailment]"
    assert len(ollama.asked) == 1


def test_an_input_is_shown_letter_by_letter(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    example = Example((("clause", NASTY), ("hypothesis", NASTY)), "Entailment", Split.VALIDATION, "nasty")
    compiled.store.tasks.import_examples("nda", [example], "nasty.csv", compiled.actor)
    at = visit("live_test")
    at.text_input("test_search").set_value("evil.test")
    run(at)
    assert [text.value for text in at.text] == [NASTY, NASTY]
    assert not [text for text in raw(at, "markdown", "caption") if "evil" in text]


# --- no student -------------------------------------------------------------------------------------------------------


def test_with_ollama_down_the_command_is_shown_and_nothing_can_be_asked(compiled: App, visit: Visit) -> None:
    at = visit("live_test")
    assert len(at.warning) == 1
    assert "No Ollama server answers at http://127.0.0.1:" in prose(at)
    assert "ollama serve" in raw(at, "code")
    assert at.button("ask").disabled
    assert "embedded_test_student" not in [button.key for button in at.button], "it is not installed either"


def test_with_ollama_down_the_embedded_student_is_offered_and_taken(
    compiled: App, visit: Visit, embedded_student: None
) -> None:
    at = visit("live_test")
    assert at.selectbox("test_student").value == "embedded", "the only student that is ready is chosen at first"
    at.selectbox("test_student").select(STUDENT)
    run(at)
    assert "ollama serve" in raw(at, "code")
    assert at.button("ask").disabled
    assert "Its answers are weak" in prose(at)
    press(at, "embedded_test_student")
    assert at.selectbox("test_student").value == "embedded"
    assert not at.button("ask").disabled
    assert "Do not judge your rules by it." in prose(at)


def test_neither_student_there_says_what_to_run_for_each(compiled: App, visit: Visit) -> None:
    at = visit("live_test")
    at.selectbox("test_student").select("embedded")
    run(at)
    assert "The embedded student is not installed" in prose(at)
    assert "make setup" in raw(at, "code")


def test_a_missing_model_names_the_command_that_fetches_it(
    compiled: App, visit: Visit, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_OLLAMA_MODEL", "absent:1b")
    monkeypatch.setenv("PLD_STUDENT", "ollama:absent:1b")
    at = visit("live_test")
    assert "ollama pull absent:1b" in raw(at, "code")
    assert at.button("ask").disabled


def test_looking_again_finds_a_student_that_came_up(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    ollama.models = []
    at = visit("live_test")
    assert at.button("ask").disabled
    ollama.models = [MODEL]
    press(at, "again_test_student")
    assert not at.button("ask").disabled
    assert not at.warning


def test_a_student_that_dies_at_the_question_is_one_sentence(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    def die(number: int) -> None:
        raise ConnectionError

    at = visit("live_test")
    ollama.before = die
    press(at, "ask")
    assert len(at.error) == 1
    assert not badges(at)


def test_the_window_and_what_is_known_of_the_student_are_shown(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("live_test")
    assert "Context window " in prose(at)
    assert " + longest input " in prose(at)
    assert " of 131,072 tokens · not loaded yet" in prose(at)


def test_an_answer_to_a_prompt_that_was_cut_is_no_label_and_stands_in_red(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    ollama.counted = 20
    at = press(only(visit("live_test"), "1"), "ask")
    assert badges(at)[0] == ":red-badge[:material/error: no label: unverified, counts as wrong]"
    assert len(at.error) == 1
    assert "The server read 20 tokens, but the prompt alone has 123: part of it was cut." in prose(at)


def test_what_the_model_reads_is_shown_on_demand(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    at = visit("live_test")
    assert "<template>" not in " ".join(raw(at, "code"))
    at.toggle("show_effective").set_value(True)
    run(at)
    prompt = compiled.store.prompts.get("nda", 1).prompt.text
    assert (
        raw(at, "code")[-1] == f"<template>{prompt}{input_of(compiled.store.tasks.get('nda'), first_example(compiled))}"
    )
    assert ollama.asked == []
