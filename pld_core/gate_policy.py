"""What a prompt version has to reach before a release label moves to it; set for each task, every change kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Protocol

from pld_core.canonical import Json
from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import Actor

LARGEST_BUDGET = 1_000_000


@dataclass(frozen=True)
class GatePolicy:
    """The limits of the gates.

    Attributes:
        f1_margin: how much lower than production's macro F1 may be, 0 to 1.
        label_margin: how much lower the share of right answers to one label may be, 0 to 1.
        malformed: largest share of answers that state no label, 0 to 1.
        token_budget: most tokens of the prompt, 1 to `LARGEST_BUDGET`.
        on_test: only evaluations on the test split count; else those on the validation split do where there is none.
    """

    f1_margin: float = 0.01
    label_margin: float = 0.03
    malformed: float = 0.01
    token_budget: int = 4_096
    on_test: bool = True

    def as_json(self) -> dict[str, Json]:
        return asdict(self)


AS_MADE = GatePolicy()


@dataclass(frozen=True)
class LimitWords:
    """A limit for people: its name, and what it asks for."""

    label: str
    meaning: str


LIMITS: Mapping[str, LimitWords] = {
    "f1_margin": LimitWords(
        "Macro F1 below production, at most", "Measured on the same test examples; 0.01 is one point of a hundred."
    ),
    "label_margin": LimitWords(
        "Right answers to a label below production, at most",
        "As a share of the label's test examples. A label with fewer than 10 of them may lose none.",
    ),
    "malformed": LimitWords("Answers without a label, at most", "As a share of all answers: malformed, cut or failed."),
    "token_budget": LimitWords("Prompt, tokens at most", "It has to leave room for the input in the context window."),
    "on_test": LimitWords(
        "Only the test split counts",
        "Rules are chosen while people look at the validation split, so its figures flatter.",
    ),
}
"""By the limit's name in `GatePolicy`, in its order."""


@dataclass(frozen=True)
class GatePolicyChange:
    """Limits as they were set. `number` counts all such changes of a workspace."""

    number: int
    policy: GatePolicy
    reason: str
    by: str
    at: str


class GatePolicyStore(Protocol):
    """The limits of each task; every change is kept."""

    def of(self, task: str) -> GatePolicy:
        """Return the limits in force."""
        ...

    def history(self, task: str) -> tuple[GatePolicyChange, ...]:
        """Return every change, newest first."""
        ...

    def change(self, task: str, seen: GatePolicy, policy: GatePolicy, reason: str, actor: Actor) -> GatePolicyChange:
        """Set other limits; `seen` are those that the person looked at.

        Raises:
            MissingRole: the actor is no admin.
            PolicyMovedOn: somebody changed them meanwhile.
            InvalidInput: limits that cannot be, or those in force.
            MissingReason: no reason.
        """
        ...


def check_gate_change(before: GatePolicy, after: GatePolicy, reason: str) -> None:
    """Raise `InvalidInput` for limits that cannot be or that change nothing, `MissingReason` without a reason."""
    for name in ("f1_margin", "label_margin", "malformed"):
        if not 0 <= (value := getattr(after, name)) <= 1:
            raise InvalidInput(f"{LIMITS[name].label}: has to lie between 0 and 1, not {value}. Nothing was changed.")
    if not 1 <= after.token_budget <= LARGEST_BUDGET:
        raise InvalidInput(
            f"The token budget has to lie between 1 and {LARGEST_BUDGET:,}, not {after.token_budget:,}. "
            "Nothing was changed."
        )
    if after == before:
        raise InvalidInput("Nothing was changed: these are the limits in force.")
    if not reason.strip():
        raise MissingReason("A change of the limits needs a reason, which is kept. Nothing was changed; say why.")


def limit_differences(before: GatePolicy, after: GatePolicy) -> dict[str, tuple[Json, Json]]:
    """Return (before, after) of each limit that differs, by its name."""
    old, new = before.as_json(), after.as_json()
    return {f.name: (old[f.name], new[f.name]) for f in fields(GatePolicy) if old[f.name] != new[f.name]}


def limit_value(value: Json) -> str:
    """Return a limit's value for people: `on`, `4,096`, `0.01`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def limit_lines(policy: GatePolicy) -> tuple[str, ...]:
    """Return a line for each limit: `Macro F1 below production, at most: 0.01`."""
    values = policy.as_json()
    return tuple(f"{words.label}: {limit_value(values[name])}" for name, words in LIMITS.items())


def limit_changes(before: GatePolicy, after: GatePolicy) -> tuple[str, ...]:
    """Return a line for each limit that differs: `Only the test split counts: on → off`."""
    return tuple(
        f"{LIMITS[name].label}: {limit_value(old)} → {limit_value(new)}"
        for name, (old, new) in limit_differences(before, after).items()
    )
