"""LogiQA 1.0 as its authors publish it (Liu et al. 2020): eight lines an item.

A blank line, the letter of the right option, the context, the question, and four options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pld_core.errors import InvalidInput
from pld_core.importers.encodings import Encoding, find_encoding, open_text
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.rows import ColumnMap, ReadOptions, SourceRow, checked
from pld_core.models import Label

LETTERS = ("A", "B", "C", "D")
COLUMNS = ("context", "question", *LETTERS, "label")
SUGGESTED = ColumnMap("label", ("context", "question", *LETTERS))
TITLE = "Which option answers a question of logic"
LABELS = tuple(Label(letter, f"Option {letter} is the right answer.") for letter in LETTERS)
GUIDELINE = (
    "Read the context, then the question: note whether it asks what follows, what is assumed, what strengthens, what "
    "weakens, or what does not. Take the context as true. Work out what it settles, strike the options that it rules "
    "out, and choose the one that answers the question that was asked."
)
LINES = 8


def looks_like_logiqa(head: str) -> bool:
    """Whether a text begins with an item: a blank line, a letter, and options that begin with theirs."""
    lines = [line.strip() for line in head.removeprefix("\ufeff").split("\n")[: LINES + 1]]
    if len(lines) < LINES or lines[0] or lines[1].upper() not in LETTERS or not all(lines[2:LINES]):
        return False
    begun = sum(line.startswith(f"{letter}.") for letter, line in zip(LETTERS, lines[4:LINES], strict=True))
    return begun >= 2 and not any(lines[LINES:])


def open_logiqa(file: InputFile, options: ReadOptions) -> FileSource:
    """Open the items; the options lose their letters where they begin with them, and garbled ones stay as they are.

    Raises:
        InvalidInput: not text, or no item in it.
    """
    encoding = find_encoding(file, options.encoding)
    read = partial(_rows, file, encoding)
    count, usable = 0, 0
    for row in read():
        count += 1
        usable += not row.problem
    if not usable:
        raise InvalidInput(
            f"{file.name} holds no item of LogiQA: a blank line, the letter of the right option, the context, the "
            "question and four options. Nothing was imported. Leave the format out to have it found."
        )
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name),
        unit="item",
        columns=COLUMNS,
        suggested=SUGGESTED,
        expected=count,
        read=read,
        notes=(encoding.note,) if encoding.note else (),
        labels=LABELS,
        guideline=GUIDELINE,
        title=TITLE,
    )


def _rows(file: InputFile, encoding: Encoding) -> Iterator[SourceRow]:
    for number, lines in enumerate(_items(file, encoding), start=1):
        problem = _problem(lines)
        if problem:
            yield SourceRow(number, {}, problem=problem)
            continue
        options = [line.removeprefix(f"{letter}.").strip() for letter, line in zip(LETTERS, lines[4:], strict=True)]
        values = (lines[2], lines[3], *options, lines[1].upper())
        yield checked(number, dict(zip(COLUMNS, values, strict=True)))


def _items(file: InputFile, encoding: Encoding) -> Iterator[list[str]]:
    """Give the lines of each item; the last one may have fewer.

    Raises:
        InvalidInput: an item does not begin with a blank line, so that what follows would be taken for something else.
    """
    item: list[str] = []
    # Only line feeds end a line here: texts may hold other separators.
    with open_text(file, encoding, newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            text = line.strip()
            if not item and text:
                raise InvalidInput(
                    f"Line {number:,} of {file.name} should be blank: an item of LogiQA has {LINES} lines, the first a "
                    "blank one. Nothing was imported. Correct the item before it."
                )
            item.append(text)
            if len(item) == LINES:
                yield item
                item = []
    if any(item):
        yield item


def _problem(lines: Sequence[str]) -> str:
    if len(lines) < LINES:
        return f"It ends after {len(lines)} of {LINES} lines. Complete it, or remove it."
    if lines[1].upper() not in LETTERS:
        return f"Its right option reads {lines[1][:20]!r}, not a, b, c or d. Correct its second line."
    if not all(lines[2:]):
        return "Its context, its question or an option is empty. Fill it, or remove the item."
    return ""
