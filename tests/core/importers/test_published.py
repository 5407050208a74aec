"""The published data sets: hand-written files of their shapes, and the real ones where they are at hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pld_core.importers import ColumnMap, Context, ReadOptions, SentenceKind, SourceRow, open_source
from tests.core.importers.conftest import Open, Refuse

# --- ContractNLI ------------------------------------------------------------------------------------------------------

PIECES = ("Title", "One is secret.", "Two is free.", "Three may go.", "Four stays.", "Five ends.")
TEXT = "\n".join(PIECES)
RANGES = [[TEXT.index(piece), TEXT.index(piece) + len(piece)] for piece in PIECES]


def contract(**annotations: object) -> dict[str, object]:
    return {
        "documents": [
            {
                "id": 3,
                "file_name": "a.pdf",
                "url": "https://example.org/a.pdf",
                "text": TEXT,
                "spans": RANGES,
                "annotation_sets": [{"annotations": {k.replace("_", "-"): v for k, v in annotations.items()}}],
            }
        ],
        "labels": {
            f"nda-{n}": {"short_description": f"Topic {n}", "hypothesis": f"Hypothesis {n}."} for n in (1, 2, 3)
        },
    }


THREE = contract(
    nda_1={"choice": "Entailment", "spans": [1, 2, 5]},
    nda_2={"choice": "NotMentioned", "spans": []},
    nda_3={"choice": "Contradiction", "spans": [3]},
)


def marked(row: SourceRow) -> list[str]:
    return [row.values[span.field][span.start : span.end] for span in row.spans]


def test_a_contract_gives_an_item_for_each_hypothesis(opened: Open) -> None:
    source = opened("t.json", json.dumps(THREE))
    first, second, third = source.rows()
    assert first.values == {
        "contract": TEXT, "hypothesis": "Hypothesis 1.", "label": "Entailment", "document": "3",
        "hypothesis_id": "nda-1", "topic": "Topic 1", "file": "a.pdf", "url": "https://example.org/a.pdf",
        "ref": "3/nda-1",
    }  # fmt: skip
    assert [row.number for row in (first, second, third)] == [1, 2, 3]
    assert (marked(first), marked(second), marked(third)) == (
        ["One is secret.", "Two is free.", "Five ends."],
        [],
        ["Three may go."],
    )
    assert (source.importer, source.unit, source.expected, source.notes) == ("contract-nli 1", "item", 3, ())
    assert source.suggested == ColumnMap("label", ("contract", "hypothesis"), "", "ref", "url", "document")
    assert [label.name for label in source.labels] == ["Entailment", "Contradiction", "NotMentioned"]
    assert source.title
    assert source.guideline


@pytest.mark.parametrize(
    ("context", "first", "third"),
    [
        (Context.EVIDENCE, "One is secret.\nTwo is free.\n[…]\nFive ends.", "Three may go."),
        (Context.WINDOW, TEXT, "Two is free.\nThree may go.\nFour stays."),
    ],
)
def test_less_of_a_contract_keeps_its_evidence_marked(opened: Open, context: Context, first: str, third: str) -> None:
    source = opened("t.json", json.dumps(THREE), ReadOptions(context=context))
    rows = list(source.rows())
    assert [row.values["contract"] for row in rows] == [first, TEXT, third]
    assert [marked(row) for row in rows] == [["One is secret.", "Two is free.", "Five ends."], [], ["Three may go."]]
    assert "gives that label away" in source.notes[0]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"choice": "Maybe", "spans": [1]}, "nda-1 of document 3 is not usable: its choice 'Maybe' is none of"),
        ({"choice": "Entailment", "spans": [6]}, "its evidence points to a span that the document does not have"),
        ({"choice": "Entailment", "spans": [-1]}, "its evidence points to a span"),
        ({"choice": "Entailment", "spans": ["x"]}, "a span is no whole number"),
        ("Entailment", "its annotation or its hypothesis is missing"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_a_problem_of_its_item(
    opened: Open, annotation: object, words: str
) -> None:
    data = contract(nda_1=annotation, nda_2={"choice": "NotMentioned", "spans": []})
    first, second = opened("t.json", json.dumps(data)).rows()
    assert words in first.problem
    assert (second.number, second.problem) == (2, "")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("text", "", "its 'text' is missing"),
        ("spans", [[0, 99_999]], "point outside its text"),
        ("spans", [], "its 'spans' are missing"),
        ("annotation_sets", [], "its 'annotation_sets' are missing"),
    ],
)
def test_a_document_that_cannot_be_used_is_one_problem(opened: Open, field: str, value: object, words: str) -> None:
    data = json.loads(json.dumps(THREE))
    data["documents"].insert(0, {**data["documents"][0], field: value})
    rows = list(opened("t.json", json.dumps(data)).rows())
    assert [(row.number, bool(row.problem)) for row in rows] == [(1, True), (2, False), (3, False), (4, False)]
    assert words in rows[0].problem


def test_other_json_is_not_contract_nli(refused: Refuse) -> None:
    assert "is not ContractNLI" in refused("t.json", "[]", ReadOptions("contract-nli"))
    assert "no contract with hypotheses" in refused("t.json", '{"documents": [], "labels": {}}')


def test_the_published_contracts(published: Callable[[str], Path]) -> None:
    path = published("contract_nli/dev.json")
    full = list(open_source(path).rows())
    assert Counter(row.values["label"] for row in full) == {"Entailment": 519, "NotMentioned": 423, "Contradiction": 95}
    assert len({row.values["ref"] for row in full}) == 1_037
    assert all(bool(row.spans) == (row.values["label"] != "NotMentioned") for row in full)
    for context in (Context.EVIDENCE, Context.WINDOW):
        less = list(open_source(path, ReadOptions(context=context)).rows())
        assert [marked(row) for row in less] == [marked(row) for row in full]
        assert all(len(a.values["contract"]) <= len(b.values["contract"]) + 5 for a, b in zip(less, full, strict=True))


# --- StereoSet --------------------------------------------------------------------------------------------------------


def item(context: str, sentences: Iterable[tuple[str, str]], number: int = 1) -> dict[str, object]:
    return {
        "id": f"id{number}",
        "target": "nurse",
        "bias_type": "profession",
        "context": context,
        "sentences": [{"id": "s", "sentence": text, "labels": [], "gold_label": gold} for text, gold in sentences],
    }


INTRA = item("A nurse is BLANK.", [("A nurse is kind.", "stereotype"), ("A nurse is rude.", "anti-stereotype")])
INTER = item("He is a nurse.", [("He cares.", "stereotype"), ("Fish swim.", "unrelated")], 2)
BOTH = {"version": "1.1", "data": {"intersentence": [INTER], "intrasentence": [INTRA]}}


@pytest.mark.parametrize("data", [BOTH, [INTER, INTRA]], ids=["published", "bare list"])
def test_an_item_gives_its_stereotype_and_an_intersentence_its_context_too(opened: Open, data: object) -> None:
    source = opened("t.json", json.dumps(data))
    inter, intra = source.rows()
    assert inter.values == {
        "sentence": "He is a nurse. He cares.", "bias_type": "profession", "target": "nurse", "kind": "inter",
        "context": "He is a nurse.", "id": "id2",
    }  # fmt: skip
    assert (intra.values["sentence"], intra.values["kind"]) == ("A nurse is kind.", "intra")
    assert source.suggested == ColumnMap("bias_type", ("sentence",), ref="id")
    assert (source.importer, source.unit, source.expected) == ("stereoset 1", "item", 2)
    assert [label.name for label in source.labels] == ["race", "gender", "religion", "profession"]


def test_another_sentence_can_be_chosen_and_an_item_without_it_is_a_problem(opened: Open) -> None:
    inter, intra = opened("t.json", json.dumps(BOTH), ReadOptions(sentence=SentenceKind.UNRELATED)).rows()
    assert inter.values["sentence"] == "He is a nurse. Fish swim."
    assert intra.problem == "It has no sentence marked unrelated. Correct or remove it."


def test_other_json_is_not_stereoset(refused: Refuse) -> None:
    assert "holds no item of StereoSet" in refused("t.json", "{}", ReadOptions("stereoset"))
    assert "holds no item of StereoSet" in refused("t.json", '{"data": {"intrasentence": []}}')


def test_the_published_sentences(published: Callable[[str], Path]) -> None:
    path = published("stereoset/stereoset_subset.json")
    for sentence in SentenceKind:
        rows = list(open_source(path, ReadOptions(sentence=sentence)).rows())
        assert Counter(row.values["bias_type"] for row in rows) == {"gender": 323, "race": 297, "religion": 102}
        assert not any(row.problem for row in rows)


# --- LogiQA -----------------------------------------------------------------------------------------------------------


def question(key: str = "b", third: str = "C.Three") -> str:
    return f"\n{key}\nAll cats sleep.\nWhat follows?\nA.One\nB. Two\n{third}\nD.\u2028Four"


def test_eight_lines_are_an_item(opened: Open) -> None:
    source = opened("t.txt", question() + "\n" + question("D") + "\n\n")
    first, second = source.rows()
    assert first.values == {
        "context": "All cats sleep.", "question": "What follows?", "A": "One", "B": "Two", "C": "Three", "D": "Four",
        "label": "B",
    }  # fmt: skip
    assert (second.number, second.values["label"]) == (2, "D")
    assert (source.importer, source.unit, source.expected) == ("logiqa 1", "item", 2)
    assert source.suggested == ColumnMap("label", ("context", "question", "A", "B", "C", "D"))
    assert source.notes == ("Read as LogiQA: eight lines an item.",)


@pytest.mark.parametrize("third", ["Most on the C.S City market", "c.Three", "C Three"])
def test_a_garbled_option_stays_as_it_is(opened: Open, third: str) -> None:
    assert next(opened("t.txt", question(third=third)).rows()).values["C"] == third


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (question("e"), "Its right option reads 'e', not a, b, c or d."),
        (question(third=""), "an option is empty"),
        (question().rsplit("\n", 2)[0], "It ends after 6 of 8 lines."),
    ],
)
def test_an_item_that_cannot_be_used_is_a_problem_of_that_item(opened: Open, bad: str, words: str) -> None:
    first, second = opened("t.txt", question() + "\n" + bad).rows()
    assert first.problem == ""
    assert words in second.problem


def test_lines_that_are_out_of_step_are_refused(refused: Refuse) -> None:
    lines = question() + "\nE.Five\n" + question()
    assert "Line 9 of t.txt should be blank" in refused("t.txt", lines, ReadOptions("logiqa"))
    assert "holds no item of LogiQA" in refused("t.txt", "\na\nb\n", ReadOptions("logiqa"))


def test_the_published_questions(published: Callable[[str], Path]) -> None:
    rows = list(open_source(published("logiqa/Eval.txt")).rows())
    assert Counter(row.values["label"] for row in rows) == {"D": 270, "C": 150, "B": 122, "A": 109}
    assert not any(row.problem for row in rows)
    assert rows[27].values["C"] == "Most of the spirits on the C.S City market come from other cities."
    assert not any(row.values[letter].startswith(f"{letter}. ") for row in rows for letter in "ABCD")
