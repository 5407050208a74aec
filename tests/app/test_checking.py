"""Seeded checks in audit packs, and what is told of them once they are closed."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pld_app.auditing import export_pack, pack_order, waiting_pack
from pld_app.checking import closed_check_json, told_after_check
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_app.worker import run_one
from pld_core.models import Actor, Role, Verdict
from storage import SqliteStore
from tests.factories import ANNA, BERT, no_report, rule_in_review, verdict_on
from tests.packs import unpack
from tests.seeding import fill_with_checks, open_check, plain_rule

AUDITOR = Actor("olga", frozenset({Role.AUDITOR}))
LEAD = Actor("lea", frozenset({Role.LEAD}))


@pytest.fixture
def app(tmp_path: Path, sqlite_store: SqliteStore) -> App:
    fill_with_checks(sqlite_store)
    return App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)


def pack_of(app: App, path: Path) -> tuple[Any, Any, str]:
    """Return the checks, the statistics and the report of a pack that this person makes; it has to be intact."""
    export_pack(app, "posts", path, False, no_report)
    unpacked = unpack(path.read_bytes(), path.with_suffix(""))
    assert unpacked.verify().said.count("Intact") == 1
    report = (unpacked.folder / "report.html").read_text(encoding="utf-8")
    return unpacked.read("checks.json"), unpacked.read("statistics.json"), report


def test_an_auditor_is_told_every_check_and_whoever_decides_the_closed_ones(app: App, tmp_path: Path) -> None:
    missed, caught = open_check(app.store), open_check(app.store)
    app.store.rules.judge(verdict_on(app.store, missed.rule_id), BERT)
    seen = app.store.rules.summary(caught.rule_id)
    app.store.rules.edit(caught.rule_id, seen.head, seen.state, plain_rule(0).text, "as it should be", ANNA)
    still = open_check(app.store)
    for actor, named in ((AUDITOR, [missed, caught, still]), (LEAD, [missed, caught])):
        path = tmp_path / actor.name / "pack.zip"
        path.parent.mkdir()
        checks, statistics, report = pack_of(replace(app, actor=actor), path)
        assert [check["rule"] for check in checks] == [check.rule_id for check in named]
        assert checks[0]["outcome"] == {**checks[0]["outcome"], "caught": False, "how": "approved", "by": "bert"}
        assert checks[1]["outcome"] == {**checks[1]["outcome"], "caught": True, "how": "edited", "by": "anna"}
        rate = statistics["seeded_checks"]
        assert (rate["caught"], rate["missed"], rate["open"], rate["rate"]) == (1, 1, 1, None)
        assert "Caught: 1 of 2 (too few for a rate). Open: 1." in report
        assert ("may decide on rules: 1." in report) is (actor is LEAD)
        listed = f"<td>{still.rule_id}</td><td>{still.parent}</td><td>{still.kind.label}</td>"
        assert (listed in report) is (actor is AUDITOR)


def test_a_pack_that_waits_in_the_workspace_names_no_open_check(app: App, tmp_path: Path) -> None:
    check = open_check(app.store)
    app.store.jobs.enqueue("audit_pack", "posts", pack_order(False), AUDITOR)
    done = run_one(app, "worker")
    assert done is not None
    path = waiting_pack(app.settings, done)
    assert path is not None
    with zipfile.ZipFile(path) as pack:
        assert json.loads(pack.read("checks.json")) == []
        assert json.loads(pack.read("statistics.json"))["seeded_checks"]["open"] == 1
        assert check.kind.label not in pack.read("report.html").decode().partition("Open checks that are not")[2]


def test_what_people_did_with_checks_counts_in_no_other_figure(app: App, tmp_path: Path) -> None:
    check = open_check(app.store)
    app.store.rules.judge(verdict_on(app.store, check.rule_id, Verdict.REJECT), ANNA)
    app.store.rules.judge(verdict_on(app.store, check.parent), ANNA)
    export_pack(app, "posts", tmp_path / "pack.zip", False, no_report)
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        statistics = json.loads(pack.read("statistics.json"))
        decisions = pack.read("decisions.csv").decode().splitlines()
    assert statistics["verdicts"] == {"approve": 1, "reject": 0, "request_changes": 0}
    assert statistics["overridden_teacher_revisions"]["k"] == 0
    assert len(decisions) == 1 + 2, "the record itself leaves nothing out"


def test_a_task_without_checks_says_nothing_of_them(app: App, tmp_path: Path) -> None:
    checks, statistics, report = pack_of(app, tmp_path / "pack.zip")
    assert checks == []
    assert statistics["seeded_checks"]["open"] == 0
    assert "Seeded checks" not in report


def test_nobody_is_told_of_an_open_check_and_everybody_of_a_closed_one(app: App) -> None:
    check, real = open_check(app.store), rule_in_review(app.store, plain_rule(999))
    for rule_id in (check.rule_id, real):
        assert told_after_check(app, rule_id) == ""
        assert closed_check_json(app, rule_id) is None
    app.store.rules.judge(verdict_on(app.store, check.rule_id), ANNA)
    assert "You took it as right. It cannot get into a prompt" in told_after_check(app, check.rule_id)
    assert "It was taken as right" in told_after_check(replace(app, actor=BERT), check.rule_id)
    value = closed_check_json(app, check.rule_id)
    assert isinstance(value, dict)
    assert (value["kind"], value["made_of"]) == (check.kind.value, check.parent)
