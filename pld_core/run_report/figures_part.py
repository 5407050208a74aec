"""The part of a report with the figures of the run: headline, labels, what was mixed up, parts, baselines. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pld_core.baselines import report as told
from pld_core.metrics import Figures, LabelFigures
from pld_core.models import AnswerStatus
from pld_core.pack.html_parts import figure, sentence, share, table, tag, text
from pld_core.proportion import SMALL_SAMPLE
from pld_core.run_report.bars import f1_cell, share_cell
from pld_core.run_report.content import RunReport
from pld_core.slices import Slice

SLICES_SHOWN = 12
WIDEST = 10
"""Labels whose table still fits a printed page; of more, the answers that went wrong most often are listed."""
MIX_UPS_SHOWN = 30
INTERVALS = (
    "Intervals are of 95 %: of accuracy, precision and recall by Wilson, of macro F1 and of differences by a bootstrap "
    "within each gold label, with a fixed seed. Below 10 answers counts stand alone. Every answer that states no label "
    "counts as wrong."
)


def figures_part(report: RunReport) -> Iterator[str]:
    """Yield the headline and what stands behind it."""
    found = report.figures
    yield _headline(found)
    yield tag("p", text(INTERVALS), "soft") + "\n"
    yield tag("h3", "By label") + "\n"
    yield _wide(
        table(
            [
                "Label",
                "Examples",
                "Said",
                "Right",
                "Recall: of its examples, right",
                "Precision: of what was said, right",
                "F1",
            ],
            (_label_row(label) for label in found.labels),
            numbers=(1, 2, 3, 6),
        )
    )
    yield tag("h3", "Gold label against answer") + "\n"
    if len(report.task.label_names) > WIDEST:
        yield _mix_ups(found)
    else:
        yield _wide(_confusion(report.task.label_names, found))
    for name, parts in report.slices:
        yield tag("h3", f"Accuracy by {text(name)}") + "\n"
        yield from _slices(name, parts)
    if report.steadiness:
        yield tag("h3", "How steady the answers are") + "\n"
        said = (f"{one.found.words}, {one.how} (runs {_numbers(one.runs)})." for one in report.steadiness)
        yield tag("ul", "".join(tag("li", figure(one)) for one in said)) + "\n"


def baselines_part(report: RunReport) -> Iterator[str]:
    """Yield what the rules have to beat, each on the same examples, and which of them does better."""
    subject = "the rules" if report.has_rules else "this prompt"
    if report.has_rules:
        yield tag("p", text(told([line.beside for line in report.baselines]))) + "\n"
    rows = [
        [
            f"{text(line.beside.baseline.value)}<br>{tag('span', text(line.origin), 'soft')}",
            f1_cell(line.macro_f1, f"Macro F1 of {line.beside.baseline.value}"),
            figure(line.accuracy.words),
            figure(line.beside.comparison.words),
        ]
        for line in report.baselines
    ]
    own = report.figures
    first = [tag("b", text(subject)), f1_cell(own.macro_f1, f"Macro F1 of {subject}"), figure(own.accuracy.words), ""]
    yield _wide(table(["Answered by", "Macro F1", "Correct", f"{subject.capitalize()} beside it"], [first, *rows]))
    if report.missing:
        yield tag("ul", "".join(tag("li", sentence(missing)) for missing in report.missing)) + "\n"


def _headline(found: Figures) -> str:
    bad = {status: n for status, n in found.statuses.items() if status is not AnswerStatus.OK and n}
    enough = found.accuracy.n >= SMALL_SAMPLE
    macro = f"{found.macro_f1.value:.3f}" if enough and found.macro_f1.value is not None else "–"
    cards = [
        ("Macro F1", macro, found.macro_f1.words),
        ("Accuracy", share(found.accuracy.rate) if enough else "–", found.accuracy.words),
        ("Always the label most frequent here", share(found.majority.rate) if enough else "–", found.majority.words),
        (
            "Answers without a label",
            f"{sum(bad.values()):,}",
            ", ".join(f"{n:,} {status.value}" for status, n in bad.items()) or "none",
        ),
    ]
    return (
        tag(
            "div",
            "".join(
                tag("div", f"{text(name)}{tag('b', text(big))}{tag('span', figure(small), 'soft')}", "card")
                for name, big, small in cards
            ),
            "headline",
        )
        + "\n"
    )


def _label_row(label: LabelFigures) -> list[str]:
    return [
        text(label.label),
        f"{label.gold:,}",
        f"{label.predicted:,}",
        f"{label.correct:,}",
        share_cell(label.recall, f"Recall of {label.label}") if label.gold else "no example",
        share_cell(label.precision, f"Precision of {label.label}") if label.predicted else "never said",
        f"{label.f1:.3f}" if label.gold >= SMALL_SAMPLE else "–",
    ]


def _confusion(labels: Sequence[str], found: Figures) -> str:
    columns = [*labels, *(name for name in found.undeclared if any(said == name for _, said in found.confusion))]
    rows = [*labels, *(name for name in found.undeclared if any(gold == name for gold, _ in found.confusion))]
    return table(
        ["Gold label", *(f"said {name}" for name in columns), "no label"],
        (
            [
                text(gold),
                *(_cell(found.confusion.get((gold, said), 0), gold == said) for said in columns),
                _cell(found.unusable_of(gold), False),
            ]
            for gold in rows
        ),
        numbers=range(1, len(columns) + 2),
    )


def _mix_ups(found: Figures) -> str:
    wrong = [(gold, said, n) for (gold, said), n in found.confusion.items() if gold != said]
    wrong += [(gold, f"no label ({status.value})", n) for (gold, status), n in found.unusable.items()]
    most = sorted(wrong, key=lambda entry: (-entry[2], entry[:2]))
    rows = ([text(gold), text(said), f"{n:,}"] for gold, said, n in most[:MIX_UPS_SHOWN])
    more = f"The {MIX_UPS_SHOWN} most frequent of {len(most):,} kinds of wrong answers are shown."
    return table(["Gold label", "Answer", "Examples"], rows, numbers=(2,)) + (
        tag("p", text(more), "soft") if len(most) > MIX_UPS_SHOWN else ""
    )


def _cell(n: int, is_right: bool) -> str:
    return tag("b", f"{n:,}") if is_right else f"{n:,}"


def _slices(name: str, parts: Sequence[Slice]) -> Iterator[str]:
    yield table(
        [text(name[:1].upper() + name[1:]), "Examples", "Accuracy"],
        (
            [
                text(part.value or (f"{part.values:,} others" if part.values > 1 else "not given")),
                f"{part.n:,}",
                share_cell(part.accuracy, "Accuracy"),
            ]
            for part in parts[:SLICES_SHOWN]
        ),
        numbers=(1,),
    )
    if len(parts) > SLICES_SHOWN:
        yield tag("p", f"The {SLICES_SHOWN} largest of {len(parts):,} are shown.", "soft") + "\n"


def _numbers(runs: Sequence[int]) -> str:
    return ", ".join(f"{run:,}" for run in runs)


def _wide(content: str) -> str:
    return tag("div", content, "wide") + "\n"
