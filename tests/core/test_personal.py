"""Personal data are found by pattern; what is masked leaves nothing to find, and all else stays as it was."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pld_core.personal import find_personal, mask_personal, shown_to_teacher
from tests.factories import make_example

FOUND = {
    "ann.lee+shop@mail.example.org": "e-mail",
    "jürgen@müller.example": "e-mail",
    "4111 1111 1111 1111": "card number",
    "4111-1111-1111-1111": "card number",
    "5500000000000004": "card number",
    "3782 822463 10005": "card number",
    "123-45-6789": "national id",
    "AB 12 34 56 C": "national id",
    "AB123456C": "national id",
    "12345678Z": "national id",
    "11010519491231002X": "national id",
    "2 85 05 78 006 084 36": "national id",
    "+49 (0)30 1234567": "phone",
    "+1 555 123 4567": "phone",
    "0044 7700 900123": "phone",
    "06 12 34 56 78": "phone",
    "0171/1234567": "phone",
    "(030) 1234567": "phone",
    "(555) 123-4567": "phone",
    "555.123.4567": "phone",
    "1-800-555-1234": "phone",
}

NONE = [
    "",
    "no digits at all",
    "at @home or a@b",
    "order 7288241 of 2024-01-15",
    "on 05.06.2024 and 05/06/24",
    "(2010-2015) and (1999)",
    "1,234,567.89 euros, 0.12345678 percent",
    "version 10.0.0.12",
    "4111 1111 1111 1112",  # its check digit is wrong
    "0000 0000 0000 0000",
    "chapters 1 2 3 4 5 6 7 8 9",
    "x12345678Zx",
]


@pytest.mark.parametrize(("text", "kind"), FOUND.items())
@pytest.mark.parametrize("around", ["{}", "Call or write: {}, please.", "({})", "line one\n{}\nline three"])
def test_personal_data_are_found_and_replaced_by_their_kind(text: str, kind: str, around: str) -> None:
    assert find_personal(around.format(text)) == (kind,)
    assert mask_personal(around.format(text)) == around.format(f"[{kind}]")


@pytest.mark.parametrize("text", NONE)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert find_personal(text) == ()
    assert mask_personal(text) == text


def test_each_kind_is_told_once_however_often_it_stands_there() -> None:
    assert find_personal("a@b.example, 030 1234567, c@d.example, 123-45-6789") == ("e-mail", "national id", "phone")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("0301234567 0301234568", "[phone] [phone]"),
        ("555.123.4567(555) 123-4567", "[phone][phone]"),
        ("4111 1111 1111 1111 123", "[card number] 123"),
        ("05.06.2024 030 1234567", "05.06.2024 [phone]"),
        ("12345678Z/12345678Z", "[national id]/[national id]"),
    ],
)
def test_what_stands_side_by_side_is_masked_each_for_itself(text: str, masked: str) -> None:
    assert mask_personal(text) == masked


PIECES = st.sampled_from([*FOUND, *NONE, "0", "1", "12", "4111", "@", ".", "-", " ", "(", ")", "+", "a", "\n", ","])


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
@example("0301234567 0301234568 0301234569")
@example("555.123.4567(555) 123-4567")
def test_what_is_masked_leaves_nothing_to_find(text: str) -> None:
    masked = mask_personal(text)
    assert find_personal(masked) == ()
    assert mask_personal(masked) == masked
    assert (masked != text) == bool(find_personal(text))


@pytest.mark.parametrize("part", ["a", "0", "1 ", "(", "+0", "a.", "@a", "0 ( ", "1-", "AB"])
def test_no_text_takes_long(part: str) -> None:
    begin = time.process_time()
    find_personal("@ 12345678 " + part * 20_000)
    assert time.process_time() - begin < 2


def test_a_teacher_is_shown_the_mask_only_if_the_import_asked_for_it() -> None:
    open_ = make_example("write to a@b.example")
    assert shown_to_teacher(open_) is open_
    shown = shown_to_teacher(replace(open_, masked=True))
    assert shown.fields == (("post", "write to [e-mail]"),)
    assert shown.label == open_.label
