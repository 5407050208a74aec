"""Drawing examples by seed: the same examples and seed give the same draw, whatever their order and the machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice, zip_longest

from pld_core.canonical import hash_json
from pld_core.models import Example


def stratified(examples: Sequence[Example], labels: Sequence[str], n: int, seed: int) -> tuple[Example, ...]:
    """Return n examples (all, if there are fewer), as equally divided over the labels as their numbers allow.

    The lots are hashes of seed and example, not a generator of random numbers, whose draws differ between versions.
    """
    return Lots(examples, labels, seed).among({example.hash for example in examples}, n)


class Lots:
    """Draws as `stratified` does, from some of the same examples again and again: each has its lot drawn once."""

    def __init__(self, examples: Sequence[Example], labels: Sequence[str], seed: int) -> None:
        self._lots = {example.hash: hash_json([seed, example.hash]) for example in examples}
        in_turn = sorted(labels, key=lambda label: hash_json([seed, label]))
        self._by_label = [sorted((e for e in examples if e.label == label), key=self._lot) for label in in_turn]

    def among(self, hashes: Collection[str], n: int) -> tuple[Example, ...]:
        """Return n of the examples with these hashes (all, if there are fewer), divided over the labels."""
        by_label = [islice((e for e in examples if e.hash in hashes), n) for examples in self._by_label]
        drawn = [example for one_each in zip_longest(*by_label) for example in one_each if example is not None]
        return tuple(sorted(drawn[:n], key=self._lot))

    def _lot(self, example: Example) -> str:
        return self._lots[example.hash]
