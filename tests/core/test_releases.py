"""Who may move a release label, when an exception holds, and where a roll back leads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import GatesRed, IllegalTransition, InvalidInput, MissingReason
from pld_core.gate_facts import Fix, Gate, GateState
from pld_core.models import CompiledPrompt, PromptVersion
from pld_core.releases import (
    BreakGlass,
    MoveKind,
    Release,
    ReleaseLabel,
    ReleaseOrder,
    before_holder,
    check_move,
    holders_of,
    marks,
)
from tests.factories import ANNA, BERT

NOW = "2026-01-02T03:04:05.000000Z"
VERSION = PromptVersion(2, CompiledPrompt("posts", "x", "sha256:p", (), "t", 1, ("keep",)), NOW, "anna")
ORDER = ReleaseOrder("posts", ReleaseLabel.PRODUCTION, 2, 0, "it is better")
GREEN = Gate("budget", "At most 9 tokens", GateState.GREEN, "8", 8)
GREY = Gate("labels", "No label worse", GateState.NOT_APPLICABLE, "nothing", 0, "first release")
RED = Gate("malformed", "At most 1 %", GateState.RED, "3 of 9", 9, "too many", Fix("evaluate", "look"))


def release(number: int, version: int, kind: MoveKind = MoveKind.MOVE, glass: BreakGlass | None = None) -> Release:
    label = ReleaseLabel.PRODUCTION
    return Release(number, "posts", label, version, f"sha256:{version}", kind, "why", "bert", NOW, 1, (GREEN,), glass)


def test_a_label_moves_if_no_gate_is_red() -> None:
    assert check_move(replace(ORDER, reason=" it is\n better "), VERSION, None, (GREEN, GREY), True, BERT, NOW) == (
        "it is better"
    )


def test_who_built_a_version_releases_it_only_without_four_eyes() -> None:
    assert check_move(ORDER, VERSION, None, (GREEN,), False, ANNA, NOW)
    with pytest.raises(IllegalTransition, match="anna built version 2 of posts and cannot release it"):
        check_move(ORDER, VERSION, None, (GREEN,), True, ANNA, NOW)


def test_a_label_does_not_move_to_where_it_is_nor_without_a_reason() -> None:
    with pytest.raises(IllegalTransition, match="production is on version 2 of posts already"):
        check_move(ORDER, VERSION, release(1, 2), (GREEN,), False, BERT, NOW)
    held = release(1, 2, glass=BreakGlass("a court order", "2026-01-05"))
    assert check_move(ORDER, VERSION, held, (GREEN,), False, BERT, NOW), "green gates put an end to an exception"
    with pytest.raises(MissingReason):
        check_move(replace(ORDER, reason=" "), VERSION, None, (GREEN,), False, BERT, NOW)


def test_a_red_gate_is_named_in_the_refusal() -> None:
    with pytest.raises(GatesRed, match=r"1 of 2 gates are red \(At most 1 %\)\. Nothing was changed"):
        check_move(ORDER, VERSION, None, (GREEN, RED), False, BERT, NOW)


@pytest.mark.parametrize("until", ["2026-01-02", "2026-02-01"])
def test_an_exception_lets_red_gates_pass_for_at_most_thirty_days(until: str) -> None:
    order = replace(ORDER, break_glass=BreakGlass("a court order", until))
    assert check_move(order, VERSION, None, (RED,), False, BERT, NOW) == "it is better"


@pytest.mark.parametrize(
    ("glass", "gates", "error"),
    [
        (BreakGlass("a court order", "2026-01-01"), (RED,), InvalidInput),
        (BreakGlass("a court order", "2026-02-02"), (RED,), InvalidInput),
        (BreakGlass("a court order", "next week"), (RED,), InvalidInput),
        (BreakGlass(" ", "2026-01-05"), (RED,), MissingReason),
        (BreakGlass("a court order", "2026-01-05"), (GREEN, GREY), InvalidInput),
    ],
)
def test_an_exception_that_is_none_is_refused(
    glass: BreakGlass, gates: tuple[Gate, ...], error: type[Exception]
) -> None:
    with pytest.raises(error, match="Nothing was changed"):
        check_move(replace(ORDER, break_glass=glass), VERSION, None, gates, False, BERT, NOW)


def test_an_exception_holds_through_its_last_day_and_is_called_expired_afterwards() -> None:
    glass = BreakGlass("a court order", "2026-01-05")
    assert not glass.is_expired("2026-01-05T23:59:59.999999Z")
    assert glass.words("2026-01-05T23:59:59Z") == "exception until 2026-01-05: released with red gates"
    assert glass.is_expired("2026-01-06T00:00:00.000000Z")
    assert glass.words("2026-01-06T00:00:00Z").startswith("expired exception")
    told = release(1, 2, glass=glass).as_json("2026-01-06T00:00:00Z")["exception"]
    assert isinstance(told, dict)
    assert str(told["status"]).startswith("expired exception")


def test_a_roll_back_goes_one_step_back_each_time() -> None:
    moves = [release(1, 1), release(2, 2), release(3, 3)]
    assert before_holder(moves) == moves[1]
    moves.append(release(4, 2, MoveKind.ROLLBACK))
    assert before_holder(moves) == moves[0]
    moves.append(release(5, 1, MoveKind.ROLLBACK))
    assert before_holder(moves) is None
    moves.append(release(6, 3))
    assert before_holder(moves) == moves[0]
    moves.append(release(7, 3))
    assert before_holder(moves) == moves[0], "released again, it is on the version as before"
    assert before_holder([]) is None


@given(st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=20))
def test_a_roll_back_leads_to_the_version_that_the_label_was_on(steps: list[int | None]) -> None:
    moves: list[Release] = []
    been: list[int] = []
    for number, version in enumerate(steps, start=1):
        if version is not None:
            moves.append(release(number, version))
            been += [version] if been[-1:] != [version] else []
        elif (target := before_holder(moves)) is not None:
            been.pop()
            assert target.version == been[-1]
            moves.append(release(number, target.version, MoveKind.ROLLBACK))
        else:
            assert len(been) < 2


STATES = st.sampled_from([GREEN, GREY, RED])


@given(st.lists(STATES, max_size=8), st.booleans(), st.booleans())
def test_a_red_gate_never_moves_a_label_without_an_exception(
    gates: list[Gate], four_eyes: bool, is_other_label: bool
) -> None:
    label = ReleaseLabel.CANDIDATE if is_other_label else ReleaseLabel.PRODUCTION
    order = replace(ORDER, label=label)
    if RED in gates:
        with pytest.raises(GatesRed):
            check_move(order, VERSION, None, gates, four_eyes, BERT, NOW)
    else:
        assert check_move(order, VERSION, None, gates, four_eyes, BERT, NOW)


def test_a_version_is_marked_with_its_labels_and_their_exceptions() -> None:
    glass = BreakGlass("a court order", "2026-01-05")
    candidate = replace(release(2, 2), label=ReleaseLabel.CANDIDATE)
    moves = [release(1, 1), candidate, release(3, 2, glass=glass)]
    assert [(held.label.value, held.version) for held in holders_of(moves)] == [("production", 2), ("candidate", 2)]
    assert marks(moves, 1, NOW) == ()
    assert marks(moves, 2, NOW) == ("production (exception until 2026-01-05: released with red gates)", "candidate")
    assert marks(moves, 2, "2026-02-01T00:00:00Z")[0].startswith("production (expired exception")
