"""Dividing examples into train, validation and test: by seed, the same shares within each label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from pld_core.canonical import hash_text
from pld_core.models import Example, Split

VALIDATION_SHARE = 0.2
TEST_SHARE = 0.2


def assign_splits(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    """Return the examples with new splits, in the same order: 20 % validation, 20 % test, the rest train, per label.

    The lot of an example is drawn from its content and the seed, so it does not depend on the order of the file. A
    label with fewer than 3 examples goes to train whole.
    """
    by_label: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_label[example.label].append(example)
    split_of: dict[str, Split] = {}
    for members in by_label.values():
        drawn = sorted(members, key=lambda example: hash_text(f"{seed} {example.hash}"))
        share = max(1, round(len(drawn) * VALIDATION_SHARE)) if len(drawn) >= 3 else 0
        test = max(1, round(len(drawn) * TEST_SHARE)) if len(drawn) >= 3 else 0
        for place, example in enumerate(drawn):
            split = Split.VALIDATION if place < share else Split.TEST if place < share + test else Split.TRAIN
            split_of[example.hash] = split
    return tuple(replace(example, split=split_of[example.hash]) for example in examples)
