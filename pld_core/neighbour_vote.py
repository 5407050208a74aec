"""Baselines that read no rule: the vote of the nearest training examples, and the most frequent label. Pure.

Source: Cover and Hart 1967, "Nearest neighbor pattern classification".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pld_core.errors import InvalidInput
from pld_core.model_ports import Vectors

Places = npt.NDArray[np.int64]

_ROWS, _COLUMNS = 256, 16_384
"""The part of the similarities that is held at a time: 16 MB of float32, and 32 MB of keys."""
_MILLION = 1_000_000


def nearest_vote(
    labels: Sequence[str], train: Vectors, train_labels: Sequence[str], asked: Vectors, k: int
) -> tuple[str, ...]:
    """Return the label that most of the `k` nearest training examples have, for each row of `asked`.

    Nearness is cosine similarity to six digits: beyond that the same data gives different bits on different processors.
    Of equally near ones, those of the earlier declared label are taken. Of labels with equally many votes, the one
    whose voters are closer in sum wins, then the earlier declared one. A row of zeros is near nothing: to be asked, it
    gets the most frequent training label; to train with, it has no vote.

    Args:
        labels: the declared ones, which decide ties.
        train: (rows, dimensions), each row of length 1 or zeros.
        train_labels: (rows,) gold labels, all of them declared.
        asked: (rows, dimensions) of the same embedder.
        k: how many vote, at least 1; all of them, if there are fewer.

    Raises:
        InvalidInput: no training example, a label that is not declared, or shapes that do not belong together.
    """
    if k < 1 or len(train) != len(train_labels) or train.shape[1:] != asked.shape[1:]:
        raise InvalidInput(
            f"{len(train_labels):,} labels of {len(train):,} training examples cannot vote with k = {k}. "
            "Give each example a label and both sides vectors of one embedder."
        )
    found = [most_frequent(labels, train_labels)] * len(asked)
    places = {label: place for place, label in enumerate(labels)}
    voters = np.flatnonzero(train.any(axis=1))
    # In the order of the labels, so that of equally near rows the one of the earlier label comes first.
    voters = voters[np.argsort([places[train_labels[int(row)]] for row in voters], kind="stable")]
    votes = np.array([places[train_labels[int(row)]] for row in voters], dtype=np.int64)
    known = np.flatnonzero(asked.any(axis=1)) if len(voters) else np.zeros(0, dtype=np.int64)
    for start in range(0, len(known), _ROWS):
        rows = known[start : start + _ROWS]
        nearest, closeness = _nearest(train, voters, asked[rows], k)
        for row, near, close in zip(rows, nearest, closeness, strict=True):
            found[int(row)] = labels[_winner(votes[near], close, len(labels))]
    return tuple(found)


def most_frequent(labels: Sequence[str], train_labels: Sequence[str]) -> str:
    """Return the label that most training examples have; of equals the one that is declared earlier.

    Raises:
        InvalidInput: there is no training example, or one has a label that is not declared.
    """
    if not train_labels or not set(train_labels) <= set(labels):
        raise InvalidInput(
            "A baseline is made of training examples with declared labels, and there are none, or some have another "
            "label. Import training examples, or declare their labels."
        )
    times = Counter(train_labels)
    return max(labels, key=lambda label: times[label])


def _nearest(train: Vectors, rows: Places, asked: Vectors, k: int) -> tuple[Places, Places]:
    """Return places in `rows` and their closeness in millionths, each (asked, up to k); of equals the lower places."""
    size, best = len(rows), np.zeros((len(asked), 0), dtype=np.int64)
    for start in range(0, size, _COLUMNS):
        part = rows[start : start + _COLUMNS]
        # Closeness and place in one number, so that no two are equal and the order of equally near ones is settled.
        keys = np.rint(asked @ train[part].T * np.float32(_MILLION)).astype(np.int64) * size
        keys -= np.arange(start, start + len(part))
        best = _highest(np.hstack([best, _highest(keys, k)]), k)
    places = -best % size
    return places, (best + places) // size


def _highest(keys: Places, k: int) -> Places:
    """Return the k highest of each row, in any order; all of them, if there are fewer."""
    return keys if keys.shape[1] <= k else np.partition(keys, keys.shape[1] - k, axis=1)[:, -k:]


def _winner(votes: Places, closeness: Places, size: int) -> int:
    times, nearness = np.bincount(votes, minlength=size), np.bincount(votes, weights=closeness, minlength=size)
    # By votes first, then by nearness; of equals the first, which is the label that is declared earlier.
    return int(np.lexsort((np.arange(size), -nearness, -times))[0])
