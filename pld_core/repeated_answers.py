"""What several answers to one question say together: how often each label came, whether it changed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.models import Answer, AnswerStatus

UNTOLD = (AnswerStatus.STOPPED, AnswerStatus.FAILED, AnswerStatus.UNVERIFIED)
"""Nothing is known of what the student would have said."""


@dataclass(frozen=True)
class Tally:
    """Answers to the same question, counted.

    Attributes:
        counts: how often each label came, the most frequent first, then by name; None, for no usable answer, is last.
        n: how many answers there are.
    """

    counts: tuple[tuple[str | None, int], ...]
    n: int

    @property
    def flips(self) -> int:
        """Answers other than the most frequent one; 0 where all agree. No usable answer is an answer of its own."""
        return self.n - max((times for _, times in self.counts), default=0)

    @property
    def words(self) -> str:
        """Such as `keep 4, no label 1 of 5; 1 differs from the most frequent`. No rate: there are too few for one."""
        said = ", ".join(f"{label or 'no label'} {times}" for label, times in self.counts)
        if self.n < 2:
            return f"{said or 'no answer'} of {self.n}"
        differ = {0: "all the same", 1: "1 differs from the most frequent"}
        return f"{said} of {self.n}; {differ.get(self.flips, f'{self.flips} differ from the most frequent')}"

    def as_json(self) -> dict[str, Json]:
        counts: list[Json] = [{"label": label, "times": times} for label, times in self.counts]
        return {"n": self.n, "counts": counts, "flips": self.flips}


def tally(answers: Sequence[Answer]) -> Tally:
    """Count the answers to one question; what was stopped is no answer and does not count."""
    said = Counter(answer.label for answer in answers if answer.status is not AnswerStatus.STOPPED)
    in_order = sorted(said.items(), key=lambda item: (item[0] is None, -item[1], item[0] or ""))
    return Tally(tuple(in_order), said.total())


@dataclass(frozen=True)
class Flip:
    """The answer to a question before and after a change of the prompt, asked in the same way."""

    before: Answer
    after: Answer

    @property
    def changed(self) -> bool | None:
        """Whether the label is another one; None where an answer was stopped, failed or cannot be trusted."""
        if self.before.status in UNTOLD or self.after.status in UNTOLD:
            return None
        return self.before.label != self.after.label

    @property
    def words(self) -> str:
        """Such as `keep → remove: changed`."""
        verdict = {True: "changed", False: "the same", None: "cannot be told"}[self.changed]
        return f"{_told(self.before)} → {_told(self.after)}: {verdict}"

    def as_json(self) -> dict[str, Json]:
        return {"before": self.before.label, "after": self.after.label, "changed": self.changed}


@dataclass(frozen=True)
class Flips:
    """The same change, for answers drawn with the same seeds.

    Attributes:
        pairs: in the order of the seeds 0, 1, ...
    """

    pairs: tuple[Flip, ...]

    @property
    def changed(self) -> bool | None:
        """Whether any label is another one; None where none is, but of some pair it cannot be told."""
        found = [pair.changed for pair in self.pairs]
        return True if True in found else None if None in found else False

    @property
    def words(self) -> str:
        """The words of the one pair, or such as `changed in 2 of 5 (seeds 1, 3); cannot be told in 1`."""
        if len(self.pairs) == 1:
            return self.pairs[0].words
        seeds = [str(seed) for seed, pair in enumerate(self.pairs) if pair.changed]
        untold = sum(pair.changed is None for pair in self.pairs)
        named = f" (seeds {', '.join(seeds)})" if seeds else ""
        unknown = f"; cannot be told in {untold}" if untold else ""
        return f"changed in {len(seeds)} of {len(self.pairs)}{named}{unknown}"


def _told(answer: Answer) -> str:
    return answer.label or f"no label ({answer.status.value})"
