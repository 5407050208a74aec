"""Data, label conflicts: one text with several labels takes no part until a person says which is right, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Label
from pld_core.records import LabelConflict
from tests.factories import fill, make_example, make_task
from tests.pages.driving import NASTY, Visit, press, press_at_once, prose, raw, run, takes_literally


@pytest.fixture
def conflict(empty: App) -> LabelConflict:
    """A text with two labels, beside one with a single one."""
    fill(empty.store, examples=[make_example("torn"), make_example("torn", "remove"), make_example("clear")])
    (found,) = empty.store.data.conflicts("posts")
    return found


def key(conflict: LabelConflict) -> str:
    return conflict.text_hash[7:19]


def decided(at: AppTest, conflict: LabelConflict, right: str, reason: str = "The guideline says so.") -> AppTest:
    at.radio(f"right_{key(conflict)}").set_value(right)
    at.text_input(f"settle_reason_{key(conflict)}").set_value(reason)
    return run(at)


def test_a_task_without_conflicts_says_so(demo: App, visit: Visit) -> None:
    assert raw(visit("data", view="Label conflicts"), "info") == ["No text has more than one label."]


def test_the_examples_view_says_that_something_waits(empty: App, conflict: LabelConflict, visit: Visit) -> None:
    assert "1 text has more than one label and takes no part; settle it under “Label conflicts”." in prose(
        visit("data")
    )


def test_a_conflict_shows_the_text_and_its_labels_with_their_places(
    empty: App, conflict: LabelConflict, visit: Visit
) -> None:
    at = visit("data", view="Label conflicts")
    assert [text.value for text in at.text] == ["torn"]
    text = prose(at)
    assert "1 text with more than one label." in text
    for example in conflict.examples:
        assert f"**{example.label}** :gray[{example.place} · train]" in text


def test_settling_needs_a_label_and_a_reason(empty: App, conflict: LabelConflict, visit: Visit) -> None:
    at = visit("data", view="Label conflicts")
    button = f"settle_{key(conflict)}"
    assert at.button(button).disabled
    assert decided(at, conflict, "remove", "  ").button(button).disabled
    assert not decided(at, conflict, "remove").button(button).disabled


def test_the_label_is_settled_that_was_chosen_when_the_button_was_drawn_and_the_reason_as_it_stands(
    empty: App, conflict: LabelConflict, visit: Visit
) -> None:
    at = decided(visit("data", view="Label conflicts"), conflict, "remove")
    at.radio(f"right_{key(conflict)}").set_value("keep")
    press_at_once(at, f"settle_{key(conflict)}")
    assert empty.store.data.count_conflicts("posts") == 1
    at.text_input(f"settle_reason_{key(conflict)}").set_value("Typed last.")
    press(at, f"settle_{key(conflict)}")
    assert "Settled: keep" in prose(at)
    (event,) = [e for e in empty.store.events.page() if e.kind == "conflict.settled"]
    assert event.payload["reason"] == "Typed last."


def test_the_right_label_takes_part_again_and_the_reason_is_kept(
    empty: App, conflict: LabelConflict, visit: Visit
) -> None:
    at = decided(visit("data", view="Label conflicts"), conflict, "remove")
    press(at, f"settle_{key(conflict)}")
    assert "Settled: remove" in prose(at)
    assert raw(at, "info") == ["No text has more than one label."]
    assert [(e.text, e.label) for e in empty.store.tasks.examples("posts")] == [("torn", "remove"), ("clear", "keep")]
    (event,) = [e for e in empty.store.events.page() if e.kind == "conflict.settled"]
    assert event.payload["reason"] == "The guideline says so."


def test_none_of_the_labels_may_be_right(empty: App, conflict: LabelConflict, visit: Visit) -> None:
    at = decided(visit("data", view="Label conflicts"), conflict, "none of them")
    press(at, f"settle_{key(conflict)}")
    assert [e.text for e in empty.store.tasks.examples("posts")] == ["clear"]
    assert not empty.store.data.conflicts("posts")


def test_a_conflict_that_somebody_settled_meanwhile_is_one_sentence(
    empty: App, conflict: LabelConflict, visit: Visit
) -> None:
    at = decided(visit("data", view="Label conflicts"), conflict, "remove")
    empty.store.data.settle("posts", conflict.text_hash, conflict.examples[0].hash, "seen", empty.actor)
    press(at, f"settle_{key(conflict)}")
    (error,) = raw(at, "error")
    assert "Somebody may have settled it meanwhile" in error
    assert [e.label for e in empty.store.tasks.examples("posts")] == ["keep", "keep"]


def test_many_conflicts_are_paged(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=[make_example(f"torn {i}", label) for i in range(12) for label in ("keep", "remove")])
    at = visit("data", view="Label conflicts")
    assert [text.value for text in at.text] == [f"torn {i}" for i in range(10)]
    at.pagination("conflict_page").select(2)
    assert [text.value for text in run(at).text] == ["torn 10", "torn 11"]


def test_labels_are_shown_letter_by_letter(empty: App, visit: Visit) -> None:
    task = replace(make_task(), labels=(Label(NASTY, ""), Label("keep", "")))
    fill(empty.store, task, [make_example(NASTY, NASTY), make_example(NASTY)])
    at = visit("data", view="Label conflicts")
    assert [text.value for text in at.text] == [NASTY]
    assert takes_literally(raw(at, "markdown"), NASTY)
    (radio,) = at.radio
    assert takes_literally(radio.options, NASTY)
