"""`pld ask`: one input, asked with one prompt or several, once or several times, with rules on or off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_app.live_prompts import WORDS, AskedPrompt, prompt_called, trial_of
from pld_app.live_testing import LiveQuestion, LiveTest, live_test
from pld_core.canonical import Json
from pld_core.errors import InvalidInput
from pld_core.models import AnswerStatus, Example, Task
from pld_core.records import ExampleFilter
from pld_core.repeated_answers import Flip, Flips, tally

MOST_REPEATS = 100


@dataclass(frozen=True)
class Column:
    """A prompt, and the outcomes of asking with it."""

    prompt: AskedPrompt
    tests: tuple[LiveTest, ...]


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task to ask about.")
@click.option(
    "--prompt",
    "words",
    multiple=True,
    metavar="PROMPT",
    help=f"Prompt version, or {', '.join(WORDS)}; the newest version if left out (repeatable).",
)
@click.option("--without", "rules", multiple=True, metavar="RULE", help="Ask again with this rule off (repeatable).")
@click.option("--repeat", "times", type=click.IntRange(1, MOST_REPEATS), default=1, help="Ask so often, seeds 0, 1, ….")
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.0, help="0 if left out, as evaluations ask.")
@click.option("--student", help="Student, such as embedded or ollama:gemma3:4b; from the settings if left out.")
@click.option("--field", "given", multiple=True, metavar="NAME=TEXT", help="An input field (repeatable).")
@click.option("--example", "prefix", default="", help="Ask about a stored example: the first digits of its hash.")
def ask(
    workspace: Path,
    out: Output,
    task_name: str,
    words: tuple[str, ...],
    rules: tuple[str, ...],
    times: int,
    temperature: float,
    student: str | None,
    given: tuple[str, ...],
    prefix: str,
) -> None:
    """Ask the student about one input, with one prompt or several. Every question is recorded word for word."""
    if given and prefix:
        raise click.UsageError("--field and --example contradict each other; give one of them.")
    if rules and len(words) > 1:
        raise click.UsageError("--without takes one prompt; give --prompt once or not at all.")
    app = wiring.open_app(workspace)
    task, prompts = app.store.tasks.get(task_name), _prompts(app, task_name, words, rules)
    example = _find_example(app, task, prefix) if prefix else None
    values = dict(example.fields) if example else _fields(task, given)
    question = LiveQuestion(prompts[0], student or app.settings.student, values, temperature)
    columns = [
        Column(prompt, tuple(_asked(app, task, one) for one in replace(question, prompt=prompt).repeated(times)))
        for prompt in prompts
    ]
    gold = example.label if example else ""
    if len(prompts) == 1 and times == 1:
        (test,) = columns[0].tests
        asked: dict[str, Json] = {"task": task_name, "prompt": prompts[0].number or prompts[0].key}
        out.emit(
            {**asked, "student": question.student, "gold": gold or None, **_test_json(test)}, _test_text(test, gold)
        )
        return
    out.emit(_columns_json(task_name, question, gold, columns), _columns_text(gold, columns))


def _prompts(app: wiring.App, task: str, words: Sequence[str], rules: Sequence[str]) -> list[AskedPrompt]:
    found = [prompt_called(app, task, word) for word in words or ("",)]
    if rules:
        found.append(trial_of(found[0], rules))
    return list(dict.fromkeys(found))


def _asked(app: wiring.App, task: Task, question: LiveQuestion) -> LiveTest:
    """Ask once. Ctrl+C ends the command; what came until then is recorded.

    Raises:
        click.Abort: it was stopped.
    """
    test = live_test(app, task, question, lambda _: None)
    if test.answer.status is AnswerStatus.STOPPED:
        raise click.Abort
    return test


def _test_json(test: LiveTest) -> dict[str, Json]:
    answer, reply = test.answer, test.reply
    return {
        "label": answer.label,
        "status": answer.status.value,
        "raw": answer.raw,
        "problem": answer.problem,
        "cited": list(answer.cited),
        "latency_ms": answer.latency_ms,
        "load_ms": reply.load_ms if reply else None,
        "prompt_ms": reply.prompt_ms if reply else None,
        "output_ms": reply.output_ms if reply else None,
        "prompt_tokens": answer.prompt_tokens,
        "cached_tokens": answer.cached_tokens,
        "output_tokens": answer.output_tokens,
        "context_size": answer.context_size,
        "temperature": test.question.temperature,
        "seed": test.question.seed,
        "number": test.number,
        "sent": dict(test.sent),
    }


def _columns_json(task: str, question: LiveQuestion, gold: str, columns: Sequence[Column]) -> dict[str, Json]:
    return {
        "task": task,
        "student": question.student,
        "gold": gold or None,
        "temperature": question.temperature,
        "columns": [
            {
                **column.prompt.as_json(),
                "marks": list(column.prompt.marks),
                **tally([test.answer for test in column.tests]).as_json(),
                "answers": [_test_json(test) for test in column.tests],
            }
            for column in columns
        ],
        "flips": [flip.as_json() for flip in _flips(columns).pairs],
    }


def _columns_text(gold: str, columns: Sequence[Column]) -> str:
    blocks = [f"gold: {gold}"] if gold else []
    for column in columns:
        marks = f" ({', '.join(column.prompt.marks)})" if column.prompt.marks else ""
        blocks.append(f"{column.prompt.name}{marks}: {tally([test.answer for test in column.tests]).words}")
        blocks += [f"  seed {test.question.seed}: {_test_text(test, '')}" for test in column.tests]
    found = _flips(columns)
    return "\n".join([*blocks, *([found.words] if found.pairs else [])])


def _flips(columns: Sequence[Column]) -> Flips:
    """Return what the trial changed, seed by seed; empty without one."""
    if not columns[-1].prompt.of:
        return Flips(())
    before, after = columns[-2].tests, columns[-1].tests
    return Flips(tuple(Flip(one.answer, other.answer) for one, other in zip(before, after, strict=True)))


def _test_text(test: LiveTest, gold: str) -> str:
    answer = test.answer
    line = f"{answer.label or answer.problem}" + (f" (gold: {gold})" if gold else "")
    cited = f"\nThe student says it rests on: {', '.join(answer.cited)}" if answer.cited else ""
    cost = f"Live test {test.number}: {answer.latency_ms} ms, {answer.prompt_tokens} + {answer.output_tokens} tokens"
    return f"{line}{cited}\n{cost}, raw: {answer.raw}"


def _find_example(app: wiring.App, task: Task, prefix: str) -> Example:
    wanted = prefix.removeprefix("sha256:")
    found = [e for e in app.store.tasks.examples(task.name, ExampleFilter()) if e.hash[7:].startswith(wanted)]
    if len(found) != 1:
        raise InvalidInput(
            f"{len(found)} examples of {task.name} begin with {prefix!r}; give digits that name just one."
        )
    return found[0]


def _fields(task: Task, given: Sequence[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in given]
    for name, equals, _ in pairs:
        if not equals or name not in task.input_fields:
            raise InvalidInput(
                f"--field reads {name!r}; it has to be NAME=TEXT with NAME one of {', '.join(task.input_fields)}."
            )
    return {name: text for name, _, text in pairs}
