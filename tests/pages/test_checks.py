"""The Review page on a seeded check: nothing shows before the decision, all of it right after."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.checks import SeededCheck
from tests.factories import verdict_on
from tests.pages.driving import Visit, press, prose, run
from tests.seeding import checks_in_demo


@pytest.fixture
def check(demo: App) -> SeededCheck:
    return checks_in_demo(demo.store)[0]


FIGURES = """
from pld_app import session
from pld_app.components.check_figures import draw_check_figures

draw_check_figures(session.app().store.tasks.get("nda"))
"""
"""No page of its own: the part is drawn as a page would draw it."""


def drawn() -> str:
    return prose(run(AppTest.from_string(FIGURES, default_timeout=60)))


def test_whoever_approves_a_check_stays_on_it_and_is_told(visit: Visit, check: SeededCheck) -> None:
    at = visit("review", task="nda", rule=check.rule_id)
    assert "seeded" not in prose(at)
    press(at, "bar_approve")
    press(at, "sign")
    said = prose(at)
    assert f"{check.rule_id} was a seeded check ({check.kind.label})" in said
    assert "You took it as right. It cannot get into a prompt" in said
    assert at.query_params["rule"] == check.rule_id


def test_its_original_is_decided_on_as_ever(visit: Visit, check: SeededCheck) -> None:
    at = visit("review", task="nda", rule=check.parent)
    press(at, "bar_approve")
    press(at, "sign")
    assert "seeded" not in prose(at)
    assert at.query_params["rule"] != check.parent


def test_the_figures_of_a_task(demo: App) -> None:
    assert "mixes no known-bad rules in" in drawn()
    first, second = checks_in_demo(demo.store, 2)
    assert "no check was closed yet · 2 open" in drawn()
    demo.store.rules.judge(verdict_on(demo.store, first.rule_id), demo.actor)
    said = drawn()
    assert "0 of 1 (too few for a rate) · 1 open" in said
    assert "Of those that you closed, caught: 0 of 1" in said
    assert second.rule_id not in said
