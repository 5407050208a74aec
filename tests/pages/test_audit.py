"""Audit: the log with its filters, one event in full, and whether the chain is whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import JobState, RuleText, Verdict
from pld_core.records import EventFilter
from storage.migrations import guard_triggers
from tests.factories import BERT, verdict_on
from tests.pages.driving import NASTY, Visit, Worker, choose_row, links, press, prose, raw, run

DATABASE = "pld.db"
DEMO_EVENTS = 29
WHAT = "what happened"
NOTHING = "No event matches. Clear the search or choose another person, kind, rule or time."


def behind_the_back(folder: Path, sql: str) -> None:
    """Change the log as somebody with the file in his hands would: guards off, change, guards on."""
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        guards = {name: text for name, text in guard_triggers().items() if name.startswith("event_")}
        for name in guards:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(sql)
        for text in guards.values():
            connection.execute(text)


def column(at: AppTest, name: str) -> list[str]:
    """Return a column of the log as it is listed."""
    return [str(value) for value in at.dataframe("event_rows").value[name]]


def submitter(app: App) -> str:
    """Return who built the demo: the login name of whoever runs the tests."""
    return app.store.events.page(EventFilter(kind="rule.submitted"))[0].actor


def test_an_empty_workspace_has_an_empty_log_that_is_intact(empty: App, visit: Visit) -> None:
    at = visit("audit")
    assert len(raw(at, "info")) == 1
    press(at, "verify")
    assert raw(at, "success") == ["Intact: 0 events, and the last one is the one noted beside the database."]
    assert raw(at, "code") == ["no event yet"]


def test_the_log_is_listed_newest_first(demo: App, visit: Visit) -> None:
    at = visit("audit")
    assert f"{DEMO_EVENTS} events." in prose(at)
    assert column(at, "nr") == [str(n) for n in range(DEMO_EVENTS, 0, -1)]
    demo.store.rules.judge(verdict_on(demo.store, "R1", Verdict.REJECT, reason="It concludes too much."), BERT)
    run(at)
    assert f"{DEMO_EVENTS + 1} events." in prose(at)
    first = at.dataframe("event_rows").value.iloc[0]
    assert first["what happened"] == "bert rejected R1: over broad. Reason: It concludes too much."


def test_a_chosen_event_is_shown_with_all_that_was_recorded(demo: App, visit: Visit) -> None:
    at = choose_row(visit("audit"), "event_rows", 3)
    event = demo.store.events.page()[3]
    assert f"Event {event.seq}, {event.kind}, {event.at}" in prose(at)
    assert json.loads(at.json[0].value) == event.payload
    assert raw(at, "code") == [f"{event.hash}\n{event.prev}"]


def test_the_log_is_paged(demo: App, visit: Visit) -> None:
    for rule in demo.store.rules.queue("nda"):
        demo.store.rules.judge(verdict_on(demo.store, rule.id, Verdict.REQUEST_CHANGES), BERT)
        demo.store.rules.edit(
            rule.id,
            rule.head,
            demo.store.rules.summary(rule.id).state,
            RuleText("New", "it says so", rule.labels),
            "Sharper.",
            BERT,
        )
    total = demo.store.events.count()
    assert total > 50
    at = visit("audit")
    assert len(column(at, "nr")) == 50
    at.pagination("event_page").select(2)
    run(at)
    assert column(at, "nr") == [str(n) for n in range(total - 50, 0, -1)]


# --- filters ----------------------------------------------------------------------------------------------------------


def test_who_what_and_search_narrow_together(demo: App, visit: Visit) -> None:
    for rule_id in ("R1", "R2"):
        demo.store.rules.judge(verdict_on(demo.store, rule_id), BERT)
    at = visit("audit")
    assert "bert" in at.selectbox("actor").options
    at.selectbox("actor").select("bert")
    run(at)
    assert column(at, WHAT) == [f"bert approved {rule}. Reason: I read the evidence." for rule in ("R2", "R1")]
    at.text_input("event_q").set_value("R2")
    run(at)
    assert column(at, WHAT) == ["bert approved R2. Reason: I read the evidence."]
    at.selectbox("kind").select("rule.submitted")
    run(at)
    assert raw(at, "info") == [NOTHING]
    at.selectbox("actor").select("any")
    run(at)
    assert column(at, WHAT) == [f"{submitter(demo)} brought R2 into review."]


def test_filters_in_the_address_are_applied(demo: App, visit: Visit) -> None:
    at = visit("audit", kind="rule.submitted")
    assert column(at, WHAT) == [f"{submitter(demo)} brought R{n} into review." for n in range(13, 0, -1)]
    at = visit("audit", event_rule="r3")
    assert len(column(at, WHAT)) == 2
    at = visit("audit", event_rule="r3", since="2020-01-01", until="2020-12-31")
    assert raw(at, "info") == [NOTHING]


def test_a_search_that_matches_nothing_keeps_the_button_that_verifies(demo: App, visit: Visit) -> None:
    at = visit("audit", event_q="nobody did this")
    assert raw(at, "info") == [NOTHING]
    press(at, "verify")
    assert len(at.success) == 1


# --- the chain --------------------------------------------------------------------------------------------------------


def test_nothing_is_claimed_before_somebody_verifies(demo: App, visit: Visit) -> None:
    at = visit("audit")
    assert "Not verified in this session yet. The same check by command: `pld audit verify`." in prose(at)
    assert not at.success
    assert not at.error


def test_an_intact_chain_is_verified_with_its_head(demo: App, visit: Visit) -> None:
    at = press(visit("audit"), "verify")
    assert raw(at, "success") == [
        f"Intact: {DEMO_EVENTS} events, and the last one is the one noted beside the database."
    ]
    assert raw(at, "code")[0] == demo.store.events.page()[0].hash


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE event SET actor = 'mallory' WHERE seq = 7", "Event 7 (rule.submitted) was changed"),
        ("DELETE FROM event WHERE seq = 5", "Event 5 is missing: event 6 stands in its place."),
        ("DELETE FROM event WHERE seq > 20", "Event 21 is missing: the log was cut"),
    ],
)
def test_a_broken_chain_names_the_first_broken_event(
    demo: App, visit: Visit, workspace_folder: Path, change: str, problem: str
) -> None:
    behind_the_back(workspace_folder, change)
    at = press(visit("audit"), "verify")
    assert not at.success
    assert f"The chain is broken. {problem}" in prose(at)
    assert len(at.error) == 1


def test_a_missing_head_file_is_said(demo: App, visit: Visit) -> None:
    demo.store.database.head_path.unlink()
    at = press(visit("audit"), "verify")
    assert "a cut tail could not be ruled out" in prose(at)
    assert not at.success


def test_a_damaged_head_file_is_one_sentence(demo: App, visit: Visit) -> None:
    demo.store.database.head_path.write_text("{")
    at = press(visit("audit"), "verify")
    assert "head file pld.db.head" in prose(at)
    assert not at.success


def test_what_people_wrote_is_plain_text(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R1", reason=NASTY), BERT)
    at = visit("audit")
    assert column(at, WHAT)[0] == f"bert approved R1. Reason: {NASTY}"
    assert json.loads(at.json[0].value)["reason"] == NASTY
    assert not [text for text in raw(at, "markdown", "caption") if "evil" in text]


# --- from the log to the rule, and out of the workspace ---------------------------------------------------------------


def test_a_rule_s_event_leads_to_the_rule(demo: App, visit: Visit) -> None:
    assert links(visit("audit", event_rule="R2")) == ["Open R2"]
    assert not links(visit("audit", kind="task.created"))


def test_a_time_that_is_none_is_one_sentence(demo: App, visit: Visit) -> None:
    at = visit("audit", since="last week")
    assert "'last week' is no date or time." in prose(at)
    assert len(at.button) == 1


def test_what_matches_can_be_exported(demo: App, visit: Visit) -> None:
    at = visit("audit", event_rule="R2")
    offered = [str(button.proto.label) for button in at.get("download_button")]
    assert offered == ["Export 2 events as CSV", "Export 2 events as JSONL"]


def test_a_pack_is_ordered_made_and_offered_for_download(demo: App, visit: Visit, worker: Worker) -> None:
    at = visit("audit", audit_view="Audit pack", task="nda")
    assert "Everything about NDA review in one file" in prose(at)
    at.checkbox("pack_masking").check()
    press(at, "make_pack")
    assert "job 1, queued" in prose(at)
    job = worker()
    assert (job.kind, job.params, job.state) == ("audit_pack", {"mask_personal": True}, JobState.DONE)
    run(at)
    assert "13 rules, 0 decisions" in prose(at)
    (offered,) = at.get("download_button")
    assert str(offered.proto.label).startswith("Download the pack of ")
    assert demo.store.events.page()[1].kind == "audit.pack_exported"


def test_an_empty_workspace_has_no_task_to_pack(empty: App, visit: Visit) -> None:
    at = visit("audit", audit_view="Audit pack")
    assert "This workspace has no task yet." in prose(at)
