"""The validation report on screen: what was read, kept, merged and refused, and what a person has to settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pld_app.components.import_words import on_page
from pld_core.canonical import canonical_json
from pld_core.validation.report import ValidationReport

SHOWN = 1_000


def draw_report(report: ValidationReport, key: str, draw_remedy: Callable[[], None] = lambda: None) -> None:
    """Draw the counts, what stops the import with its remedy, what to know, and the lists with row numbers.

    Args:
        key: tells this report from others on the page; one file may have several.
    """
    figures = [("Read", report.read), ("Kept", report.kept), ("Merged", report.merged), ("Refused", report.refused)]
    for column, (title, number) in zip(st.columns(4), figures, strict=True):
        column.metric(title, f"{number:,}")
    for problem in report.problems:
        st.error(on_page(problem), icon=":material/block:")
    draw_remedy()
    for warning in report.warnings:
        st.warning(on_page(warning), icon=":material/warning:")
    _draw_lists(report)
    st.download_button(
        "Download the report",
        canonical_json(report.model_dump(mode="json")).encode("utf-8"),
        f"{report.file}-report.json",
        "application/json",
        key=f"report_{key}",
        icon=":material/download:",
    )


def _draw_lists(report: ValidationReport) -> None:
    """Draw the lists side by side as tabs: the first that holds anything is open."""
    lists = [found for found in _lists(report) if found.rows]
    if not lists:
        return
    for tab, found in zip(st.tabs([found.title for found in lists]), lists, strict=True):
        with tab:
            st.caption(found.meaning)
            rows = found.rows[:SHOWN]
            st.dataframe(
                pd.DataFrame(rows),
                hide_index=True,
                width="stretch",
                height=min(240, 40 + 35 * len(rows)),
                column_config={report.unit: st.column_config.NumberColumn(width="small")},
            )
            if found.number > len(rows):
                st.caption(f"The first {len(rows):,} of {found.number:,}.")


@dataclass(frozen=True)
class _List:
    """A list of the report; `number` is how many entries there are, listed or not."""

    name: str
    number: int
    meaning: str
    rows: Sequence[dict[str, object]]

    @property
    def title(self) -> str:
        return f"{self.name} ({self.number:,})"


def _lists(report: ValidationReport) -> tuple[_List, ...]:
    unit = report.unit
    return (
        _List(
            "Refused",
            report.refused,
            "Left out, each for the reason beside it.",
            [{unit: entry.row, "why": entry.reason} for entry in report.refused_rows],
        ),
        _List(
            "Merged",
            report.merged,
            "They have the text and the label of another, and are counted with it.",
            [{unit: e.row, "same as": _place(e.same_as, unit)} for e in report.merged_rows],
        ),
        _List(
            "Label conflicts",
            report.conflict_count,
            "One text with several labels: kept aside until a person settles which is right.",
            [
                {"the text and its labels": ", ".join(f"{_place(r.row, unit)}: {r.label}" for r in conflict.rows)}
                for conflict in report.label_conflicts
            ],
        ),
        _List(
            "Shared between splits",
            report.leak_count,
            "What stands in two splits; a figure on one then says little about new texts.",
            [
                {
                    "what": leak.kind,
                    "where": leak.group or ", ".join(_place(row, unit) for row in leak.rows[:10]),
                    "splits": ", ".join(leak.splits),
                }
                for leak in report.leaks
            ],
        ),
        _List(
            "Nearly the same text",
            report.near_duplicate_count,
            "Pairs of texts that differ in little. All are kept.",
            [
                {
                    "one": _place(pair.row, unit),
                    "other": _place(pair.other, unit),
                    "alike": f"{pair.similarity:.0%}",
                    "label": "the same" if pair.same_label else "another",
                }
                for pair in report.near_duplicates
            ],
        ),
        _List(
            "Personal data",
            len(report.personal),
            "Found by pattern, a heuristic: some are missed, some are none.",
            [
                {"kind": entry.kind, f"{unit}s": entry.rows, "first": ", ".join(str(n) for n in entry.numbers[:20])}
                for entry in report.personal
            ],
        ),
        _List(
            "By split and label",
            report.kept,
            "The examples that are kept.",
            [{"split": split, **labels} for split, labels in report.split_counts.items()],
        ),
    )


def _place(row: int | None, unit: str) -> str:
    return "an example of the task" if row is None else f"{unit} {row:,}"
