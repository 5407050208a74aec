"""From what a server sent as vectors to rows that can be compared. Nothing of its shape is sure."""

from __future__ import annotations

import numpy as np

from pld_core.errors import VectorsUnusable
from pld_core.model_ports import Vectors


def unit_rows(found: object, count: int) -> Vectors:
    """Return the vectors of `count` texts as rows of length 1.

    Args:
        found: what stands where a list of equally long lists of numbers should stand.

    Raises:
        VectorsUnusable: rows are missing or too many, empty, of unequal length, not finite numbers, or zeros.
    """
    rows = found if isinstance(found, list) else []
    if len(rows) != count:
        raise VectorsUnusable(
            f"The server sent {len(rows)} vectors for {count} texts. Check that the model is one for embeddings; "
            "if it is, set batch_size lower under [embedder]."
        )
    lengths = {len(row) if isinstance(row, list) else 0 for row in rows}
    if len(lengths) > 1 or 0 in lengths:
        raise VectorsUnusable(
            f"The server sent vectors of unequal length ({', '.join(map(str, sorted(lengths)))} numbers). "
            "Check that the model is one for embeddings, or choose another."
        )
    try:
        numbers = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise VectorsUnusable(
            "The server sent vectors that hold something else than numbers. Check the address and the model."
        ) from error
    if not np.isfinite(numbers).all():
        raise VectorsUnusable(
            "The server sent a vector with a number that is not finite (NaN or infinity). Load the model there again; "
            "if that does not help, choose another model."
        )
    largest = np.abs(numbers).max(axis=1, keepdims=True)
    if not largest.all():
        raise VectorsUnusable(
            "The server sent a vector of zeros, which is at no distance from anything. Load the model there again; "
            "if that does not help, choose another model."
        )
    # Scaled first, so that the squares of very large or small numbers stay within range.
    scaled = numbers / largest
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), dtype=np.float32)
