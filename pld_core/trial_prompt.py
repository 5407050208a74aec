"""The prompt of a version with some of its rules switched off: shows what they do to one answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pld_core.canonical import hash_text
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt, CompiledRule
from pld_core.prompt_manifest import LeftOut
from pld_core.prompt_order import rule_number

REASON = "switched off for a live test; never stored as a version"


def without_rules(prompt: CompiledPrompt, rule_ids: Sequence[str]) -> CompiledPrompt:
    """Return the prompt without some of its rules: the others keep their order and are numbered anew.

    Every other byte stays, so it is what compiling without these rules would have given.

    Args:
        rule_ids: at least one; the same ones in any order give the same prompt.

    Raises:
        InvalidInput: no rule is named, the prompt lacks one, or its answers cite rules and none would be left.
    """
    gone = [rule for rule in prompt.rules if rule.rule_id in rule_ids]
    _check(prompt, rule_ids, len(gone))
    lines = prompt.text.split("\n")
    start, end = place_of_rules(lines, prompt.rules)
    told = {
        rule: line.removeprefix(f"{rule.number}. ") for rule, line in zip(prompt.rules, lines[start:end], strict=True)
    }
    stay = [rule for rule in prompt.rules if rule not in gone]
    # A prompt without any rule keeps the empty line that the compiler leaves there.
    block = [f"{number}. {told[rule]}" for number, rule in enumerate(stay, start=1)] or [""]
    text = "\n".join([*lines[:start], *block, *lines[end:]])
    left_out = [*prompt.build.left_out, *(LeftOut(rule.rule_id, rule.revision_hash, REASON) for rule in gone)]
    left_out.sort(key=lambda one: rule_number(one.rule_id))
    manual = tuple(rule_id for rule_id in prompt.build.order.manual if rule_id not in rule_ids)
    return replace(
        prompt,
        text=text,
        sha256=hash_text(text),
        rules=tuple(replace(rule, number=number) for number, rule in enumerate(stay, start=1)),
        build=replace(prompt.build, left_out=tuple(left_out), order=replace(prompt.build.order, manual=manual)),
    )


def _check(prompt: CompiledPrompt, rule_ids: Sequence[str], found: int) -> None:
    if not rule_ids:
        raise InvalidInput("No rule was named that is to be switched off. Nothing was asked.")
    held = [rule.rule_id for rule in prompt.rules]
    if unknown := [rule_id for rule_id in dict.fromkeys(rule_ids) if rule_id not in held]:
        raise InvalidInput(
            f"{', '.join(unknown)} cannot be switched off, as this prompt does not hold it. Nothing was asked. "
            f"It holds: {', '.join(held) or 'no rule'}."
        )
    form = replace(prompt.answer_form, rule_ids=tuple(rule_id for rule_id in held if rule_id not in rule_ids))
    if found == len(held) and form.problem:
        raise InvalidInput(
            "Without any rule there is none that an answer could cite, and this prompt asks for them. Nothing was "
            "asked. Keep one rule on."
        )


def place_of_rules(lines: Sequence[str], rules: tuple[CompiledRule, ...]) -> tuple[int, int]:
    """Return where the rules begin and end: on a line each, one below the other.

    The last such place: a guideline stands before them, and may quote them.
    """
    heads = [f"{rule.number}. [{rule.rule_id}] " for rule in rules]
    for start in range(len(lines) - len(heads), -1, -1):
        if all(lines[start + place].startswith(head) for place, head in enumerate(heads)):
            return start, start + len(heads)
    raise InvalidInput("The rules cannot be found in the text of this prompt. Nothing was asked.")
