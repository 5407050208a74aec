"""From what was decided to the report: lists, counts, problems and warnings, in words for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pld_core.importers.columns import unused_columns
from pld_core.importers.rows import Source
from pld_core.models import Split, Task
from pld_core.validation.facts import ImportChoices
from pld_core.validation.leaks import SHOWN
from pld_core.validation.near_duplicates import NearPair
from pld_core.validation.report import (
    LISTED,
    ConflictFound,
    LabelCount,
    LabelVariant,
    Leak,
    MergedRow,
    NearDuplicate,
    PersonalData,
    RefusedRow,
    RowLabel,
    ValidationReport,
    runs_of,
)
from pld_core.validation.taken import Taken

SCARCE = 10
"""A label with fewer training examples than this gets a warning."""


def make_report(
    source: Source,
    pairs: Sequence[NearPair],
    taken: Taken,
    task: Task,
    choices: ImportChoices,
    leaks: tuple[Leak, ...],
    divided: bool,
) -> ValidationReport:
    facts = taken.facts
    refused = _refused(taken)
    conflicts = tuple(_conflicts(taken))
    near = tuple(_near(pairs, taken))
    personal = _personal(taken)
    return ValidationReport(
        file=source.name,
        sha256=source.sha256,
        importer=source.importer,
        unit=source.unit,
        notes=source.notes,
        read=facts.read,
        kept=len(taken.kept),
        merged=len(taken.merged),
        refused=len(refused),
        kept_rows=runs_of(sorted(taken.number(i) for i in taken.kept)),
        merged_rows=tuple(
            MergedRow(row=taken.number(i), same_as=facts.numbers[first]) for i, first in sorted(taken.merged.items())
        ),
        refused_rows=refused,
        labels=_labels(taken, task),
        label_variants=tuple(_variants(taken)),
        label_conflicts=conflicts[:LISTED],
        conflict_count=len(conflicts),
        near_duplicates=near[:LISTED],
        near_duplicate_count=len(near),
        leaks=leaks[:LISTED],
        leak_count=len(leaks),
        split_counts=_split_counts(taken, task),
        personal=personal,
        masked=choices.mask,
        kept_columns=facts.kept.counts(),
        unused_columns=unused_columns(source.columns, choices.columns),
        problems=(*_problems(source, choices, leaks, len(refused), divided), *facts.kept.problems(source.unit)),
        warnings=(
            *_thin(taken, task),
            *facts.kept.warnings(),
            *_warnings(task, len(conflicts), leaks, personal, choices, divided),
        ),
    )


def _refused(taken: Taken) -> tuple[RefusedRow, ...]:
    found = [RefusedRow(row=number, reason=reason) for number, reason in taken.facts.refused]
    found += [RefusedRow(row=taken.number(index), reason=reason) for index, reason in taken.refused.items()]
    return tuple(sorted(found, key=lambda entry: entry.row))


def _labels(taken: Taken, task: Task) -> tuple[LabelCount, ...]:
    counts = Counter(taken.label(i) for i in taken.rows)
    return tuple(
        LabelCount(label=label.name, description=label.description, rows=counts[label.name]) for label in task.labels
    )


def _variants(taken: Taken) -> Iterator[LabelVariant]:
    numbers: dict[str, list[int]] = defaultdict(list)
    written_otherwise = {variant.written for variant in taken.plan.variants}
    for index in range(taken.facts.rows):
        if (written := taken.facts.labels[index]) in written_otherwise:
            numbers[written].append(taken.number(index))
    for variant in taken.plan.variants:
        yield LabelVariant(
            written=variant.written,
            rows=len(numbers[variant.written]),
            proposed=variant.proposed,
            merged=variant.written in taken.plan.meaning,
            numbers=tuple(numbers[variant.written][:SHOWN]),
        )


def _conflicts(taken: Taken) -> Iterator[ConflictFound]:
    """Yield texts that stand with several labels, of which a row of the file is one."""
    for members in taken.by_text(taken.standing).values():
        if len(members) > 1 and any(taken.is_row(i) for i in members):
            yield ConflictFound(
                rows=tuple(RowLabel(row=taken.facts.numbers[i], label=taken.label(i)) for i in members),
            )


def _near(pairs: Sequence[NearPair], taken: Taken) -> Iterator[NearDuplicate]:
    facts = taken.facts
    by_text = taken.by_text(taken.standing, pairs)
    for pair in pairs:
        ones, twos = by_text.get(facts.keys[pair.first], ()), by_text.get(facts.keys[pair.second], ())
        if ones and twos and any(taken.is_row(i) for i in (*ones, *twos)):
            yield NearDuplicate(
                row=facts.numbers[ones[0]],
                other=facts.numbers[twos[0]],
                similarity=pair.similarity,
                same_label=taken.labels[ones[0]] == taken.labels[twos[0]],
            )


def _split_counts(taken: Taken, task: Task) -> dict[str, dict[str, int]]:
    counts = Counter((taken.splits[i], taken.label(i)) for i in taken.kept)
    return {split.value: {name: counts[split, name] for name in task.label_names} for split in Split}


def scarce_labels(labels: Sequence[str], counts: Mapping[tuple[Split, str], int]) -> str:
    """Return in words which labels have too few training examples, by number per split and label; empty if none."""
    scarce = [label for label in labels if counts.get((Split.TRAIN, label), 0) < SCARCE]
    if not scarce:
        return ""
    return f"Fewer than {SCARCE} training examples: {', '.join(scarce)}. Rules for them rest on little."


def _thin(taken: Taken, task: Task) -> Iterator[str]:
    """Yield what would be too few, those that the task has counted in: training examples, whole splits."""
    counts = Counter((split, taken.label(i)) for i in taken.standing if (split := taken.splits[i]) is not None)
    if words := scarce_labels(task.label_names, counts):
        yield words
    filled = {split for split, _ in counts}
    if empty := [split.value for split in (Split.VALIDATION, Split.TEST) if split not in filled]:
        yield (
            f"No example in {' and '.join(empty)}: no prompt can be measured there. Give them examples by a split "
            "column, or divide anew; a few large groups cannot be divided."
        )


def _personal(taken: Taken) -> tuple[PersonalData, ...]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for index in taken.rows:
        for kind in taken.facts.personal[index]:
            numbers[kind].append(taken.number(index))
    return tuple(
        PersonalData(kind=kind, rows=len(rows), numbers=tuple(rows[:LISTED])) for kind, rows in sorted(numbers.items())
    )


def _crossing(leaks: Iterable[Leak]) -> list[Leak]:
    """Return the leaks between train and test: they make the headline figure worthless."""
    return [leak for leak in leaks if {Split.TRAIN.value, Split.TEST.value} <= set(leak.splits)]


def _problems(
    source: Source, choices: ImportChoices, leaks: tuple[Leak, ...], refused: int, divided: bool
) -> Iterator[str]:
    crossing = _crossing(leaks)
    if crossing and not divided:
        kinds = Counter(leak.kind for leak in crossing)
        told = ", ".join(f"{kind}: {n:,}" for kind, n in kinds.items())
        first = crossing[0]
        where = f"group {first.group!r}" if first.group else f"{source.unit}s {_numbers(first.rows)}"
        yield (
            f"Train and test share what they must not ({told}; the first is {where}), so a figure on test would "
            "mean little. Divide the examples anew (--resplit, or the button on the Data page); what is alike then "
            "stays together."
        )
    if choices.strict and refused:
        yield f"Refused {source.unit}s: {refused:,}, and strict import was asked for."


def _numbers(rows: Sequence[int | None]) -> str:
    return ", ".join("one of the task" if row is None else f"{row:,}" for row in rows[:SHOWN])


def _warnings(
    task: Task,
    conflicts: int,
    leaks: tuple[Leak, ...],
    personal: tuple[PersonalData, ...],
    choices: ImportChoices,
    divided: bool,
) -> Iterator[str]:
    if conflicts:
        yield (
            f"Texts that stand with more than one label: {conflicts:,}. They take no part until a person settles which "
            "label is right (Data page, or pld data conflicts)."
        )
    crossing = _crossing(leaks)
    if leaks and len(crossing) < len(leaks):
        yield f"Texts or groups shared between validation and another split: {len(leaks) - len(crossing):,}."
    if crossing and divided:
        yield (
            f"Texts or groups shared with examples of the task that stand in train and in test already: "
            f"{len(crossing):,}. Divide the whole task anew (Data page, or pld data resplit)."
        )
    if personal and not choices.mask:
        kinds = ", ".join(f"{entry.kind} in {entry.rows:,}" for entry in personal)
        yield (
            f"Personal data seem to stand in the texts ({kinds}). Found by pattern, so some are missed and some are "
            "none. A teacher is shown them as they are unless masking is asked for."
        )
    if bare := [label.name for label in task.labels if not label.description]:
        yield f"Without a description: {', '.join(bare)}. Descriptions go into the prompts of teacher and student."
