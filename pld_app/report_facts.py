"""What the report of a run tells besides its figures and baselines, read from the store."""

from __future__ import annotations

from collections.abc import Sequence

from pld_app.evaluating import repeat_groups
from pld_app.report_baselines import Asked
from pld_app.wiring import App
from pld_core.analytics import BarSort, RuleBars, baseline_of
from pld_core.attribution import Method
from pld_core.models import Example, PromptVersion, Run, Split
from pld_core.proportion import SMALL_SAMPLE
from pld_core.records import Dataset, DatasetState, Page
from pld_core.releases import exception_on, holders_of
from pld_core.run_report.content import DataFacts, PromptRule, Standing, Steadiness
from pld_core.slices import Dimension, ExampleFacts, Slice, counted_slices, slices
from pld_core.validation.report import ValidationReport

BARS_SHOWN = 200
"""Rules behind the most wrong answers; more would be read by nobody, and `pld errors` has them all."""
GROUPS_LOOKED_AT = 20
"""Newest groups of repeats of a task; older ones say little of how it is now."""


def data_facts(app: App, asked: Asked, held: PromptVersion) -> DataFacts:
    """Return what is known of the task's examples, and where those of the run stand elsewhere too."""
    task, datasets = asked.run.task, app.store.data.all(asked.run.task)
    trained = {_folded(example) for example in asked.training}
    shots = set(held.prompt.build.shots.examples if held.prompt.build.shots else ())
    return DataFacts(
        counts=app.store.tasks.split_table(task),
        datasets=datasets[::-1],
        conflicts=app.store.data.count_conflicts(task),
        asked_in_training=sum(_folded(example) in trained for example in asked.examples),
        asked_as_shots=sum(example.hash in shots for example in asked.examples),
        leaks=sum(_leaks(dataset, asked.run.split) for dataset in datasets),
    )


def _folded(example: Example) -> str:
    """Return a text without what nobody reads as a difference: white space and case."""
    return " ".join(example.text.split()).casefold()


def _leaks(dataset: Dataset, split: Split) -> int:
    """Return how many texts and groups of a data set in use stand in the split and in another one."""
    if dataset.state is not DatasetState.ACTIVE or not dataset.about.report:
        return 0
    found = ValidationReport.model_validate(dataset.about.report)
    return sum(split.value in leak.splits for leak in found.leaks)


def prompt_rules(app: App, held: PromptVersion) -> tuple[PromptRule, ...]:
    """Return the rules of a version in its order, each with where that revision stands now."""
    in_force = {revision.hash: revision for revision, _, _ in app.store.rules.in_force(held.prompt.task)}
    found = []
    for entry in held.prompt.rules:
        revision, state = in_force.get(entry.revision_hash), "approved"
        if revision is None:
            dossier = app.store.rules.dossier(entry.rule_id, app.actor)
            revision = next(one for one in dossier.revisions if one.hash == entry.revision_hash)
            state = dossier.states[entry.revision_hash].label
        text, is_in_force = revision.text, entry.revision_hash in in_force
        found.append(
            PromptRule(entry.number, entry.rule_id, text.title, text.labels, entry.revision_hash, state, is_in_force)
        )
    return tuple(found)


def parts_of(app: App, asked: Asked) -> tuple[tuple[str, tuple[Slice, ...]], ...]:
    """Return the run cut by length, source, data set and each kept column, where that tells something."""
    items = [
        (ExampleFacts(example.source, len(example.text), example.group), answer)
        for example, answer in zip(asked.examples, asked.answers, strict=True)
    ]
    kept, run = app.store.kept, asked.run
    cut: list[tuple[str, tuple[Slice, ...]]] = [
        *((dimension.value, slices(dimension, items)) for dimension in (Dimension.LENGTH, Dimension.SOURCE)),
        (Dimension.DATASET.value, counted_slices(kept.cut_by_dataset(run.id))),
        *((f"column {one}", counted_slices(kept.cut_by_column(run.id, one))) for one in kept.columns(run.task)),
    ]
    return tuple((name, parts) for name, parts in cut if len(parts) > 1 and _tells(parts))


def _tells(parts: Sequence[Slice]) -> bool:
    """Whether a part is large enough for a rate; counts of a few examples each would fill pages and say nothing."""
    return any(part.n >= SMALL_SAMPLE for part in parts)


def steadiness_of(app: App, run: Run) -> tuple[Steadiness, ...]:
    """Return the repeats of the run's version by the same weights on the same split, that are complete."""
    like = (run.prompt_number, run.student, run.digest, run.split)
    found = []
    for group in repeat_groups(app, run.task, GROUPS_LOOKED_AT):
        first = group.runs[0]
        if group.steadiness and (first.prompt_number, first.student, first.digest, first.split) == like:
            how = "the rules in other orders" if first.setup.shuffled else f"temperature {first.setup.temperature:g}"
            found.append(Steadiness(how, tuple(one.id for one in group.runs), group.steadiness))
    return tuple(found)


def standing_of(app: App, held: PromptVersion) -> Standing:
    """Return gates, release labels and looks at the test split as they are now."""
    task, number = held.prompt.task, held.number
    moves = app.store.releases.history(task)[::-1]
    return Standing(
        gates=app.store.releases.gates(task, number),
        labels=tuple(move.label for move in holders_of(moves) if move.version == number),
        exception=exception_on(moves, number),
        looks=app.store.runs.looks(task)[::-1],
    )


def bars_of(app: App, run: Run) -> tuple[RuleBars, ...]:
    """Return which rule is behind the answers, by each method that was used; ablation has figures of its own."""
    methods = [made.method for made in app.store.attributions.made(run.id) if made.method is not Method.ABLATION]
    if not methods:
        return ()
    baseline = baseline_of(app.store.analytics.comparable(run.id), run.id)
    page = Page(0, BARS_SHOWN)
    return tuple(app.store.analytics.rule_bars(run.id, one, baseline, BarSort.HARM, page) for one in methods)
