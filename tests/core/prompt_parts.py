"""Approved rules and versions for the tests of prompts."""

from __future__ import annotations

from dataclasses import replace

from pld_core.compilation import BY_RANK, Choices, compile_prompt
from pld_core.models import AuthorKind, CompiledRule, PromptVersion, Revision, RuleText, Task
from pld_core.prompt_order import Candidate
from tests.factories import make_task

HASH = "sha256:" + "0" * 64


def candidate(rule_id: str, condition: str, support: int = 1, label: str = "keep", decision: int = 1) -> Candidate:
    text = RuleText(f"Title of {rule_id}", condition, (label,))
    revision = Revision(rule_id, 1, text, "told", AuthorKind.TEACHER)
    return revision, CompiledRule(0, rule_id, revision.hash, decision), support


THREE = (
    candidate("R1", "the post is friendly", 5),
    candidate("R2", "the post names a private address", 3, "remove"),
    candidate("R3", "the post is about the weather", 1),
)
REVISIONS = {revision.hash: revision for revision, _, _ in THREE}


def version(
    number: int, candidates: tuple[Candidate, ...] = THREE, choices: Choices = BY_RANK, task: Task | None = None
) -> PromptVersion:
    prompt = compile_prompt(task or make_task(), candidates, choices)
    return PromptVersion(number, prompt, "2026-01-02T03:04:05.000000Z", "anna")


def reworded(given: Candidate, condition: str) -> Candidate:
    """Return the rule with another condition, as a second revision."""
    revision, entry, support = given
    newer = replace(revision, number=2, parent=revision.hash, text=replace(revision.text, condition=condition))
    return newer, replace(entry, revision_hash=newer.hash), support
