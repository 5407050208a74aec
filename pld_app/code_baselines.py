"""What baselines without a model say of examples: the nearest training examples and the most frequent label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pld_app import wiring
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.baselines import Baseline, Said
from pld_core.models import Example
from pld_core.run_report.baseline_lines import said_by_code


def said_of(labels: Sequence[str], teaching: Iterable[Example], asked: Iterable[Example]) -> dict[Baseline, Said]:
    """Return what each baseline says, by the content hash of the example.

    The vectors are reduced by a drawing of lots for the rows in their order, so the rows stand by their hashes: in
    whatever order the examples come, and the answers of a run come as they were ready, the same is said.

    Args:
        labels: the declared ones.
        teaching: training examples with declared labels, at least one, none of them asked about.
    """
    known, open_ones = (sorted(some, key=lambda example: example.hash) for some in (teaching, asked))
    vectors = wiring.run_async(TfidfEmbedder().embed([example.text for example in (*known, *open_ones)]))
    return said_by_code(labels, [e.label for e in known], [e.hash for e in open_ones], vectors)
