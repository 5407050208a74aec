"""The validation report of an import in lines for a terminal: the first entries of each list, with how many there are.

`--json` has them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pld_app import importing
from pld_core.models import Split
from pld_core.validation.report import LabelVariant, ValidationReport

SHOWN = 10


def report_lines(report: ValidationReport, columns_from: str = "") -> list[str]:
    """Return the report in lines.

    Args:
        columns_from: a sentence on where the columns come from; empty if that is not worth a line.
    """
    unit = report.unit
    lines = [importing.summary(report), *([columns_from] if columns_from else []), *report.notes, _kept(report)]
    lines += _columns(report)
    lines += _listed("Refused", (f"{unit} {r.row:,}: {r.reason}" for r in report.refused_rows), report.refused)
    lines += _listed(
        "Merged, as text and label are the same",
        (f"{unit} {m.row:,} with {_place(m.same_as, unit)}" for m in report.merged_rows),
        report.merged,
    )
    lines += _listed(
        "Labels written otherwise",
        (_variant(variant, unit) for variant in report.label_variants),
        len(report.label_variants),
    )
    lines += _listed(
        "One text, several labels",
        (", ".join(f"{_place(r.row, unit)} {r.label}" for r in c.rows) for c in report.label_conflicts),
        report.conflict_count,
    )
    lines += _listed(
        "Nearly the same",
        (
            f"{_place(n.row, unit)} and {_place(n.other, unit)} ({n.similarity:.0%}"
            + ("" if n.same_label else ", other label")
            + ")"
            for n in report.near_duplicates
        ),
        report.near_duplicate_count,
    )
    lines += _listed(
        "Shared between splits",
        (
            f"{leak.kind}{f' {leak.group}' if leak.group else ''} in {' and '.join(leak.splits)}: "
            + _first(_place(row, unit) for row in leak.rows)
            for leak in report.leaks
        ),
        report.leak_count,
    )
    lines += _listed(
        "Personal data, as it seems" + (" (masked for a teacher)" if report.masked else ""),
        (
            f"{entry.kind} in {counted(entry.rows, unit)}: {_first(f'{n:,}' for n in entry.numbers)}"
            for entry in report.personal
        ),
        len(report.personal),
    )
    return [*lines, *(f"Warning: {warning}" for warning in report.warnings)]


def _columns(report: ValidationReport) -> Iterator[str]:
    if report.kept_columns:
        told = (f"{name} ({counted(n, 'value')})" for name, n in report.kept_columns.items())
        yield f"Kept beside the examples: {_first(told)}."
    if report.unused_columns:
        yield f"Not used: {_first(report.unused_columns)}. --keep COLUMN keeps one, to cut figures by."


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "row"), counted(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _kept(report: ValidationReport) -> str:
    # A stored report has its splits in the order of the alphabet.
    counts = [(split.value, report.split_counts.get(split.value, {})) for split in Split]
    told = "; ".join(f"{split} {sum(labels.values()):,}{_labels(labels)}" for split, labels in counts)
    return f"Kept: {told}."


def _labels(counts: dict[str, int]) -> str:
    most = sorted((item for item in counts.items() if item[1]), key=lambda item: -item[1])
    return f" ({_first(f'{label} {n:,}' for label, n in most)})" if most else ""


def _variant(variant: LabelVariant, unit: str) -> str:
    rows = _first(f"{number:,}" for number in variant.numbers)
    more = " …" if variant.rows > len(variant.numbers) else ""
    head = f"{variant.written!r} in {counted(variant.rows, unit)} ({rows}{more})"
    if variant.merged:
        return f"{head}: merged with {variant.proposed!r}"
    if variant.proposed:
        return f"{head}: refused; looks like {variant.proposed!r} (--merge, or --accept-merges for all of these)"
    return f"{head}: refused; like no declared label (--merge says which one it means)"


def _place(row: int | None, unit: str) -> str:
    return "an example of the task" if row is None else f"{unit} {row:,}"


def _first(entries: Iterable[str]) -> str:
    found: Sequence[str] = list(entries)
    more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _listed(title: str, entries: Iterator[str], count: int) -> list[str]:
    if not count:
        return []
    more = [f"  and {count - SHOWN:,} more; --json lists them"] if count > SHOWN else []
    return [f"{title}: {count:,}", *(f"  {entry}" for entry in islice(entries, SHOWN)), *more]
