"""A task with compared, approved rules, prompt versions and evaluations on the test split, ready to be released."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.compilation import compile_prompt
from pld_core.models import Answer, AnswerStatus, Prediction, PromptVersion, Run, Split
from pld_core.policy import PLAIN, Policy
from pld_core.records import ExampleFilter
from pld_core.releases import BreakGlass, Release, ReleaseLabel, ReleaseOrder
from pld_core.run_setup import RunSetup
from storage import SqliteStore
from tests.factories import (
    ANNA,
    BERT,
    CLEO,
    approved_rule,
    fill,
    make_examples,
    make_rule,
    make_text,
    rule_in_review,
    verdict_on,
)

PRODUCTION, CANDIDATE = ReleaseLabel.PRODUCTION, ReleaseLabel.CANDIDATE
TASK = "posts"
LOOK = RunSetup(reason="to judge the gates")


def compare_rules(store: SqliteStore) -> None:
    """Note that the rules were compared and none was found to overlap."""
    store.lineage.note_overlaps(TASK, [rule.head for rule in store.rules.queue(TASK)], [])


def compiled(store: SqliteStore) -> PromptVersion:
    return store.prompts.save(compile_prompt(store.tasks.get(TASK), store.rules.in_force(TASK)), ANNA)


def evaluated(
    store: SqliteStore, number: int, wrong: Sequence[int] = (), digest: str = "sha256:weights", student: str = "told"
) -> Run:
    """Answer every test example, right but for those numbered."""
    version = store.prompts.get(TASK, number)
    examples = store.tasks.examples(TASK, ExampleFilter(split=Split.TEST))
    wanted = Run(0, TASK, number, version.prompt.sha256, student, digest, Split.TEST, "", "", len(examples), None, LOOK)
    run = store.runs.start(wanted, ANNA)
    other = {"keep": "remove", "remove": "keep"}
    predictions = []
    for place, example in enumerate(examples):
        label = other[example.label] if place in wrong else example.label
        predictions.append(Prediction(example.hash, example.label, Answer(label, label, AnswerStatus.OK, 5)))
    store.runs.add_predictions(run.id, predictions)
    return run


def one_version(store: SqliteStore, policy: Policy = PLAIN) -> PromptVersion:
    """Make a task whose prompt version 1, built by anna, is evaluated on 24 test examples; no gate is red."""
    fill(store, examples=[*make_examples(4), *make_examples(24, Split.TEST)], policy=policy)
    approve_under(store, policy)
    compare_rules(store)
    version = compiled(store)
    evaluated(store, version.number)
    return version


def approve_under(store: SqliteStore, policy: Policy) -> None:
    """Approve a rule, by as many people as the policy asks for."""
    rule_id = rule_in_review(store)
    for actor in (CLEO, BERT) if policy.four_eyes else (BERT,):
        store.rules.judge(verdict_on(store, rule_id), actor)


def next_version(store: SqliteStore, wrong: Sequence[int] = ()) -> PromptVersion:
    """Approve another rule, compile it in, and evaluate the new version."""
    number = store.rules.count(TASK) + 1
    text = make_text(f"the post is one of kind {number}", "remove", f"Kind {number}")
    approved_rule(store, make_rule(text, store.tasks.examples(TASK)[:2], origin=f"origin-{number}"))
    compare_rules(store)
    version = compiled(store)
    evaluated(store, version.number, wrong)
    return version


def order(
    store: SqliteStore,
    version: int,
    label: ReleaseLabel = PRODUCTION,
    reason: str = "it is better",
    glass: BreakGlass | None = None,
) -> ReleaseOrder:
    """Return an order by somebody who sees the label where it is now."""
    return ReleaseOrder(TASK, label, version, seen(store, label), reason, glass)


def seen(store: SqliteStore, label: ReleaseLabel = PRODUCTION) -> int:
    holder = store.releases.holder(TASK, label)
    return holder.number if holder else 0


def released(store: SqliteStore, version: int, label: ReleaseLabel = PRODUCTION) -> Release:
    return store.releases.move(order(store, version, label), BERT)
