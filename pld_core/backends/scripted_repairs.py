"""What a scripted teacher says of failures: found by the rules and the examples that it is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.model_ports import ChatRequest
from pld_core.models import RuleText
from pld_core.synthesis import short_id

NOTHING_WRITTEN = (
    "Nothing is written in the script about these failures under these rules. This is no opinion: a person has to look."
)

Rules = tuple[tuple[str, RuleText], ...]


@dataclass(frozen=True)
class ScriptedAction:
    """One action of a repair.

    Attributes:
        rules: the rules that it names, as they stood when it was written: of a rule that was changed it says nothing.
        reply: the action's JSON without `rules` and `examples`.
    """

    rules: tuple[RuleText, ...]
    reply: Mapping[str, Json]

    def said_of(self, given: Rules, examples: Sequence[str]) -> dict[str, Json] | None:
        """Return the action on the given rules; None if one that it names is not among them."""
        ids = [rule_id for wanted in self.rules for rule_id, text in given if text == wanted]
        if len(ids) < len(self.rules):
            return None
        return {**self.reply, "rules": list[Json](ids), "examples": list[Json](examples)}


@dataclass(frozen=True)
class ScriptedRepair:
    """What is said about failures that are mostly among `examples`.

    Attributes:
        reply: kind and cause.
    """

    examples: frozenset[str]
    reply: Mapping[str, Json]
    actions: tuple[ScriptedAction, ...]

    def said_of(self, request: ChatRequest) -> dict[str, Json] | None:
        """Return the reply with the actions that fit the request; None if none does."""
        resting = [short_id(example) for example in request.subjects if example in self.examples]
        actions = [said for one in self.actions if (said := one.said_of(request.rules, resting)) is not None]
        return {**self.reply, "actions": list[Json](actions)} if resting and actions else None


def repaired(repairs: Sequence[ScriptedRepair], request: ChatRequest) -> dict[str, Json] | None:
    """Return the repair that was written for most of the failures; else the rules are kept, and nothing is claimed.

    None if the request names no rule that could be kept.
    """
    subjects = set(request.subjects)
    for repair in sorted(repairs, key=lambda one: -len(one.examples & subjects)):
        if said := repair.said_of(request):
            return said
    if not request.rules:
        return None
    kept: dict[str, Json] = {"action": "keep", "reason": NOTHING_WRITTEN, "examples": [], "texts": []}
    return {
        "kind": "other",
        "cause": NOTHING_WRITTEN,
        "actions": [{**kept, "rules": [rule_id]} for rule_id, _ in request.rules[:1]],
    }
