"""The estimate before a run: measured calls scaled to what is to be asked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pld_core.calls import Limits
from pld_core.estimate import estimate
from pld_core.model_ports import ChatRequest
from pld_core.pricing import Price, likely_tokens, micro, money
from pld_core.records import TeacherCall

PRICE = Price(Decimal("0.4"), Decimal("1.6"))


def request(length: int) -> ChatRequest:
    return ChatRequest("s", "x" * length, "extraction", max_tokens=100)


def call(prompt_tokens: int, output_tokens: int, latency_ms: int) -> TeacherCall:
    return TeacherCall("r", "extraction", (), "m", "t", "{}", "", prompt_tokens, output_tokens, latency_ms)


def test_measured_calls_are_scaled_by_the_length_of_the_requests() -> None:
    measured = [(request(1000), call(400, 50, 2000)), (request(1000), call(400, 70, 4000))]
    found = estimate([request(1000)] * 10, measured, PRICE, Limits(in_flight=4))
    assert (found.calls, found.input_tokens, found.output_tokens, found.measured) == (10, 4000, 600, 2)
    assert found.cost == 1600 + 960
    assert found.seconds == pytest.approx(3 * 3.0)


@pytest.mark.parametrize("limits", [Limits(requests_per_minute=2), Limits(tokens_per_minute=900)])
def test_the_limits_a_minute_may_decide_the_time(limits: Limits) -> None:
    found = estimate([request(1000)] * 10, [(request(1000), call(400, 50, 1))], PRICE, limits)
    assert found.seconds == pytest.approx(300)


def test_before_anything_was_measured_the_text_is_all_there_is() -> None:
    found = estimate([request(1000)] * 3, [], None, Limits())
    assert (found.input_tokens, found.output_tokens) == tuple(3 * n for n in likely_tokens(request(1000)))
    assert (found.cost, found.seconds, found.measured) == (None, None, 0)


def test_nothing_to_do_takes_nothing() -> None:
    found = estimate([], [(request(1), call(1, 1, 1))], PRICE, Limits())
    assert (found.calls, found.cost, found.seconds) == (0, 0, 0)


def test_money_is_exact_and_small_sums_are_not_shown_as_nothing() -> None:
    assert PRICE.cost(1, 1) == 2, "rounded up"
    assert micro(Decimal("0.0000019")) == 1
    assert [money(n, "USD") for n in (0, 420, 1_234_567, 12_000_000_000)] == [
        "0.00 USD",
        "0.00042 USD",
        "1.23 USD",
        "12,000.00 USD",
    ]
