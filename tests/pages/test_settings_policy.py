"""The policy of a task on the Settings page: read by all, changed by an admin with a reason, and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Role
from pld_core.policy import PLAIN, Policy
from tests.factories import verdict_on
from tests.pages.driving import NASTY, Visit, go, press, press_at_once, prose, raw, run
from tests.signing_in import signed_in, write_secrets

STRICT = Policy(four_eyes=True, blind=True, second_look=20, known_bad=5, fresh_sign_in=15)


@pytest.fixture
def at(demo: App, visit: Visit) -> AppTest:
    return visit("settings")


def choose(at: AppTest, policy: Policy, reason: str = "") -> AppTest:
    """Fill the fields, as a person does: four eyes first."""
    at.toggle("policy_four_eyes_nda").set_value(policy.four_eyes)
    run(at)
    if policy.four_eyes:
        at.toggle("policy_blind_nda").set_value(policy.blind)
    for part in ("second_look", "known_bad", "fresh_sign_in"):
        at.number_input(f"policy_{part}_nda").set_value(getattr(policy, part))
    at.text_area("policy_reason_nda").set_value(reason)
    return run(at)


def test_what_changes_stands_there_before_it_does(demo: App, at: AppTest) -> None:
    assert at.button("policy_save").disabled
    choose(at, STRICT)
    for line in ("Four eyes: off → on", "none → 20 of 100", "any time → 15 minutes"):
        assert line in prose(at)
    assert "take two approvals from now on" in prose(at)
    assert demo.store.policies.of("nda") == PLAIN


def test_a_change_is_saved_with_its_reason_and_stands_in_the_history(demo: App, at: AppTest) -> None:
    press(choose(at, STRICT, NASTY), "policy_save")
    assert demo.store.policies.of("nda") == STRICT
    assert at.text_area("policy_reason_nda").value == ""
    newest = at.dataframe[-2].value.iloc[0]
    assert (newest["who"], newest["reason"]) == ("anna", NASTY)
    assert "Four eyes: off → on" in newest["what"]
    assert NASTY not in "\n".join(raw(at, "markdown", "caption"))
    assert "Nothing yet." in prose(at)


def test_a_part_that_comes_with_the_press_is_listed_before_it_is_changed(demo: App, at: AppTest) -> None:
    choose(at, STRICT, "strict")
    at.number_input("policy_known_bad_nda").set_value(3)
    press_at_once(at, "policy_save")
    assert demo.store.policies.of("nda") == PLAIN
    at.text_area("policy_reason_nda").set_value("typed last")
    press(at, "policy_save")
    assert demo.store.policies.of("nda").known_bad == 3
    assert demo.store.policies.history("nda")[0].reason == "typed last"


def test_without_a_reason_nothing_is_changed_and_the_choice_is_kept(demo: App, at: AppTest) -> None:
    press(choose(at, STRICT), "policy_save")
    assert "A change of policy needs a reason" in prose(at)
    assert demo.store.policies.of("nda") == PLAIN
    assert at.number_input("policy_known_bad_nda").value == 5


def test_blind_review_takes_four_eyes(at: AppTest) -> None:
    assert at.toggle("policy_blind_nda").disabled
    choose(at, STRICT)
    assert not at.toggle("policy_blind_nda").disabled
    at.toggle("policy_four_eyes_nda").set_value(False)
    run(at)
    assert at.toggle("policy_blind_nda").disabled
    assert "Blind second review" not in "\n".join(e.value for e in at.markdown)


def test_turning_four_eyes_off_says_what_becomes_of_half_done_reviews(demo: App, visit: Visit) -> None:
    demo.store.policies.change("nda", PLAIN, Policy(four_eyes=True), "two of us", demo.actor)
    demo.store.rules.judge(verdict_on(demo.store, "R1"), demo.actor)
    at = visit("settings")
    assert "Half done" not in prose(at)
    choose(at, PLAIN, "one is enough")
    assert "Half done: 1 first approved, 0 disputed. They stay where they are; the change approves none." in prose(at)
    press(at, "policy_save")
    assert demo.store.rules.summary("R1").state.value == "first_approved"


def test_of_two_admins_the_second_sees_both_and_keeps_what_he_chose(demo: App, at: AppTest) -> None:
    choose(at, STRICT, "strict")
    demo.store.policies.change("nda", PLAIN, Policy(second_look=50), "meanwhile", demo.actor)
    press(at, "policy_save")
    assert "Somebody changed the policy of nda since you looked at it" in prose(at)
    assert at.number_input("policy_second_look_nda").value == 20
    (table,) = [frame.value for frame in at.dataframe if "in force now" in frame.value.columns]
    row = table.set_index("part").loc["Rejections looked at again, of 100"]
    assert list(row) == ["none", "50 of 100", "20 of 100"]
    press(at, "policy_go_on")
    assert "50 of 100 → 20 of 100" in prose(at)
    press(at, "policy_save")
    assert demo.store.policies.of("nda") == STRICT


def test_the_second_admin_may_drop_what_he_chose(demo: App, at: AppTest) -> None:
    choose(at, STRICT)
    demo.store.policies.change("nda", PLAIN, Policy(second_look=50), "meanwhile", demo.actor)
    press(run(at), "policy_drop")
    assert at.number_input("policy_second_look_nda").value == 50
    assert not at.toggle("policy_four_eyes_nda").value


def test_fields_that_nobody_touched_show_what_is_in_force(demo: App, at: AppTest) -> None:
    demo.store.policies.change("nda", PLAIN, Policy(second_look=50), "meanwhile", demo.actor)
    run(at)
    assert at.number_input("policy_second_look_nda").value == 50
    assert "policy_go_on" not in {button.key for button in at.button}


def test_only_an_admin_changes_it_and_others_read_why_not(demo: App, visit: Visit, workspace_folder: Path) -> None:
    write_secrets(workspace_folder)
    demo.store.roles.grant("lea@example.org", Role.LEAD, "", demo.actor)
    at = visit("home")
    at.user = signed_in("lea@example.org")
    go(run(at), "settings")
    assert "You can read the policy. Changing it takes the role admin." in prose(at)
    assert at.toggle("policy_four_eyes_nda").disabled
    assert at.number_input("policy_fresh_sign_in_nda").disabled
    assert at.button("policy_save").disabled
    assert at.button("policy_save").help == "That takes the role admin."


def test_a_workspace_without_a_task_has_no_policy(empty: App, visit: Visit) -> None:
    assert "There is no task yet. Each task gets a policy of its own." in prose(visit("settings"))
