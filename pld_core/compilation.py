"""From approved revisions to the student's system prompt: the same input gives the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Sequence

from pld_core.canonical import hash_text
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt, CompiledRule, Example, Revision, Task
from pld_core.review import rule_sentences
from pld_core.templates import template

Candidate = tuple[Revision, CompiledRule, int]
"""An approved revision, its manifest line, and the number of examples that support it."""


def compile_prompt(task: Task, approved: tuple[Candidate, ...], stale: int = 0) -> CompiledPrompt:
    """Compile the approved revisions of a task. Order of rules: priority, support (most first), rule number.

    Args:
        stale: how many rules are out of force because they went stale, for the message.

    Raises:
        InvalidInput: there is no approved revision.
    """
    if not approved and stale:
        are = "1 rule is stale" if stale == 1 else f"{stale:,} rules are stale"
        raise InvalidInput(
            f"No rule of {task.name} is in force, so there is nothing to compile: {are}. Review what is stale again."
        )
    if not approved:
        raise InvalidInput(
            f"No rule of {task.name} is approved yet, so there is nothing to compile. Approve one first."
        )
    return compile_trial(task, approved)


def compile_trial(task: Task, candidates: tuple[Candidate, ...]) -> CompiledPrompt:
    """Compile a prompt to measure something by: its revisions need no approval, and there may be none. Never released.

    Order of rules as in `compile_prompt`.
    """
    ordered = sorted(candidates, key=lambda item: (item[0].text.priority, -item[2], rule_number(item[1].rule_id)))
    lines, manifest = [], []
    for number, (revision, entry, _) in enumerate(ordered, start=1):
        lines.append(rule_line(number, revision))
        manifest.append(CompiledRule(number, entry.rule_id, entry.revision_hash, entry.decision_id))
    source = template("student.txt")
    text = _filled(source.text, task, lines)
    return CompiledPrompt(
        task=task.name,
        text=text,
        sha256=hash_text(text),
        rules=tuple(manifest),
        template_hash=source.hash,
        guideline_version=task.guideline_version,
        labels=task.label_names,
    )


def fixed_length(task: Task) -> int:
    """Return how many characters of the task's prompt there are before any rule."""
    return len(_filled(template("student.txt").text, task, ()))


def _filled(source: str, task: Task, lines: Sequence[str]) -> str:
    return source.format(
        title=_one_line(task.title),
        guideline=task.guideline.strip(),
        labels="\n".join(f"- {label.name}: {_one_line(label.description)}" for label in task.labels),
        rules="\n".join(lines),
        label_names=", ".join(f'"{name}"' for name in task.label_names),
    )


def rule_line(number: int, revision: Revision) -> str:
    """Return one numbered rule of the prompt, with its stable id, on one line."""
    condition, then, exceptions = rule_sentences(revision.text)
    line = f"{number}. [{revision.rule_id}] IF {condition}, THEN {then}."
    return line + "".join(f" EXCEPT {exception}." for exception in exceptions)


def student_input(example_fields: tuple[tuple[str, str], ...]) -> str:
    """Return the user message for one input; it comes last, so that the static prompt stays cached."""
    return "\n\n".join(f"{name.upper()}:\n{value}" for name, value in example_fields)


def input_of(task: Task, example: Example) -> str:
    """Return the user message for an example of the task."""
    values = dict(example.fields)
    return student_input(tuple((name, values.get(name, "")) for name in task.input_fields))


def rule_number(rule_id: str) -> int:
    """Return 12 for `R12`.

    Raises:
        InvalidInput: not a rule id.
    """
    if not (rule_id[:1] in ("R", "r") and rule_id[1:].isdecimal()):
        raise InvalidInput(f"{rule_id!r} is not a rule id. Rule ids look like R12; `pld rules list` shows them.")
    return int(rule_id[1:])


def _one_line(text: str) -> str:
    return " ".join(text.split())
