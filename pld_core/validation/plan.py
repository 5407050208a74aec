"""From the facts of a data set and a person's choices to what would be imported, and the report on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.errors import InvalidInput
from pld_core.importers.rows import Source
from pld_core.models import Label, Task
from pld_core.validation.facts import Facts, ImportChoices, Placement, label_counts
from pld_core.validation.findings import make_report
from pld_core.validation.labels import LabelPlan, plan_labels
from pld_core.validation.leaks import assign_splits, find_leaks
from pld_core.validation.near_duplicates import NearPair, near_pairs
from pld_core.validation.report import ValidationReport
from pld_core.validation.taken import Taken

_TASK_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class TaskWords:
    """What a new task is called and about; empty texts are filled from the format where it knows them."""

    name: str
    title: str = ""
    guideline: str = ""


@dataclass(frozen=True)
class ImportPlan:
    """What would be imported.

    Attributes:
        task: the task as it is, or as it would be made.
        placements: what becomes of each row that is kept or merged, by its number.
        report: the validation report; nothing may be imported while it has problems.
    """

    task: Task
    placements: dict[int, Placement]
    report: ValidationReport


def find_pairs(facts: Facts) -> tuple[NearPair, ...]:
    """Return pairs of nearly equal texts of which one at least stands in the file, except within one group.

    A text that stands there more than once is meant by its first entry.
    """
    first_of: dict[bytes, int] = {}
    group_of: dict[bytes, str] = {}
    for index, (key, group) in enumerate(zip(facts.keys, facts.groups, strict=True)):
        first_of.setdefault(key, index)
        if group_of.setdefault(key, group) != group:
            group_of[key] = ""
    texts = list(first_of.values())
    groups = list(group_of.values())

    def matters(pair: NearPair) -> bool:
        one, two = pair.first, pair.second
        return texts[one] < facts.rows and not (groups[one] and groups[one] == groups[two])

    found = near_pairs(facts.signatures[texts])
    return tuple(NearPair(texts[p.first], texts[p.second], p.similarity) for p in found if matters(p))


def check_task_name(name: str) -> None:
    """Raise `InvalidInput` unless the name is usable in commands and addresses."""
    if not _TASK_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be a task name. Use lower-case letters, digits and hyphens, at most 40 characters."
        )


def plan_import(
    source: Source,
    facts: Facts,
    pairs: Sequence[NearPair],
    there: Task | None,
    words: TaskWords,
    choices: ImportChoices,
) -> ImportPlan:
    """Decide what becomes of each row.

    Args:
        there: the task, if it exists; `words` then counts for nothing.

    Raises:
        InvalidInput: no row can be taken, there would be one label only, or a label that is merged or described is
            not there.
    """
    labels = plan_labels(label_counts(facts), there.label_names if there else (), choices.merges, choices.accept_merges)
    taken = Taken(facts, labels, choices)
    nothing = _nothing_taken(source, taken)
    if nothing and there is None and len(labels.declared) < 2:
        raise InvalidInput(f"{nothing} Nothing was imported.")
    if unknown := [label for label in choices.descriptions if label not in labels.declared]:
        raise InvalidInput(
            f"There is no label {unknown[0]!r} to describe. The labels are: {', '.join(labels.declared)}."
        )
    task = there or _new_task(source, words, labels, choices)
    divided = assign_splits(pairs, taken, choices)
    leaks = tuple(find_leaks(pairs, taken))
    report = make_report(source, pairs, taken, task, choices, leaks, divided)
    if nothing:
        # A report rather than an error: another choice, such as a merge of labels, may help.
        report = report.model_copy(update={"problems": (nothing, *report.problems)})
    return ImportPlan(task, taken.placements(), report)


def _nothing_taken(source: Source, taken: Taken) -> str:
    """Return in words that no row can be taken, and why the first cannot; empty if one can.

    Raises:
        InvalidInput: there is no row at all.
    """
    facts = taken.facts
    if facts.read == 0:
        raise InvalidInput(
            f"The file {source.name} holds no example. Nothing was imported. Choose a file with at least one."
        )
    if taken.rows:
        return ""
    refused = facts.refused + [(taken.number(index), reason) for index, reason in taken.refused.items()]
    number, reason = min(refused)
    return (
        f"None of the {facts.read:,} {source.unit}s of {source.name} can be taken; {source.unit} {number:,}: {reason}."
    )


def _new_task(source: Source, words: TaskWords, labels: LabelPlan, choices: ImportChoices) -> Task:
    check_task_name(words.name)
    if len(labels.declared) < 2:
        raise InvalidInput(
            f"All examples have the label {labels.declared[0]!r}. Nothing was imported: there is nothing to tell apart."
        )
    known = {label.name: label.description for label in source.labels}
    known.update(choices.descriptions)
    return Task(
        name=words.name,
        title=words.title or source.title or words.name,
        input_fields=tuple(name for _, name in choices.inputs),
        labels=tuple(Label(name, known.get(name, "")) for name in labels.declared),
        guideline=words.guideline or source.guideline,
    )
