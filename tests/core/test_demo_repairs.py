"""The scripted teacher's repairs: found by rules and examples, usable as they stand, silent about all else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from pld_core.backends.scripted import ScriptedChat
from pld_core.backends.scripted_repairs import NOTHING_WRITTEN, ScriptedRepair
from pld_core.conflicts.groups import Group, Observed, Source
from pld_core.conflicts.proposal import proposals_of
from pld_core.conflicts.request import Shown, conflict_request, drawn
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.demo import DEMO_TASKS, Demo, load_demo
from pld_core.errors import ReplyUnusable
from pld_core.models import AuthorKind, Example, Revision, RuleText, Split
from pld_core.rule_check import leaks
from pld_core.wire import ConflictReply, read_reply

DEMOS = {name: load_demo(name) for name in DEMO_TASKS}
REPAIRS = [(DEMOS[name], repair) for name in DEMO_TASKS for repair in DEMOS[name].script.repairs]


def rules_of(demo: Demo) -> RuleSet:
    """Return the demo's rules as synthesis makes them, R1 first."""
    texts = [_text(entry.reply) for entry in demo.script.synthesis]
    made = [Revision(f"R{n}", 1, text, demo.task.teacher, AuthorKind.TEACHER) for n, text in enumerate(texts, 1)]
    return RuleSet(tuple(TrialRule(revision, ()) for revision in made))


def _text(said: Any) -> RuleText:
    parts = (said["title"], said["condition"], (said["label"],), tuple(said["exceptions"]), said["rationale"])
    return RuleText(*parts, said["priority"])


def failing(demo: Demo, repair: ScriptedRepair) -> list[Example]:
    return [e for e in demo.examples if e.hash in repair.examples and e.split is Split.TRAIN]


def shown_of(demo: Demo, examples: list[Example], rules: RuleSet, named: tuple[str, ...] | None = None) -> Shown:
    gold = examples[0].label
    said = next(label for label in demo.task.label_names if label != gold)
    failures = tuple(Observed(e, next(x for x in demo.task.label_names if x != e.label)) for e in examples)
    ids = rules.ids if named is None else named
    return drawn(demo.task, Group(Source.STUDENT, tuple(ids), gold, said, failures), rules, 0)


def said_to(demo: Demo, shown: Shown) -> ConflictReply:
    chat = ScriptedChat(demo.task.teacher, demo.script)
    text = asyncio.run(chat.complete(conflict_request(demo.task, shown))).text
    return read_reply(ConflictReply, text)


@pytest.mark.parametrize(("demo", "repair"), REPAIRS)
def test_every_action_that_is_written_can_be_tried(demo: Demo, repair: ScriptedRepair) -> None:
    shown = shown_of(demo, failing(demo, repair), rules_of(demo))
    said = repair.said_of(conflict_request(demo.task, shown))
    assert said is not None
    proposals = proposals_of(demo.task, shown, read_reply(ConflictReply, json.dumps(said)))
    assert len(proposals) == len(repair.actions)
    for proposal in proposals:
        assert (proposal.refusal, proposal.ignored) == (None, ()), proposal.problem
        assert proposal.examples


@pytest.mark.parametrize(("demo", "repair"), REPAIRS)
def test_no_text_is_copied_from_an_example(demo: Demo, repair: ScriptedRepair) -> None:
    for action in repair.actions:
        for said in json.loads(json.dumps(action.reply["texts"])):
            assert not [leak for leak in leaks(_text(said), demo.examples, demo.task) if leak.copies]


@pytest.mark.parametrize("name", DEMO_TASKS)
def test_the_repair_is_that_of_the_failures_whatever_the_ids_of_the_rules(name: str) -> None:
    demo = DEMOS[name]
    repair = demo.script.repairs[0]
    renamed = RuleSet(
        tuple(
            replace(rule, revision=replace(rule.revision, rule_id=f"R{n}"))
            for n, rule in enumerate(rules_of(demo).rules, 40)
        )
    )
    reply = said_to(demo, shown_of(demo, failing(demo, repair), renamed))
    assert reply.cause == repair.reply["cause"]
    named = {rule_id for action in reply.actions for rule_id in action.rules}
    assert named
    assert named <= set(renamed.ids)


def test_of_a_rule_that_a_person_changed_nothing_is_said() -> None:
    demo = DEMOS["nda"]
    repair = demo.script.repairs[0]
    edited = RuleSet(
        tuple(
            replace(rule, revision=replace(rule.revision, text=replace(rule.text, condition="a person's words")))
            for rule in rules_of(demo).rules
        )
    )
    (kept,) = said_to(demo, shown_of(demo, failing(demo, repair), edited)).actions
    assert (kept.action, kept.rules, kept.reason, kept.texts) == ("keep", ["R1"], NOTHING_WRITTEN, [])


def test_only_actions_on_rules_of_the_call_are_said() -> None:
    demo = DEMOS["moderation"]
    repair = demo.script.repairs[0]
    rules = rules_of(demo)
    (quoted,) = [rule.id for rule in rules.rules if rule.text.title == "Abusive words that are quoted"]
    actions = said_to(demo, shown_of(demo, failing(demo, repair), rules, (quoted,))).actions
    assert [(one.action, one.rules) for one in actions] == [("add_exception", [quoted])]


def test_without_a_rule_there_is_nothing_to_keep() -> None:
    demo = DEMOS["nda"]
    repair = demo.script.repairs[0]
    with pytest.raises(ReplyUnusable, match="failures that no rule comes near"):
        said_to(demo, shown_of(demo, failing(demo, repair), rules_of(demo), ()))
