"""A prompt over its budget of tokens: which rules to leave out, the least useful a token first. A person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.compilation import rule_line
from pld_core.prompt_effects import RuleEffect
from pld_core.prompt_manifest import TokenCount
from pld_core.prompt_order import Candidate, rule_number
from pld_core.token_count import estimated


@dataclass(frozen=True)
class RuleWorth:
    """What a rule takes of the budget, and what it is worth.

    Attributes:
        tokens: its share of the prompt, at least 1: by its length, scaled to the count of the whole.
        utility: a hundred times the answers it fixed less twice those it broke, by the answers that were compared; a
            hundred times the examples that support it, by the training examples, where no effect was measured.
        basis: where the utility comes from, in words.
    """

    rule_id: str
    tokens: int
    utility: float
    basis: str

    @property
    def a_token(self) -> float:
        return self.utility / self.tokens


@dataclass(frozen=True)
class BudgetPlan:
    """A proposal: what to leave out so that the prompt fits. Nothing is left out by it.

    Attributes:
        tokens: the length of the whole prompt.
        budget: most tokens that it may have.
        drops: rules to leave out, the least useful a token first.
        left: the length without them, counted in the same way.
    """

    tokens: TokenCount
    budget: int
    drops: tuple[RuleWorth, ...]
    left: TokenCount

    @property
    def fits(self) -> bool:
        """Whether the prompt would fit without what the plan leaves out."""
        return self.left.tokens <= self.budget

    @property
    def words(self) -> str:
        """The proposal in one or two sentences."""
        over = f"The prompt has {self.tokens.words}: {self.tokens.tokens - self.budget:,} over {self.budget:,}."
        if not self.fits:
            return f"{over} It would not fit with a single rule: shorten the guideline or raise the budget."
        names = ", ".join(drop.rule_id for drop in self.drops)
        return f"{over} Without {names} it would have {self.left.tokens:,}."

    def as_json(self) -> dict[str, Json]:
        return {
            "budget": self.budget,
            "tokens": self.tokens.as_json(),
            "fits": self.fits,
            "left": self.left.as_json(),
            "leave_out": [
                {"rule": d.rule_id, "tokens": d.tokens, "utility": round(d.utility, 3), "basis": d.basis}
                for d in self.drops
            ],
        }


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
    basis = (
        f"measured: fixed {effect.fixed:,} and broke {effect.broken:,} of {effect.answers:,} answers "
        f"(runs {effect.without} and {effect.with_rule})"
    )
    return RuleWorth(entry.rule_id, tokens, 100 * effect.utility / max(1, effect.answers), basis)
