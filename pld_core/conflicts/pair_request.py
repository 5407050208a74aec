"""The teacher call about two overlapping rules: what is drawn for it, its words, and how a reply is read. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pld_core.conflicts.pairs import PairJudgement, PairVerdict
from pld_core.conflicts.request import REQUEST_TOKENS, SAMPLE, example_words, rule_words, size_words
from pld_core.conflicts.rule_set import TrialRule
from pld_core.errors import ReplyUnusable
from pld_core.extraction import request_hash, teacher_system
from pld_core.model_ports import ChatRequest
from pld_core.models import Example, Task
from pld_core.pricing import likely_tokens
from pld_core.sampling import Lots
from pld_core.synthesis import short_id
from pld_core.templates import material
from pld_core.wire import PairReply, read_reply, schema_of

TEMPLATE = "pair.txt"
REPLY_TOKENS = 512


@dataclass(frozen=True)
class ShownPair:
    """What the teacher is shown of a pair.

    Attributes:
        low, high: the rules, the one of the lower number first.
        matching: how many training examples match both.
        shown: a sample of them.
    """

    low: TrialRule
    high: TrialRule
    matching: int = 0
    shown: tuple[Example, ...] = ()


def drawn_pair(task: Task, low: TrialRule, high: TrialRule, lots: Lots, matching: Collection[str]) -> ShownPair:
    """Draw what is shown of a pair: about 20 of the examples that match both, by label and lot, within the budget.

    Args:
        lots: of the training examples.
        matching: hashes of those that match both.
    """
    found = ShownPair(low, high, len(matching))
    sample = lots.among(matching, SAMPLE)
    # Mostly all of them fit, and thousands of pairs are drawn at once.
    if _fits(task, whole := replace(found, shown=sample)):
        return whole
    for example in sample:
        if _fits(task, wider := replace(found, shown=(*found.shown, example))):
            found = wider
    return found


def _fits(task: Task, pair: ShownPair) -> bool:
    return likely_tokens(pair_request(task, pair))[0] <= REQUEST_TOKENS


def pair_request(task: Task, pair: ShownPair) -> ChatRequest:
    """Return the call about a pair; personal data masked where the import asked for that."""
    both = "\n\n".join(example_words(task, example) for example in pair.shown)
    parts = [
        material("RULES", f"{rule_words(pair.low)}\n{rule_words(pair.high)}"),
        material("MATCHES_BOTH", both or "(none)", size_words(len(pair.shown), pair.matching)),
    ]
    return ChatRequest(
        system=teacher_system(task, TEMPLATE),
        user="\n\n".join(parts),
        purpose="pair",
        subjects=tuple(example.hash for example in pair.shown),
        schema=schema_of(PairReply),
        max_tokens=REPLY_TOKENS,
    )


def read_pair(task: Task, pair: ShownPair, text: str, teacher: str) -> PairJudgement:
    """Turn a reply into a word on the pair.

    Raises:
        ReplyUnusable: not the asked shape, or it rests on an example that the call did not show.
    """
    said = read_reply(PairReply, text)
    shown = {short_id(example.hash): example.hash for example in pair.shown}
    if strange := [name for name in said.examples if name not in shown]:
        raise ReplyUnusable(f"The teacher rests on {strange[0][:20]!r}, which it was not shown.", text)
    return PairJudgement(
        pair.low.revision.hash,
        pair.high.revision.hash,
        (pair.low.id, pair.high.id),
        PairVerdict(said.verdict),
        said.reason,
        tuple(dict.fromkeys(shown[name] for name in said.examples)),
        teacher,
        request_hash(teacher, pair_request(task, pair)),
    )
