"""Which rule of a prompt is behind an answer. Pure; `attributing.py` fetches what it needs and keeps what it finds.

There is more than one way to say it, and they answer different questions, so each figure names its method and none is
ever mixed of two. By evidence, a rule is answerable for the examples that it was made from and for those that lie as
near to these as they do to each other. By citation, it is answerable for what the student says it rests on: a report on
itself, which nothing holds to be true. By ablation (`ablation.py`), it is answerable for the answers that change when
it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pld_core.canonical import hash_json
from pld_core.errors import InvalidInput
from pld_core.model_ports import Vectors
from pld_core.models import Prediction, Run
from pld_core.nearness import centre_of, radius_of_new

UNCOVERED = ""
"""Stands in the place of a rule's id where no rule claims an example."""
MOST_CLAIMS = 8
"""An example is claimed by at most so many rules by nearness, the nearest: a text near to everything tells nothing."""
BLOCK = 512
"""Examples that are compared with all rules at a time: 40 MB of closeness with 10,000 rules."""


class Method(StrEnum):
    """How an answer is put down to a rule."""

    EVIDENCE = "evidence"
    CITED = "cited"
    ABLATION = "ablation"

    @property
    def words(self) -> str:
        """What the method goes by, for people."""
        return _WORDS[self]

    @property
    def noun(self) -> str:
        """The method's name inside a sentence, after `by`."""
        return "citation" if self is Method.CITED else self.value


_WORDS = {
    Method.EVIDENCE: "by evidence: the rule whose evidence the example belongs to, or lies nearest to",
    Method.CITED: "by citation: the first rule that the student says it went by (a self-report, not a proof)",
    Method.ABLATION: "by ablation: the answers that change when the rule is left out of the prompt",
}


@dataclass(frozen=True)
class RuleSources:
    """A rule as a prompt holds it, and the examples that it rests on.

    Attributes:
        evidence_hash: hash of all of its evidence; see `models.evidence_set_hash`.
        examples: hashes of the examples that support it, sorted.
    """

    rule_id: str
    revision_hash: str
    evidence_hash: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """That an example is put down to a rule.

    Attributes:
        rule_id: `UNCOVERED` if no rule claims the example.
        is_owner: exactly one claim of an example is its owner's; figures count each example there, once.
        is_source: the example is a source of this rule, so its answer says nothing of how the rule does on new ones.
        closeness: to the centre of the rule's sources, -1 to 1; None where that was not compared.
    """

    example_hash: str
    rule_id: str
    is_owner: bool
    is_source: bool = False
    closeness: float | None = None


@dataclass(frozen=True)
class Attribution:
    """The claims of one method on the answers of one run.

    Attributes:
        embedder: what compared the texts; empty where nothing was compared.
        basis: hash of what the claims follow from beside the answers: the rules' revisions and their evidence.
        rule_ids: all rules of the prompt, those that claim nothing too.
    """

    method: Method
    embedder: str
    basis: str
    rule_ids: tuple[str, ...]
    claims: tuple[Claim, ...]


def refuse_trial(run: Run) -> None:
    """Raise `InvalidInput` if a run drew lots: its errors are not those of the version's rules as they are used."""
    if run.setup.is_trial:
        raise InvalidInput(
            f"Run {run.id} drew lots ({run.setup.words}), so its errors say nothing of the rules of prompt version "
            f"{run.prompt_number} as they are used, and are put down to none. Nothing was changed. Take a plain run: "
            f"pld evaluate --task {run.task} --prompt {run.prompt_number}"
        )


def basis_of(rules: Sequence[RuleSources]) -> str:
    """Return the hash of what an attribution rests on, the rules in the order of the prompt."""
    return hash_json([[rule.rule_id, rule.revision_hash, rule.evidence_hash] for rule in rules])


# --- by evidence ------------------------------------------------------------------------------------------------------


def by_evidence(
    rules: Sequence[RuleSources],
    asked: Sequence[str],
    places: Mapping[str, int],
    vectors: Vectors,
    embedder: str,
) -> Attribution:
    """Put examples down to rules by what these rest on.

    The owner of an example is the rule that it is a source of; else the nearest of the rules within whose radius it
    lies (`nearness.radius_of_new`); else none. Of equally near rules the earlier one of the prompt is taken. Every rule
    that the example is a source of claims it, and so do the nearest `MOST_CLAIMS` of those within whose radius it lies.

    Args:
        asked: hashes of the examples that were answered.
        places: the row of each example, by hash; of those that are not there nothing is known.
        vectors: (rows, dimensions), each row of length 1 or all zeros.
    """
    claims = tuple(claim for one in _by_nearness(rules, asked, places, vectors) for claim in one)
    return Attribution(Method.EVIDENCE, embedder, basis_of(rules), tuple(r.rule_id for r in rules), claims)


def _by_nearness(
    rules: Sequence[RuleSources], asked: Sequence[str], places: Mapping[str, int], vectors: Vectors
) -> Iterator[list[Claim]]:
    centres, radii = _reaches(rules, places, vectors)
    sources: dict[str, list[int]] = {}
    for number, rule in enumerate(rules):
        for content in rule.examples:
            sources.setdefault(content, []).append(number)
    nowhere = np.zeros((1, vectors.shape[1]))
    for start in range(0, len(asked), BLOCK):
        block = asked[start : start + BLOCK]
        rows = np.concatenate([vectors[[places[e]]] if e in places else nowhere for e in block])
        closeness = (rows @ centres.T).round(6)
        inside = (closeness >= radii) & (closeness > 0)
        for content, near, within in zip(block, closeness, inside, strict=True):
            yield _claims_on(content, rules, near, within, sources.get(content, []))


def _reaches(
    rules: Sequence[RuleSources], places: Mapping[str, int], vectors: Vectors
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (rules, dimensions) the centres of the rules' sources, zeros for none, and (rules,) their radii."""
    centres = np.zeros((len(rules), vectors.shape[1]))
    radii = np.full(len(rules), np.inf)
    for number, rule in enumerate(rules):
        own = vectors[[places[content] for content in rule.examples if content in places]]
        centres[number], radii[number] = centre_of(own), radius_of_new(own)
    return centres, radii


def _claims_on(
    content: str,
    rules: Sequence[RuleSources],
    closeness: npt.NDArray[np.float64],
    within: npt.NDArray[np.bool_],
    source_of: Sequence[int],
) -> list[Claim]:
    def nearest_first(numbers: Sequence[int] | npt.NDArray[np.intp]) -> list[int]:
        return sorted((int(n) for n in numbers), key=lambda n: (-closeness[n], n))

    own = nearest_first(source_of)
    found = [*own, *(n for n in nearest_first(np.flatnonzero(within))[:MOST_CLAIMS] if n not in own)]
    if not found:
        return [Claim(content, UNCOVERED, True)]
    return [
        Claim(content, rules[n].rule_id, place == 0, n in own, float(closeness[n])) for place, n in enumerate(found)
    ]


# --- by citation ------------------------------------------------------------------------------------------------------


def by_citation(rules: Sequence[RuleSources], predictions: Sequence[Prediction]) -> Attribution:
    """Put examples down to the rules that the student cites; the first one that the prompt holds is the owner."""
    known = {rule.rule_id: rule for rule in rules}
    claims: list[Claim] = []
    for prediction in predictions:
        content = prediction.example_hash
        cited = [rule_id for rule_id in dict.fromkeys(prediction.answer.cited) if rule_id in known]
        claims += [Claim(content, rule_id, place == 0) for place, rule_id in enumerate(cited)]
        if not cited:
            claims.append(Claim(content, UNCOVERED, True))
    return Attribution(Method.CITED, "", basis_of(rules), tuple(known), tuple(claims))
