"""Which approved rules a prompt holds, and in which order: by rank, or as a person chose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pld_core.errors import InvalidInput, MissingReason
from pld_core.models import CompiledRule, Revision
from pld_core.prompt_manifest import LeftOut, RuleOrder

Candidate = tuple[Revision, CompiledRule, int]
"""An approved revision, its manifest line, and the number of examples that support it."""


def rule_number(rule_id: str) -> int:
    """Return 12 for `R12`.

    Raises:
        InvalidInput: not a rule id.
    """
    if not (rule_id[:1] in ("R", "r") and rule_id[1:].isdecimal()):
        raise InvalidInput(f"{rule_id!r} is not a rule id. Rule ids look like R12; `pld rules list` shows them.")
    return int(rule_id[1:])


def without(
    approved: Sequence[Candidate], leave_out: Sequence[str], reason: str
) -> tuple[tuple[Candidate, ...], tuple[LeftOut, ...]]:
    """Return the rules that stay, and the record of those that a person left out, by rule number.

    Raises:
        InvalidInput: one to be left out is not approved.
        MissingReason: rules are left out without a reason.
    """
    if leave_out and not reason.strip():
        raise MissingReason("Leaving out an approved rule needs a reason. Nothing was compiled. Say why, then compile.")
    if unknown := _sorted(set(leave_out) - {entry.rule_id for _, entry, _ in approved}):
        raise InvalidInput(
            f"{', '.join(unknown)} cannot be left out, as no approved rule has that id. Nothing was compiled. "
            "`pld rules list --state approved` lists the approved ones."
        )
    gone = [
        LeftOut(entry.rule_id, entry.revision_hash, reason.strip())
        for _, entry, _ in approved
        if entry.rule_id in leave_out
    ]
    stay = tuple(candidate for candidate in approved if candidate[1].rule_id not in leave_out)
    return stay, tuple(sorted(gone, key=lambda one: rule_number(one.rule_id)))


def ordered(candidates: Sequence[Candidate], order: RuleOrder) -> tuple[Candidate, ...]:
    """Return the rules in their order; the order in which they are given does not matter.

    Raises:
        InvalidInput: a manual order names a rule that is not there or one twice, or lacks one.
        MissingReason: a manual order has no reason.
    """
    if not order.manual:
        return tuple(
            sorted(candidates, key=lambda item: (item[0].text.priority, -item[2], rule_number(item[1].rule_id)))
        )
    if not order.reason.strip():
        raise MissingReason("An order of your own needs a reason. Nothing was compiled. Say why, then compile.")
    there = {entry.rule_id: (revision, entry, support) for revision, entry, support in candidates}
    problems = {
        "no rule to compile": _sorted(set(order.manual) - set(there)),
        "missing": _sorted(set(there) - set(order.manual)),
        "named twice": [rule_id for rule_id, n in Counter(order.manual).items() if n > 1],
    }
    if told := "; ".join(f"{what}: {', '.join(ids)}" for what, ids in problems.items() if ids):
        raise InvalidInput(
            f"The order has to name each rule of the prompt once ({told}). Nothing was compiled. Correct the order."
        )
    return tuple(there[rule_id] for rule_id in order.manual)


def _sorted(rule_ids: set[str]) -> list[str]:
    return sorted(rule_ids, key=lambda rule_id: (len(rule_id), rule_id))
