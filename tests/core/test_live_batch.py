"""Reading many inputs at once: lines, tables, limits, odd files; and the lines of the result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pld_app.live_batches import as_csv, as_jsonl, read_bytes, read_file
from pld_core.errors import InvalidInput
from pld_core.live_batch import MOST_CHARACTERS, MOST_INPUTS, lines_of, read_lines, right_of, unusable_of
from pld_core.models import Answer, AnswerStatus
from tests.factories import make_task

TASK = make_task()
PAIR = replace(TASK, input_fields=("clause", "hypothesis"))
KEEP = Answer("keep", '{"label":"keep"}', AnswerStatus.OK, 120, 30, 5)
CUT = Answer(None, '{"lab', AnswerStatus.CUT, 90, problem="The answer was cut before it ended.")


def texts(read: object) -> list[str]:
    return [text for given in read.inputs for _, text in given.fields]  # type: ignore[attr-defined]


def test_each_pasted_line_is_an_input_and_empty_ones_are_left_out() -> None:
    read = read_lines(TASK, "one\n\n  two  \r\n\t\nthree")
    assert texts(read) == ["one", "two", "three"]
    assert (read.source, read.empty, read.different) == ("pasted lines", 2, 3)


def test_equal_texts_are_one_question() -> None:
    assert read_lines(TASK, "one\none\ntwo\n").different == 2


def test_a_task_with_several_fields_takes_cells_divided_by_tabs() -> None:
    read = read_lines(PAIR, "a clause\ta claim\nanother\tanother claim\n")
    assert read.inputs[0].fields == (("clause", "a clause"), ("hypothesis", "a claim"))
    assert len(read.inputs) == 2


def test_a_first_line_that_names_the_fields_is_their_order() -> None:
    read = read_lines(PAIR, "hypothesis\tclause\na claim\ta clause\n")
    assert read.inputs[0].fields == (("clause", "a clause"), ("hypothesis", "a claim"))


def test_fields_without_a_cell_stay_empty() -> None:
    read = read_lines(PAIR, "a clause alone\n\tonly a claim\n")
    assert [given.fields for given in read.inputs] == [
        (("clause", "a clause alone"), ("hypothesis", "")),
        (("clause", ""), ("hypothesis", "only a claim")),
    ]


def test_a_line_with_too_many_cells_is_refused_by_its_number() -> None:
    with pytest.raises(InvalidInput, match="Line 2 has 3 cells, and the task has 2 input fields: clause, hypothesis"):
        read_lines(PAIR, "a\tb\na\tb\tc\n")


@pytest.mark.parametrize("text", ["", "\n\n", " \t \n"])
def test_no_text_is_nothing_to_ask_about(text: str) -> None:
    with pytest.raises(InvalidInput, match="nothing to ask about"):
        read_lines(TASK, text)


def test_two_hundred_are_taken_and_one_more_is_refused_with_its_number() -> None:
    assert len(read_lines(TASK, "\n".join(map(str, range(MOST_INPUTS)))).inputs) == MOST_INPUTS
    with pytest.raises(InvalidInput, match="There are 201 inputs; at most 200"):
        read_lines(TASK, "\n".join(map(str, range(MOST_INPUTS + 1))))


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 200,000 can be asked about"):
        read_lines(TASK, "x" * (MOST_CHARACTERS + 1))


def test_a_table_has_its_columns_found_by_name_and_its_gold_labels_read() -> None:
    read = read_bytes(TASK, "posts.csv", b"id,Post,label\n1,hello,keep\n2,go away,\n3,,\n")
    assert [(texts(read)[at], given.gold) for at, given in enumerate(read.inputs)] == [
        ("hello", "keep"),
        ("go away", ""),
    ]
    assert (read.source, read.empty) == ("posts.csv", 1)


def test_a_lone_column_may_be_called_anything() -> None:
    assert texts(read_bytes(TASK, "x.csv", b"message,gold\nhello,keep\n")) == ["hello"]


def test_a_table_without_a_column_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput, match=r"has no column 'hypothesis'.*The file has: clause, other, more"):
        read_bytes(PAIR, "x.csv", b"clause,other,more\na,b,c\n")


def test_an_undeclared_gold_label_is_refused_by_its_row() -> None:
    with pytest.raises(InvalidInput, match=r"Row 3 of x.csv has the label 'maybe', which posts does not declare"):
        read_bytes(TASK, "x.csv", b"post,label\na,keep\nb,maybe\n")


def test_a_long_table_is_refused_before_it_is_read_to_its_end() -> None:
    many = b"post\n" + b"".join(b"text %d\n" % at for at in range(5_000))
    with pytest.raises(InvalidInput, match="holds more than 200 inputs"):
        read_bytes(TASK, "x.csv", many)


def test_json_lines_are_read_by_field(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"post": "hello\\nthere", "label": "keep"}\n{"post": "bye"}\n', encoding="utf-8")
    read = read_file(TASK, file)
    assert texts(read) == ["hello\nthere", "bye"]
    assert [given.gold for given in read.inputs] == ["keep", ""]


def test_a_text_file_in_an_old_encoding_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes("Das wäre schön, für alle hier.\nÜber Öl und Äpfel.\n".encode("cp1252"))
    assert texts(read_file(TASK, file)) == ["Das wäre schön, für alle hier.", "Über Öl und Äpfel."]


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.jsonl", "x.xlsx"])
def test_an_empty_file_is_refused_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InvalidInput):
        read_file(TASK, tmp_path / name)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.txt"):
        read_file(TASK, tmp_path / "nowhere.txt")


def test_the_lines_of_the_result_keep_the_order_and_share_answers() -> None:
    read = read_bytes(TASK, "x.csv", b"post,label\nb,keep\na,remove\nb,remove\nc,\n")
    by_text = {given.text_hash: answer for given, answer in zip(read.inputs, (KEEP, CUT), strict=False)}
    lines = lines_of(read.inputs, by_text)
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert [line.is_right for line in lines] == [True, False, False, None]
    right = right_of(lines)
    assert (right.k, right.n, unusable_of(lines)) == (1, 3, 1)


def test_the_csv_runs_no_formula_and_says_what_went_wrong() -> None:
    read = read_bytes(TASK, "x.csv", b'post,label\n"=1+1",keep\nb,remove\n')
    lines = lines_of(read.inputs, {read.inputs[0].text_hash: KEEP, read.inputs[1].text_hash: CUT})
    rows = as_csv(TASK, lines).decode("utf-8-sig").splitlines()
    assert rows[0].startswith("line,post,label,status,problem,gold,right,cited,raw,latency_ms")
    assert rows[1].startswith("1,'=1+1,keep,ok,,keep,right,")
    assert "cut" in rows[2]
    assert "wrong" in rows[2]


def test_json_lines_hold_the_text_word_for_word() -> None:
    read = read_lines(TASK, "=1+1 é")
    assert '"fields": {"post": "=1+1 é"}' in as_jsonl(lines_of(read.inputs, {})).decode()
    assert '"status": "not asked"' in as_jsonl(lines_of(read.inputs, {})).decode()
