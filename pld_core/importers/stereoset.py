"""StereoSet as its authors publish it (Nadeem et al. 2021): which kind of bias a sentence is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pld_core.errors import InvalidInput
from pld_core.importers.encodings import Encoding
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.json_values import Fields, NotFlat, Value, as_cell
from pld_core.importers.rows import ColumnMap, ReadOptions, SentenceKind, SourceRow, checked
from pld_core.models import Label

COLUMNS = ("sentence", "bias_type", "target", "kind", "context", "id")
SUGGESTED = ColumnMap("bias_type", ("sentence",), ref="id")
TITLE = "Which kind of bias a sentence is about"
LABELS = (
    Label("race", "The sentence is about people of a race, an ethnic group, a nation or a region."),
    Label("gender", "The sentence is about people as men, women, boys, girls, or in a role of the family."),
    Label("religion", "The sentence is about people of a faith, or about a religion, its texts or its places."),
    Label("profession", "The sentence is about people in an occupation."),
)
GUIDELINE = (
    "Decide what kind of group the sentence is about, whether or not what it says is fair. The group is usually named: "
    "a nation, a relative, a faith, an occupation. Where two are named, choose the one that the statement is about."
)
KINDS = {"intrasentence": "intra", "intersentence": "inter"}


def is_stereoset(document: Value) -> bool:
    """Whether a JSON value has the shape that the authors publish, or is a bare list of such items."""
    if isinstance(document, Fields):
        data = document.get("data")
        return isinstance(data, Fields) and any(isinstance(data.get(name), list) for name in KINDS)
    return isinstance(document, list) and any(_is_item(item) for item in document[:3])


def _is_item(item: Value) -> bool:
    return isinstance(item, Fields) and isinstance(item.get("sentences"), list) and "bias_type" in item


def open_stereoset(file: InputFile, options: ReadOptions, document: Value, encoding: Encoding) -> FileSource:
    """Open the items; which of an item's sentences is kept says `options.sentence`.

    Raises:
        InvalidInput: another shape, or no item in it.
    """
    items = _items(document)
    if not items:
        raise InvalidInput(
            f"{file.name} holds no item of StereoSet: 'data' with 'intrasentence' or 'intersentence' was expected. "
            "Nothing was imported. Leave the format out to have it found."
        )
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name),
        unit="item",
        columns=COLUMNS,
        suggested=SUGGESTED,
        expected=len(items),
        read=partial(_rows, items, options.sentence),
        notes=(encoding.note,) if encoding.note else (),
        labels=LABELS,
        guideline=GUIDELINE,
        title=TITLE,
    )


def _items(document: Value) -> list[tuple[str, Value]]:
    """Return (kind, item) pairs in the order of the file; a bare list does not say its kind, its contexts do."""
    if isinstance(document, list):
        return [(_kind(item), item) for item in document]
    data = document.get("data") if isinstance(document, Fields) else None
    if not isinstance(data, Fields):
        return []
    lists = [(KINDS[name], items) for name, items in data.items() if name in KINDS and isinstance(items, list)]
    return [(kind, item) for kind, items in lists for item in items]


def _kind(item: Value) -> str:
    context = item.get("context") if isinstance(item, Fields) else None
    return "intra" if not isinstance(context, str) or not context or "BLANK" in context else "inter"


def _rows(items: list[tuple[str, Value]], wanted: SentenceKind) -> Iterator[SourceRow]:
    for number, (kind, item) in enumerate(items, start=1):
        try:
            yield _row(number, kind, item, wanted)
        except NotFlat as error:
            yield SourceRow(number, {}, problem=str(error))


def _row(number: int, kind: str, item: Value, wanted: SentenceKind) -> SourceRow:
    if not isinstance(item, Fields):
        return SourceRow(number, {}, problem="It is not an object. Correct or remove it.")
    sentence = _sentence(item, wanted)
    if not sentence:
        return SourceRow(number, {}, problem=f"It has no sentence marked {wanted.value}. Correct or remove it.")
    context = as_cell("context", item.get("context"))
    if kind == "inter":
        # Its sentence goes on from the context, which names the group.
        sentence = f"{context} {sentence}".strip()
    others = (as_cell(name, item.get(name)) for name in ("bias_type", "target"))
    values = (sentence, *others, kind, context, as_cell("id", item.get("id")))
    return checked(number, dict(zip(COLUMNS, values, strict=True)))


def _sentence(item: Fields, wanted: SentenceKind) -> str:
    sentences = item.get("sentences")
    for one in sentences if isinstance(sentences, list) else []:
        if isinstance(one, Fields) and one.get("gold_label") == wanted.value:
            return as_cell("sentence", one.get("sentence"))
    return ""
