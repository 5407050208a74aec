"""Results of this session that a rerun shows again: of connection tests, a sheet, the chain."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pld_core.decision_check import SheetOutcome
from pld_core.finding import Finding
from pld_core.prompt_plan import BudgetPlan
from pld_core.records import ChainReport

CHECKS, SHEET, CHAIN = "_checks", "_sheet", "_chain"


def remember_check(key: str, result: object) -> None:
    """Keep the result of a connection test of this session."""
    st.session_state.setdefault(CHECKS, {})[key] = result


def last_check(key: str) -> object:
    return st.session_state.get(CHECKS, {}).get(key)


@dataclass(frozen=True)
class SheetReport:
    """What became of a sheet that was uploaded, or what would if it were recorded."""

    outcome: SheetOutcome
    recorded: bool


def remember_sheet(file_id: str, report: SheetReport) -> None:
    """Keep the report on one upload, so that a rerun does not read the file again."""
    st.session_state[SHEET] = (file_id, report)


def sheet_report(file_id: str) -> SheetReport | None:
    seen, found = st.session_state.get(SHEET, ("", None))
    return found if seen == file_id else None


def remember_chain(report: ChainReport) -> None:
    """Keep the result of the last verification of this session."""
    st.session_state[CHAIN] = report


def last_chain() -> ChainReport | None:
    found: ChainReport | None = st.session_state.get(CHAIN)
    return found


# --- answers that were marked -----------------------------------------------------------------------------------------

MARKED = "_marked"


def remember_finding(key: str, finding: Finding) -> None:
    """Keep what this person marked, so that the answer says so on the next run."""
    st.session_state.setdefault(MARKED, {})[key] = finding


def finding_marked(key: str) -> Finding | None:
    found: Finding | None = st.session_state.get(MARKED, {}).get(key)
    return found


# --- a prompt over its budget -----------------------------------------------------------------------------------------

BUDGET_PLAN = "_budget_plan"


def propose(task: str, plan: BudgetPlan | None) -> None:
    """Keep what a person could leave out so that the prompt of a task fits; None drops it."""
    st.session_state.setdefault(BUDGET_PLAN, {})[task] = plan


def proposal(task: str) -> BudgetPlan | None:
    found: BudgetPlan | None = st.session_state.get(BUDGET_PLAN, {}).get(task)
    return found
