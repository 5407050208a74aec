"""What a person could leave out of a prompt that is over its budget of tokens. A person decides."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.prompt_manifest import TokenCount


@dataclass(frozen=True)
class RuleWorth:
    """What a rule takes of the budget, and what it is worth.

    Attributes:
        tokens: its share of the prompt, at least 1: by its length, scaled to the count of the whole.
        utility: the answers it fixed less twice those it broke, for each hundred examples of the split; the training
            examples that support it, for each hundred of them, where no effect was measured.
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
