"""What a button is about: the fields as they were when it was drawn, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.session import CHANGED

FORM = """
import streamlit as st

from pld_app import session

if complaint := session.take_complaint():
    st.error(complaint)
number = st.number_input("Number", 1, 10, 3, key="form_number")
labels = st.multiselect("Labels", ["a", "b"], ["a"], key="form_labels")
if st.checkbox("More", key="form_more"):
    st.number_input("Seed", 0, 9, 0, key="form_seed")
st.text_input("Reason", key="form_reason")
st.selectbox("Elsewhere", ["x", "y"], key="other")
st.button("Look again", key="again_form")


def order(*shown):
    st.session_state.setdefault("ordered", []).append((*shown, session.widget("form_reason")))


others = ("form_go", "form_reason")
st.button("Go", key="form_go", **session.as_shown("form_", order, number, tuple(labels), but=others))
st.text_input("Drawn below the button", key="form_below")
"""
"""A form with an entry of each kind; it orders what it shows."""


@pytest.fixture
def at() -> AppTest:
    found = AppTest.from_string(FORM)
    found.run()
    return found


def ordered(at: AppTest) -> list[object]:
    assert not at.exception, at.exception[0].value
    return list(at.session_state["ordered"]) if "ordered" in at.session_state else []


def go(at: AppTest) -> list[str]:
    """Press, and return the complaints."""
    at.button("form_go").click().run()
    return [str(error.value) for error in at.error]


def test_what_is_shown_is_done_each_time(at: AppTest) -> None:
    assert go(at) == go(at) == []
    assert ordered(at) == [(3, ("a",), "")] * 2


@pytest.mark.parametrize(
    ("change", "then"),
    [
        (lambda at: at.number_input("form_number").set_value(1), (1, ("a",), "")),
        (lambda at: at.multiselect("form_labels").set_value(["b"]), (3, ("b",), "")),
        (lambda at: at.checkbox("form_more").check(), (3, ("a",), "")),
        (lambda at: at.text_input("form_below").set_value("typed"), (3, ("a",), "")),
    ],
    ids=["a number", "a choice of several", "a tick", "a field below the button"],
)
def test_an_entry_that_comes_with_the_press_stops_it_and_the_next_press_takes_it(
    at: AppTest, change: Callable[[AppTest], object], then: object
) -> None:
    # From here on the field below the button has been there, too.
    at.run()
    change(at)
    assert (go(at), ordered(at)) == ([CHANGED], [])
    assert (go(at), ordered(at)) == ([], [then])


def test_a_reason_is_read_as_it_stands_at_the_press(at: AppTest) -> None:
    at.text_input("form_reason").set_value("typed last")
    assert (go(at), ordered(at)) == ([], [(3, ("a",), "typed last")])


def test_fields_elsewhere_and_other_buttons_do_not_stop_a_press(at: AppTest) -> None:
    at.button("again_form").click().run()
    at.selectbox("other").select("y")
    assert (go(at), ordered(at)) == ([], [(3, ("a",), "")])


def test_a_field_that_comes_or_goes_does_not_stop_a_press(at: AppTest) -> None:
    at.checkbox("form_more").check().run()
    assert go(at) == []
    at.number_input("form_seed").set_value(5)
    assert go(at) == [CHANGED]
    at.checkbox("form_more").uncheck().run()
    assert (go(at), len(ordered(at))) == ([], 2)
