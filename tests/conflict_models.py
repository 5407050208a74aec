"""A student that follows the rules of its prompt, and teachers that reply from a script: for tests of the loop only.

A condition names words, such as `insult is said`, `insult or slur is said` or `insult and joke is said`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pld_core.model_ports import ChatRequest
from pld_core.synthesis import short_id

RULE = re.compile(r"^\d+\. \[(R\d+)\] IF (.*?), THEN (\w+)\.(.*)$", re.MULTILINE)
FALLBACK = "keep"


def holds(condition: str, text: str) -> bool:
    """Return whether the words that a condition names are in the text."""
    words = set(text.split())
    named = condition.partition(" is said")[0]
    return any(all(word.strip() in words for word in either.split(" and ")) for either in named.split(" or "))


def follow(request: ChatRequest) -> str:
    """Answer as the first rule of the prompt says that holds for the input, and with `keep` where none does."""
    for _, condition, label, exceptions in RULE.findall(request.system):
        excepted = any(holds(e.strip(" ."), request.user) for e in exceptions.split("EXCEPT ")[1:])
        if holds(condition, request.user) and not excepted:
            return json.dumps({"label": label})
    return json.dumps({"label": FALLBACK})


def block(request: ChatRequest, name: str) -> str:
    """Return what stands between the markers of this name."""
    return request.user.partition(f"<<<{name}")[2].partition(f"{name}>>>")[0]


Reply = Callable[[ChatRequest], Sequence[dict[str, Any]]]


@dataclass
class Scripted:
    """Says to each request the actions of the first entry whose word stands in its wrong inputs, else keeps a rule.

    Attributes:
        script: (word, what to reply) in the order in which they are looked at.
    """

    script: Sequence[tuple[str, Reply]]

    def __call__(self, request: ChatRequest) -> str:
        for word, reply in self.script:
            is_meant = word in block(request, "WRONG") or word in block(request, "MATCHES_BOTH")
            if is_meant and (actions := reply(request)):
                return replied(*actions)
        named = re.findall(r"^\[(R\d+)\]", block(request, "RULES").partition("\n")[2], re.MULTILINE)
        return replied(action("keep", named[:1], request) if named else action("retire", ["R99"], request))


def replied(*actions: dict[str, Any]) -> str:
    return json.dumps({"kind": "other", "cause": "As the script says.", "actions": list(actions)})


def action(kind: str, rules: Sequence[str], request: ChatRequest, *texts: dict[str, Any]) -> dict[str, Any]:
    """Return an action that rests on every wrong input of the request."""
    ids = [short_id(content) for content in request.subjects]
    return {
        "action": kind,
        "rules": list(rules),
        "reason": "As the script says.",
        "examples": ids,
        "texts": list(texts),
    }


def text(condition: str, label: str, exceptions: Sequence[str] = (), priority: int = 2) -> dict[str, Any]:
    return {
        "title": "A rule",
        "condition": condition,
        "label": label,
        "exceptions": list(exceptions),
        "priority": priority,
        "rationale": "It follows.",
        "examples": [],
    }
