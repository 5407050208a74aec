"""Teacher replies are taken in one shape only, and a refusal keeps the raw text."""

from __future__ import annotations

import json

import pytest

from pld_core.errors import ReplyUnusable
from pld_core.wire import ExtractionReply, SynthesisReply, read_reply, schema_of
from tests.factories import extraction_json, rule_json, synthesis_json


def test_a_reply_in_the_asked_shape_is_read_and_stripped() -> None:
    reply = read_reply(ExtractionReply, extraction_json(" keep ", " the post is kind\n"))
    assert (reply.label, reply.condition, reply.cues) == ("keep", "the post is kind", ["kind words"])
    (rule,) = read_reply(SynthesisReply, synthesis_json("remove", ["abcd1234"])).rules
    assert (rule.label, rule.conflicts, rule.priority) == ("remove", ["abcd1234"], 2)


def changed(**parts: object) -> str:
    return json.dumps({**json.loads(extraction_json("keep")), **parts})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "the reply: Invalid JSON"),
        ("IF it is so THEN keep", "Invalid JSON"),
        ("[]", "the reply"),
        ("```json\n{}\n```", "Invalid JSON"),
        (extraction_json("keep")[:-5], "Invalid JSON"),
        ("[" * 5000, "Invalid JSON"),
        ("{}", "reasoning: Field required"),
        (changed(condition="  "), "condition: .*at least 1 character"),
        (changed(condition="x" * 2001), "condition: .*at most 2000"),
        (changed(label=1), "label: .*valid string"),
        (changed(exceptions="none"), "exceptions: .*valid array"),
        (changed(exceptions=["ok", ""]), "exceptions.1: "),
        (changed(confidence=0.9), "confidence: Extra inputs"),
    ],
)
def test_any_other_reply_is_refused_by_place_and_kept_word_for_word(text: str, word: str) -> None:
    with pytest.raises(ReplyUnusable, match=word) as refusal:
        read_reply(ExtractionReply, text)
    assert refusal.value.raw == text


def test_a_title_has_at_most_120_characters() -> None:
    def titled(length: int) -> str:
        return json.dumps({"rules": [{**rule_json("keep"), "title": "t" * length}]})

    assert read_reply(SynthesisReply, titled(120)).rules[0].title == "t" * 120
    with pytest.raises(ReplyUnusable, match=r"rules.0.title: .*at most 120"):
        read_reply(SynthesisReply, titled(121))


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ({"rules": []}, "rules: .*at least 1 item"),
        (rule_json("keep"), "rules: Field required"),
        ({"rules": [{**rule_json("keep"), "priority": 0}]}, "priority: .*greater than or equal to 1"),
        ({"rules": [{**rule_json("keep"), "priority": 4}]}, "priority: .*less than or equal to 3"),
        ({"rules": [{**rule_json("keep"), "priority": "1"}]}, "priority: .*valid integer"),
        ({"rules": [{**rule_json("keep"), "evidence": ["a"]}]}, "evidence: Extra inputs"),
    ],
)
def test_rules_of_another_shape_are_refused(reply: dict[str, object], word: str) -> None:
    with pytest.raises(ReplyUnusable, match=word):
        read_reply(SynthesisReply, json.dumps(reply))


@pytest.mark.parametrize("shape", [ExtractionReply, SynthesisReply])
def test_the_schema_sent_along_requires_every_part_and_forbids_others(
    shape: type[ExtractionReply] | type[SynthesisReply],
) -> None:
    schema = schema_of(shape)
    assert schema["additionalProperties"] is False
    required, properties = schema["required"], schema["properties"]
    assert isinstance(required, list)
    assert isinstance(properties, dict)
    assert set(required) == set(properties) == set(shape.model_fields)
