"""`pld policy`: the same changes, the same guard and the same words as on the Settings page."""

from __future__ import annotations

from pathlib import Path

from pld_core.models import Actor, Identity, Role
from pld_core.policy import PLAIN, Policy
from pld_core.review import Action
from pld_core.signing import MEANINGS
from storage import open_store
from tests.cli.running import Pld
from tests.factories import url_of, verdict_on
from tests.signing_in import write_secrets

STRICT = ("--four-eyes", "--blind", "--second-look", "20", "--known-bad", "5", "--fresh-sign-in", "15")
LOCAL = Actor("olga", frozenset(Role))


def set_policy(pld: Pld, space: Path, *parts: str) -> tuple[str, ...]:
    return tuple(pld("policy", "set", "--task", "nda", *parts, "--workspace", space).out.splitlines())


def test_a_policy_is_shown_set_and_told(compiled: Path, pld: Pld) -> None:
    shown = pld("policy", "show", "--task", "nda", "--workspace", compiled)
    assert shown.out.splitlines()[0] == "Four eyes: off"
    assert "Fresh sign-in, minutes: any time" in shown.out
    said = set_policy(pld, compiled, *STRICT, "--reason", "the regulator asks")
    assert said[:2] == ("Four eyes: off → on", "Blind second review: off → on")
    assert said[-1].startswith("Rules in review take two approvals")
    assert open_store(url_of(compiled / "pld.db")).policies.of("nda") == Policy(True, True, 20, 5, 15)
    assert set_policy(pld, compiled, "--second-look", "0", "--reason", "too much") == (
        "Rejections looked at again, of 100: 20 of 100 → none",
    )
    value = pld("policy", "show", "--task", "nda", "--workspace", compiled, "--json").value
    assert value == {
        "task": "nda",
        "four_eyes": True,
        "blind": True,
        "second_look": 0,
        "known_bad": 5,
        "fresh_sign_in": 15,
    }
    lines = pld("policy", "history", "--task", "nda", "--workspace", compiled).out.splitlines()
    assert [line.rpartition("Reason: ")[2] for line in lines] == ["too much", "the regulator asks"]
    told = pld("policy", "history", "--task", "nda", "--workspace", compiled, "--json").value
    assert [change["reason"] for change in told] == ["too much", "the regulator asks"]
    assert pld("audit", "verify", "--workspace", compiled).code == 0


def test_a_change_that_cannot_be_is_refused_in_a_sentence(compiled: Path, pld: Pld) -> None:
    def refusal(*parts: str) -> str:
        return pld("policy", "set", "--task", "nda", *parts, "--workspace", compiled).refusal

    assert "needs a reason" in refusal("--four-eyes")
    assert "takes four eyes" in refusal("--blind", "--reason", "x")
    assert "between 0 and 20, not 21" in refusal("--known-bad", "21", "--reason", "x")
    assert "this is the policy in force" in refusal("--no-four-eyes", "--reason", "x")
    assert "There is no task 'nowhere'" in pld("policy", "show", "--task", "nowhere", "--workspace", compiled).refusal
    assert open_store(url_of(compiled / "pld.db")).policies.history("nda") == ()
    assert pld("policy", "history", "--task", "nda", "--workspace", compiled).out == "Nobody has changed it.\n"


def test_turning_four_eyes_off_tells_of_half_done_reviews(compiled: Path, pld: Pld) -> None:
    set_policy(pld, compiled, "--four-eyes", "--reason", "two of us")
    store = open_store(url_of(compiled / "pld.db"))
    store.rules.judge(verdict_on(store, "R2"), LOCAL)
    said = set_policy(pld, compiled, "--no-four-eyes", "--reason", "one is enough")
    assert said[1].startswith("Half done: 1 first approved, 0 disputed. They stay where they are")
    store.rules.judge(verdict_on(store, "R2"), LOCAL)
    assert store.rules.summary("R2").state.value == "approved"


def test_the_command_line_is_no_way_around_a_fresh_sign_in(compiled: Path, pld: Pld) -> None:
    set_policy(pld, compiled, "--fresh-sign-in", "15", "--reason", "the regulator asks")
    told = pld("rules", "approve", "R2", "--workspace", compiled).out.splitlines()
    assert told[1] == f"Signed, as an attestation: {MEANINGS[Action.APPROVE]}"
    write_secrets(compiled)
    store = open_store(url_of(compiled / "pld.db"))
    mine = pld("roles", "grant", "x@example.org", "lead", "--workspace", compiled).refusal.split(" may not")[0]
    store.roles.grant(mine.removeprefix("pld: "), Role.REVIEWER, "", LOCAL)
    before = store.events.count()
    for command in (
        ("approve", "R3"),
        ("reject", "R3", "--category", "other", "--reason", "no"),
        ("reject-duplicates", "R3", "--of", "R4", "--reason", "same"),
    ):
        words = pld("rules", *command, "--workspace", compiled).refusal
        assert "nobody signs in at the command line. Nothing was signed. Sign in to the app" in words
    assert store.events.count() == before


def test_a_policy_set_on_the_page_is_the_one_that_the_command_changes(compiled: Path, pld: Pld) -> None:
    store = open_store(url_of(compiled / "pld.db"))
    ada = Actor("ada@example.org", frozenset({Role.ADMIN}), Identity("https://login.example.org", "1"))
    store.policies.change("nda", PLAIN, Policy(four_eyes=True, fresh_sign_in=30), "on the page", ada)
    set_policy(pld, compiled, "--second-look", "10", "--reason", "by command")
    assert store.policies.of("nda") == Policy(four_eyes=True, second_look=10, fresh_sign_in=30)
