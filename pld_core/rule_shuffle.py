"""The prompt of a version with its rules in another order: shows whether the order decides answers. Pure."""

from __future__ import annotations

from dataclasses import replace

from pld_core.canonical import hash_text
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt
from pld_core.prompt_manifest import RuleOrder
from pld_core.stability import shuffled_order
from pld_core.trial_prompt import place_of_rules

REASON = "drawn by lot, to see whether the order of the rules decides answers; never released"


def shuffled_prompt(prompt: CompiledPrompt, seed: int) -> CompiledPrompt:
    """Return the prompt with its rules in an order drawn with the seed and numbered anew; every other byte stays.

    Of n rules, one order in n! is the version's own.

    Raises:
        InvalidInput: the prompt holds fewer than two rules, or its rules cannot be found in its text.
    """
    if len(prompt.rules) < 2:
        raise InvalidInput("A prompt with fewer than two rules has no other order of them. Nothing was asked.")
    lines = prompt.text.split("\n")
    start, _ = place_of_rules(lines, prompt.rules)
    told = {rule: lines[start + place].removeprefix(f"{rule.number}. ") for place, rule in enumerate(prompt.rules)}
    by_id = {rule.rule_id: rule for rule in prompt.rules}
    drawn = [by_id[rule_id] for rule_id in shuffled_order(tuple(by_id), seed)]
    block = [f"{number}. {told[rule]}" for number, rule in enumerate(drawn, start=1)]
    text = "\n".join([*lines[:start], *block, *lines[start + len(block) :]])
    order = RuleOrder(tuple(rule.rule_id for rule in drawn), REASON)
    return replace(
        prompt,
        text=text,
        sha256=hash_text(text),
        rules=tuple(replace(rule, number=number) for number, rule in enumerate(drawn, start=1)),
        build=replace(prompt.build, order=order),
    )
