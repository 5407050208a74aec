"""A prompt over its budget of tokens: what each rule takes and is worth, and which would go first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pld_core.compilation import rule_line
from pld_core.prompt_effects import RuleEffect
from pld_core.prompt_manifest import TokenCount
from pld_core.prompt_order import Candidate, rule_number
from pld_core.prompt_plan import RuleWorth
from pld_core.token_count import estimated


def drop_order(
    candidates: Sequence[Candidate], effects: Mapping[str, RuleEffect], training: int, tokens: TokenCount, text: str
) -> tuple[RuleWorth, ...]:
    """Return the rules in the order in which they would be left out: least utility a token first, then newest rule.

    Args:
        effects: by revision hash, where one was measured.
        training: number of training examples; support is told as a share of them.
        tokens, text: the whole prompt and its count.
    """
    scale = tokens.tokens / max(1, estimated(text).tokens)
    worth = [_worth(candidate, effects, training, scale) for candidate in candidates]
    return tuple(sorted(worth, key=lambda one: (one.a_token, -rule_number(one.rule_id))))


def enough(order: Sequence[RuleWorth], over: int) -> int:
    """Return how many rules of the order have to go to save so many tokens; one rule always stays."""
    saved = 0
    for number, worth in enumerate(order[:-1], start=1):
        saved += worth.tokens
        if saved >= over:
            return number
    return max(0, len(order) - 1)


def _worth(candidate: Candidate, effects: Mapping[str, RuleEffect], training: int, scale: float) -> RuleWorth:
    revision, entry, support = candidate
    tokens = max(1, round(estimated(rule_line(1, revision)).tokens * scale))
    effect = effects.get(entry.revision_hash)
    if effect is None:
        basis = f"not measured; {support:,} of {training:,} training examples support it"
        return RuleWorth(entry.rule_id, tokens, 100 * support / max(1, training), basis)
    return RuleWorth(entry.rule_id, tokens, effect.utility, f"measured: {effect.words}")
