"""What a reader of a run's figures has to know to rely on them, in plain words and from facts alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.baselines import beaten_by
from pld_core.gate_facts import red_gates
from pld_core.models import AnswerStatus, Split
from pld_core.paired import PairedVerdict
from pld_core.prompt_manifest import CountMethod
from pld_core.proportion import SMALL_SAMPLE
from pld_core.run_report.ablation_part import citation_words
from pld_core.run_report.content import RunReport

EMBEDDED = "embedded"
"""Name of the student that comes with the product."""
_WIDE = 0.10
_NAMED = 12


def known_limits(report: RunReport) -> tuple[str, ...]:
    """Return the limits that the facts show, a sentence or two each, in a fixed order."""
    parts = (_of_size, _of_labels, _of_answers, _of_data, _of_student, _of_rules, _of_release, _of_baselines)
    return tuple(limit for part in parts for limit in part(report))


def baseline_words(report: RunReport) -> str:
    """Say at once whether a baseline does better than the rules; empty if none is shown to."""
    better = beaten_by([line.beside for line in report.baselines])
    if not better or not report.has_rules:
        return ""
    names = ", ".join(baseline.value for baseline in better)
    return f"Better than the rules on these examples: {names}. The rules do not earn their place here."


def _of_size(report: RunReport) -> Iterator[str]:
    n, share = len(report.answers), report.figures.accuracy
    if not report.is_complete:
        yield f"The run is not complete: {n:,} of {report.run.total:,} examples are answered. Figures can still move."
    if n < SMALL_SAMPLE:
        yield f"Fewer than {SMALL_SAMPLE} answers ({n:,}) are too few for a rate, so counts are shown."
    elif share.low is not None and share.high is not None and share.high - share.low > _WIDE:
        yield (
            f"With {n:,} answers the interval of accuracy is {(share.high - share.low) * 100:.0f} points wide. Small "
            "differences between two prompts cannot be seen here."
        )
    if report.run.split is not Split.TEST:
        yield (
            f"The run is on the {report.run.split.value} split. Whoever wrote or chose the rules may have looked at "
            "it, so the figures are likely better than on new texts."
        )


def _of_labels(report: RunReport) -> Iterator[str]:
    yield from report.figures.cautions
    if few := [label.label for label in report.figures.labels if 0 < label.gold < SMALL_SAMPLE]:
        yield f"Fewer than {SMALL_SAMPLE} examples have these labels: {_named(few)}. Their figures say little."
    now, then = report.task.label_names, report.version.prompt.labels
    if set(now) != set(then):
        changed = _named([*(name for name in now if name not in then), *(name for name in then if name not in now)])
        yield f"The declared labels have changed since the prompt was compiled: {changed}."


def _of_answers(report: RunReport) -> Iterator[str]:
    statuses = report.figures.statuses
    if unverified := statuses.get(AnswerStatus.UNVERIFIED, 0):
        yield (
            f"Answers that could not be verified: {unverified:,}. The student saw a cut input, or the server did not "
            "say that it saw all. They count as wrong."
        )
    others = {s: n for s, n in statuses.items() if s not in (AnswerStatus.OK, AnswerStatus.UNVERIFIED) and n}
    if others:
        told = ", ".join(f"{n:,} {status.value}" for status, n in sorted(others.items()))
        yield f"Answers without a label count as wrong: {told}."


def _of_data(report: RunReport) -> Iterator[str]:
    data, split = report.data, report.run.split
    if data.asked_in_training and split is not Split.TRAIN:
        yield (
            f"Examples of the run that are in the training data too, word for word: {data.asked_in_training:,}. "
            "Answers to them say nothing of new texts."
        )
    if data.asked_as_shots:
        yield f"Examples of the run that are in the prompt itself, with their labels: {data.asked_as_shots:,}."
    if data.leaks:
        yield f"Texts or groups that imports found in the {split.value} split and in another one: {data.leaks:,}."
    if own := max((bars.own_sources for bars in report.bars), default=0):
        yield f"Examples of the run that rules of the prompt were made from: {own:,}."
    if data.conflicts:
        yield f"Texts of the task that have two labels, which nobody has settled: {data.conflicts:,}."


def _of_student(report: RunReport) -> Iterator[str]:
    run = report.run
    if run.setup.is_trial:
        yield f"This run drew lots ({run.setup.words}), so it says little of the version as it is used."
    elif not report.steadiness:
        yield "Each example was asked once: nothing tells how steady the answers are. Repeats would."
    if run.student.partition(":")[0] == EMBEDDED:
        yield (
            "The student is the small one that comes with the product. Its figures show how the rules work, not how "
            "well another student does with them."
        )
    if not run.digest:
        yield f"{run.student} does not say which weights answered, so nobody can tell them from others later."
    tokens = report.version.tokens
    if tokens is None or tokens.method is CountMethod.ESTIMATE:
        yield "The length of the prompt is an estimate: the student's tokenizer did not count it."


def _of_rules(report: RunReport) -> Iterator[str]:
    if gone := [f"{rule.rule_id} ({rule.state})" for rule in report.rules if not rule.in_force]:
        yield f"Rules of the prompt are not in force any more as they read there: {_named(gone)}."
    if words := citation_words(report):
        yield words
    if report.version.prompt.guideline_version != report.task.guideline_version:
        yield (
            f"The prompt holds guideline version {report.version.prompt.guideline_version}; version "
            f"{report.task.guideline_version} is in force now."
        )


def _of_release(report: RunReport) -> Iterator[str]:
    standing, number = report.standing, report.version.number
    if not standing.labels:
        yield f"Prompt version {number} is not released: it is neither candidate nor production."
    if standing.exception:
        yield standing.exception.notice
    if red := red_gates(standing.gates):
        titles = "; ".join(gate.title for gate in red)
        yield f"{len(red)} of {len(standing.gates)} gates of version {number} are red now: {titles}."
    if len(standing.looks) > 1:
        yield (
            f"The test split was looked at {len(standing.looks):,} times. The more often, the less it tells of new "
            "texts: prompts get chosen by it."
        )


def _of_baselines(report: RunReport) -> Iterator[str]:
    if words := baseline_words(report):
        yield words
    besides = [line.beside for line in report.baselines if report.has_rules]
    if unclear := [one.baseline.value for one in besides if one.comparison.verdict is PairedVerdict.NOT_SHOWN]:
        yield f"The rules are not shown to be better than: {_named(unclear)}."


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
