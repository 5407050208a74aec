"""Which format a file is in: by its first bytes where these are proof, else by its ending, else by its first lines."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass

from pld_core.errors import InvalidInput
from pld_core.importers.dialects import looks_like_a_table
from pld_core.importers.encodings import find_encoding, head_text
from pld_core.importers.files import InputFile
from pld_core.importers.logiqa import looks_like_logiqa

TEXT_ENDINGS = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "json": "json"}
BINARY = ("parquet", "xlsx")
NAMES = {
    "csv": "CSV",
    "tsv": "TSV",
    "jsonl": "JSONL",
    "json": "JSON",
    "parquet": "Parquet",
    "xlsx": "an Excel workbook",
}
_SAVE_AS = "Save the data as CSV, JSONL, Parquet or XLSX and import that."
_OTHERS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls) or one with a password",
     "Open it, and save it as an Excel workbook (.xlsx) without a password, or as CSV."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first and import the file inside."),
    (b"BZh", "a bzip2 archive", "Unpack it first and import the file inside."),
    (b"\xfd7zXZ\0", "an xz archive", "Unpack it first and import the file inside."),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "Unpack it first and import the file inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it first and import the file inside."),
    (b"%PDF-", "a PDF", _SAVE_AS),
    (b"SQLite format 3\0", "a SQLite database", _SAVE_AS),
    (b"PARE", "an encrypted Parquet file", "Save it without encryption and import that."),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What a file is.

    Attributes:
        file_format: a name of `FORMATS`; `json` for any JSON, whose shape is told once it is read.
        notes: sentences for people.
    """

    file_format: str
    notes: tuple[str, ...] = ()


def find_format(file: InputFile, encoding: str = "") -> Found:
    """Return the format of a file for which none was named.

    Raises:
        InvalidInput: a kind of file that is not read, an ending that its content contradicts, or no known format.
    """
    content = binary_format(file)
    if content:
        told = file.ending == content or (content == "xlsx" and file.ending == "xlsm")
        return Found(content, () if told else (f"Read as {NAMES[content]}, which its content is.",))
    if file.ending in BINARY or file.ending in ("xls", "xlsm"):
        raise InvalidInput(
            f"{file.name} is not what its ending .{file.ending} says. Nothing was imported. "
            "Save it again in that format, or name its real format with --format."
        )
    read_as = find_encoding(file, encoding)
    return _text_format(file, head_text(file, read_as))


def check_format(file: InputFile, named: str) -> None:
    """Raise InvalidInput if the first bytes prove that a file is not in the format that somebody named."""
    content = binary_format(file)
    if content != (named if named in BINARY else ""):
        is_what = f"is {NAMES[content]}" if content else f"is not {NAMES[named]}"
        raise InvalidInput(
            f"{file.name} {is_what}, but the format {named} was named. Nothing was imported. "
            "Leave the format out to have it found."
        )


def binary_format(file: InputFile) -> str:
    """Return `parquet`, `xlsx`, or nothing for text.

    Raises:
        InvalidInput: a known kind of file that is not read.
    """
    if file.head.startswith(b"PAR1"):
        return "parquet"
    if file.head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(file)
    for magic, kind, advice in _OTHERS:
        if file.head.startswith(magic):
            raise InvalidInput(f"{file.name} is {kind}. Nothing was imported. {advice}")
    return ""


def _zip_format(file: InputFile) -> str:
    try:
        with zipfile.ZipFile(file.path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InvalidInput(
            f"{file.name} begins like an Excel workbook or a ZIP archive, but is damaged or cut off. "
            "Nothing was imported. Save or download it again."
        ) from error
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise InvalidInput(f"{file.name} is a binary Excel file (.xlsb). Nothing was imported. Save it as .xlsx.")
    raise InvalidInput(
        f"{file.name} is a ZIP archive, but not an Excel workbook. Nothing was imported. "
        "Unpack it first and import the file inside."
    )


def _text_format(file: InputFile, head: str) -> Found:
    by_ending = TEXT_ENDINGS.get(file.ending, "")
    if looks_like_logiqa(head):
        return Found("logiqa", ("Read as LogiQA: eight lines an item.",))
    if by_ending != "jsonl" and _is_jsonl(head):
        # A single object on a single line is JSON as well as JSONL; then the ending decides.
        return Found("jsonl", ("Read as JSONL, which its content is.",))
    if by_ending in ("csv", "tsv", "jsonl"):
        return Found(by_ending)
    if by_ending == "json" or head.lstrip()[:1] in ("{", "["):
        return Found("json")
    if looks_like_a_table(head, file.is_whole):
        return Found("csv")
    raise InvalidInput(
        f"The format of {file.name} cannot be told. Nothing was imported. Name it with --format: "
        "csv, tsv, jsonl, json, parquet, xlsx, contract-nli, stereoset or logiqa."
    )


def _is_jsonl(head: str) -> bool:
    """Whether the first two lines that are not blank are each a whole JSON object."""
    lines = [line for line in head.split("\n") if line.strip()][:2]
    return len(lines) == 2 and all(line.lstrip()[:1] == "{" and _is_object(line) for line in lines)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
