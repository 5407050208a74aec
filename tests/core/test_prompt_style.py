"""How answers are asked for and read: strictly, in each style, and always the label first."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.prompt_style import LETTERS, UNKNOWN_RULE, AnswerForm, Reading, Style
from tests.factories import LABELS

FORM = AnswerForm(Style.LABEL, LABELS)
CITED = AnswerForm(Style.CITED, LABELS, ("R2", "R10"))
LETTER = AnswerForm(Style.LETTER, LABELS)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("form", ["{}", " {}\n", '{{"label": "{}"}}', '\n{{ "label" :\t"{}" }} '])
def test_a_bare_label_and_the_json_object_are_read(label: str, form: str) -> None:
    assert FORM.read(form.format(label)) == Reading(label)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Keep",
        "KEEP",
        "keep.",
        '"keep"',
        "keep remove",
        "The label is keep",
        '```json\n{"label": "keep"}\n```',
        '{"label": "keep"} because',
        '{"label": "Keep"}',
        '{"label": "burn"}',
        '{"label": ["keep"]}',
        '{"label": null}',
        '{"label": "keep", "why": "x"}',
        '{"Label": "keep"}',
        '[{"label": "keep"}]',
        '{"label": "remove", "label": "keep"}',
        "null",
        "{}",
        "NaN",
        '{"label": "keep"',
        "[" * 20_000,
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_nothing_else_is_taken_for_an_answer(text: str) -> None:
    assert FORM.read(text) is None


@given(st.text(max_size=30))
def test_any_other_text_gives_none_or_a_declared_label(text: str) -> None:
    found = FORM.read(text)
    assert found is None or found.label in LABELS
    assert (found is not None) == (text.strip() in LABELS)


def test_the_schema_allows_the_declared_labels_and_nothing_else() -> None:
    schema = FORM.schema
    assert schema is not None
    assert schema["properties"] == {"label": {"type": "string", "enum": ["keep", "remove"]}}
    assert (schema["required"], schema["additionalProperties"]) == (["label"], False)


def test_labels_that_look_like_json_are_compared_as_texts() -> None:
    form = AnswerForm(Style.LABEL, ("1", "true"))
    assert form.read("1") == Reading("1")
    assert form.read('{"label": 1}') is None
    assert form.read('{"label": true}') is None
    assert form.read('{"label": "true"}') == Reading("true")


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ('{"label": "keep", "rules": []}', ()),
        ('{"label": "keep", "rules": ["R10", "R2"]}', ("R10", "R2")),
        ('{"rules": ["R2"], "label": "keep"}', ("R2",)),
        ('{"label": "keep", "rules": ["[r2]", "R2 "]}', ("R2",)),
        ('{"label": "keep", "rules": ["R99", "R2", "rule one", 7]}', (UNKNOWN_RULE, "R2")),
        ("keep", ()),
    ],
)
def test_cited_rules_are_read_in_order_and_those_that_the_prompt_lacks_are_unknown(
    text: str, cited: tuple[str, ...]
) -> None:
    assert CITED.read(text) == Reading("keep", cited)


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "keep"}',
        '{"label": "keep", "rules": "R2"}',
        '{"label": "keep", "rules": {"R2": 1}}',
        '{"label": "burn", "rules": ["R2"]}',
        '{"label": "keep", "rules": ["R2"], "why": "x"}',
        '{"label": "keep", "rules": ["R2"], "rules": []}',
        '[["label", "keep"], ["rules", []]]',
    ],
)
def test_an_answer_in_another_shape_cites_nothing(text: str) -> None:
    assert CITED.read(text) is None


@pytest.mark.parametrize(("text", "label"), [("A", "keep"), (" B\n", "remove")])
def test_a_letter_stands_for_the_label_in_its_place(text: str, label: str) -> None:
    assert LETTER.read(text) == Reading(label)


@pytest.mark.parametrize("text", ["", "a", "AB", "A.", "C", '"A"', "keep", '{"label": "keep"}'])
def test_nothing_but_a_letter_is_read_as_one(text: str) -> None:
    assert LETTER.read(text) is None


def test_in_every_style_nothing_stands_before_the_label() -> None:
    assert list(CITED.schema["properties"]) == ["label", "rules"]  # type: ignore[index,arg-type]
    assert CITED.instruction.index('"label"') < CITED.instruction.index('"rules"')
    assert (LETTER.schema, LETTER.max_tokens) == (None, 1)
    assert LETTER.instruction.endswith('A for "keep", B for "remove"')


def test_only_the_rules_of_the_prompt_can_be_cited_where_the_schema_holds() -> None:
    schema = json.loads(json.dumps(CITED.schema))
    assert schema["properties"]["rules"]["items"] == {"type": "string", "enum": ["R2", "R10"]}
    assert schema["required"] == ["label", "rules"]


@pytest.mark.parametrize("form", [FORM, LETTER])
@pytest.mark.parametrize("label", LABELS)
def test_the_answer_that_an_example_shows_is_read_as_its_label(form: AnswerForm, label: str) -> None:
    assert form.read(form.answer(label)) == Reading(label)


def test_a_style_that_does_not_fit_the_prompt_says_why() -> None:
    many = tuple(f"label {n}" for n in range(27))
    assert "27 labels, but only 26 letters" in AnswerForm(Style.LETTER, many).problem
    assert AnswerForm(Style.LETTER, many[:26]).letters[LETTERS[25]] == "label 25"
    assert "without rules" in AnswerForm(Style.CITED, LABELS).problem
    assert FORM.problem == CITED.problem == LETTER.problem == ""
