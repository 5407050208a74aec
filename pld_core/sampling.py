"""Drawing examples by seed: the same examples and seed give the same draw, whatever their order and the machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

from pld_core.canonical import hash_json
from pld_core.models import Example


def stratified(examples: Sequence[Example], labels: Sequence[str], n: int, seed: int) -> tuple[Example, ...]:
    """Return n examples (all, if there are fewer), as equally divided over the labels as their numbers allow.

    The lots are hashes of seed and example, not a generator of random numbers, whose draws differ between versions.
    """

    def lot(example: Example) -> str:
        return _lot(seed, example.hash)

    in_turn = sorted(labels, key=lambda label: hash_json([seed, label]))
    by_label = [sorted((e for e in examples if e.label == label), key=lot) for label in in_turn]
    drawn = [example for one_each in zip_longest(*by_label) for example in one_each if example is not None]
    return tuple(sorted(drawn[:n], key=lot))


@lru_cache(maxsize=1 << 16)
def _lot(seed: int, example_hash: str) -> str:
    # Kept, as the same example is drawn from for thousands of pairs of rules.
    return hash_json([seed, example_hash])
