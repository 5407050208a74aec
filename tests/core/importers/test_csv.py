"""CSV and TSV: cells stay text, rows have the number a spreadsheet shows, and bad rows are named, not lost."""

from __future__ import annotations

import pytest

from pld_core.importers import ReadOptions, Source
from tests.core.importers.conftest import Open, Refuse


def column(source: Source, name: str = "text") -> list[str]:
    return [row.values[name] for row in source.rows()]


def numbers(source: Source) -> list[int]:
    return [row.number for row in source.rows()]


def test_cells_may_hold_commas_quotes_and_line_breaks(opened: Open) -> None:
    source = opened("t.csv", 'text,label\r\n"one, two\nthree ""four""\r\nfive",a\r\nsix,b\r\n')
    assert column(source) == ['one, two\nthree "four"\r\nfive', "six"]


def test_cells_stay_text(opened: Open) -> None:
    words = ["NA", "None", "null", "nan", "007", "1e3", "1.10", "12345678901234567890", "TRUE", "=1+1", " a "]
    assert column(opened("t.csv", "text,label\n" + "".join(f"{word},x\n" for word in words))) == words


def test_a_source_says_what_it_is(opened: Open) -> None:
    source = opened("t.csv", "text,label\na,x\n")
    assert (source.name, source.importer, source.unit) == ("t.csv", "csv 1", "row")
    assert source.sha256.startswith("sha256:")
    assert source.columns == ("text", "label")
    assert source.options == ReadOptions("csv", "utf-8", ",")
    assert (source.notes, source.sheets, source.labels, source.title, source.expected) == ((), (), (), "", 1)


def test_rows_can_be_read_twice_each_time_from_the_first(opened: Open) -> None:
    source = opened("t.csv", "text,label\na,x\nb,y\n")
    first = source.rows()
    next(first)
    assert column(source) == ["a", "b"]
    assert column(source) == ["a", "b"]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(opened: Open) -> None:
    assert numbers(opened("t.csv", 'text,label\n"a\nb\nc",x\n\n,\nd,y\n')) == [2, 5]
    assert numbers(opened("t.csv", "\n\ntext,label\na,x\n")) == [4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(opened: Open, end: str) -> None:
    assert column(opened("t.csv", end.join(["text,label", "a,x", '"b",y']))) == ["a", "b"]


@pytest.mark.parametrize("cells", ["a,b,c", "a", 'a,"b",,'])
def test_a_row_of_another_width_is_a_problem_of_that_row(opened: Open, cells: str) -> None:
    rows = list(opened("t.csv", f"text,label\nfine,x\n{cells}\nalso,y\n").rows())
    assert [bool(row.problem) for row in rows] == [False, True, False]
    assert rows[1].number == 3
    assert "the header 2. Put quotation marks around cells that contain ','" in rows[1].problem


def test_columns_without_a_name_at_the_end_are_left_out_if_they_are_empty(opened: Open) -> None:
    rows = list(opened("t.csv", "text,label,,\na,x,,\nb,y,,note\n").rows())
    assert rows[0].values == {"text": "a", "label": "x"}
    assert "a column that the header does not name" in rows[1].problem


def test_a_nul_character_is_a_problem_of_its_row(opened: Open) -> None:
    rows = list(opened("t.csv", "text,label\na\0b,x\nc,y\n").rows())
    assert "Column 'text' holds a NUL character" in rows[0].problem
    assert rows[1].values["text"] == "c"


def test_a_cell_of_a_megabyte_is_a_cell(opened: Open) -> None:
    long = 'long, "text"\n' * 80_000
    quoted = long.replace('"', '""')
    assert column(opened("t.csv", f'text,label\n"{quoted}",x\n')) == [long]


# --- how it is written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sign", "notes"),
    [
        ("t.csv", ",", ()),
        ("t.csv", ";", ("Delimiter: ;",)),
        ("t.csv", "|", ("Delimiter: |",)),
        ("t.csv", "\t", ("Delimiter: tab",)),
        ("t.tsv", "\t", ()),
        ("t.tsv", ",", ("Delimiter: ,",)),
        ("t.txt", "\t", ("Delimiter: tab",)),
        ("t", ";", ("Delimiter: ;",)),
    ],
)
def test_the_delimiter_is_found_and_told_if_it_is_not_the_usual_one(
    opened: Open, name: str, sign: str, notes: tuple[str, ...]
) -> None:
    lines = [("text", "label"), ('"Well, no; \t|"', "x"), ("b", "y")]
    source = opened(name, "\n".join(sign.join(cells) for cells in lines))
    assert column(source) == ["Well, no; \t|", "b"]
    assert (source.notes, source.options.delimiter) == (notes, sign)


def test_a_delimiter_in_the_text_does_not_win_over_that_of_the_header(opened: Open) -> None:
    source = opened("t.csv", "text;label\nA, b, c;x\nD, e;y\n")
    assert column(source) == ["A, b, c", "D, e"]


@pytest.mark.parametrize("named", [":", "tab", "\\t", "\t"])
def test_a_delimiter_can_be_named(opened: Open, named: str) -> None:
    sign = ":" if named == ":" else "\t"
    source = opened("t.csv", f"text{sign}label\na,b{sign}x\n", ReadOptions(delimiter=named))
    assert (column(source), source.options.delimiter, source.notes) == (["a,b"], sign, ())


@pytest.mark.parametrize("named", ["::", '"', "\n"])
def test_what_cannot_divide_cells_is_refused(refused: Refuse, named: str) -> None:
    assert "cannot divide cells" in refused("t.csv", "a,b\n1,2\n", ReadOptions(delimiter=named))


def test_a_line_for_excel_names_the_delimiter_and_is_no_row(opened: Open) -> None:
    source = opened("t.csv", "\ufeffsep=;\r\ntext;label\r\na,b;x\r\n")
    assert (column(source), numbers(source)) == (["a,b"], [2])


def test_other_ways_of_quoting_are_found(opened: Open) -> None:
    backslash = opened("t.csv", 'text,label\n"He said \\"no\\", twice",x\n"b",y\n')
    assert column(backslash) == ['He said "no", twice', "b"]
    assert backslash.notes == ("Quotation marks inside cells have a backslash before them.",)
    single = opened("t.csv", "'text','label'\n'a, b','x'\n'it''s','y'\n")
    assert column(single) == ["a, b", "it's"]
    assert single.notes == ("Marks around cells: '",)
    none = opened("t.tsv", 'text\tlabel\n"No" he said\tx\nb "c"\ty\n')
    assert column(none) == ['"No" he said', 'b "c"']
    assert none.notes == ("Quotation marks are read as text, not as marks around cells.",)


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("text,label\n", "t.csv holds a header but no row."),
        ("text,label\n\n,\n", "t.csv holds a header but no row."),
        (",,\n,\n", "t.csv holds no header."),
        ("text,text,label\na,b,c\n", "Row 1 of t.csv names the column 'text' twice."),
        ("text, text ,label\na,b,c\n", "names the column 'text' twice"),
        (",text,label\n0,a,b\n", "Row 1 of t.csv has to name every column; number 1 has no name."),
        (" ,\n0,a\n", "number 1 has no name"),
        ("te\x00xt,label\na,b\n", "holds characters that cannot be shown"),
        ('text,label\na,x\n\n"open,a\nb,y\n', "Row 4 of t.csv: a quotation mark is opened but never closed."),
        ('text,label\na,x\n"b" c,y\n', "Row 3 of t.csv: a cell goes on after its closing quotation mark"),
        ("text,label\n" + '"' + "a" * (17 * 2**20) + '",x\n', "Row 2 of t.csv: a cell is longer than 16 MiB"),
        (",".join(f"c{i}" for i in range(1001)) + "\na\n", "names 1,001 columns; at most 1,000 can be read"),
    ],
    ids=lambda value: value[:30],
)
def test_a_csv_that_cannot_be_used_is_refused_in_words(refused: Refuse, data: str, words: str) -> None:
    assert words in refused("t.csv", data)


def test_many_rows_are_estimated_not_counted(opened: Open) -> None:
    source = opened("t.csv", "text,label\n" + "some text of a row,x\n" * 50_000)
    assert 45_000 < source.expected < 55_000
    assert sum(1 for _ in source.rows()) == 50_000
