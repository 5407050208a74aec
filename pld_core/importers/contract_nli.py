"""ContractNLI as its authors publish it (Koreeda and Manning 2021): an item for each contract and hypothesis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pld_core.errors import InvalidInput
from pld_core.importers.encodings import Encoding
from pld_core.importers.files import FileSource, InputFile
from pld_core.importers.json_values import Fields, NotFlat, Value, as_cell
from pld_core.importers.rows import ColumnMap, Context, ReadOptions, SourceRow, checked
from pld_core.models import Label, Span

COLUMNS = ("contract", "hypothesis", "label", "document", "hypothesis_id", "topic", "file", "url", "ref")
SUGGESTED = ColumnMap("label", ("contract", "hypothesis"), ref="ref", source="url", group="document")
TITLE = "What a non-disclosure agreement says of a hypothesis"
LABELS = (
    Label("Entailment", "The contract says that the hypothesis holds, or what it says implies it."),
    Label("Contradiction", "The contract says the opposite of the hypothesis, or what it says rules it out."),
    Label("NotMentioned", "The contract leaves open whether the hypothesis holds."),
)
GUIDELINE = (
    "Read the contract as a lawyer would and compare it with the hypothesis. Decide by what the text says, not by what "
    "such agreements usually say. Exceptions, definitions and carve-outs count: a clause that allows what the "
    "hypothesis forbids contradicts it, also if it does so for some cases only. Where no clause bears on the "
    "hypothesis, choose NotMentioned."
)
JOINT = "\n[…]\n"


class _Unusable(ValueError):
    """A document or an item is not as the format has it; the message says why, in words."""


@dataclass(frozen=True)
class _Document:
    ref: str
    text: str
    ranges: tuple[tuple[int, int], ...]
    annotations: Fields
    file: str
    url: str


def is_contract_nli(document: Value) -> bool:
    """Whether a JSON value has the shape that the authors publish."""
    return isinstance(document, Fields) and isinstance(document.get("documents"), list) and "labels" in document


def open_contract_nli(file: InputFile, options: ReadOptions, document: Value, encoding: Encoding) -> FileSource:
    """Open the pairs of contract and hypothesis; how much of a contract is kept says `options.context`.

    Raises:
        InvalidInput: another shape, or no item in it.
    """
    documents = document.get("documents") if isinstance(document, Fields) else None
    hypotheses = document.get("labels") if isinstance(document, Fields) else None
    if not isinstance(documents, list) or not isinstance(hypotheses, Fields):
        raise InvalidInput(
            f"{file.name} is not ContractNLI: an object with 'documents' and 'labels' was expected. "
            "Nothing was imported. Leave the format out to have it found."
        )
    read = partial(_rows, documents, hypotheses, options.context)
    count = sum(1 for _ in _rows(documents, hypotheses, Context.FULL))
    if not count:
        raise InvalidInput(f"{file.name} holds no contract with hypotheses. Nothing was imported. Choose another.")
    return FileSource(
        file=file,
        options=replace(options, encoding=encoding.name),
        unit="item",
        columns=COLUMNS,
        suggested=SUGGESTED,
        expected=count,
        read=read,
        notes=tuple(note for note in (encoding.note, _context_note(options.context)) if note),
        labels=LABELS,
        guideline=GUIDELINE,
        title=TITLE,
    )


def _context_note(context: Context) -> str:
    if context is Context.FULL:
        return ""
    kept = "marked as evidence" if context is Context.EVIDENCE else "marked as evidence and their neighbours"
    return (
        f"Only the passages {kept} are kept, and for NotMentioned, which has none, the whole contract: the "
        "length of the text gives that label away. Use the context full for measuring."
    )


def _rows(documents: list[Value], hypotheses: Fields, context: Context) -> Iterator[SourceRow]:
    number = 0
    for place, value in enumerate(documents, start=1):
        try:
            document = _document(value)
        except (_Unusable, NotFlat) as error:
            number += 1
            yield SourceRow(number, {}, problem=f"Document {place:,} is not usable: {error}")
            continue
        for key in document.annotations:
            number += 1
            try:
                yield _row(number, document, key, hypotheses, context)
            except (_Unusable, NotFlat) as error:
                yield SourceRow(number, {}, problem=f"{key} of document {document.ref} is not usable: {error}")


def _document(value: Value) -> _Document:
    if not isinstance(value, Fields):
        raise _Unusable("it is no object.")
    text, sets = value.get("text"), value.get("annotation_sets")
    if not isinstance(text, str) or not text.strip():
        raise _Unusable("its 'text' is missing.")
    if not isinstance(sets, list) or not sets or not isinstance(sets[0], Fields):
        raise _Unusable("its 'annotation_sets' are missing.")
    # The format allows several annotators; the published files hold one.
    annotations = sets[0].get("annotations")
    if not isinstance(annotations, Fields):
        raise _Unusable("its 'annotations' are missing.")
    name = as_cell("file_name", value.get("file_name"))
    ref = as_cell("id", value.get("id")) or name
    if not ref:
        raise _Unusable("it has neither 'id' nor 'file_name'.")
    ranges = _ranges(value.get("spans"), len(text))
    return _Document(ref, text, ranges, annotations, name, as_cell("url", value.get("url")))


def _ranges(value: Value, length: int) -> tuple[tuple[int, int], ...]:
    found = tuple(_integers(pair) for pair in value) if isinstance(value, list) else ()
    ranges = tuple((pair[0], pair[1]) for pair in found if len(pair) == 2 and 0 <= pair[0] <= pair[1] <= length)
    if not found or len(ranges) != len(found):
        raise _Unusable("its 'spans' are missing or point outside its text.")
    return ranges


def _integers(value: Value) -> list[int]:
    try:
        return [int(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []
    except ValueError as error:
        raise _Unusable("a span is no whole number.") from error


def _row(number: int, document: _Document, key: str, hypotheses: Fields, context: Context) -> SourceRow:
    annotation, hypothesis = document.annotations[key], hypotheses.get(key)
    if not isinstance(annotation, Fields) or not isinstance(hypothesis, Fields):
        raise _Unusable("its annotation or its hypothesis is missing.")
    choice = annotation.get("choice")
    if choice not in [label.name for label in LABELS] or not isinstance(choice, str):
        raise _Unusable(f"its choice {choice!r} is none of {', '.join(label.name for label in LABELS)}.")
    marked = sorted(set(_integers(annotation.get("spans"))))
    if marked and not 0 <= marked[0] <= marked[-1] < len(document.ranges):
        raise _Unusable("its evidence points to a span that the document does not have.")
    text, spans = _kept(document, marked, context)
    values = (
        text, as_cell("hypothesis", hypothesis.get("hypothesis")), choice, document.ref, key,
        as_cell("short_description", hypothesis.get("short_description")), document.file, document.url,
        f"{document.ref}/{key}",
    )  # fmt: skip
    return checked(number, dict(zip(COLUMNS, values, strict=True)), spans)


def _kept(document: _Document, marked: Sequence[int], context: Context) -> tuple[str, tuple[Span, ...]]:
    """Return the text that is kept of a contract, and where in it the evidence stands.

    Args:
        document: its ranges are numbered from 0.
        marked: numbers of the ranges that are evidence, ascending.
    """
    if context is Context.FULL or not marked:
        return document.text, _spans(document, marked, 0)
    reach = 1 if context is Context.WINDOW else 0
    last = len(document.ranges) - 1
    kept = sorted({near for one in marked for near in range(max(0, one - reach), min(last, one + reach) + 1)})
    text = ""
    spans: tuple[Span, ...] = ()
    for run in _runs(kept):
        start = min(document.ranges[one][0] for one in run)
        end = max(document.ranges[one][1] for one in run)
        text += JOINT if text else ""
        spans += _spans(document, [one for one in run if one in marked], len(text) - start)
        text += document.text[start:end]
    return text, spans


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers in runs of neighbours.

    >>> _runs([1, 2, 5])
    [[1, 2], [5]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _spans(document: _Document, marked: Sequence[int], moved: int) -> tuple[Span, ...]:
    ranges = [document.ranges[one] for one in marked]
    return tuple(Span("contract", start + moved, end + moved) for start, end in ranges if start < end)
