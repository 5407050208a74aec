"""From approved revisions to the student's system prompt: the same input gives the same bytes on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pld_core.canonical import hash_text
from pld_core.errors import InvalidInput
from pld_core.models import CompiledPrompt, CompiledRule, Example, Revision, RuleText, Task
from pld_core.personal import shown_to_teacher
from pld_core.prompt_manifest import Build, PromptKind, RuleOrder, Shots
from pld_core.prompt_order import Candidate, ordered, without
from pld_core.prompt_style import AnswerForm, Style
from pld_core.review import rule_sentences
from pld_core.rule_size import TextSize
from pld_core.sampling import stratified
from pld_core.templates import Template, material, template

SHOTS = 5
_TEMPLATES = {
    PromptKind.RULES: "student.txt",
    PromptKind.NO_RULES: "student_no_rules.txt",
    PromptKind.FEW_SHOT: "student_examples.txt",
}


@dataclass(frozen=True)
class Choices:
    """What a person chose for a prompt version.

    Attributes:
        leave_out: ids of approved rules that are not to be in it; `reason` says why.
        seed: which examples a few-shot baseline draws; the same seed draws the same ones.
    """

    style: Style = Style.LABEL
    kind: PromptKind = PromptKind.RULES
    order: RuleOrder = field(default_factory=RuleOrder)
    leave_out: tuple[str, ...] = ()
    reason: str = ""
    seed: int = 0


BY_RANK = Choices()


def compile_prompt(
    task: Task, approved: Sequence[Candidate], choices: Choices = BY_RANK, *, stale: int = 0
) -> CompiledPrompt:
    """Compile the approved revisions of a task. Order by rank: priority, support (most first), rule number.

    Args:
        stale: how many rules are out of force because they went stale, for the message.

    Raises:
        InvalidInput: there is no rule to compile, or rules were chosen that are not there.
        MissingReason: an order of somebody's own, or a rule that is left out, has no reason.
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
    stay, gone = without(approved, choices.leave_out, choices.reason)
    if not stay:
        raise InvalidInput("Every approved rule was left out. Nothing was compiled. Keep one, or compile a baseline.")
    build = Build(PromptKind.RULES, choices.order, gone)
    return _of_rules(task, choices.style, build, ordered(stay, choices.order))


def compile_trial(task: Task, candidates: Sequence[Candidate]) -> CompiledPrompt:
    """Compile a prompt to measure something by: its revisions need no approval, and there may be none. Never released.

    Order of rules by rank; the answer is a label alone. The prompt is marked as unreviewed.
    """
    return _of_rules(task, Style.LABEL, Build(PromptKind.RULES, unreviewed=True), ordered(candidates, RuleOrder()))


def trial_size(task: Task, rules: TextSize) -> int:
    """Return how many bytes of UTF-8 `compile_trial` makes of rules: not fewer, and as many if they are tidy.

    A rule's condition and exceptions lose full stops and spaces at their ends in a prompt.
    """
    form = AnswerForm(Style.LABEL, task.label_names)
    frame = len(_filled(template("student.txt"), task, form, "").encode("utf-8"))
    # Each number has one digit more than there are powers of ten from 10 up to it.
    numbers: int = sum(rules.rules - 10**places + 1 for places in range(len(str(rules.rules))))
    line_ends = max(0, rules.rules - 1)
    more_labels = max(0, rules.labels - rules.rules)
    lines = rules.rules * _BARE + more_labels * _LABEL_MORE + rules.exceptions * _EXCEPTION + numbers + line_ends
    return frame + rules.text_bytes + lines


def compile_without(
    task: Task, prompt: CompiledPrompt, revisions: Mapping[str, Revision], rule_id: str
) -> CompiledPrompt:
    """Compile a prompt once more without one of its rules, to measure what that one does. Never released.

    Args:
        revisions: those of the prompt by hash.

    Raises:
        InvalidInput: the task has changed since, so that the rule would not be all that is different; or the style asks
            for rules, and none is left.
    """
    held = [(revisions[rule.revision_hash], rule, 0) for rule in prompt.rules]
    if _of_rules(task, prompt.style, prompt.build, held).sha256 != prompt.sha256:
        raise InvalidInput(
            f"The guideline, the labels or the template of {task.name} have changed since this prompt was compiled, so "
            "a rule would not be all that is different. Nothing was asked. Compile and evaluate a new version first."
        )
    rest = [entry for entry in held if entry[1].rule_id != rule_id]
    return _of_rules(task, prompt.style, prompt.build, rest)


def _of_rules(task: Task, style: Style, build: Build, candidates: Sequence[Candidate]) -> CompiledPrompt:
    lines = [rule_line(number, revision) for number, (revision, _, _) in enumerate(candidates, start=1)]
    rules = tuple(replace(entry, number=number) for number, (_, entry, _) in enumerate(candidates, start=1))
    return _compiled(task, style, build, rules, "\n".join(lines))


def compile_baseline(task: Task, examples: Sequence[Example], choices: Choices) -> CompiledPrompt:
    """Compile a baseline: the same prompt without rules, or with 5 labelled examples in their place.

    Args:
        examples: the training examples that a few-shot baseline draws from, in any order.

    Raises:
        InvalidInput: there are too few examples, rules are left out or ordered, or the style asks for rules.
    """
    if choices.leave_out or choices.order.manual:
        raise InvalidInput("A baseline holds no rule that could be left out or ordered. Nothing was compiled.")
    if choices.kind is PromptKind.NO_RULES:
        return _compiled(task, choices.style, Build(choices.kind), (), "")
    if len(examples) < SHOTS:
        raise InvalidInput(
            f"The baseline needs {SHOTS} training examples, and {task.name} has {len(examples)}. Nothing was compiled. "
            "Import more examples, or take the baseline without rules."
        )
    drawn = stratified(examples, task.label_names, SHOTS, choices.seed)
    form = AnswerForm(choices.style, task.label_names)
    blocks = [_example(task, form, number, example) for number, example in enumerate(drawn, start=1)]
    shots = Shots(choices.seed, tuple(example.hash for example in drawn))
    return _compiled(task, choices.style, Build(choices.kind, shots=shots), (), "\n".join(blocks))


def fixed_length(task: Task) -> int:
    """Return how many characters of the task's prompt there are before any rule."""
    return len(_filled(template("student.txt"), task, AnswerForm(Style.LABEL, task.label_names), ""))


def _compiled(task: Task, style: Style, build: Build, rules: tuple[CompiledRule, ...], body: str) -> CompiledPrompt:
    source = template(_TEMPLATES[build.kind])
    form = AnswerForm(style, task.label_names, tuple(rule.rule_id for rule in rules))
    if form.problem:
        raise InvalidInput(f"{form.problem} Nothing was compiled.")
    text = _filled(source, task, form, body)
    return CompiledPrompt(
        task=task.name,
        text=text,
        sha256=hash_text(text),
        rules=rules,
        template_hash=source.hash,
        guideline_version=task.guideline_version,
        labels=task.label_names,
        style=style,
        build=build,
    )


def _filled(source: Template, task: Task, form: AnswerForm, body: str) -> str:
    return source.text.format(
        title=_one_line(task.title),
        guideline=task.guideline.strip(),
        labels="\n".join(f"- {label.name}: {_one_line(label.description)}" for label in task.labels),
        rules=body,
        examples=body,
        answer=form.instruction,
    )


def rule_line(number: int, revision: Revision) -> str:
    """Return one numbered rule of the prompt, with its stable id, on one line."""
    return _line(number, revision.rule_id, revision.text)


def _line(number: int, rule_id: str, text: RuleText) -> str:
    condition, then, exceptions = rule_sentences(text)
    line = f"{number}. [{rule_id}] IF {condition}, THEN {then}."
    return _one_line(line + "".join(f" EXCEPT {exception}." for exception in exceptions))


def _example(task: Task, form: AnswerForm, number: int, example: Example) -> str:
    shown = shown_to_teacher(example)
    return f"{number}.\n{material('INPUT', input_of(task, shown))}\nAnswer: {form.answer(example.label)}"


def student_input(example_fields: tuple[tuple[str, str], ...]) -> str:
    """Return the user message for one input; it comes last, so that the static prompt stays cached."""
    return "\n\n".join(f"{name.upper()}:\n{value}" for name, value in example_fields)


def input_of(task: Task, example: Example) -> str:
    """Return the user message for an example of the task."""
    values = dict(example.fields)
    return student_input(tuple((name, values.get(name, "")) for name in task.input_fields))


def _around(labels: int, exceptions: int) -> int:
    """Return how long a line is but for its number and what the rule itself says."""
    text = RuleText("", "x", ("x",) * labels, ("x",) * exceptions)
    return len(_line(0, "x", text)) - len("0xx") - labels - exceptions


def _one_line(text: str) -> str:
    return " ".join(text.split())


_BARE = _around(1, 0)
_LABEL_MORE, _EXCEPTION = _around(2, 0) - _BARE, _around(1, 1) - _BARE
