"""Every kind of event that the code writes is told in words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_core.batches import BatchState
from pld_core.canonical import Json
from pld_core.event_words import NOT_RECORDED, WORDS, rule_of, sentence
from pld_core.models import Event, JobState
from storage.judging import PAST

ROOT = Path(__file__).parents[2]
SOURCES = [path for name in ("storage", "pld_core", "pld_app") for path in sorted((ROOT / name).rglob("*.py"))]
KIND = re.compile(r"[a-z_]+\.[a-z_]+")
COMPLETED = {
    "batch.": {state.value for state in BatchState if state is not BatchState.PREPARED},
    "job.": {state.value for state in JobState if state.is_final},
    "rule.": set(PAST.values()),
}
"""How kinds end that are put together, by their beginning."""


def written_kinds(path: Path) -> Iterator[str]:
    """Yield the kinds in calls that write an event: constants, one of two, and those of two parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {ast.unparse(n.targets[0]): n.value for n in tree.body if isinstance(n, ast.Assign)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith(("event", ".record_with")):
            continue
        for argument in (part for given in node.args for part in choices(named.get(ast.unparse(given), given))):
            if isinstance(argument, ast.Constant) and KIND.fullmatch(str(argument.value)):
                yield str(argument.value)
            if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
                start = str(argument.values[0].value)
                if start.endswith("."):
                    yield from (start + end for end in COMPLETED[start])


def choices(argument: ast.expr) -> tuple[ast.expr, ...]:
    return (argument.body, argument.orelse) if isinstance(argument, ast.IfExp) else (argument,)


def event(kind: str, subject: str = "R1", /, **payload: Json) -> Event:
    return Event(1, "2026-01-02T03:04:05.000000Z", "anna", kind, subject, payload, "", "")


WRITTEN = sorted({kind for path in SOURCES for kind in written_kinds(path)})


def test_the_search_finds_what_is_known_to_be_written() -> None:
    assert {"rule.approved", "job.failed", "dataset.deleted", "audit.pack_exported", "task.created"} <= set(WRITTEN)


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_kind_that_is_written_has_words(kind: str) -> None:
    assert kind in WORDS, f"say in pld_core/event_words.py what {kind} means to a lawyer"


def test_no_words_are_kept_for_what_nobody_writes() -> None:
    assert sorted(WORDS) == WRITTEN


@pytest.mark.parametrize("kind", WORDS)
def test_a_sentence_says_who_or_what_and_ends(kind: str) -> None:
    told = sentence(event(kind, "R7", author="the teacher"))
    assert told.endswith(".")
    assert "anna" in told or "R7" in told or "the teacher" in told
    assert "_" not in told.replace(NOT_RECORDED, "")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (event("rule.approved"), "anna approved R1."),
        (
            event("rule.rejected", category="over_broad", reason="It takes\ntoo much."),
            "anna rejected R1: over broad. Reason: It takes too much.",
        ),
        (
            event("dataset.imported", "nda", file="my_file.csv", dataset=3, rows=12000),
            "anna imported my_file.csv into the task nda as data set 3: 12,000 rows.",
        ),
        (event("job.failed", "job 4", kind="audit_pack"), "Job 4 (audit pack) failed."),
        (event("rule.edited"), f"anna wrote revision {NOT_RECORDED} of R1."),
        (event("rule.tagged_by_newer"), "anna: rule tagged by newer, R1."),
    ],
)
def test_sentences(given: Event, told: str) -> None:
    assert sentence(given) == told


def test_what_people_wrote_is_no_template() -> None:
    given = event("rule.rejected", "{who.__class__}", category="{subject}", who="mallory", reason="{0} {x!r}")
    assert sentence(given) == "anna rejected {who.__class__}: {subject}. Reason: {0} {x!r}"


def test_rules_are_told_from_other_subjects() -> None:
    assert [rule_of(event("x.y", subject)) for subject in ("R12", "nda", "R", "R1 x", "job 1")] == [
        "R12",
        "",
        "",
        "",
        "",
    ]
