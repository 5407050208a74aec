"""A report as flat names and values, as trackers of experiments keep them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pld_core.canonical import hash_json
from pld_core.proportion import SMALL_SAMPLE, Proportion
from pld_core.run_report.content import RunReport

LASTING = (
    *("task", "run", "student", "student_digest", "split", "asked"),
    *("prompt_version", "prompt_sha256", "manifest_hash", "template_hash", "guideline_version"),
)
"""Identifiers that stay what they are while a run goes on."""
TAGGED = ("prompt_sha256", "manifest_hash", "template_hash", "student_digest", "examples_hash")


def identity(report: RunReport) -> str:
    """Return a hash that stands for the run, in this workspace and beside those of others."""
    told = report.identifiers
    return hash_json([told[name] for name in ("task", "run", "run_at", "student", "student_digest", "prompt_sha256")])


def params(report: RunReport) -> dict[str, str]:
    """Return what was run, which never changes; labels are numbered in their declared order."""
    told = report.identifiers
    labels = {f"label_{place}": name for place, name in enumerate(report.task.label_names, 1)}
    return {name: str(told[name]) for name in LASTING} | labels


def tags(report: RunReport) -> dict[str, str]:
    """Return hashes and where the prompt stands, as they are now."""
    told, standing = report.identifiers, report.standing
    return {
        **{f"pld.{name}": str(told[name]) for name in TAGGED},
        "pld.identity": identity(report),
        "pld.run_at": report.run.created_at,
        "pld.complete": str(report.is_complete).lower(),
        "pld.released_as": ", ".join(label.value for label in standing.labels) or "not released",
        "pld.exception": standing.exception.notice if standing.exception else "",
    }


def metrics(report: RunReport) -> dict[str, float]:
    """Return the figures with the ends of their intervals, `_low` and `_high`; rates only from 10 answers on."""
    return dict(_figures(report))


def _figures(report: RunReport) -> Iterator[tuple[str, float]]:
    found = report.figures
    yield "n", found.accuracy.n
    yield "correct", found.accuracy.k
    yield "answers_without_label", sum(found.unusable.values())
    yield "test_looks", len(report.standing.looks)
    yield from _share("accuracy", found.accuracy)
    yield from _share("majority", found.majority)
    if found.accuracy.n >= SMALL_SAMPLE:
        yield from _with_interval("macro_f1", found.macro_f1.value, found.macro_f1.interval)
    for place, label in enumerate(found.labels, 1):
        yield f"label_{place}_n", label.gold
        yield from _share(f"label_{place}_recall", label.recall)
        yield from _share(f"label_{place}_precision", label.precision)
    for line in report.baselines:
        name, compared = line.beside.baseline.name.lower(), line.beside.comparison
        yield from _share(f"baseline_{name}_accuracy", line.accuracy)
        if compared.n >= SMALL_SAMPLE:
            yield from _with_interval(f"baseline_{name}_macro_f1", line.macro_f1.value, line.macro_f1.interval)
            yield from _with_interval(f"beside_{name}_difference", compared.difference, (compared.low, compared.high))


def _share(name: str, share: Proportion) -> Iterator[tuple[str, float]]:
    if share.n >= SMALL_SAMPLE and share.low is not None and share.high is not None:
        yield from _with_interval(name, share.rate, (share.low, share.high))


def _with_interval(name: str, value: float | None, interval: tuple[float, float] | None) -> Iterator[tuple[str, float]]:
    if value is not None:
        yield name, value
    if interval is not None:
        yield from zip((f"{name}_low", f"{name}_high"), interval, strict=True)


def changed(wanted: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    """Return the figures that are not known, or known otherwise: the rest need not be told again."""
    return {name: value for name, value in wanted.items() if known.get(name) != value}
