"""Opening a file: which format, which encoding, and one clear sentence for what cannot be read."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest

from pld_core.errors import InvalidInput
from pld_core.importers import FORMATS, MAX_BYTES, MAX_WHOLE_BYTES, ReadOptions, open_source
from tests.core.importers.conftest import Open, Refuse
from tests.core.importers.test_parquet import parquet
from tests.core.importers.test_published import question
from tests.core.importers.test_xlsx import TABLE, xlsx

LINE = '{"text": "a", "label": "x"}'
LINES = f"{LINE}\n{LINE}\n"
CSV = "text,label\na,x\nb,y\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20


# --- format -----------------------------------------------------------------------------------------------------------


def test_the_formats() -> None:
    assert list(FORMATS) == ["csv", "tsv", "jsonl", "json", "parquet", "xlsx", "contract-nli", "stereoset", "logiqa"]


@pytest.mark.parametrize(
    ("name", "data", "file_format", "notes"),
    [
        ("t.CSV", CSV, "csv", ()),
        ("t.tsv", "text\tlabel\na\tx\n", "tsv", ()),
        ("t.tab", "text\tlabel\na\tx\n", "tsv", ()),
        ("t.txt", CSV, "csv", ()),
        ("t", CSV, "csv", ()),
        ("t.jsonl", LINE, "jsonl", ()),
        ("t.NDJSON", LINES, "jsonl", ()),
        ("t.json", f"[{LINE}]", "json", ()),
        ("t.txt", f"[{LINE}]", "json", ()),
        ("t.json", LINES, "jsonl", ("Read as JSONL, which its content is.",)),
        ("t.csv", LINES, "jsonl", ("Read as JSONL, which its content is.",)),
        ("t.csv", question(), "logiqa", ("Read as LogiQA: eight lines an item.",)),
    ],
)
def test_the_format_of_a_text_is_found(
    opened: Open, name: str, data: str, file_format: str, notes: tuple[str, ...]
) -> None:
    source = opened(name, data)
    assert (source.options.file_format, source.notes) == (file_format, notes)
    assert source.importer == f"{file_format} 1"


def test_what_the_content_proves_wins_over_the_ending_and_is_told(opened: Open) -> None:
    book, table = xlsx({"S": TABLE}), parquet({"text": ["a"], "label": ["x"]})
    assert (opened("t.xlsx", book).notes, opened("t.parquet", table).notes) == ((), ())
    assert opened("t.csv", book).notes == ("Read as an Excel workbook, which its content is.",)
    assert opened("t.dat", table).notes == ("Read as Parquet, which its content is.",)


def test_a_format_can_be_named(opened: Open) -> None:
    assert opened("t.txt", LINE, ReadOptions("jsonl")).importer == "jsonl 1"
    assert opened("t.csv", "text\tlabel\na\tx\n", ReadOptions("tsv")).importer == "tsv 1"


def test_what_was_found_out_opens_the_file_again_the_same_way(opened: Open) -> None:
    data = "text;label\ncafé;x\n".encode("cp1252")
    first = opened("t.csv", data)
    rows = list(first.rows())
    again = opened("t.csv", data, first.options)
    assert (again.options, list(again.rows())) == (first.options, rows)


def test_a_choice_without_meaning_for_the_format_is_told(opened: Open) -> None:
    notes = opened("t.json", f"[{LINE}]", ReadOptions(sheet="S", delimiter=";")).notes
    assert notes == ("The delimiter was not used: json has none.", "The sheet was not used: json has none.")


def test_a_format_that_the_content_disproves_is_refused(refused: Refuse) -> None:
    assert "t.csv is an Excel workbook, but the format csv was named" in refused(
        "t.csv", xlsx({"S": TABLE}), ReadOptions("csv")
    )
    assert "t.csv is not an Excel workbook, but the format xlsx was named" in refused("t.csv", CSV, ReadOptions("xlsx"))
    assert "There is no format 'xml'." in refused("t.csv", CSV, ReadOptions("xml"))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("t.csv", CSV)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", PNG, "t.csv is not a text file (byte 1 is not UTF-8)."),
        ("t.jsonl", PNG, "t.jsonl is not a text file"),
        ("t.parquet", CSV, "t.parquet is not what its ending .parquet says."),
        ("t.xlsx", CSV, "t.xlsx is not what its ending .xlsx says."),
        ("t.xls", CSV, "t.xls is not what its ending .xls says."),
        (
            "t.csv.gz",
            gzip.compress(CSV.encode(), mtime=0),
            "t.csv.gz is a gzip archive. Nothing was imported. Unpack it first",
        ),
        ("t.zip", zipped(), "t.zip is a ZIP archive, but not an Excel workbook."),
        ("t.pdf", b"%PDF-1.7 ...", "t.pdf is a PDF."),
        ("t.md", "Just some prose.\nIt goes on here.\n", "The format of t.md cannot be told."),
        ("t.csv", b"\0" * 100, "holds nothing but blanks"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_data_is_refused_in_words(refused: Refuse, name: str, data: str | bytes, words: str) -> None:
    assert words in refused(name, data)


# --- the file itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.json", "t.parquet", "t.xlsx", "t.txt"])
def test_an_empty_file_is_refused(refused: Refuse, name: str) -> None:
    assert f"{name} is empty (0 bytes)." in refused(name, b"")


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.json", "t.txt"])
@pytest.mark.parametrize("data", [b" \r\n\t\n", b"\xef\xbb\xbf \n", " \n".encode("utf-16")])
def test_a_file_of_blanks_is_refused(refused: Refuse, name: str, data: bytes) -> None:
    assert f"{name} holds nothing but blanks." in refused(name, data)


def sentence(path: Path) -> str:
    with pytest.raises(InvalidInput) as error:
        open_source(path)
    assert "Nothing was imported." in str(error.value)
    return str(error.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "There is no file 'gone.csv'." in sentence(tmp_path / "gone.csv")
    assert "is a folder." in sentence(tmp_path)
    assert "cannot be read: File name too long." in sentence(tmp_path / ("n" * 300))
    assert "cannot be read: embedded null byte." in sentence(tmp_path / "a\0b")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is not a regular file." in sentence(tmp_path / "pipe.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    path.chmod(0)
    assert "cannot be read: Permission denied." in sentence(path)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("t.csv", MAX_BYTES + 1, "t.csv is 1.1 GiB; at most 1 GiB can be read."),
        ("t.json", MAX_WHOLE_BYTES + 1, "t.json is 256.1 MiB; at most 256 MiB can be read in this format."),
    ],
)
def test_a_file_that_is_too_large_is_refused(tmp_path: Path, name: str, size: int, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"[{")
    os.truncate(path, size)
    assert words in sentence(path)


def test_a_file_that_changed_after_it_was_opened_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    source = open_source(path)
    path.write_text(CSV + "c,x\n")
    with pytest.raises(InvalidInput, match=r"t\.csv changed while it was read"):
        list(source.rows())
    path.unlink()
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        list(source.rows())


def test_an_upload_is_called_what_it_was_called(tmp_path: Path) -> None:
    path = tmp_path / "tmp8472"
    path.write_text("text\tlabel\na\tx\n")
    source = open_source(path, name="C/notes.tsv")
    assert (source.name, source.importer) == ("notes.tsv", "tsv 1")


# --- encodings --------------------------------------------------------------------------------------------------------

GERMAN = "text,label\nSchöne Grüße – „Zitat“,ja\n" + "Viele Wörter für den Anfang,nein\n" * 5


@pytest.mark.parametrize(
    ("codec", "encoding", "note"),
    [
        ("utf-8", "utf-8", ""),
        ("utf-8-sig", "utf-8", ""),
        ("utf-16", "utf-16", "Read as UTF-16."),
        ("utf-32", "utf-32", "Read as UTF-32."),
        ("utf-16-le", "utf-16-le", "Read as UTF-16-LE; name another with --encoding if wrong."),
        ("utf-16-be", "utf-16-be", "Read as UTF-16-BE; name another with --encoding if wrong."),
        ("cp1252", "cp1252", "Read as cp1252 (Windows Latin); name another with --encoding if characters look wrong."),
    ],
)
def test_the_encoding_is_found_and_told_if_it_is_not_utf_8(opened: Open, codec: str, encoding: str, note: str) -> None:
    source = opened("t.csv", GERMAN.encode(codec))
    assert (source.options.encoding, source.notes) == (encoding, (note,) if note else ())
    assert source.columns == ("text", "label")
    assert next(source.rows()).values["text"] == "Schöne Grüße – „Zitat“"


def test_wide_characters_without_a_mark_need_not_be_latin(opened: Open) -> None:
    text = "你好世界，今天天气很好。"
    source = opened("t.csv", ("text,label\n" + f"{text},好\n" * 20).encode("utf-16-le"))
    assert next(source.rows()).values["text"] == text


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_json_may_have_another_encoding_too(opened: Open, name: str) -> None:
    source = opened(name, '[{"text": "café"}]'.strip("[]" if name == "t.jsonl" else "").encode("cp1252"))
    assert next(source.rows()).values["text"] == "café"


@pytest.mark.parametrize(("codec", "text"), [("cp1251", "Привет, как дела"), ("shift_jis", "こんにちは世界")])
def test_an_encoding_that_cannot_be_told_can_be_named(opened: Open, refused: Refuse, codec: str, text: str) -> None:
    data = ("text;label\n" + f"{text};a\n" * 20).encode(codec)
    assert "The encoding of t.csv cannot be told" in refused("t.csv", data)
    source = opened("t.csv", data, ReadOptions(encoding=codec))
    assert (next(source.rows()).values["text"], source.options.encoding) == (text, codec)


@pytest.mark.parametrize(
    ("data", "named", "words"),
    [
        ("text,label\ncafé,a\n".encode("cp1252"), "utf-8", "t.csv is not utf-8: byte 15 does not fit."),
        ("text,label\ncafé,a\n".encode("utf-8-sig"), "cp1252", "begins with the mark of UTF-8, so it is not cp1252."),
        ("text,label\ncafé,a\n".encode(), "ascii", "t.csv is not ascii: byte 15 does not fit."),
        (CSV.encode(), "klingon", "There is no text encoding 'klingon'."),
        (CSV.encode(), "base64", "There is no text encoding 'base64'."),
        (CSV.encode(), "unicode_escape", "There is no text encoding 'unicode_escape'."),
        (CSV.encode() + b"\n", "utf-16", "does not fit"),
    ],
)
def test_a_named_encoding_that_does_not_fit_is_refused(refused: Refuse, data: bytes, named: str, words: str) -> None:
    assert words in refused("t.csv", data, ReadOptions(encoding=named))


@pytest.mark.parametrize("rows", [10, 100_000])
def test_a_damaged_utf_8_file_is_refused_by_its_byte_wherever_that_is(refused: Refuse, rows: int) -> None:
    start = ("text,label\n" + "schön genug,x\n" * rows).encode()
    said = refused("t.csv", start + b"caf\xe9,y\n" + "schön,x\n".encode() * 10)
    assert f"t.csv is damaged: it is UTF-8 up to byte {len(start) + 4:,} is not UTF-8." in said


def test_an_old_encoding_is_found_however_late_its_first_letter_comes(opened: Open) -> None:
    data = b"text,label\n" + b"plain words of a row,x\n" * 50_000 + "café für alle,y\n".encode("cp1252")
    source = opened("t.csv", data)
    assert source.options.encoding == "cp1252"
    assert list(source.rows())[-1].values["text"] == "café für alle"


def test_a_character_cut_at_the_end_is_told(refused: Refuse) -> None:
    data = "text,label\nschön,a\nschön".encode() + "ß".encode()[:1]
    assert "t.csv is damaged" in refused("t.csv", data)
