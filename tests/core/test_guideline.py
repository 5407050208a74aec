"""Guideline texts and label sets: what is a change, and what may be set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import DataInUse, InvalidInput, MissingReason
from pld_core.guideline import LONGEST, checked_change, is_same, settled_text
from pld_core.label_set import (
    LabelChange,
    LabelUse,
    changed_labels,
    edited_labels,
    label_change,
    refuse_in_use,
)
from pld_core.models import Label

LABELS = (Label("keep", "It stays."), Label("remove", "It goes."))


@pytest.mark.parametrize("other", ["One.\nTwo.", "One.  \nTwo.\t\n", "\n\nOne.\r\nTwo.\r\n", "One.\rTwo."])
def test_white_space_at_line_ends_is_no_change(other: str) -> None:
    assert is_same("One.\nTwo.", other)
    with pytest.raises(InvalidInput, match="this is the guideline in force"):
        checked_change("One.\nTwo.", other, "tidier")


@pytest.mark.parametrize("other", ["One.\n\nTwo.", "One.\n Two.", "One. Two.", "one.\nTwo.", "One.\nTwo"])
def test_everything_else_is_a_change(other: str) -> None:
    assert not is_same("One.\nTwo.", other)
    assert checked_change("One.\nTwo.", other, " it  is\nclearer ") == (other, "it is clearer")


@given(st.text())
def test_settling_a_text_twice_is_settling_it_once(text: str) -> None:
    assert settled_text(settled_text(text)) == settled_text(text)
    assert is_same(text, settled_text(text))


@pytest.mark.parametrize(
    ("text", "reason", "error", "words"),
    [
        ("  \n ", "why", InvalidInput, "needs a text"),
        ("x" * (LONGEST + 1), "why", InvalidInput, "20,001 characters; at most 20,000"),
        ("half \ud800", "why", InvalidInput, "half a character"),
        ("new", " \n", MissingReason, "needs a reason"),
    ],
)
def test_what_cannot_be_a_guideline(text: str, reason: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=rf"{words}.*Nothing was changed"):
        checked_change("old", text, reason)


def test_labels_keep_their_order_and_new_ones_come_last() -> None:
    wanted = (Label(" ask ", "Ask\nsomebody."), Label("remove", "It  goes."), Label("keep", "It stays."))
    assert changed_labels(LABELS, wanted) == (*LABELS, Label("ask", "Ask somebody."))


def test_differences_are_told_by_name() -> None:
    after = (Label("keep", "It remains."), Label("ask", ""))
    assert label_change(LABELS, after) == LabelChange(("keep",), ("ask",), ("remove",))
    assert label_change(LABELS, LABELS[::-1]).is_none
    assert not label_change(LABELS, (Label("keep", "x"), LABELS[1])).alters_set


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ((*LABELS, Label(" ", "")), "1 to 80 characters"),
        ((*LABELS, Label("x" * 81, "")), "1 to 80 characters"),
        ((*LABELS, Label("x", "y" * 1001)), "1,001 characters; at most 1,000"),
        ((*LABELS, Label("keep ", "")), "'keep' is there twice"),
        (LABELS[:1], "at least 2 labels"),
    ],
)
def test_what_cannot_be_a_label_set(labels: tuple[Label, ...], words: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{words}.*Nothing was changed"):
        changed_labels(LABELS, labels)


def test_labels_are_edited_by_name() -> None:
    edited = edited_labels("posts", LABELS, {"keep": "It remains."}, {"ask": "Ask."}, ("remove",))
    assert edited == (Label("keep", "It remains."), Label("ask", "Ask."))


@pytest.mark.parametrize(
    ("described", "added", "removed", "words"),
    [
        ({"burn": "x"}, {}, (), "'burn' is not declared for posts: keep, remove"),
        ({}, {}, ("burn",), "'burn' is not declared for posts: keep, remove"),
        ({}, {"keep": "x"}, (), "'keep' is there already"),
    ],
)
def test_labels_that_are_not_there_are_refused(
    described: dict[str, str], added: dict[str, str], removed: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        edited_labels("posts", LABELS, described, added, removed)


def test_a_label_in_use_is_not_removed() -> None:
    refuse_in_use("keep", LabelUse())
    with pytest.raises(DataInUse, match=r"keep cannot be removed: it is used by rules R1, R2 and by 1 example\."):
        refuse_in_use("keep", LabelUse(1, ("R1", "R2")))
    with pytest.raises(DataInUse, match=r"used by rules R1, .*R10 and 2 more\."):
        refuse_in_use("keep", LabelUse(0, tuple(f"R{n}" for n in range(1, 13))))
