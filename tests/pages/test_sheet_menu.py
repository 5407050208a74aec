"""“Decide in Excel” on the Review page: what it offers, and what a filled-in sheet would record."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook
from streamlit.testing.v1 import AppTest

from pld_app import sheets
from pld_app.components.sheet_menu import XLSX
from pld_app.sheets import SheetContent
from pld_app.wiring import App
from pld_core.decision_book import write_book
from pld_core.decision_layout import RULES_SHEET
from pld_core.desk import DeskFilter, Tab
from pld_core.models import SYSTEM, RevisionState, Role
from tests.factories import BERT, verdict_on
from tests.pages.driving import Visit, go, press, press_at_once, prose, run
from tests.sheets import APPROVED, REJECTED, Typed, fill_in
from tests.signing_in import signed_in, write_secrets


def filled(app: App, **typed: Typed) -> bytes:
    return fill_in(write_book(sheets.make_sheet(app, "nda")), typed)


def hand_in(at: AppTest, content: bytes, name: str = "nda-decisions.xlsx") -> AppTest:
    at.file_uploader("sheet_upload").set_value((name, content, XLSX))
    return run(at)


def offers_to_record(at: AppTest) -> bool:
    return "sheet_record" in [button.key for button in at.button]


def test_the_download_holds_what_the_queue_shows(demo: App, visit: Visit) -> None:
    at = visit("review", task="nda")
    (button,) = at.get("download_button")
    assert button.proto.label == "Download 13 rules"
    assert not button.proto.disabled
    page = load_workbook(io.BytesIO(SheetContent(demo, "nda", sheets.MINE)()))[RULES_SHEET]
    assert page.max_row == 14
    assert page.protection.sheet is True


def test_a_queue_without_rules_offers_no_download(demo: App, visit: Visit) -> None:
    at = visit("review", task="nda", show="Stale")
    (button,) = at.get("download_button")
    assert button.proto.disabled
    assert "The queue shows no rule." in prose(at)


def test_a_filled_in_sheet_is_shown_first_and_recorded_by_the_button(demo: App, visit: Visit) -> None:
    content = filled(demo, R1=APPROVED, R2=REJECTED, R3=("approve", "", ""))
    at = hand_in(visit("review", task="nda"), content)
    told = prose(at)
    assert "**2 decisions can be recorded**, :orange[1 row refused], 10 rows without a decision." in told
    assert "(R3): there is no reason for the decision “approve”" in told
    assert "(R1): approve → approved" in told
    assert demo.store.rules.summary("R1").state is RevisionState.IN_REVIEW
    assert at.button("sheet_record").label == "Record 2 decisions"
    press(at, "sheet_record")
    told = prose(at)
    assert "**2 decisions recorded**" in told
    assert not offers_to_record(at)
    assert [demo.store.rules.summary(rule).state for rule in ("R1", "R2")] == [
        RevisionState.APPROVED,
        RevisionState.REJECTED,
    ]
    (decision,) = demo.store.rules.dossier("R1", SYSTEM).decisions
    assert (decision.reviewer, decision.reason) == ("anna", "I read the evidence.")


def test_another_sheet_that_comes_with_the_press_is_shown_before_it_is_recorded(demo: App, visit: Visit) -> None:
    at = hand_in(visit("review", task="nda"), filled(demo, R1=APPROVED))
    at.file_uploader("sheet_upload").set_value(("other.xlsx", filled(demo, R2=REJECTED), XLSX))
    press_at_once(at, "sheet_record")
    assert "(R2): reject → rejected" in prose(at)
    assert {demo.store.rules.summary(rule).state for rule in ("R1", "R2")} == {RevisionState.IN_REVIEW}


def test_what_moved_on_between_looking_and_recording_is_refused(demo: App, visit: Visit) -> None:
    at = hand_in(visit("review", task="nda"), filled(demo, R1=APPROVED, R2=APPROVED))
    demo.store.rules.judge(verdict_on(demo.store, "R1"), BERT)
    press(at, "sheet_record")
    told = prose(at)
    assert "**1 decision recorded**" in told
    assert "(R1): it was in review when the sheet was exported and is approved now, by bert." in told


def test_a_sheet_without_a_decision_offers_nothing_to_record(demo: App, visit: Visit) -> None:
    at = hand_in(visit("review", task="nda"), filled(demo))
    assert "**0 decisions can be recorded**, 0 rows refused, 13 rows without a decision." in prose(at)
    assert not offers_to_record(at)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"rule,decision\nR1,approve\n", "is not an Excel workbook"), (b"\xd0\xcf\x11\xe0", "protected by a password")],
)
def test_a_file_that_is_something_else_is_told(demo: App, visit: Visit, content: bytes, told: str) -> None:
    at = hand_in(visit("review", task="nda"), content)
    assert told in prose(at)
    assert not offers_to_record(at)


def test_who_may_not_decide_is_told_which_role_that_takes(demo: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    demo.store.roles.grant("lea@example.org", Role.ANALYST, "", demo.actor)
    at = visit("home", task="nda")
    at.user = signed_in("lea@example.org")
    go(run(at), "review")
    assert "That takes the role lead or reviewer." in prose(at)
    assert not at.get("download_button")


def test_another_filter_is_no_other_sheet(demo: App, visit: Visit) -> None:
    """What is handed in does not hang on what the queue shows at that moment."""
    content = filled(demo, R1=APPROVED)
    at = hand_in(visit("review", task="nda", show="Decided"), content)
    assert "**1 decision can be recorded**" in prose(at)


def test_the_menu_offers_the_sheet_of_the_tab(demo: App) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R1"), BERT)
    content = SheetContent(demo, "nda", DeskFilter(Tab.DECIDED))()
    assert load_workbook(io.BytesIO(content))[RULES_SHEET]["A2"].value == "R1"
