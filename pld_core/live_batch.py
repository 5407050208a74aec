"""Many inputs for one student at once: what was pasted or stands in a file, and the answers in its order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from pld_core.canonical import Json, hash_json
from pld_core.errors import InvalidInput
from pld_core.importers.columns import LABEL_NAMES
from pld_core.importers.rows import Source
from pld_core.models import Answer, AnswerStatus, Task
from pld_core.proportion import Proportion

MOST_INPUTS = 200
"""What somebody still reads line by line. More of them are an evaluation: import them as examples."""
MOST_CHARACTERS = 200_000
"""Of one input; the longest that any student's window could hold."""
PASTED = "pasted lines"


@dataclass(frozen=True)
class BatchInput:
    """One input to ask about.

    Attributes:
        fields: (field name, text) pairs in the task's order.
        gold: the label that is right, where the file says so; else empty.
    """

    fields: tuple[tuple[str, str], ...]
    gold: str = ""

    @property
    def text_hash(self) -> str:
        """Content address of the text: equal ones are asked about once."""
        return hash_json([list(pair) for pair in self.fields])


@dataclass(frozen=True)
class ReadInputs:
    """What was read: inputs in the order of their lines.

    Attributes:
        source: the file's name, or that lines were pasted.
        empty: how many lines held no text and were left out.
    """

    source: str
    inputs: tuple[BatchInput, ...]
    empty: int = 0

    @property
    def different(self) -> int:
        """How many questions they take: one for each text."""
        return len({given.text_hash for given in self.inputs})


@dataclass(frozen=True)
class BatchOrder:
    """What is to be asked: one prompt, one student, up to `MOST_INPUTS` inputs.

    Attributes:
        digest: of the student's weights when it was ordered; empty if the server does not tell.
        sent: what each question is asked with beside its text: schema, most tokens, temperature, seed, context window.
    """

    task: str
    prompt_number: int
    prompt_sha256: str
    student: str
    digest: str
    read: ReadInputs
    sent: Mapping[str, Json]


@dataclass(frozen=True)
class LiveBatch:
    """A batch as the store holds it."""

    id: int
    order: BatchOrder
    at: str
    by: str


@dataclass(frozen=True)
class BatchAnswer:
    """What the student said to a text, found by the text's hash."""

    text_hash: str
    answer: Answer


@dataclass(frozen=True)
class BatchLine:
    """One line of the result; `answer` is None until the student was asked."""

    number: int
    given: BatchInput
    answer: Answer | None

    @property
    def is_right(self) -> bool | None:
        """Whether the answer is the gold label; None without either. No usable answer is a wrong one."""
        if self.answer is None or not self.given.gold:
            return None
        return self.answer.label == self.given.gold


def lines_of(inputs: Sequence[BatchInput], answers: Mapping[str, Answer]) -> tuple[BatchLine, ...]:
    """Return a line for each input, in order; equal texts share their answer.

    Args:
        answers: by hash of the text.
    """
    return tuple(BatchLine(at, given, answers.get(given.text_hash)) for at, given in enumerate(inputs, start=1))


def right_of(lines: Iterable[BatchLine]) -> Proportion:
    """Return how many of the answered lines with a gold label are right."""
    verdicts = [line.is_right for line in lines if line.is_right is not None]
    return Proportion.of(sum(verdicts), len(verdicts))


def unusable_of(lines: Iterable[BatchLine]) -> int:
    """Return how many answers state no label."""
    return sum(line.answer is not None and line.answer.status is not AnswerStatus.OK for line in lines)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_lines(task: Task, text: str, source: str = PASTED) -> ReadInputs:
    """Read lines of text, such as pasted ones: one input a line.

    With several input fields, a line holds one cell for each, divided by tabs, which is what a spreadsheet copies;
    those without a cell stay empty. A first line that names the fields is taken as their order.

    Raises:
        InvalidInput: there is no text, there are too many lines, or a line has more cells than the task has fields.
    """
    names = list(task.input_fields)
    lines = [line for line in text.splitlines() if line.strip()]
    empty = len(text.splitlines()) - len(lines)
    if len(names) > 1 and lines and sorted(_cells(lines[0])) == sorted(names):
        names, lines = _cells(lines[0]), lines[1:]
    inputs = []
    for number, line in enumerate(lines, start=1):
        cells = _cells(line) if len(names) > 1 else [line.strip()]
        if len(cells) > len(names):
            raise InvalidInput(
                f"Line {number:,} has {len(cells)} cells, and the task has {len(names)} input fields: "
                f"{', '.join(names)}. Nothing was asked. Copy these columns from a spreadsheet, or choose a file."
            )
        inputs.append(_input(task, dict(zip_longest(names, cells, fillvalue="")), ""))
    return _checked(source, inputs, empty)


def read_source(task: Task, source: Source) -> ReadInputs:
    """Read the inputs of an opened file: a column for each input field, and one for the gold label if there is any.

    Columns are found by name, whether capital or small. A file of one column may call it as it likes.

    Raises:
        InvalidInput: a column is missing, a row cannot be read, a gold label is not declared, there is no text, or
            there are too many rows.
    """
    columns = {name.casefold(): name for name in source.columns}
    place = {name: columns.get(name.casefold(), "") for name in task.input_fields}
    label = next((columns[name] for name in LABEL_NAMES if name in columns and columns[name] not in place.values()), "")
    others = [name for name in source.columns if name != label]
    if len(place) == len(others) == 1:
        place = {task.input_fields[0]: others[0]}
    if missing := [name for name, column in place.items() if not column]:
        raise InvalidInput(
            f"{source.name} has no column {missing[0]!r}. Nothing was asked. Name the columns of text as the task "
            f"does: {', '.join(task.input_fields)}. The file has: {', '.join(source.columns)}."
        )
    inputs, empty = [], 0
    for row in source.rows():
        where = f"{source.unit.capitalize()} {row.number:,} of {source.name}"
        if row.problem:
            raise InvalidInput(f"{where} cannot be read: {row.problem} Nothing was asked.")
        values = {name: row.values.get(column, "") for name, column in place.items()}
        if not any(value.strip() for value in values.values()):
            empty += 1
            continue
        inputs.append(_input(task, values, _gold(task, row.values.get(label, ""), where)))
        if len(inputs) > MOST_INPUTS:
            raise InvalidInput(
                f"{source.name} holds more than {MOST_INPUTS} inputs. Nothing was asked. Take fewer, or import them as "
                "examples (Data page) and evaluate."
            )
    return _checked(source.name, inputs, empty)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")]


def _input(task: Task, values: Mapping[str, str], gold: str) -> BatchInput:
    given = BatchInput(tuple((name, values[name]) for name in task.input_fields), gold)
    if (length := sum(len(text) for _, text in given.fields)) > MOST_CHARACTERS:
        raise InvalidInput(
            f"One input has {length:,} characters; at most {MOST_CHARACTERS:,} can be asked about. Nothing was asked. "
            "Shorten it."
        )
    return given


def _gold(task: Task, cell: str, where: str) -> str:
    gold = cell.strip()
    if gold and gold not in task.label_names:
        raise InvalidInput(
            f"{where} has the label {gold!r}, which {task.name} does not declare ({', '.join(task.label_names)}). "
            "Nothing was asked. Correct it, or leave the cell empty."
        )
    return gold


def _checked(source: str, inputs: Sequence[BatchInput], empty: int) -> ReadInputs:
    if not inputs:
        raise InvalidInput("There is nothing to ask about: no line holds a text. Nothing was asked.")
    if len(inputs) > MOST_INPUTS:
        raise InvalidInput(
            f"There are {len(inputs):,} inputs; at most {MOST_INPUTS} are asked about at once. Nothing was asked. Take "
            "fewer, or import them as examples (Data page) and evaluate."
        )
    return ReadInputs(source, tuple(inputs), empty)
