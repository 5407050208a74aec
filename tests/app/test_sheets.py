"""Rules out to a sheet and decisions back from it, as the pages and the command line do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pld_app import sheets
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.decision_book import MOST_BYTES, write_book
from pld_core.decision_sheet import MOST_ROWS
from pld_core.desk import DeskFilter, Tab
from pld_core.errors import InvalidInput, MissingRole
from pld_core.models import SYSTEM, Actor, RevisionState, Role
from pld_core.policy import Policy
from pld_core.records import RuleFilter
from storage import SqliteStore
from tests.factories import ANNA, BERT, READER, fill, make_example, make_rule, make_text, rule_in_review, verdict_on
from tests.sheets import APPROVED, REJECTED, fill_in

Acting = Callable[[Actor], App]


@pytest.fixture
def acting(sqlite_store: SqliteStore, tmp_path: Path) -> Acting:
    """Three rules in review, opened by whom a test says."""
    examples = fill(sqlite_store)
    for n, label in enumerate(("keep", "remove", "keep")):
        text = make_text(f"condition {n}", label, f"Rule number {n}")
        rule_in_review(sqlite_store, make_rule(text, examples[:2], examples[2 : 2 + n], f"origin-{n}"))
    return lambda actor: App(load_settings(tmp_path, {}), sqlite_store, actor)


def exported(app: App, where: DeskFilter = sheets.MINE, assignee: str = "") -> list[str]:
    return [row.rule_id for row in sheets.make_sheet(app, "posts", where, assignee).rows]


def content(app: App) -> bytes:
    return write_book(sheets.make_sheet(app, "posts"))


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_by_default_a_sheet_holds_what_waits_for_the_person_in_the_order_of_the_queue(acting: Acting) -> None:
    anna = acting(ANNA)
    assert sorted(exported(anna)) == ["R1", "R2", "R3"]
    assert exported(anna)[-1] == "R1", "the one without contradicting examples comes last"
    anna.store.rules.judge(verdict_on(anna.store, "R2"), ANNA)
    anna.store.desk.queue.assign(["R3"], "anna", ANNA)
    assert exported(anna) == ["R3", "R1"]
    assert exported(acting(BERT)) == ["R1"]


@pytest.mark.parametrize(
    ("where", "assignee", "rules"),
    [
        (DeskFilter(where=RuleFilter(label="remove")), "", ["R2"]),
        (DeskFilter(where=RuleFilter(search="number 2")), "", ["R3"]),
        (DeskFilter(tag="urgent"), "", ["R1"]),
        (DeskFilter(Tab.ALL), "bert", ["R4"]),
        (DeskFilter(Tab.CONFLICTS), "", ["R2", "R3"]),
        (DeskFilter(Tab.ALL, RuleFilter(states=(RevisionState.APPROVED,))), "", ["R5"]),
    ],
)
def test_a_filter_narrows_the_sheet(acting: Acting, where: DeskFilter, assignee: str, rules: list[str]) -> None:
    anna = acting(ANNA)
    supports = anna.store.tasks.examples("posts")[:2]
    for n in (4, 5):
        rule_in_review(anna.store, make_rule(make_text(f"condition {n}"), supports, origin=f"origin-{n}"))
    anna.store.desk.queue.tag(["R1"], "urgent", ANNA)
    anna.store.rules.judge(verdict_on(anna.store, "R5"), BERT)
    anna.store.desk.queue.assign(["R4"], "bert", ANNA)
    assert sorted(exported(anna, where, assignee)) == rules


def test_a_sheet_without_rules_is_not_written(acting: Acting, tmp_path: Path) -> None:
    anna = acting(ANNA)
    with pytest.raises(InvalidInput, match=r"No rule matches.*Nothing was written"):
        sheets.export_sheet(anna, "posts", DeskFilter(Tab.STALE), "", tmp_path / "rules.xlsx")
    assert not (tmp_path / "rules.xlsx").exists()


def test_a_sheet_of_more_rules_than_anybody_reads_is_not_written(acting: Acting) -> None:
    anna = acting(ANNA)
    more = [make_rule(make_text(f"more {n}"), origin=f"more-{n}") for n in range(MOST_ROWS)]
    anna.store.lineage.enter("posts", more, SYSTEM)
    with pytest.raises(InvalidInput, match="1,003 rules match; a sheet holds at most 1,000"):
        sheets.make_sheet(anna, "posts")


def test_the_second_reviewer_gets_the_state_but_no_word_of_the_first_decision(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    fill(sqlite_store, policy=Policy(four_eyes=True))
    rule_in_review(sqlite_store)
    sqlite_store.rules.judge(verdict_on(sqlite_store, "R1", reason="Only anna knows why."), ANNA)
    (row,) = sheets.make_sheet(App(load_settings(tmp_path, {}), sqlite_store, BERT), "posts").rows
    assert row.state == "first approved"
    assert "anna" not in str(row)


@pytest.mark.parametrize("name", ["rules.csv", "rules", "rules.xlsx.zip"])
def test_a_file_of_another_ending_is_not_written(acting: Acting, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"has to end in \.xlsx"):
        sheets.export_sheet(acting(ANNA), "posts", sheets.MINE, "", tmp_path / name)


def test_a_file_that_cannot_be_written_leaves_nothing_behind(acting: Acting, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        sheets.export_sheet(acting(ANNA), "posts", sheets.MINE, "", tmp_path / "none" / "rules.xlsx")
    (tmp_path / "rules.xlsx").mkdir()
    with pytest.raises(InvalidInput, match="cannot be written"):
        sheets.export_sheet(acting(ANNA), "posts", sheets.MINE, "", tmp_path / "rules.xlsx")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


# --- what comes back --------------------------------------------------------------------------------------------------


def test_decisions_are_those_of_whoever_hands_the_sheet_in(acting: Acting) -> None:
    filled = fill_in(content(acting(ANNA)), {"R1": APPROVED, "R2": REJECTED})
    bert = acting(BERT)
    outcome = sheets.record_sheet(bert, "rules.xlsx", filled, "posts")
    assert [(row.rule_id, row.state) for row in outcome.decided] == [
        ("R2", RevisionState.REJECTED),
        ("R1", RevisionState.APPROVED),
    ]
    assert outcome.skipped == 1
    for rule_id in ("R1", "R2"):
        (decision,) = bert.store.rules.dossier(rule_id, SYSTEM).decisions
        assert decision.reviewer == "bert"
    assert bert.store.events.page()[0].payload["exported_by"] == "anna"


def test_a_check_tells_what_would_happen_and_writes_nothing(acting: Acting) -> None:
    anna = acting(ANNA)
    filled = fill_in(content(anna), {"R1": APPROVED, "R2": ("approve", "", "")})
    events = anna.store.events.count()
    checked = sheets.check_sheet(anna, "rules.xlsx", filled)
    assert anna.store.events.count() == events
    assert sheets.record_sheet(anna, "rules.xlsx", filled) == checked
    assert [row.rule_id for row in checked.decided] == ["R1"]
    assert "Type one in your own words, for approvals too" in checked.refused[0].problem


def test_a_sheet_of_another_task_or_workspace_is_refused_as_a_whole(acting: Acting, sqlite_store: SqliteStore) -> None:
    anna = acting(ANNA)
    filled = fill_in(content(anna), {"R1": APPROVED})
    with pytest.raises(InvalidInput, match="holds rules of the task posts, not of mail"):
        sheets.record_sheet(anna, "rules.xlsx", filled, "mail")
    sheet = sheets.make_sheet(anna, "posts")
    elsewhere = write_book(replace(sheet, origin=replace(sheet.origin, workspace="sha256:other")))
    with pytest.raises(InvalidInput, match="exported from another workspace"):
        sheets.record_sheet(anna, "rules.xlsx", fill_in(elsewhere, {"R1": APPROVED}))
    assert sqlite_store.rules.dossier("R1", SYSTEM).decisions == ()


def test_it_takes_the_role_both_ways(acting: Acting) -> None:
    filled = fill_in(content(acting(ANNA)), {"R1": APPROVED})
    reader = acting(READER)
    with pytest.raises(MissingRole, match="rita may not export rules for deciding"):
        sheets.make_sheet(reader, "posts")
    for step in (sheets.check_sheet, sheets.record_sheet):
        with pytest.raises(MissingRole, match="rita may not decide on a rule"):
            step(reader, "rules.xlsx", filled)
    assert sheets.make_sheet(acting(Actor("olga", frozenset({Role.REVIEWER}))), "posts").rows


def test_examples_that_look_like_formulas_go_out_defused_and_can_be_decided(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    posts = [make_example(text) for text in ('=HYPERLINK("x")', "+1", "two\nlines 😀", "a" * 40_000)]
    fill(sqlite_store, examples=posts)
    rule_in_review(sqlite_store, make_rule(make_text(title="=1+1"), posts))
    anna = App(load_settings(tmp_path, {}), sqlite_store, ANNA)
    assert sheets.make_sheet(anna, "posts").rows[0].title == "'=1+1"
    assert sheets.record_sheet(anna, "rules.xlsx", fill_in(content(anna), {"R1": APPROVED})).decided


@pytest.mark.parametrize("name", ["none.xlsx", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read.*Nothing was recorded"):
        sheets.file_content(tmp_path / name)


def test_a_file_larger_than_any_sheet_is_not_read(tmp_path: Path) -> None:
    big = tmp_path / "big.xlsx"
    with big.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(InvalidInput, match="larger than 32 MiB, as no decision sheet is"):
        sheets.file_content(big)
