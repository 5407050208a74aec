"""Labels as a file writes them against the declared set: variants are proposed for merging, never merged in silence."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pld_core.errors import InvalidInput


@dataclass(frozen=True)
class Variant:
    """A label that is written otherwise than a declared one, and the declared one that it seems to mean, if any."""

    written: str
    proposed: str


@dataclass(frozen=True)
class LabelPlan:
    """What becomes of each label of a file.

    Attributes:
        declared: the label set; of a new task the most frequent first.
        meaning: the declared label by label as written; a label that is not in it is refused.
        variants: labels that are not declared as they are written, merged or not.
    """

    declared: tuple[str, ...]
    meaning: Mapping[str, str]
    variants: tuple[Variant, ...]


def plan_labels(
    counts: Counter[str], declared: Sequence[str], merges: Mapping[str, str], accept_proposals: bool
) -> LabelPlan:
    """Match the labels of a file with the declared set, which is made from them if it is empty.

    Args:
        counts: rows by label as written.
        declared: the label set of an existing task; empty for a new one.
        merges: declared label by label as written, as somebody decided; one merged with itself is declared as it is.
        accept_proposals: take every proposed merge that `merges` does not decide.

    Raises:
        InvalidInput: `merges` names a label that an existing task does not declare, one that is not in the file,
            or no name for a label.
    """
    _check_merges(counts, declared, merges)
    known = tuple(declared) or _proposed_set(counts, merges)
    meaning, variants = {}, []
    for written in counts:
        if written in merges:
            meaning[written] = merges[written]
            if merges[written] != written:
                variants.append(Variant(written, merges[written]))
        elif written in known:
            meaning[written] = written
        else:
            variant = Variant(written, _nearest(written, known))
            variants.append(variant)
            if accept_proposals and variant.proposed:
                meaning[written] = variant.proposed
    return LabelPlan(known, meaning, tuple(variants))


def _check_merges(counts: Counter[str], declared: Sequence[str], merges: Mapping[str, str]) -> None:
    for written, label in merges.items():
        if written not in counts:
            raise InvalidInput(f"The file has no label {written!r} to merge. Its labels are: {', '.join(counts)}.")
        if declared and label not in declared:
            raise InvalidInput(
                f"{written!r} cannot be merged with {label!r}: the task declares {', '.join(declared)}. "
                "Nothing was imported."
            )
        if not label or label != label.strip():
            raise InvalidInput(
                f"{written!r} cannot be merged with {label!r}: a label is not empty and not surrounded by white space. "
                "Nothing was imported."
            )


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def _proposed_set(counts: Counter[str], merges: Mapping[str, str]) -> tuple[str, ...]:
    """Return one label for each family of spellings: the most frequent one that no white space surrounds."""
    families: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    target_of_family: dict[str, str] = {}
    for written, n in counts.items():
        label = merges.get(written, written)
        if label == written:
            families[_fold(written)][written.strip()] += n
        else:
            totals[label] += n
            target_of_family[_fold(label)] = label
    for fold, spellings in families.items():
        # Among equally frequent ones the alphabet decides, so that the order of the rows does not.
        usual = min(spellings, key=lambda spelling: (-spellings[spelling], spelling))
        totals[target_of_family.get(fold, usual)] += spellings.total()
    for written in merges:
        # A spelling that somebody declared as it is stands beside the usual one of its family.
        if merges[written] == written and written not in totals:
            totals[written] = counts[written]
    return tuple(sorted(totals, key=lambda label: (-totals[label], label)))


def _nearest(written: str, declared: Sequence[str]) -> str:
    """Return the declared label that differs in case and white space only, else the one spelled most alike."""
    by_fold = {_fold(label): label for label in declared}
    if (same := by_fold.get(_fold(written))) is not None:
        return same
    close = difflib.get_close_matches(_fold(written), by_fold, n=1, cutoff=0.8)
    return by_fold[close[0]] if close else ""
