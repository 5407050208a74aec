"""The limits of the gates: which can be, and how a change is told."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from pld_core.errors import InvalidInput, MissingReason
from pld_core.gate_policy import (
    AS_MADE,
    LIMITS,
    GatePolicy,
    check_gate_change,
    limit_changes,
    limit_differences,
    limit_lines,
)


def test_a_task_is_made_with_the_limits_that_the_documents_name() -> None:
    assert GatePolicy(0.01, 0.03, 0.01, 4_096, True) == AS_MADE
    assert list(LIMITS) == [field.name for field in fields(GatePolicy)]
    assert limit_lines(AS_MADE)[0] == "Macro F1 below production, at most: 0.01"
    assert limit_lines(AS_MADE)[3] == "Prompt, tokens at most: 4,096"


@pytest.mark.parametrize(
    ("policy", "part"),
    [
        (replace(AS_MADE, f1_margin=-0.1), "between 0 and 1, not -0.1"),
        (replace(AS_MADE, label_margin=1.1), "between 0 and 1"),
        (replace(AS_MADE, malformed=2.0), "between 0 and 1"),
        (replace(AS_MADE, f1_margin=float("nan")), "between 0 and 1"),
        (replace(AS_MADE, token_budget=0), "between 1 and 1,000,000"),
        (AS_MADE, "these are the limits in force"),
    ],
)
def test_limits_that_cannot_be_are_refused(policy: GatePolicy, part: str) -> None:
    with pytest.raises(InvalidInput, match=part):
        check_gate_change(AS_MADE, policy, "why")


def test_a_change_needs_a_reason_and_names_what_differs_only() -> None:
    after = replace(AS_MADE, on_test=False, f1_margin=0.02)
    with pytest.raises(MissingReason):
        check_gate_change(AS_MADE, after, " ")
    check_gate_change(AS_MADE, after, "few examples")
    assert limit_changes(AS_MADE, after) == (
        "Macro F1 below production, at most: 0.01 → 0.02",
        "Only the test split counts: on → off",
    )
    assert limit_differences(AS_MADE, AS_MADE) == {}
