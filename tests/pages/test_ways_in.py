"""Every way in to a decision meets every guard: on the page, at the command line and on a sheet nothing gets past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import sheets, wiring
from pld_app.cli import main
from pld_app.wiring import App
from pld_core.decision_book import write_book
from pld_core.decision_sheet import DecisionSheet, sheet_row
from pld_core.desk import Tick
from pld_core.models import SYSTEM, EvidenceRole, RejectCategory, Verdict, evidence_set_hash
from pld_core.policy import Policy
from storage import SqliteStore
from tests.factories import BERT, fill, make_rule, make_text, rule_in_review, verdict_on
from tests.pages.driving import Visit, press, prose
from tests.seeding import fill_with_checks, open_check
from tests.sheets import Typed, fill_in

FOUR_EYES = Policy(four_eyes=True)
ME = replace(BERT, name="anna")
TYPED: dict[Verdict, Typed] = {
    Verdict.APPROVE: ("approve", "", "I read it."),
    Verdict.REJECT: ("reject", "over broad", "I read it."),
    Verdict.REQUEST_CHANGES: ("request changes", "", "I read it."),
}


@dataclass(frozen=True)
class Guard:
    """A decision that must not be recorded.

    Attributes:
        prepare: makes the rule as it is when anna looks at it, and returns its id.
        meanwhile: what somebody else does between her look and her decision.
        said: what each way in says is the matter; a part of it.
        to_do: what each says is to be done now; a part of it. Ways in may differ: any of those between `|` will do.
        typed: what she fills in, else what her verdict takes.
    """

    prepare: Callable[[SqliteStore], str]
    said: str
    to_do: str
    verdict: Verdict = Verdict.APPROVE
    meanwhile: Callable[[SqliteStore, str], object] | None = None
    typed: Typed | None = None

    def is_told_in(self, words: str) -> bool:
        heard = words.lower()
        return all(any(part in heard for part in wanted.lower().split("|")) for wanted in (self.said, self.to_do))


def in_review(store: SqliteStore) -> str:
    fill(store, policy=FOUR_EYES)
    return rule_in_review(store)


def approved_first_by_me(store: SqliteStore) -> str:
    rule_id = in_review(store)
    store.rules.judge(verdict_on(store, rule_id), ME)
    return rule_id


def written_by_me_and_approved_first(store: SqliteStore) -> str:
    rule_id = in_review(store)
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text("the post is kind"), "clearer", ME)
    store.rules.judge(verdict_on(store, rule_id), BERT)
    return rule_id


def without_evidence(store: SqliteStore) -> str:
    fill(store)
    return rule_in_review(store, make_rule(supports=()))


def rejected(store: SqliteStore) -> str:
    rule_id = in_review(store)
    store.rules.judge(verdict_on(store, rule_id, Verdict.REJECT), BERT)
    return rule_id


def closed_check(store: SqliteStore) -> str:
    fill_with_checks(store)
    rule_id = open_check(store).rule_id
    store.rules.judge(verdict_on(store, rule_id), BERT)
    return rule_id


def edit(store: SqliteStore, rule_id: str) -> None:
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, make_text("the post is kind"), "clearer", BERT)


def approve(store: SqliteStore, rule_id: str) -> None:
    store.rules.judge(verdict_on(store, rule_id), BERT)


def tick(store: SqliteStore, rule_id: str) -> None:
    seen = store.rules.dossier(rule_id, SYSTEM)
    link = seen.evidence[0].example_hash
    wanted = Tick(rule_id, seen.head.hash, evidence_set_hash(seen.evidence), link, EvidenceRole.IRRELEVANT)
    store.desk.ticks.tick(wanted, BERT)


def change_guideline(store: SqliteStore, _: str) -> None:
    store.guidelines.change("posts", 1, "Keep what harms nobody at all.", "clearer", BERT)


ADD, AGAIN = "add one|type one", "compare both versions, then decide again|decide on it on the review page"
GUARDS = {
    "nobody decides twice": Guard(approved_first_by_me, "anna has already decided", "needs another person"),
    "the author does not give the deciding approval": Guard(
        written_by_me_and_approved_first,
        "wrote this revision and cannot give its deciding approval",
        "somebody else has to decide",
    ),
    "a rule without evidence is not approved": Guard(without_evidence, "has no evidence", "reject"),
    "a final state is final": Guard(rejected, "revision is rejected|revision that is rejected", "edit"),
    "a closed check is final": Guard(closed_check, "was a seeded check", "its original"),
    "a rejection takes a reason": Guard(in_review, "reason", ADD, Verdict.REJECT, typed=("reject", "over broad", "")),
    "a rejection takes a category": Guard(
        in_review, "rejecting needs a category", "choose", Verdict.REJECT, typed=("reject", "", "Too much.")
    ),
    "a request takes a reason": Guard(
        in_review, "reason", ADD, Verdict.REQUEST_CHANGES, typed=("request changes", "", "")
    ),
    "the revision moved on": Guard(in_review, "revision 2 by bert", AGAIN, meanwhile=edit),
    "the state moved on": Guard(in_review, "now first approved|first approved now", AGAIN, meanwhile=approve),
    "the evidence moved on": Guard(
        in_review, "has changed since", "read the evidence as it is now|decide on it on the review page", meanwhile=tick
    ),
    "the guideline moved on": Guard(
        in_review, "the guideline of posts has changed", "read the guideline as it is now", meanwhile=change_guideline
    ),
}
NOT_SEEN_THERE = {
    ("command", "the state moved on"): "a command looks and decides at once",
    ("command", "the evidence moved on"): "a command looks and decides at once",
    ("command", "the guideline moved on"): "a command looks and decides at once",
    ("sheet", "the guideline moved on"): "a sheet shows no guideline; its change leaves rules in review alone",
}
"""What a way in cannot meet, as it shows nothing that could be outdated."""


@pytest.fixture
def app(workspace_folder: Path) -> App:
    """An empty workspace, in which anna acts."""
    return wiring.create_app(workspace_folder)


def decisions(store: SqliteStore) -> list[int]:
    found = [row.id for row in store.rules.queue("posts", actor=SYSTEM)]
    return [d.id for rule_id in found for d in store.rules.dossier(rule_id, SYSTEM).decisions]


def recorded(store: SqliteStore) -> tuple[list[int], int]:
    """Return the decisions there are, and how many events."""
    return decisions(store), store.events.count(actor=SYSTEM)


def guards_of(way: str) -> list[str]:
    return [name for name in GUARDS if (way, name) not in NOT_SEEN_THERE]


def judge_on_page(at: AppTest, guard: Guard, meanwhile: Callable[[], object]) -> str:
    """Decide as far as the page lets anna; return what it says."""
    button = at.button(f"bar_{guard.verdict.value}")
    if button.disabled:
        return f"{button.help or ''} {prose(at)}"
    press(at, button.key or "")
    meanwhile()
    _, category, reason = guard.typed or TYPED[guard.verdict]
    (area,) = [area for area in at.text_area if area.label.startswith("Reason")]
    area.set_value(reason)
    if guard.verdict is Verdict.REJECT and category:
        (box,) = [box for box in at.selectbox if box.label == "What is wrong with it"]
        box.select(RejectCategory(category.replace(" ", "_")))
    sign = [button for button in at.button if button.key == "sign"]
    if not sign or sign[0].disabled:
        return prose(at)
    press(at, "sign")
    return prose(at)


@pytest.mark.parametrize("name", guards_of("page"))
def test_the_page_lets_nothing_past(app: App, visit: Visit, name: str) -> None:
    guard, store = GUARDS[name], app.store
    rule_id = guard.prepare(store)
    at = visit("review", task="posts", rule=rule_id)
    before = recorded(store)

    def meanwhile() -> None:
        nonlocal before
        if guard.meanwhile:
            guard.meanwhile(store, rule_id)
        before = recorded(store)

    said = judge_on_page(at, guard, meanwhile)
    assert recorded(store) == before
    assert guard.is_told_in(said), said


@pytest.mark.parametrize("name", guards_of("command"))
def test_the_command_line_lets_nothing_past(
    app: App, name: str, capsys: pytest.CaptureFixture[str], workspace_folder: Path
) -> None:
    guard, store = GUARDS[name], app.store
    rule_id = guard.prepare(store)
    number = str(store.rules.summary(rule_id).revision)
    if guard.meanwhile:
        guard.meanwhile(store, rule_id)
    before = recorded(store)
    _, category, reason = guard.typed or TYPED[guard.verdict]
    words = ["rules", guard.verdict.value.replace("_", "-"), rule_id, "--revision", number]
    words += ["--workspace", str(workspace_folder)]
    words += ["--reason", reason] if reason else []
    words += ["--category", category.replace(" ", "_")] if category else []
    code = main(words)
    said = capsys.readouterr().err
    assert code in (1, 2)
    assert recorded(store) == before
    assert guard.is_told_in(said), said


@pytest.mark.parametrize("name", guards_of("sheet"))
def test_a_sheet_lets_nothing_past(app: App, name: str) -> None:
    guard, store = GUARDS[name], app.store
    rule_id = guard.prepare(store)
    sheet = DecisionSheet(store.sheets.origin("posts", "anna"), (sheet_row(store.rules.dossier(rule_id, app.actor)),))
    content = fill_in(write_book(sheet), {rule_id: guard.typed or TYPED[guard.verdict]})
    if guard.meanwhile:
        guard.meanwhile(store, rule_id)
    before = recorded(store)
    outcome = sheets.record_sheet(app, "rules.xlsx", content, "posts")
    assert outcome.decided == ()
    (refusal,) = outcome.refused
    assert recorded(store) == before
    assert guard.is_told_in(refusal.words), refusal.words
