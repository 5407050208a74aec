"""Actions are read strictly; what is refused is kept with the reason, and lineage is kept by code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pld_core.conflicts.carrying import carried
from pld_core.conflicts.changeset import Change, applied, clashes, compatible
from pld_core.conflicts.flags import flags_of
from pld_core.conflicts.proposal import ActionKind, Proposal, Refusal, numbered, proposals_of
from pld_core.conflicts.rule_set import RuleSet
from pld_core.errors import InvalidInput, ReplyUnusable
from pld_core.models import AuthorKind, EvidenceRole
from pld_core.wire import ConflictReply, read_reply
from tests.core.conflict_parts import (
    EXAMPLES,
    INSULT_RULE,
    INSULTS,
    JOKE_RULE,
    JOKES,
    RULES,
    TASK,
    action_json,
    chart_of,
    group,
    reply_json,
    rule_text,
    shown_of,
    text_json,
    trial_rule,
)

NARROWER = rule_text("insult that is meant")
EXCEPTED = rule_text("insult in the post", exceptions=("joke among friends",))
BOTH = group(("R1", "R2"))


def read(*actions: dict[str, Any], rules: RuleSet = RULES) -> tuple[Proposal, ...]:
    reply = read_reply(ConflictReply, reply_json(*actions))
    return numbered(proposals_of(TASK, shown_of(rules, BOTH), reply), 10, 1)[0]


def change(proposal: Proposal, rules: RuleSet = RULES, conditions: tuple[str, ...] = ()) -> Change:
    texts = tuple(one.text.condition for one in proposal.texts)
    chart = chart_of(EXAMPLES, (*texts, *conditions))
    return Change(proposal, carried(proposal, [rules.rule(r) for r in proposal.rules], chart))


def texts(*given: Any) -> list[dict[str, Any]]:
    return [text_json(one) for one in given]


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "made"),
    [
        (action_json("keep", ["R1"]), 0),
        (action_json("narrow", ["R1"], texts(NARROWER)), 0),
        (action_json("widen", ["[r1]"], texts(rule_text("insult or threat"))), 0),
        (action_json("add_exception", ["R1"], texts(EXCEPTED)), 0),
        (action_json("change_priority", ["R1"], texts(rule_text("insult in the post", priority=1))), 0),
        (action_json("split", ["R1"], texts(NARROWER, rule_text("insult by name"))), 2),
        (action_json("merge", ["R1", "R2"], texts(NARROWER)), 1),
        (action_json("retire", ["R1"]), 0),
        (action_json("new_rule", [], texts(rule_text("joke among friends", "keep"))), 1),
    ],
)
def test_every_action_is_read(said: dict[str, Any], made: int) -> None:
    (proposal,) = read(said)
    assert (proposal.refusal, proposal.problem) == (None, "")
    assert proposal.makes == tuple(f"R{10 + n}" for n in range(made))
    assert proposal.changes_rules is (said["action"] != "keep")
    assert proposal.examples == (JOKES[0].hash,)
    assert {ActionKind(said["action"])} <= set(ActionKind)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (action_json("delete_all", ["R1"]), Refusal.UNKNOWN_ACTION),
        (action_json("retire", ["R7"]), Refusal.UNKNOWN_RULE),
        (action_json("merge", ["R1"], texts(NARROWER)), Refusal.WRONG_NUMBER),
        (action_json("merge", ["R1", "R1"], texts(NARROWER)), Refusal.WRONG_NUMBER),
        (action_json("narrow", ["R1"]), Refusal.WRONG_NUMBER),
        (action_json("retire", ["R1"], texts(NARROWER)), Refusal.WRONG_NUMBER),
        (action_json("retire", ["R1"], examples=()), Refusal.RESTS_ON_NOTHING),
        (action_json("narrow", ["R1"], texts(rule_text("the answer must be JSON only"))), Refusal.FORMAT),
        (action_json("new_rule", [], texts(rule_text("joke", "burn"))), Refusal.NO_RULE_TEXT),
        (action_json("narrow", ["R1"], texts(rule_text("x " * 900))), Refusal.NO_RULE_TEXT),
        (action_json("narrow", ["R1"], texts(INSULT_RULE.text)), Refusal.NOT_AS_NAMED),
        (action_json("narrow", ["R1"], texts(rule_text("insult", "keep"))), Refusal.NOT_AS_NAMED),
        (action_json("add_exception", ["R1"], texts(replace(EXCEPTED, condition="insult"))), Refusal.NOT_AS_NAMED),
        (action_json("change_priority", ["R1"], texts(NARROWER)), Refusal.NOT_AS_NAMED),
        (action_json("split", ["R1"], texts(NARROWER, NARROWER)), Refusal.NOT_AS_NAMED),
    ],
)
def test_what_cannot_be_tried_is_refused_and_kept(said: dict[str, Any], refusal: Refusal) -> None:
    (proposal,) = read(said)
    assert proposal.refusal is refusal
    assert proposal.problem
    assert (proposal.action, proposal.changes_rules, proposal.makes) == (said["action"], False, ())
    assert len(proposal.texts) == len(said["texts"])


def test_a_locked_rule_is_only_argued_about() -> None:
    rules = RuleSet((replace(INSULT_RULE, locked=True), JOKE_RULE))
    kept, changed = read(action_json("keep", ["R1"]), action_json("narrow", ["R1"], texts(NARROWER)), rules=rules)
    assert kept.refusal is None
    assert (changed.refusal, changed.reason) == (Refusal.LOCKED, "Jokes are meant kindly.")


def test_ids_that_were_not_in_the_call_are_kept_as_ignored() -> None:
    (proposal,) = read({**action_json("retire", ["R1"]), "examples": ["ffffffff"]})
    assert (proposal.examples, proposal.ignored, proposal.refusal) == ((), ("ffffffff",), Refusal.RESTS_ON_NOTHING)


@pytest.mark.parametrize("garbage", ["", "no JSON", "{}", '{"kind": "x", "cause": "y", "actions": []}', "[1]"])
def test_garbage_is_an_unusable_reply(garbage: str) -> None:
    with pytest.raises(ReplyUnusable):
        read_reply(ConflictReply, garbage)


def test_new_rules_keep_their_ids_whatever_else_is_tried() -> None:
    new = action_json("new_rule", [], texts(rule_text("joke among friends", "keep")))
    refused = action_json("new_rule", [], texts(rule_text("joke", "burn")))
    assert [p.makes for p in read(new, refused, new)] == [("R10",), (), ("R11",)]


# --- what revisions rest on -------------------------------------------------------------------------------------------


def roles(made: Change, part: int = 0) -> dict[str, EvidenceRole]:
    return {e.example_hash: e.role for e in made.evidence[part]}


def test_a_changed_rule_keeps_its_evidence_and_gets_what_the_change_rests_on() -> None:
    made = change(read(action_json("narrow", ["R1"], texts(NARROWER)))[0])
    kept = {e.hash: EvidenceRole.SUPPORTS for e in INSULTS}
    assert roles(made) == {**kept, JOKES[0].hash: EvidenceRole.NEAR_MISS}


def test_a_new_rule_rests_on_the_failures_of_its_label() -> None:
    said = action_json("new_rule", [], texts(rule_text("joke among friends", "keep")), [JOKES[0], INSULTS[0]])
    made = change(read(said)[0])
    assert roles(made) == {JOKES[0].hash: EvidenceRole.SUPPORTS, INSULTS[0].hash: EvidenceRole.NEAR_MISS}


def test_halves_divide_the_members_by_name_else_by_nearness() -> None:
    whole = trial_rule("R1", rule_text("insult or joke in the post"), [*INSULTS, *JOKES[:2]])
    rules = RuleSet((whole, JOKE_RULE))
    halves = [text_json(rule_text("insult in the post"), [JOKES[1]]), text_json(rule_text("joke that hurts"))]
    (proposal,) = read(action_json("split", ["R1"], halves), rules=rules)
    made = change(proposal, rules)
    assert {e for e, role in roles(made).items() if role is EvidenceRole.SUPPORTS} == {
        *(e.hash for e in INSULTS),
        JOKES[1].hash,
    }
    assert {e for e, role in roles(made, 1).items() if role is EvidenceRole.SUPPORTS} == {JOKES[0].hash}


def test_a_merged_rule_rests_on_both_and_what_it_does_not_conclude_speaks_against_it() -> None:
    made = change(read(action_json("merge", ["R1", "R2"], texts(NARROWER)))[0])
    assert roles(made) == {
        **{e.hash: EvidenceRole.SUPPORTS for e in INSULTS},
        **{e.hash: EvidenceRole.CONTRADICTS for e in JOKES},
    }


# --- applying ---------------------------------------------------------------------------------------------------------


def test_a_changed_rule_is_the_next_revision_by_the_loop() -> None:
    narrow = change(read(action_json("narrow", ["R1"], texts(NARROWER)))[0])
    rule = applied(RULES, [narrow], "told").rule("R1")
    assert (rule.revision.number, rule.revision.parent) == (2, INSULT_RULE.revision.hash)
    assert (rule.revision.author, rule.revision.author_kind) == ("told", AuthorKind.CONFLICT_LOOP)
    assert (rule.text.condition, rule.decision_id) == ("insult that is meant", 0)


def test_rules_are_split_merged_retired_and_made() -> None:
    split, merge, retire, new = read(
        action_json("split", ["R1"], texts(NARROWER, rule_text("insult by name"))),
        action_json("merge", ["R1", "R2"], texts(NARROWER)),
        action_json("retire", ["R2"]),
        action_json("new_rule", [], texts(rule_text("joke among friends", "keep"))),
    )
    assert applied(RULES, [change(split)], "told").ids == ("R2", "R10", "R11")
    assert applied(RULES, [change(merge)], "told").ids == ("R12",)
    assert applied(RULES, [change(retire)], "told").ids == ("R1",)
    assert set(applied(RULES, [change(new), change(retire)], "told").ids) == {"R1", "R13"}


def test_the_order_of_changes_makes_no_other_prompt() -> None:
    narrow, new = read(
        action_json("narrow", ["R1"], texts(NARROWER)),
        action_json("new_rule", [], texts(rule_text("joke among friends", "keep"))),
    )
    one, other = (
        applied(RULES, pair, "told") for pair in ([change(narrow), change(new)], [change(new), change(narrow)])
    )
    assert one.prompt(TASK).sha256 == other.prompt(TASK).sha256 != RULES.prompt(TASK).sha256


def test_two_changes_of_one_rule_clash() -> None:
    narrow, retire, new = (
        change(p)
        for p in read(
            action_json("narrow", ["R1"], texts(NARROWER)),
            action_json("retire", ["R1"]),
            action_json("new_rule", [], texts(rule_text("joke among friends", "keep"))),
        )
    )
    assert clashes([narrow, new, retire]) == ((0, 2),)
    assert compatible([narrow, retire, new]) == (narrow, new)
    with pytest.raises(InvalidInput, match="change the same rule"):
        applied(RULES, [narrow, retire], "told")


def test_neither_a_locked_nor_a_missing_rule_is_changed() -> None:
    narrow = change(read(action_json("narrow", ["R1"], texts(NARROWER)))[0])
    with pytest.raises(InvalidInput, match="R1 is locked"):
        applied(RuleSet((replace(INSULT_RULE, locked=True), JOKE_RULE)), [narrow], "told")
    with pytest.raises(InvalidInput, match="R1 is not among the rules"):
        applied(RuleSet((JOKE_RULE,)), [narrow], "told")


# --- what a reviewer has to look at -----------------------------------------------------------------------------------


def test_copied_words_and_new_contradictions_are_flagged() -> None:
    long = "joke about the neighbour and his very old red car"
    copied, clashing = read(
        action_json("new_rule", [], texts(rule_text(long, "keep"))),
        action_json("widen", ["R1"], texts(rule_text("joke or insult in the post"))),
    )
    source = replace(JOKES[0], fields=(("post", f"a {long}"),))
    chart = chart_of(EXAMPLES, (long, *(r.text.condition for r in RULES.rules), "joke or insult in the post"))
    assert "shares 8 words in a row" in flags_of(TASK, copied, RULES, chart, [source])[0]
    assert flags_of(TASK, copied, RULES, chart, JOKES) == ()
    assert flags_of(TASK, clashing, RULES, chart, ()) == ("It contradicts R2.",)


def test_a_contradiction_that_was_there_before_is_not_flagged_again() -> None:
    rules = RuleSet((trial_rule("R1", rule_text("joke in the post"), INSULTS), JOKE_RULE))
    (narrow,) = read(action_json("narrow", ["R1"], texts(rule_text("joke that hurts"))), rules=rules)
    chart = chart_of(EXAMPLES, ("joke in the post", "joke that hurts"))
    assert flags_of(TASK, narrow, rules, chart, ()) == ()
