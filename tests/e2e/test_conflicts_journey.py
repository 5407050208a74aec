"""A conflict from its loop to the Review desk, in a real browser: order, wait, read, dismiss one, accept one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_core.conflicts.records import Fate, LoopLimits
from pld_core.demo import load_demo
from pld_core.models import RevisionState
from storage import open_store
from tests.cli.fake_ollama import fake_ollama, use_student
from tests.e2e.conftest import Served, Visitor, serve
from tests.factories import ANNA, url_of, verdict_on

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PATIENCE_MS = 180_000
"""A busy machine runs a loop of some hundred questions for a minute or more."""
CALLS_A_ROUND = LoopLimits().groups
SURVIVAL, TERM = "R7", "R10"
BARE_TERM = "such a stated term being enough by itself"
REPAIRED = "the clause states only how long the agreement runs or how it renews"
DEMO = load_demo("nda")
(OF_TERMS,) = (one for one in DEMO.script.synthesis if one.reply["title"] == "Term stated, later duties left open")
BARE_TERMS = tuple(dict(e.fields)["clause"] for e in DEMO.examples if e.hash in OF_TERMS.examples)


def takes_a_term_for_survival(prompt: str) -> str:
    """Answer as somebody who takes a bare term for survival, until a rule says that it is none."""
    is_bare_term = any(clause in prompt for clause in BARE_TERMS)
    return "NotMentioned" if REPAIRED in prompt and is_bare_term else "Entailment"


@pytest.fixture
def served(demo_workspace: Path, tmp_path: Path) -> Iterator[Served]:
    """The demo with two approved rules that contradict each other, and a student that follows the wrong one."""
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    with fake_ollama() as ollama:
        ollama.says = takes_a_term_for_survival
        use_student(workspace, ollama.url)
        store = open_store(url_of(workspace / "pld.db"))
        for rule in (SURVIVAL, TERM):
            store.rules.judge(verdict_on(store, rule), ANNA)
        yield from serve(workspace, tmp_path / "serve.log", ollama.url)


def test_a_repair_is_read_beside_its_examples_and_goes_to_the_desk(served: Served, visitor: Visitor) -> None:
    page, store = visitor.page, open_store(url_of(served.workspace / "pld.db"))
    visitor.go("conflicts?task=nda")
    page.get_by_text("No loop yet.").wait_for()

    page.get_by_role("button", name="New loop…").first.click()
    visitor.settle()
    page.get_by_label("Rounds at most").fill("1")
    page.get_by_label("Rounds at most").press("Tab")
    # Until the page says what one round takes, a press would start nothing.
    page.get_by_text(f"{CALLS_A_ROUND} calls to the teacher", exact=True).wait_for()
    visitor.settle()
    visitor.click("loop_start")
    page.get_by_text("of 1 round").first.wait_for(timeout=PATIENCE_MS)
    visitor.settle()

    # The narrowed rule: old and new words, and each example with both answers.
    narrowed = page.locator("[class*=st-key-proposal_]").filter(has_text=f"Narrow: {SURVIVAL}").first
    narrowed.get_by_text("passes", exact=True).wait_for()
    narrowed.get_by_text(BARE_TERM).first.wait_for()
    narrowed.get_by_text("before: ✗ Entailment").first.wait_for()
    narrowed.get_by_text("with it: ✓ NotMentioned").first.wait_for()
    narrowed.get_by_role("radio", name="Wrong in training").or_(
        narrowed.get_by_role("button", name="Wrong in training")
    ).first.click()
    visitor.settle()
    narrowed.get_by_text("the student said Entailment").first.wait_for()

    # Retiring it is no repair: dismissed, and only with a reason.
    retired = page.locator("[class*=st-key-held_], [class*=st-key-proposal_]").filter(has_text=f"Retire: {SURVIVAL}")
    retired.first.get_by_role("button", name="Dismiss").click()
    visitor.settle()
    page.get_by_text("Dismissing a proposal needs a reason").first.wait_for()
    (loop,) = store.resolutions.all("nda")
    assert store.proposals.outcomes(loop.id) == ()
    retired.first.get_by_label("Reason").fill("Express survival wording still needs a rule.")
    retired.first.get_by_label("Reason").press("Tab")
    visitor.settle()
    retired.first.get_by_role("button", name="Dismiss").click()
    page.get_by_text("Dismissed. The reason is kept").wait_for()
    visitor.settle()

    page.get_by_role("button", name="Accept for review").first.click()
    page.get_by_text(f"1 rule in review: {SURVIVAL}").wait_for()
    assert {o.fate for o in store.proposals.outcomes(loop.id)} == {Fate.DISMISSED, Fate.ACCEPTED}
    assert store.rules.summary(SURVIVAL).state is RevisionState.IN_REVIEW

    visitor.go(f"review?task=nda&rule={SURVIVAL}")
    page.locator(".st-key-rule_card").get_by_text("only how long the agreement runs").first.wait_for()
    assert visitor.rule_in_address() == SURVIVAL
    assert visitor.page_errors == []
