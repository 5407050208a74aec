"""Rules, groups and replies for tests of the conflict loop; texts are told apart by their first word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from pld_core.conflicts.acceptance import Bar
from pld_core.conflicts.chart import Chart
from pld_core.conflicts.groups import Group, Observed, Source
from pld_core.conflicts.request import Shown, drawn
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.models import AuthorKind, Evidence, EvidenceRole, Example, Revision, RuleText
from pld_core.synthesis import short_id
from tests.factories import make_example, make_task

TASK = make_task()
BAR = Bar()
INSULTS = tuple(make_example(f"insult number {n}", "remove") for n in range(4))
JOKES = tuple(make_example(f"joke number {n}", "keep") for n in range(4))
EXAMPLES = (*INSULTS, *JOKES)


def rule_text(condition: str, label: str = "remove", exceptions: Sequence[str] = (), priority: int = 2) -> RuleText:
    return RuleText("A rule", condition, (label,), tuple(exceptions), "It follows.", priority)


def trial_rule(
    rule_id: str, text: RuleText, supports: Sequence[Example] = (), contradicts: Sequence[Example] = (), **more: Any
) -> TrialRule:
    evidence = [Evidence(e.hash, EvidenceRole.SUPPORTS, 0.9) for e in supports]
    evidence += [Evidence(e.hash, EvidenceRole.CONTRADICTS, 0.4) for e in contradicts]
    return TrialRule(Revision(rule_id, 1, text, "told", AuthorKind.TEACHER), tuple(evidence), **more)


INSULT_RULE = trial_rule("R1", rule_text("insult in the post"), INSULTS, decision_id=1)
JOKE_RULE = trial_rule("R2", rule_text("joke in the post", "keep"), JOKES, decision_id=2)
RULES = RuleSet((INSULT_RULE, JOKE_RULE))


def chart_of(examples: Sequence[Example] = EXAMPLES, conditions: Sequence[str] = ()) -> Chart:
    """Return a chart in which texts with the same first word are near, and all others far apart."""
    texts = [*(e.text for e in examples), *conditions]
    words = sorted({text.split()[0] for text in texts})
    vectors = np.zeros((len(texts), len(words)), dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, words.index(text.split()[0])] = 1.0
    return Chart(tuple(examples), tuple(conditions), vectors)


def wrong(example: Example, said: str | None, *cited: str) -> Observed:
    return Observed(example, said, cited)


def right(example: Example) -> Observed:
    return Observed(example, example.label)


def group(rules: Sequence[str] = ("R1",), failures: Sequence[Observed] = ()) -> Group:
    given = tuple(failures) or tuple(wrong(e, "remove") for e in JOKES[:2])
    return Group(Source.STUDENT, tuple(rules), "keep", "remove", given, tuple(right(e) for e in INSULTS))


def shown_of(rules: RuleSet = RULES, about: Group | None = None) -> Shown:
    return drawn(TASK, about or group(), rules, 0)


def text_json(text: RuleText, examples: Sequence[Example] = ()) -> dict[str, Any]:
    said = text.as_json()
    labels = said.pop("labels")
    assert isinstance(labels, list)
    return {**said, "label": labels[0], "examples": [short_id(e.hash) for e in examples]}


def action_json(
    action: str,
    rules: Sequence[str] = (),
    texts: Sequence[dict[str, Any]] = (),
    examples: Sequence[Example] = JOKES[:1],
    reason: str = "Jokes are meant kindly.",
) -> dict[str, Any]:
    ids = [short_id(e.hash) for e in examples]
    return {"action": action, "rules": list(rules), "reason": reason, "examples": ids, "texts": list(texts)}


def reply_json(*actions: dict[str, Any]) -> str:
    return json.dumps({"kind": "exception", "cause": "Jokes read like insults.", "actions": list(actions)})
