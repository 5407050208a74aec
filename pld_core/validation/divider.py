"""Dividing the examples of a task anew, keeping together what is alike or of one group."""

from __future__ import annotations

from pld_core.models import Example, Split
from pld_core.splitting import draw_splits, join_units
from pld_core.validation.near_duplicates import Signer, near_pairs


class Divider:
    """Takes examples one by one, keeps a few numbers of each, and divides them at the end."""

    def __init__(self) -> None:
        self._hashes: list[str] = []
        self._labels: list[str] = []
        self._fixed: dict[int, Split] = {}
        self._links: list[tuple[int, int]] = []
        self._first_of: dict[tuple[str, str], int] = {}
        self._signer = Signer()

    def add(self, example: Example, fixed: Split | None) -> None:
        """Take an example; `fixed` is the split in which it has to stay, with all that belongs to it."""
        index = len(self._hashes)
        self._hashes.append(example.hash)
        self._labels.append(example.label)
        self._signer.add(example.text)
        if fixed is not None:
            self._fixed[index] = fixed
        names = [("text", example.text_hash), *([("group", example.group)] if example.group else [])]
        for name in names:
            first = self._first_of.setdefault(name, index)
            if first != index:
                self._links.append((first, index))

    def splits(self, seed: int) -> dict[str, Split]:
        """Return the split of each example by its hash."""
        near = [(pair.first, pair.second) for pair in near_pairs(self._signer.signatures())]
        units = join_units(len(self._hashes), [*self._links, *near])
        fixed = {units[index]: split for index, split in self._fixed.items()}
        drawn = draw_splits(self._hashes, self._labels, units, fixed, seed)
        return dict(zip(self._hashes, drawn, strict=True))
