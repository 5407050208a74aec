"""Releases in the audit pack: where the labels are, the gates of each move, and exceptions that have ended."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.releases import BreakGlass
from storage import SqliteStore
from tests.factories import ANNA, BERT
from tests.packs import ORDER, packed, verified
from tests.releasing import PRODUCTION, TASK, next_version, one_version, order, released

TINY = GatePolicy(token_budget=10)


def pack_at(store: SqliteStore, moment: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(packed(store, order=replace(ORDER, made_at=moment))[0]))


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """Version 1 in production, then version 2 by an exception until 20 January."""
    one_version(sqlite_store)
    released(sqlite_store, 1)
    next_version(sqlite_store)
    sqlite_store.gate_policies.change(TASK, AS_MADE, TINY, "a tiny student", ANNA)
    glass = BreakGlass("a court order <b>", "2026-01-20")
    sqlite_store.releases.move(order(sqlite_store, 2, glass=glass), BERT)
    return sqlite_store


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-01-20T23:00:00.000000Z", "exception until 2026-01-20: released with red gates"),
        ("2026-01-21T00:00:00.000000Z", "expired exception: released with red gates, allowed until 2026-01-20"),
    ],
)
def test_an_exception_is_marked_in_every_file_that_tells_of_the_release(
    store: SqliteStore, moment: str, status: str
) -> None:
    pack = pack_at(store, moment)
    found = json.loads(pack.read("releases.json"))
    (held,) = found["labels"]
    assert (held["label"], held["version"], held["by"]) == ("production", 2, "bert")
    assert held["exception"] == {"reason": "a court order <b>", "until": "2026-01-20", "status": status}
    assert json.loads(pack.read("prompts/v2.json"))["released_as"] == [f"production ({status})"]
    assert json.loads(pack.read("prompts/v1.json"))["released_as"] == []
    report = pack.read("report.html").decode()
    assert status in report
    assert "a court order &lt;b&gt;" in report


def test_every_move_is_in_it_with_its_gates_and_its_reason(store: SqliteStore) -> None:
    store.releases.roll_back(TASK, PRODUCTION, 2, "it misleads", BERT)
    pack = pack_at(store, ORDER.made_at)
    moves = json.loads(pack.read("releases.json"))["label_moves"]
    assert [(move["told"]["version"], move["told"]["kind"]) for move in moves] == [
        (1, "move"),
        (2, "move"),
        (1, "rollback"),
    ]
    states = {gate["key"]: gate["state"] for gate in moves[1]["told"]["gates"]}
    assert (states["budget"], states["approved"]) == ("red", "green")
    report = pack.read("report.html").decode()
    assert "production to version 1 (rollback)" in report
    assert "Reason: it misleads" in report
    inventory = json.loads(pack.read("inventory.json"))["task"]
    assert inventory["gate_limits"]["token_budget"] == 10
    assert [change["reason"] for change in inventory["gate_limit_changes"]] == ["a tiny student"]


def test_a_pack_with_releases_verifies(store: SqliteStore, tmp_path: Path) -> None:
    pack_at(store, ORDER.made_at).extractall(tmp_path / "pack")
    found = verified(tmp_path / "pack/verify.py", tmp_path / "pack")
    assert found.code == 0, found.said
