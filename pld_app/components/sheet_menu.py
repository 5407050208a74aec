"""Deciding in Excel: the sheet to download, and what a filled-in one would record."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pld_app import session, sheets
from pld_app.checking import told_after_check
from pld_app.components.queue import desk_filter
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain, words
from pld_app.session import SheetReport
from pld_app.sheets import SheetContent
from pld_core.decision_book import MOST_BYTES
from pld_core.decision_sheet import MOST_ROWS
from pld_core.errors import PldError
from pld_core.models import Task
from pld_core.permissions import PERMITTED, Step, permits, role_words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LISTED = 50
"""Rows that the report lists; the command line lists all."""


def draw_sheet_menu(task: Task) -> None:
    """Draw the menu below the queue: download what the queue shows, hand in what was filled in."""
    with st.popover("Decide in Excel", icon=":material/table_view:", width="stretch", key="sheet_menu"):
        missing = [step for step in (Step.EXPORT_SHEET, Step.JUDGE) if not permits(session.app().actor, step)]
        if missing:
            st.info(f"That takes the role {role_words(PERMITTED[missing[0]])}.")
            return
        _draw_download(task)
        _draw_upload(task)


def _draw_download(task: Task) -> None:
    app, where = session.app(), desk_filter()
    number = app.store.desk.queue.count(task.name, where, app.actor)
    st.markdown("**1. Download, read, fill in.** A row for each rule that the queue shows now, with its evidence.")
    st.download_button(
        f"Download {count(number, 'rule')}",
        SheetContent(app, task.name, where),
        f"{task.name}-decisions.xlsx",
        XLSX,
        key="sheet_download",
        icon=":material/download:",
        on_click="ignore",
        disabled=not 0 < number <= MOST_ROWS,
        width="stretch",
    )
    if number == 0:
        st.caption("The queue shows no rule. Choose another tab or clear the filter.")
    elif number > MOST_ROWS:
        st.caption(f"A sheet holds at most {MOST_ROWS:,} rules. Choose a label, a tag, or another tab.")


def _draw_upload(task: Task) -> None:
    st.markdown("**2. Hand it in.** You see what would be recorded first.")
    upload = st.file_uploader(
        "The sheet, filled in",
        type=["xlsx"],
        max_upload_size=MOST_BYTES // 2**20,
        key="sheet_upload",
        label_visibility="collapsed",
    )
    if upload is None:
        return
    report = session.sheet_report(upload.file_id)
    if report is None:
        try:
            outcome = sheets.check_sheet(session.app(), upload.name, upload.getvalue(), task.name)
        except PldError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        report = SheetReport(outcome, recorded=False)
        session.remember_sheet(upload.file_id, report)
    _draw_counts(report)
    number = len(report.outcome.decided)
    if number and not report.recorded:
        label = f"Record {count(number, 'decision')}"
        st.button(
            label,
            key="sheet_record",
            type="primary",
            width="stretch",
            **session.as_shown("sheet_upload", _record, task.name, upload),
        )
        who = plain(session.app().actor.name)
        st.caption(f"Each as a decision by {who}, with its reason, bound to the revision and evidence in the sheet.")
    _draw_rows(report)


def _record(task_name: str, upload: UploadedFile) -> None:
    def record() -> str:
        outcome = sheets.record_sheet(session.app(), upload.name, upload.getvalue(), task_name)
        session.remember_sheet(upload.file_id, SheetReport(outcome, recorded=True))
        return f"{count(len(outcome.decided), 'decision')} recorded"

    session.step(record)


def _draw_counts(report: SheetReport) -> None:
    """Draw how many rows were taken, refused and left empty; before the button, so that none is overlooked."""
    outcome, number = report.outcome, len(report.outcome.decided)
    done = "recorded" if report.recorded else "can be recorded"
    icon = ":material/check:" if number else ":material/info:"
    refused = f":orange[{count(len(outcome.refused), 'row')} refused]" if outcome.refused else "0 rows refused"
    skipped = f"{count(outcome.skipped, 'row')} without a decision"
    st.markdown(f"{icon} **{count(number, 'decision')} {done}**, {refused}, {skipped}.")


def _draw_rows(report: SheetReport) -> None:
    """Draw what becomes of each row, refused ones first."""
    outcome = report.outcome
    if not outcome.decided and not outcome.refused:
        return
    with st.container(height=150, border=True, gap="xsmall"):
        for refusal in outcome.refused[:LISTED]:
            draw_remark("orange", f"Refused. {plain(refusal.words)}")
        for row in outcome.decided[:LISTED]:
            st.caption(f"Row {row.number} ({row.rule_id}): {words(row.verdict.value)} → {row.state.label}")
            if report.recorded and (told := told_after_check(session.app(), row.rule_id)):
                st.caption(plain(told))
    if max(len(outcome.decided), len(outcome.refused)) > LISTED:
        st.caption(f"The first {LISTED} of each are listed; `pld review import FILE --check` lists all.")
