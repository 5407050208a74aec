"""The cap of a run in calls and money: what a call may cost at most is set aside before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.errors import RAISE_THE_CAP, BudgetReached
from pld_core.pricing import money


@dataclass
class Budget:
    """Counts what is spent and what is set aside for calls under way; their sum never exceeds a cap.

    That holds as long as the server bills no more than it was asked for (input of the request, `max_tokens` of output).

    Attributes:
        max_calls: most calls sent, those that were tried again included; None for no cap.
        max_cost: most money in micro-units; None for no cap.
        calls, cost: what is spent, with earlier starts of the same run; cost in micro-units.
        currency: for messages.
    """

    max_calls: int | None = None
    max_cost: int | None = None
    calls: int = 0
    cost: int = 0
    currency: str = ""
    _calls_aside: int = 0
    _cost_aside: int = 0

    @property
    def is_idle(self) -> bool:
        """Whether no call is under way, so that nothing that is set aside can come back."""
        return self._calls_aside == 0

    def set_aside(self, most: int) -> bool:
        """Set aside one call of at most `most` micro-units; False, and nothing is, if a cap could be exceeded."""
        if self.max_calls is not None and self.calls + self._calls_aside + 1 > self.max_calls:
            return False
        if self.max_cost is not None and self.cost + self._cost_aside + most > self.max_cost:
            return False
        self._calls_aside += 1
        self._cost_aside += most
        return True

    def settle(self, most: int, cost: int) -> None:
        """Replace what was set aside by what the call cost."""
        self.give_back(most)
        self.calls += 1
        self.cost += cost

    def give_back(self, most: int) -> None:
        """Undo `set_aside` for a call that was never sent."""
        self._calls_aside -= 1
        self._cost_aside -= most

    def reached(self, most: int) -> BudgetReached:
        """Return the error that says which cap the next call could exceed."""
        if self.max_calls is not None and self.calls + 1 > self.max_calls:
            cap = f"The cap of {self.max_calls:,} calls is reached"
        else:
            next_, spent, most_allowed = (money(a, self.currency) for a in (most, self.cost, self.max_cost or 0))
            cap = f"{spent} are spent, and the next call ({next_} at most) could exceed the cap of {most_allowed}"
        return BudgetReached(f"{cap}. What was answered is kept. {RAISE_THE_CAP}")
