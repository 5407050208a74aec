"""Two runs over the same examples: the paired figures, and which examples the second fixed and broke. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Prediction, Run
from pld_core.paired import Comparison, Pair, PairedVerdict, compare
from pld_core.prompt_effects import Predictions


@dataclass(frozen=True)
class RunComparison:
    """How the second of two runs compares with the first.

    Attributes:
        figures: over the examples that both answered.
        fixed, broken: hashes of the examples that only the second, or only the first gets right, in order.
        apart: examples that only one of the two answered; they count in no figure.
    """

    before: Run
    after: Run
    figures: Comparison
    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    apart: int

    @property
    def is_worse(self) -> bool:
        """Whether the second is worse, beyond chance; below 10 examples, whether it breaks more than it fixes."""
        if self.figures.verdict is PairedVerdict.TOO_FEW:
            return len(self.broken) > len(self.fixed)
        return self.figures.verdict is PairedVerdict.WORSE

    def as_json(self) -> dict[str, Json]:
        return {
            "before": _run_json(self.before),
            "after": _run_json(self.after),
            **self.figures.as_json(),
            "is_worse": self.is_worse,
            "fixed_examples": list(self.fixed),
            "broken_examples": list(self.broken),
            "answered_by_one_only": self.apart,
        }


def _run_json(run: Run) -> dict[str, Json]:
    told: dict[str, Json] = {"run": run.id, "prompt": run.prompt_number, "student": run.student, "digest": run.digest}
    return {**told, "split": run.split.value}


def compare_runs(
    labels: Sequence[str], before: Run, after: Run, first: Sequence[Prediction], second: Sequence[Prediction]
) -> RunComparison:
    """Compare two complete runs of one task on one split.

    Args:
        labels: the declared ones.
        first, second: their answers, in any order.

    Raises:
        InvalidInput: they cannot be compared; it says why.
    """
    if before.id == after.id:
        raise InvalidInput(f"Run {before.id} cannot be compared with itself. Name two runs.")
    if (before.task, before.split) != (after.task, after.split):
        raise InvalidInput(
            f"Run {before.id} is on {before.split.value} of {before.task}, run {after.id} on {after.split.value} of "
            f"{after.task}. Only runs of one task on one split can be compared."
        )
    for run, answers in ((before, first), (after, second)):
        if len(answers) < run.total or not run.total:
            raise InvalidInput(
                f"Run {run.id} is not complete: {len(answers):,} of {run.total:,} answers are there. Go on with it "
                f"first: pld evaluate --task {run.task} --resume {run.id}"
            )
    was, now = ({p.example_hash: p for p in answers} for answers in (first, second))
    both = sorted(was.keys() & now.keys())
    if not both:
        raise InvalidInput(f"Runs {before.id} and {after.id} have no example in common. Evaluate one of them again.")
    pairs = {one: Pair(was[one].gold, was[one].answer.label, now[one].answer.label) for one in both}
    fixed = tuple(one for one, pair in pairs.items() if pair.before != pair.gold == pair.after)
    broken = tuple(one for one, pair in pairs.items() if pair.after != pair.gold == pair.before)
    apart = len(was.keys() ^ now.keys())
    return RunComparison(before, after, compare(labels, list(pairs.values())), fixed, broken, apart)


def newest_pair(runs: Iterable[Run], before: int, after: int, predictions: Predictions) -> tuple[Run, Run]:
    """Return the newest complete runs of two prompt versions by the same weights, on one split.

    Args:
        runs: of one student on one split, in any order.

    Raises:
        NotFound: there are no two such runs.
    """
    newest: dict[tuple[str, int], Run] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if run.prompt_number in (before, after) and len(predictions(run.id)) == run.total > 0:
            newest[run.digest, run.prompt_number] = run
    digests = {digest for digest, _ in newest}
    pairs = [
        (newest[digest, before], newest[digest, after])
        for digest in digests
        if (digest, before) in newest and (digest, after) in newest
    ]
    if not pairs:
        raise NotFound(
            f"Versions {before} and {after} have no complete runs by the same weights of this student on this split. "
            "Evaluate both first: pld evaluate."
        )
    return max(pairs, key=lambda pair: (pair[1].id, pair[0].id))
