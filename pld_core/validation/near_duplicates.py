"""Texts that are nearly the same, found by MinHash: time and memory grow with the number of texts, not its square.

Compared are the sets of neighbouring word pairs, without case and punctuation. Their Jaccard similarity is estimated
from 60 hash values a text, with a standard error of about 0.05 at the threshold.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

Signatures = npt.NDArray[np.uint32]

SIMILAR = 0.8
"""Two texts with at least this estimated similarity count as nearly the same: one other word in twenty is enough."""
VALUES = 60
BANDS = 12
"""Texts are compared if one of 12 bands of 5 values is equal: at the threshold 99 % of pairs are."""
# For each character of ASCII the lower-case letter or a blank; that and a split are faster than a pattern.
_PLAIN = bytes(code if code > 127 or chr(code).isalnum() else ord(" ") for code in range(256)).lower()
# Chinese, Japanese and Thai put no blanks between words, so that each of their characters counts as one.
_WORD = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]|[^\\W_\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+")
_MIX = np.uint64(0x9E3779B97F4A7C15)
_WORDS_AT_ONCE = 300_000
_CHUNK = 4_000


def words_of(text: str) -> list[bytes]:
    """Return the words that are compared, in UTF-8.

    >>> words_of("Don't - PANIC!")
    [b'don', b't', b'panic']
    """
    if text.isascii():
        return text.encode().translate(_PLAIN).split()
    return [word.encode() for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold())]


class Signer:
    """Takes texts one by one and returns all signatures at the end; the texts themselves are not kept."""

    def __init__(self) -> None:
        self._hashes: list[int] = []
        self._ends: list[int] = [0]
        self._done: list[Signatures] = []

    def add(self, text: str) -> None:
        self._hashes.extend(map(crc32, words_of(text)))
        self._ends.append(len(self._hashes))
        if len(self._hashes) > _WORDS_AT_ONCE or len(self._ends) > _CHUNK:
            self._close()

    def signatures(self) -> Signatures:
        """Return one row of `VALUES` numbers a text, in the order in which they came."""
        self._close()
        return np.concatenate(self._done) if self._done else np.empty((0, VALUES), dtype=np.uint32)

    def _close(self) -> None:
        texts = len(self._ends) - 1
        if not texts:
            return
        words = np.fromiter(self._hashes, dtype=np.uint64, count=len(self._hashes))
        ends = np.array(self._ends, dtype=np.uint64)
        before = np.zeros_like(words)
        before[1:] = words[:-1]
        # The first word of a text has nothing before it.
        before[ends[:-1][ends[:-1] < len(words)]] = 0
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(before * _MIX + words, ends, num_perm=VALUES, seed=1)
        numbers = np.fromiter(chain.from_iterable(matrix.to_rows()), dtype=np.uint32, count=texts * VALUES)
        self._done.append(numbers.reshape(texts, VALUES))
        self._hashes, self._ends = [], [0]


def sign(texts: Iterable[str]) -> Signatures:
    """Return the signatures of texts, one row each."""
    signer = Signer()
    for text in texts:
        signer.add(text)
    return signer.signatures()


@dataclass(frozen=True)
class NearPair:
    """Two rows of the signatures that are nearly the same, `first` < `second`, and their estimated similarity."""

    first: int
    second: int
    similarity: float


def near_pairs(signatures: Signatures, at_least: float = SIMILAR) -> tuple[NearPair, ...]:
    """Return pairs of similar rows, enough to connect all that are alike, not every pair of a large family.

    Within a bucket of a band each row is compared with the first and with the one before it, so that a family of n
    texts costs n comparisons a band.
    """
    if len(signatures) < 2:
        return ()
    # A text without any word has the largest value everywhere; such texts are alike in nothing.
    worded = np.flatnonzero((signatures != np.iinfo(np.uint32).max).any(axis=1))
    size = np.uint64(len(signatures))
    width = VALUES // BANDS
    multipliers = _MIX ** np.arange(1, width + 1, dtype=np.uint64)
    found = []
    for band in range(BANDS):
        keys = signatures[worded, band * width : (band + 1) * width].astype(np.uint64) @ multipliers
        order = keys.argsort(kind="stable")
        keys = keys[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        first_of = np.repeat(starts, np.diff(np.concatenate((starts, [len(order)]))))
        places = np.flatnonzero(first_of != np.arange(len(order)))
        rows = worded[order].astype(np.uint64)
        # The order is stable, so that the earlier row is the smaller number. Both are packed into one number.
        found += [rows[first_of[places]] * size + rows[places], rows[places - 1] * size + rows[places]]
    packed = np.unique(np.concatenate(found))
    return _similar(signatures, np.stack(np.divmod(packed, size), axis=1).astype(np.int64), at_least)


def _similar(signatures: Signatures, pairs: npt.NDArray[np.int64], at_least: float) -> tuple[NearPair, ...]:
    kept: list[NearPair] = []
    for begin in range(0, len(pairs), _CHUNK):
        chunk = pairs[begin : begin + _CHUNK]
        alike = (signatures[chunk[:, 0]] == signatures[chunk[:, 1]]).mean(axis=1)
        kept += _pairs(chunk[alike >= at_least].tolist(), alike[alike >= at_least].tolist())
    return tuple(kept)


def _pairs(rows: Sequence[Sequence[int]], alike: Sequence[float]) -> list[NearPair]:
    return [NearPair(one, two, round(share, 3)) for (one, two), share in zip(rows, alike, strict=True)]
