"""`pld rules` on a seeded check: as on any rule, until it is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_app import wiring
from pld_core.checks import SeededCheck
from tests.cli.running import Pld
from tests.seeding import checks_in_demo


@pytest.fixture
def check(space: Path) -> SeededCheck:
    return checks_in_demo(wiring.open_app(space).store)[0]


def test_an_open_check_is_listed_and_shown_as_any_rule(space: Path, pld: Pld, check: SeededCheck) -> None:
    listed = {s["id"]: s for s in pld("rules", "list", "--task", "nda", "--json", "--workspace", space).value}
    shown = [pld("rules", "show", r, "--json", "--workspace", space).value for r in (check.rule_id, check.parent)]
    assert set(listed[check.rule_id]) == set(listed[check.parent])
    assert sorted(shown[0]) == sorted(shown[1])
    assert [(s["seeded_check"], s["compared"], s["overlaps"]) for s in shown] == [(None, False, [])] * 2
    log = pld("audit", "log", "--rule", check.rule_id, "--workspace", space).out
    assert not [word for word in ("seeded", "known", "check") if word in log]


def test_whoever_decides_is_told_at_once(space: Path, pld: Pld, check: SeededCheck) -> None:
    done = pld("rules", "approve", check.rule_id, "--workspace", space)
    assert f"{check.rule_id} revision 1 is retired" in done.out
    assert "was a seeded check" in done.out
    assert "You took it as right" in done.out
    value = pld("rules", "show", check.rule_id, "--json", "--workspace", space).value["seeded_check"]
    assert (value["outcome"]["caught"], value["made_of"]) == (False, check.parent)
    assert "was a seeded check" in pld("rules", "show", check.rule_id, "--workspace", space).out
    again = ("rules", "edit", check.rule_id, "--if", "x y", "--reason", "z", "--workspace", space)
    assert "was a seeded check" in pld(*again).refusal


def test_an_edit_and_a_duplicate_catch_it(space: Path, pld: Pld) -> None:
    check, other = checks_in_demo(wiring.open_app(space).store, 2)
    edited = pld("rules", "edit", check.rule_id, "--if", "it binds both", "--reason", "so", "--workspace", space)
    assert "revision 2 is retired" in edited.out
    assert "You caught it." in edited.out
    same = ("rules", "reject-duplicates", other.rule_id, "--of", other.parent, "--reason", "same")
    made = pld(*same, "--json", "--workspace", space).value
    assert made[0]["seeded_check"]["outcome"]["how"] == "rejected"
