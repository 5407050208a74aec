"""The baselines that a run's report holds beside it: those that a student answered, and those that code makes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pld_app.code_baselines import said_of
from pld_app.wiring import App
from pld_core.baselines import Baseline, Said
from pld_core.models import Example, Prediction, PromptVersion, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.records import ExampleFilter

KINDS = {Baseline.NO_RULES: PromptKind.NO_RULES, Baseline.FIVE_SHOT: PromptKind.FEW_SHOT}
Found = tuple[dict[Baseline, Said], dict[Baseline, str], tuple[str, ...]]
"""What each baseline says, where that comes from, and what is missing, a sentence each."""


@dataclass(frozen=True)
class Asked:
    """A run with its answers and the examples that they are about.

    Attributes:
        examples: in the order of the answers.
        training: the training examples that take part now, with declared labels; some may be among those of the run.
    """

    run: Run
    answers: tuple[Prediction, ...]
    examples: tuple[Example, ...]
    training: tuple[Example, ...]

    @property
    def teaching(self) -> tuple[Example, ...]:
        """The training examples that the run does not ask about: nobody is to find the very answer there."""
        own = {answer.example_hash for answer in self.answers}
        return tuple(example for example in self.training if example.hash not in own)


def asked_about(app: App, run: Run, answers: tuple[Prediction, ...]) -> Asked:
    """Return answers of a run with the examples that they are about, and what there is to learn from."""
    labels = app.store.tasks.get(run.task).label_names
    training = app.store.tasks.examples(run.task, ExampleFilter(split=Split.TRAIN))
    return Asked(run, answers, examples_of(app, run, answers), tuple(e for e in training if e.label in labels))


def examples_of(app: App, run: Run, answers: Sequence[Prediction]) -> tuple[Example, ...]:
    """Return the examples that were answered, in the order of the answers; some may be in another split by now."""
    there = {e.hash: e for e in app.store.tasks.examples(run.task, ExampleFilter(split=run.split, states=()))}
    find = functools.partial(app.store.tasks.example, run.task)
    return tuple(there.get(p.example_hash) or find(p.example_hash) for p in answers)


def baselines_of(app: App, asked: Asked, kind: PromptKind) -> Found:
    """Return the baselines over the examples of a run.

    Those of a student are the newest runs with the same weights on the same split that answer all of its examples.

    Args:
        kind: of the run's own prompt, which is no baseline to itself.
    """
    said: dict[Baseline, Said] = {}
    origins: dict[Baseline, str] = {}
    missing: list[str] = []
    for baseline, its_kind in KINDS.items():
        if its_kind is kind:
            continue
        versions = [one for one in app.store.prompts.all(asked.run.task) if one.prompt.build.kind is its_kind]
        found = next(_covering(app, asked, versions), None)
        if found is None:
            missing.append(_missing(asked.run, its_kind, versions))
            continue
        run, said[baseline] = found
        origins[baseline] = f"run {run.id}, prompt version {run.prompt_number}"
    if not (teaching := asked.teaching):
        missing.append(
            "Nearest neighbours and the most frequent label are told by training examples that the run does not ask "
            "about, and there are none."
        )
        return said, origins, tuple(missing)
    by_code = said_of(app.store.tasks.get(asked.run.task).label_names, teaching, asked.examples)
    told = f"computed from {len(teaching):,} training examples"
    return said | by_code, origins | dict.fromkeys(by_code, told), tuple(missing)


def _covering(app: App, asked: Asked, versions: list[PromptVersion]) -> Iterator[tuple[Run, Said]]:
    """Yield the runs of these versions that say something of every example, newest first."""
    mine, numbers = asked.run, {one.number for one in versions}
    for run in sorted(app.store.runs.all(mine.task), key=lambda run: -run.id):
        alike = (run.student, run.digest, run.split) == (mine.student, mine.digest, mine.split)
        if alike and run.prompt_number in numbers:
            said = {p.example_hash: p.answer.label for p in app.store.runs.predictions(run.id)}
            if all(answer.example_hash in said for answer in asked.answers):
                yield run, said


def _missing(run: Run, kind: PromptKind, versions: list[PromptVersion]) -> str:
    number = max((one.number for one in versions), default=None)
    compile_it = "" if number else f"pld compile --task {run.task} --baseline {kind.value}, then "
    evaluate = (
        f"pld evaluate --task {run.task} --prompt {number or 'N'} --student {run.student} --split {run.split.value}"
    )
    if run.split is Split.TEST:
        evaluate += " --reason WHY"
    return f"The {kind.words} was not answered by these weights on {run.split.value}: {compile_it}{evaluate}"
