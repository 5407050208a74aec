"""Compiling a version: the rules of the store, the choices of a person, and the length as a student counts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.model_ports import Chat
from pld_core.models import CompiledPrompt, Example, RevisionState, Split
from pld_core.ports import Store
from pld_core.prompt_budget import drop_order, enough
from pld_core.prompt_effects import RuleEffect, effects_of_runs, newest_effect
from pld_core.prompt_manifest import PromptKind, TokenCount
from pld_core.prompt_order import Candidate, without
from pld_core.prompt_plan import BudgetPlan
from pld_core.records import ExampleFilter, RuleFilter
from pld_core.token_count import count


@dataclass(frozen=True)
class PromptDraft:
    """A compiled prompt that is not stored yet.

    Attributes:
        plan: what to leave out, where the prompt is longer than its budget; else None.
    """

    prompt: CompiledPrompt
    tokens: TokenCount
    plan: BudgetPlan | None = None


async def draft(store: Store, task: str, choices: Choices, student: Chat | None, budget: int | None) -> PromptDraft:
    """Compile what was chosen and count it; nothing is stored.

    Args:
        student: whose tokens are counted; None for an estimate.
        budget: most tokens of the prompt; None for no limit.

    Raises:
        NotFound: there is no such task.
        InvalidInput, MissingReason: as `compile_prompt` and `compile_baseline`.
    """
    prompt = compiled(store, task, choices)
    tokens = await count(student, prompt.text)
    if budget is None or tokens.tokens <= budget:
        return PromptDraft(prompt, tokens)
    plan = await _plan(store, choices, student, PromptDraft(prompt, tokens), budget)
    return PromptDraft(prompt, tokens, plan)


def compiled(store: Store, task_name: str, choices: Choices) -> CompiledPrompt:
    """Compile what was chosen, from the rules that are in force now; nothing is stored or counted."""
    task = store.tasks.get(task_name)
    if choices.kind is PromptKind.RULES:
        stale = store.rules.count(task_name, RuleFilter(states=(RevisionState.STALE,)))
        return compile_prompt(task, store.rules.in_force(task_name), choices, stale=stale)
    return compile_baseline(task, _training(store, task_name), choices)


async def _plan(store: Store, choices: Choices, student: Chat | None, whole: PromptDraft, budget: int) -> BudgetPlan:
    """Return the least useful rules that have to go; the prompt without them is counted like the whole one."""
    prompt, tokens = whole.prompt, whole.tokens
    if prompt.build.kind is not PromptKind.RULES:
        return BudgetPlan(tokens, budget, (), tokens)
    task = store.tasks.get(prompt.task)
    approved = store.rules.in_force(prompt.task)
    stay, _ = without(approved, choices.leave_out, choices.reason)
    order = drop_order(stay, _effects(store, task.name, stay), len(_training(store, task.name)), tokens, prompt.text)
    number = enough(order, tokens.tokens - budget)
    while True:
        gone = {worth.rule_id for worth in order[:number]}
        rest = [candidate for candidate in stay if candidate[1].rule_id not in gone]
        manual = tuple(rule_id for rule_id in choices.order.manual if rule_id not in gone)
        fewer = Choices(choices.style, order=replace(choices.order, manual=manual))
        left = await count(student, compile_prompt(task, rest, fewer).text)
        # The shares of rules are estimates, so one rule more may have to go.
        if left.tokens <= budget or number >= len(order) - 1:
            return BudgetPlan(tokens, budget, order[:number], left)
        number += 1


def _effects(store: Store, task: str, candidates: Sequence[Candidate]) -> dict[str, RuleEffect]:
    """Return what is known of the effect of revisions, by hash: as measured for review, else as two runs tell it."""
    found = effects_of_runs(store.prompts.all(task), store.runs.all(task), store.runs.predictions)
    for _, entry, _ in candidates:
        measured = newest_effect(store.effects.of_rule(entry.rule_id), entry.revision_hash)
        if measured is not None:
            found[entry.revision_hash] = measured
    return found


def _training(store: Store, task: str) -> Sequence[Example]:
    return store.tasks.examples(task, ExampleFilter(split=Split.TRAIN))
