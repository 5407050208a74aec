"""What a rule did to the answers: as it was measured, or read off two runs whose prompts differ by that rule alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pld_core.effect import StoredEffect
from pld_core.models import Prediction, PromptVersion, Run, Split

Predictions = Callable[[int], Sequence[Prediction]]
"""The predictions of a run, by its id."""


@dataclass(frozen=True)
class RuleEffect:
    """Answers that were wrong without the rule and right with it, and the other way round.

    Attributes:
        out_of: examples of the split: those far from the rule count as unchanged where they were not asked.
        words: what was found and where, such as `fixed 3 and broke 2 of 40 answers (runs 1 and 2)`.
    """

    fixed: int
    broken: int
    out_of: int
    words: str

    @property
    def utility(self) -> float:
        """Answers fixed, less twice the answers broken, for each hundred examples of the split."""
        return 100 * (self.fixed - 2 * self.broken) / max(1, self.out_of)


def newest_effect(effects: Sequence[StoredEffect], revision_hash: str) -> RuleEffect | None:
    """Return the newest effect that was measured of exactly this revision; None if there is none.

    Args:
        effects: of its rule, newest first.
    """
    for stored in effects:
        effect = stored.effect
        if effect.basis.revision_hash == revision_hash:
            words = f"{effect.words} (effect {stored.id}, with {effect.student.name})"
            return RuleEffect(effect.fixed, effect.broken, effect.basis.validation, words)
    return None


def effects_of_runs(
    versions: Sequence[PromptVersion], runs: Sequence[Run], predictions: Predictions
) -> dict[str, RuleEffect]:
    """Return the effect of each revision that two complete runs of one student and split tell, by revision hash.

    The prompts of the two may differ by that revision alone. Of several such pairs the newest counts. Runs on the test
    split say nothing here: a prompt whose rules were chosen by its answers could not be judged by them any more.
    """
    prompts = {version.number: version for version in versions}
    done: dict[int, Sequence[Prediction]] = {}

    def answers(run: Run) -> Sequence[Prediction]:
        return done.setdefault(run.id, predictions(run.id))

    found: dict[str, RuleEffect] = {}
    for with_rule in sorted(runs, key=lambda run: run.id, reverse=True):
        for without in sorted(runs, key=lambda run: run.id, reverse=True):
            if not _comparable(with_rule, without):
                continue
            added = _only_added(prompts[without.prompt_number], prompts[with_rule.prompt_number])
            complete = added and all(len(answers(run)) == run.total > 0 for run in (without, with_rule))
            if complete and added not in found:
                fixed, broken, both = fixed_and_broken(answers(without), answers(with_rule))
                words = (
                    f"fixed {fixed:,} and broke {broken:,} of {both:,} answers (runs {without.id} and {with_rule.id})"
                )
                found[added] = RuleEffect(fixed, broken, both, words)
    return found


def _comparable(one: Run, other: Run) -> bool:
    same = (one.student, one.digest, one.split) == (other.student, other.digest, other.split)
    return same and one.split is not Split.TEST and one.prompt_number != other.prompt_number


def _only_added(before: PromptVersion, after: PromptVersion) -> str:
    """Return the hash of the one revision that `after` holds beside those of `before`; empty if they differ more."""
    old, new = (tuple(rule.revision_hash for rule in version.prompt.rules) for version in (before, after))
    added = [one for one in new if one not in old]
    # A baseline has no rules either, but another template.
    alike = [(p.template_hash, p.guideline_version, p.labels, p.style) for p in (before.prompt, after.prompt)]
    if len(added) != 1 or alike[0] != alike[1] or tuple(one for one in new if one in old) != old:
        return ""
    return added[0]


def fixed_and_broken(before: Sequence[Prediction], after: Sequence[Prediction]) -> tuple[int, int, int]:
    """Return how many answers became right, how many became wrong, and how many inputs both answered."""
    was, now = _right(before), _right(after)
    both = was.keys() & now.keys()
    fixed = sum(now[example] and not was[example] for example in both)
    return fixed, sum(was[example] and not now[example] for example in both), len(both)


def _right(predictions: Sequence[Prediction]) -> Mapping[str, bool]:
    return {p.example_hash: p.answer.label == p.gold for p in predictions}
