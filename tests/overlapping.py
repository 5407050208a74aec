"""Workspaces whose rules overlap in pairs, and teachers that judge them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence

from pld_core.model_ports import ChatRequest
from pld_core.models import Split, Task
from pld_core.pair_judging import PairsJudged, judge_pairs
from pld_core.synthesis import short_id
from pld_core.synthesising import compare_rules
from storage import SqliteStore
from tests.core.conflict_parts import rule_text
from tests.factories import ANNA, FirstWordEmbedder, ToldChat, fill, make_rule, no_report, rule_in_review
from tests.resolving import posts
from tests.teacher_stub import Fault, Script

SUBJECTS = ("insult hurled at somebody", "praise for work done", "spam that sells pills")
"""Conditions that share no word, so that only the rules of one subject overlap."""

RulePair = tuple[str, str]


def rules_by_subject(
    store: SqliteStore, subjects: Sequence[str] = SUBJECTS, task: Task | None = None
) -> tuple[RulePair, ...]:
    """Make two rules in review for each subject, which conclude different labels; return their ids.

    Both rest on the training posts of the subject. The rules are not compared yet.
    """
    kinds = [(f"{subject.split()[0]} plain", "remove") for subject in subjects]
    fill(store, task, posts([*kinds, ("other plain", "keep")]))
    made: list[RulePair] = []
    for subject, (words, _) in zip(subjects, kinds, strict=True):
        train = [e for e in store.tasks.examples("posts") if e.split is Split.TRAIN and e.text.startswith(words)]
        remove, keep = (
            make_rule(rule_text(subject, label), train, origin=label + words) for label in ("remove", "keep")
        )
        made.append((rule_in_review(store, remove), rule_in_review(store, keep)))
    return tuple(made)


def close_rules(store: SqliteStore, subjects: Sequence[str] = ("insult is said",)) -> tuple[RulePair, ...]:
    """Make rules as `rules_by_subject`, and compare them."""
    made = rules_by_subject(store, subjects)
    asyncio.run(compare_rules(store, FirstWordEmbedder(), "posts"))
    return made


def pair_reply(verdict: str = "contradiction", *examples: str, **more: str) -> str:
    """Return what a teacher replies about a pair; it rests on examples of these short ids."""
    return json.dumps({"verdict": verdict, "reason": "Both fit insults.", "examples": list(examples), **more})


def judge(store: SqliteStore, teacher: ToldChat) -> PairsJudged:
    """Let a teacher judge every open pair, in anna's name."""
    return asyncio.run(judge_pairs(store, teacher, FirstWordEmbedder(), "posts", ANNA, no_report))


def judging(by_subject: Mapping[str, str]) -> ToldChat:
    """Return a teacher whose verdict goes by a word of the conditions, and rests on the first example it is shown."""

    def say(request: ChatRequest) -> str:
        return pair_reply(_verdict_on(request.user, by_subject), *map(short_id, request.subjects[:1]))

    return ToldChat(say, "teacher")


def judging_script(by_subject: Mapping[str, str]) -> Script:
    """Return what `judging` says as the script of a stub."""

    def script(_number: int, text: str) -> Fault:
        shown = re.findall(r"^\[([0-9a-f]{8})\]$", text.partition("<<<MATCHES_BOTH")[2], re.MULTILINE)
        return Fault(text=pair_reply(_verdict_on(text, by_subject), *shown[:1]))

    return script


def _verdict_on(text: str, by_subject: Mapping[str, str]) -> str:
    rules = text.partition("<<<RULES")[2].partition("RULES>>>")[0]
    return next(verdict for word, verdict in by_subject.items() if word in rules)
