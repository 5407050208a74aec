"""Batches without a server: how they are divided, how long is waited, and what a line of a result file says."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_app.teacher_settings import TeacherSettings, TokenPrice
from pld_core.backends.openai_batch import OpenAIBatchChat
from pld_core.batch_run import check_cap
from pld_core.batches import LONGEST_LOOK_S, divide, look_after_s
from pld_core.errors import BackendBusy, BackendRefused, BatchOverCap, Failure, InvalidInput, ReplyUnusable
from pld_core.estimate import Estimate
from pld_core.model_ports import ChatReply, ChatRequest
from pld_core.pricing import FREE, Price

# --- dividing ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 100)), max_size=60),
    st.integers(1, 20),
    st.integers(1, 500),
    st.none() | st.integers(1, 500),
)
def test_a_division_keeps_every_request_once_in_order_and_every_limit(
    sizes: list[tuple[int, int]], most: int, most_bytes: int, most_tokens: int | None
) -> None:
    parts = divide(sizes, most_tokens, most, most_bytes)
    assert [place for part in parts for place in part] == list(range(len(sizes)))
    for part in parts:
        assert 1 <= len(part) <= most
        # A request that is too large by itself stands alone: the provider says what is wrong with it.
        assert len(part) == 1 or sum(sizes[place][0] for place in part) <= most_bytes
        assert len(part) == 1 or most_tokens is None or sum(sizes[place][1] for place in part) <= most_tokens


def test_a_division_makes_no_more_batches_than_needed() -> None:
    assert divide([(1, 1)] * 7, most_requests=3) == [range(3), range(3, 6), range(6, 7)]
    assert divide([]) == []
    assert len(divide([(1, 1)] * 50_001)) == 2
    assert divide([(150_000_000, 1), (60_000_000, 1)]) == [range(1), range(1, 2)]


def test_a_batch_is_looked_at_ever_more_rarely() -> None:
    waits = [look_after_s(n) for n in range(40)]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_LOOK_S


# --- the cap ----------------------------------------------------------------------------------------------------------


def test_a_cap_is_checked_with_what_the_run_spent_before() -> None:
    found = Estimate(10, 1000, 100, 500, None, 5)
    check_cap(found, None, None, 99, 99, "USD")
    check_cap(found, 10, 500, 0, 0, "USD")
    check_cap(found, 15, 600, 5, 100, "USD")
    for calls, cost, before, spent in ((9, None, 0, 0), (10, None, 1, 0), (None, 499, 0, 0), (None, 500, 0, 1)):
        with pytest.raises(BatchOverCap, match="Nothing was sent"):
            check_cap(found, calls, cost, before, spent, "USD")
    with pytest.raises(InvalidInput, match="no price"):
        check_cap(Estimate(10, 1, 1, None, None, 0), None, 5, 0, 0, "USD")


def test_a_price_in_a_batch_is_less_by_its_discount() -> None:
    prices = {
        "a": TokenPrice(Decimal(2), Decimal(8)),
        "b": TokenPrice(Decimal(2), Decimal(8), Decimal("0.25")),
        "free": TokenPrice(Decimal(0), Decimal(0)),
    }
    settings = TeacherSettings(prices=prices)
    assert settings.batch_price("openai:a") == Price(Decimal(1), Decimal(4))
    assert settings.batch_price("openai:b") == Price(Decimal("1.5"), Decimal(6))
    assert settings.batch_price("openai:free") == FREE
    assert settings.batch_price("openai:other") is None
    assert settings.batch_discount("openai:other") == Decimal("0.5")


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def chat() -> OpenAIBatchChat:
    return OpenAIBatchChat("big", "http://127.0.0.1:9/v1", "sk-s3cret")


def answered(chat: OpenAIBatchChat, line: object) -> Any:
    found = chat._answer(line if isinstance(line, str) else json.dumps(line))
    return None if found is None else found.answered


def completion(message: object, finish: object = "stop", **more: object) -> dict[str, object]:
    body = {"model": "big-2026", "choices": [{"message": message, "finish_reason": finish}], **more}
    return {"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}


def test_a_request_is_the_same_call_that_would_be_sent_at_once(chat: OpenAIBatchChat) -> None:
    request = ChatRequest("s", "ü\n", "extraction", schema={"type": "object"}, max_tokens=9, seed=3)
    line = chat.line("sha256:1", request)
    assert line.count(b"\n") == 1
    value = json.loads(line)
    assert (value["custom_id"], value["method"], value["url"]) == ("sha256:1", "POST", "/v1/chat/completions")
    body = value["body"]
    assert [message["content"] for message in body["messages"]] == ["s", "ü\n"]
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("big", 9, 0.0, 3)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert "response_format" not in json.loads(chat.line("x", ChatRequest("s", "u", "extraction")))["body"]


def test_a_whole_answer_is_a_reply_with_its_tokens(chat: OpenAIBatchChat) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}
    reply = answered(chat, completion({"content": "hi"}, usage=usage))
    assert reply == ChatReply("hi", "big-2026", "stop", 0, 7, 3, 2)
    assert answered(chat, completion({"content": "h"}, "length")).finish == "length"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (completion({"content": None, "refusal": "No."}), Failure.REFUSED),
        (completion({"content": "x"}, "content_filter"), Failure.REFUSED),
        (completion({"content": "  "}), Failure.EMPTY),
        (completion(None, None), Failure.EMPTY),
        (completion("odd", ["odd"], usage="odd", model=7), Failure.EMPTY),
        ({"custom_id": "a", "response": {"status_code": 200, "body": "odd"}}, Failure.EMPTY),
    ],
)
def test_an_answer_that_cannot_be_used_carries_its_kind_and_reply(
    chat: OpenAIBatchChat, line: dict[str, object], kind: Failure
) -> None:
    found = answered(chat, line)
    assert isinstance(found, ReplyUnusable)
    assert found.kind is kind
    assert isinstance(found.reply, ChatReply)


def test_an_error_is_the_same_as_that_of_a_call_at_once_and_hides_the_key(chat: OpenAIBatchChat) -> None:
    def refused(status: object, body: object, error: object = None) -> Any:
        return answered(chat, {"custom_id": "a", "response": {"status_code": status, "body": body}, "error": error})

    assert isinstance(refused(500, {"error": {"message": "down"}}), BackendBusy)
    found = refused(400, {"error": {"message": "key sk-s3cret is bad"}})
    assert type(found) is BackendRefused
    assert "sk-s3cret" not in str(found)
    assert "[key] is bad" in str(found)
    assert "other words" in str(refused(None, None, {"code": "x", "message": "other words"}))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "[]",
        {"custom_id": 7},
        {"custom_id": "a", "response": None, "error": {"code": "batch_expired", "message": "late"}},
        {"custom_id": "a", "response": None, "error": {"code": "batch_cancelled", "message": "stop"}},
    ],
)
def test_what_is_no_answer_or_was_never_asked_is_passed_over(chat: OpenAIBatchChat, line: object) -> None:
    assert answered(chat, line) is None
