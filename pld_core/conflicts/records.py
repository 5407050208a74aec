"""What is kept of a loop: its order, its rounds with groups, proposals and trials, and what people made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from pld_core.canonical import Json, hash_json
from pld_core.conflicts.acceptance import Bar, Result
from pld_core.conflicts.groups import Observed, Source
from pld_core.conflicts.proposal import Proposal
from pld_core.conflicts.request import Shown
from pld_core.conflicts.rounds import Figure, Stop
from pld_core.conflicts.rule_set import RuleSet
from pld_core.effect import StudentKey
from pld_core.models import Evidence, Split


@dataclass(frozen=True)
class LoopLimits:
    """How far a loop may go.

    Attributes:
        rounds: most rounds, at least 1.
        groups: most teacher calls in a round, the largest groups first.
        trials: most proposals tried alone in a round, in the order of their groups.
        student_calls: most questions to the student in all, counted over every start of the loop; None for no cap.
        greedy: also add up proposals one by one in each round; see `trying.greedy_cost`.
        scores_test: score the first and the best set on the test split, once, at the end.
    """

    rounds: int = 3
    groups: int = 8
    trials: int = 12
    student_calls: int | None = None
    greedy: bool = False
    scores_test: bool = True

    def as_json(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True)
class LoopOrder:
    """What somebody orders.

    Attributes:
        key: names the order, such as `job 7`: started again under the same key it goes on. Empty for one start only.
        seed: of the samples that the teacher is shown.
    """

    task: str
    key: str = ""
    seed: int = 0
    limits: LoopLimits = field(default_factory=LoopLimits)
    bar: Bar = field(default_factory=Bar)


@dataclass(frozen=True)
class LoopBasis:
    """What a loop works on, as it was when it began: a second start of it finds the same, whatever changed since.

    Attributes:
        rules: in force then.
        first_free: number from which new rules are counted in trials.
        prompt_sha256: of the prompt that they compile to.
        examples: hashes by split.
    """

    teacher: str
    student: StudentKey
    rules: RuleSet
    prompt_sha256: str
    first_free: int
    examples: Mapping[Split, tuple[str, ...]]


@dataclass(frozen=True)
class Resolution:
    """One loop as the store holds it.

    Attributes:
        answers_before: number of the newest answer of any student when it began; later ones count against its cap.
    """

    id: int
    order: LoopOrder
    basis: LoopBasis
    answers_before: int
    at: str
    by: str


@dataclass(frozen=True)
class ShownAnswer:
    """An answer that the teacher was shown, by the example's hash: no text of data is copied here.

    Attributes:
        asked: False where no student was asked: then `said` is what the rule concludes.
    """

    example_hash: str
    gold: str
    said: str | None
    cited: tuple[str, ...] = ()
    asked: bool = True


@dataclass(frozen=True)
class AskedGroup:
    """A group, what of it the teacher was shown, and what the teacher made of it.

    Attributes:
        hash: of the whole group; proposals name it.
        failed, succeeded: how many answers there were, shown or not.
        matching: hashes of the shown examples that match both of two compared rules.
        kind, cause: in the teacher's words.
        problem: why there is no usable reply; empty if there is one.
        voices: what people said of the rules, as it was shown.
    """

    hash: str
    source: Source
    rules: tuple[str, ...]
    gold: str
    said: str
    failed: int
    succeeded: int
    failures: tuple[ShownAnswer, ...]
    successes: tuple[ShownAnswer, ...]
    matching: tuple[str, ...]
    kind: str = ""
    cause: str = ""
    problem: str = ""
    voices: tuple[str, ...] = ()

    @classmethod
    def of(cls, shown: Shown, kind: str = "", cause: str = "", problem: str = "") -> AskedGroup:
        group = shown.group
        return cls(
            group.hash,
            group.source,
            group.rules,
            group.gold,
            group.said,
            len(group.failures),
            len(group.successes),
            tuple(_shown(one) for one in shown.failures),
            tuple(_shown(one) for one in shown.successes),
            tuple(example.hash for example in shown.matching),
            kind,
            cause,
            problem,
            group.voices,
        )


def _shown(one: Observed) -> ShownAnswer:
    return ShownAnswer(one.example.hash, one.example.label, one.said, one.cited, one.asked)


class Stage(StrEnum):
    """What a trial held: one proposal, all that can go together, those that a greedy order had come to, or one proposal
    with texts that a person edited. `LATER` is a greedy order that somebody asked for once the round was over.
    """

    SINGLE = "single"
    JOINT = "joint"
    GREEDY = "greedy"
    EDITED = "edited"
    LATER = "later"

    @property
    def is_of_loop(self) -> bool:
        """Whether the loop itself made the trial and looked at it; people order the others, which count for no cap."""
        return self not in (Stage.EDITED, Stage.LATER)


@dataclass(frozen=True)
class Tried:
    """A trial of proposals against a set of rules.

    Attributes:
        proposals: their hashes.
        base_sha256, prompt_sha256: of the two prompts.
        tokens, base_tokens: of the two prompts, estimated from their length.
        examples: hashes that were compared on; empty for all validation examples of the loop.
        texts: hash of the texts that a person put in place of the proposed ones; empty for those that were proposed.
    """

    stage: Stage
    proposals: tuple[str, ...]
    base_sha256: str
    prompt_sha256: str
    result: Result
    tokens: int
    base_tokens: int
    examples: tuple[str, ...] = ()
    texts: str = ""

    @property
    def words(self) -> str:
        """Such as `fixes 7, breaks 2 (net +5, macro F1 interval +0.010 to +0.090)`."""
        found = self.result.comparison
        if found is None:
            return self.result.reason
        net = found.fixed - found.broken
        return (
            f"fixes {found.fixed:,}, breaks {found.broken:,} of {found.n:,} (net {net:+,}, "
            f"macro F1 {found.difference:+.3f}, 95 % interval {found.low:+.3f} to {found.high:+.3f})"
        )


@dataclass(frozen=True)
class MadeProposal:
    """A proposal with what code found its texts to rest on."""

    proposal: Proposal
    evidence: tuple[tuple[Evidence, ...], ...] = ()


@dataclass(frozen=True)
class RoundRecord:
    """One round: round 0 is the set of rules that the loop began with.

    Attributes:
        rules: as the round left them; `prompt_sha256` is of the prompt that they compile to.
        train, validation: how that prompt does; None without examples.
        unusable: train answers of the round's first prompt that state no label; no rule is blamed for them.
        tokens: of the prompt, estimated.
        stop: why the loop ended with this round, if it did.
    """

    number: int
    rules: RuleSet
    prompt_sha256: str
    tokens: int
    train: Figure | None
    validation: Figure | None
    unusable: int = 0
    groups: tuple[AskedGroup, ...] = ()
    proposals: tuple[MadeProposal, ...] = ()
    trials: tuple[Tried, ...] = ()
    stop: Stop | None = None


@dataclass(frozen=True)
class HeldOutScore:
    """The one look at the test split, after every choice was made: round 0 and the best round."""

    best_round: int
    first: Figure | None
    best: Figure | None

    @property
    def hash(self) -> str:
        figures = [figure.as_json() if figure else None for figure in (self.first, self.best)]
        return hash_json([self.best_round, *figures])


@dataclass(frozen=True)
class RuleLock:
    """A word of a reviewer that a rule is not to be changed by a loop, or may be again."""

    rule_id: str
    locked: bool
    reason: str
    by: str
    at: str


class Fate(StrEnum):
    """What people made of a proposal."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class ProposalOutcome:
    """What somebody made of a proposal.

    Attributes:
        revisions: hashes of the revisions that went into review by it; none for a dismissal.
        rules: ids of their rules, in the same order.
    """

    proposal: str
    fate: Fate
    reason: str
    revisions: tuple[str, ...]
    rules: tuple[str, ...]
    by: str
    at: str
