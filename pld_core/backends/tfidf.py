"""The embedder that needs no server: TF-IDF, reduced by SVD, from scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pld_core.model_ports import BackendStatus, Vectors

HALF_A_LENGTH = 0.5
"""Every row has length 1 or none; what lies between came from rounding."""


class TfidfEmbedder:
    """Fits on the texts it is given, so vectors of two calls are comparable only if the texts are the same.

    For the same reason nothing of it is cached: the vector of a text depends on all the others.

    It sees shared words, not meaning: two instructions that say the same in other words stay apart. For small sets of
    instructions that a teacher phrases alike this is enough; for real ones use a model.

    Args:
        dimensions: at most this many; fewer when there are fewer texts.
    """

    def __init__(self, dimensions: int = 64, seed: int = 0) -> None:
        self._dimensions, self._seed = dimensions, seed

    @property
    def name(self) -> str:
        return f"tfidf-svd-{self._dimensions}"

    async def status(self) -> BackendStatus:
        """It is always there."""
        return BackendStatus(name=self.name, title="TF-IDF (built in)", ready=True, model=self.name)

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Compute the vectors here and now; the event loop waits, as nothing else goes on meanwhile."""
        if not texts:
            return np.zeros((0, self._dimensions), dtype=np.float32)
        # Imported when they are needed: they take a second, which every command would wait for.
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize

        try:
            table = TfidfVectorizer(stop_words="english", ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
        except ValueError:
            # scikit-learn's word for "only stop words": there is nothing to tell these texts apart by.
            return np.zeros((len(texts), 1), dtype=np.float32)
        size = min(self._dimensions, len(texts) - 1, table.shape[1] - 1)
        if size < 2:
            return np.asarray(normalize(table.toarray()), dtype=np.float32)
        # Equal texts have no variance to explain; scikit-learn divides by it for a figure that nobody reads here.
        with np.errstate(divide="ignore", invalid="ignore"):
            reduced = TruncatedSVD(size, random_state=self._seed).fit_transform(table)
        vectors = np.asarray(normalize(reduced), dtype=np.float32)
        # A text that has nothing in common with the dimensions that are left has no direction, only rounding.
        vectors[np.linalg.norm(vectors, axis=1) < HALF_A_LENGTH] = 0
        return vectors
