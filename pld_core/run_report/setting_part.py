"""The parts of a report about what was asked: task, data, prompt with its gates, and what identifies it all. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.gate_facts import Gate, GateState
from pld_core.models import Split
from pld_core.pack.html_parts import moment, pairs, table, tag, text, words
from pld_core.run_report.content import RunReport
from pld_core.token_count import estimated

_GATE_LOOKS = {GateState.GREEN: "green", GateState.RED: "red", GateState.NOT_APPLICABLE: "not"}
_HASHES = "sha256:"


def task_part(report: RunReport) -> Iterator[str]:
    """Yield the task: its labels, and the guideline as it is now; the prompt holds the one it was compiled with."""
    task = report.task
    yield pairs([("Task", f"{text(task.title)} ({text(task.name)})"), ("Input", text(", ".join(task.input_fields)))])
    yield table(["Label", "Meaning"], ([text(label.name), text(label.description)] for label in task.labels))
    yield tag("h3", f"Guideline, version {task.guideline_version}, in force now") + "\n"
    yield tag("pre", text(task.guideline or "None.")) + "\n"


def data_part(report: RunReport) -> Iterator[str]:
    """Yield how many examples there are of each label in each split, and the data sets they came with."""
    counts = report.data.counts
    names = dict.fromkeys([*report.task.label_names, *sorted(label for _, label in counts)])
    yield table(
        ["Label", *(split.value for split in Split)],
        ([text(name), *(f"{counts.get((split, name), 0):,}" for split in Split)] for name in names),
        numbers=(1, 2, 3),
    )
    yield tag("p", "Examples that take part now, by gold label and split.", "soft") + "\n"
    yield tag("h3", "Data sets") + "\n"
    yield table(
        ["Nr", "File", "Rows", "State", "Imported", "Hash of the file"],
        (
            [
                text(d.id),
                text(d.about.file),
                f"{d.rows:,}",
                text(d.state.value),
                f"{moment(d.created_at)}, {text(d.created_by)}",
                tag("code", text(d.about.sha256)),
            ]
            for d in report.data.datasets
        ),
        numbers=(2,),
    )


def prompt_part(report: RunReport) -> Iterator[str]:
    """Yield the prompt version: how it was built, where it stands, its text."""
    version, standing = report.version, report.standing
    prompt, tokens = version.prompt, version.tokens or estimated(version.prompt.text)
    released = ", ".join(label.value for label in standing.labels) or "not released"
    yield pairs(
        [
            ("Version", f"{version.number:,}, {text(prompt.build.kind.words)}"),
            ("Compiled", f"{moment(version.created_at)} by {text(version.created_by)}"),
            ("Answers", text(prompt.style.words)),
            ("Length", text(tokens.words)),
            ("Release labels", text(released)),
            ("Guideline", f"version {prompt.guideline_version:,}"),
        ]
    )
    if standing.exception:
        yield tag("p", tag("b", text(standing.exception.notice))) + "\n"
    if report.run.prompt_sha256 != prompt.sha256:
        yield tag("p", "The run asked with the rules in another order than below: see Identifiers for its hash.") + "\n"
    for one in prompt.build.left_out:
        yield tag("p", f"Left out: {text(one.rule_id)}. Reason: {text(one.reason)}") + "\n"
    yield tag("pre", text(prompt.text), "prompt") + "\n"


def gates_part(report: RunReport) -> Iterator[str]:
    """Yield the gates of the version as they are now, and how often the test split was looked at."""
    yield table(["Gate", "State", "Figure", "Why"], (_gate_row(gate) for gate in report.standing.gates))
    looks = report.standing.looks
    yield tag("h3", f"Looks at the test split ({len(looks):,})") + "\n"
    yield table(
        ["Run", "Prompt version", "Student", "When", "By", "Why"],
        (
            [
                f"{run.id:,}",
                f"{run.prompt_number:,}",
                text(run.student),
                moment(run.created_at),
                text(run.created_by),
                text(run.setup.reason or "not recorded"),
            ]
            for run in looks
        ),
        numbers=(0, 1),
    )


def _gate_row(gate: Gate) -> list[str]:
    state = tag("span", text(gate.state.value), _GATE_LOOKS[gate.state])
    return [text(gate.title), state, text(gate.figure), text(gate.reason)]


def identifiers_part(report: RunReport) -> Iterator[str]:
    """Yield what tells this run, its prompt and its data from all others."""
    yield pairs(
        (words(name).capitalize(), tag("code", text(value)) if str(value).startswith(_HASHES) else text(value))
        for name, value in report.identifiers.items()
    )
    yield tag("p", "The hash of the examples is over the hashes and gold labels of all that were answered.", "soft")
