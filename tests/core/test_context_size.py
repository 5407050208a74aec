"""How large the context window has to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pld_core.context_size import STEP, TRIAL_TOKENS, ContextNeed, estimated_tokens, one_size

COUNTS = st.integers(0, 100_000)


def test_a_token_is_taken_for_three_bytes() -> None:
    assert [estimated_tokens(size) for size in (0, 1, 3, 4, 300)] == [0, 1, 1, 2, 100]


def test_a_need_has_room_for_a_rule_that_is_tried() -> None:
    need = ContextNeed.of(prompt_bytes=3000, input_bytes=300, output_tokens=64)

    assert (need.prompt, need.input, need.output) == (1000 + TRIAL_TOKENS, 100, 64)
    assert need.words == "prompt 1,256 + longest input 100 + answer 64 = 1,420 tokens, estimated"


@given(COUNTS, COUNTS, COUNTS)
def test_the_window_is_the_next_step_that_holds_the_need(prompt: int, longest: int, output: int) -> None:
    need = ContextNeed(prompt, longest, output)

    assert need.size % STEP == 0
    assert need.total <= need.size
    assert need.size - STEP < max(need.total, 1)


def test_all_tasks_share_the_largest_window() -> None:
    assert one_size([ContextNeed(1000, 10, 64), ContextNeed(3000, 10, 64), ContextNeed(1, 1, 1)], 8192) == 4096
    assert one_size([], 8192) == 8192
