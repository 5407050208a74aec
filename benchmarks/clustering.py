"""DBSCAN from the neighbour graph against scikit-learn's plain DBSCAN on cosine distance: time and peak memory.

Each measurement is a process of its own, so that peak memory is that of one clustering and its data alone. The rows are
compared too: a faster answer that is another answer would be worth nothing.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.cluster import DBSCAN

from pld_core.clustering import ground_of, numbers_on
from pld_core.density import numbered
from pld_core.models import ClusterParams

SIZES = (1_000, 7_000, 20_000, 50_000)
DIMENSIONS, THEMES, NOISE_SHARE = 768, 60, 0.2
EPS, SMALLER_EPS, MIN_SAMPLES = 0.4, 0.3, 6
ALL_LABELS = ClusterParams(EPS, MIN_SAMPLES, within_label=False)
SMALLER = ClusterParams(SMALLER_EPS, MIN_SAMPLES, within_label=False)
CHILD = "--child"
AIM_BYTES = 2 * 10**9
PLAIN_BLOCKS, PLAIN_PAIR = 4 * 2**30, 48
"""What plain scikit-learn takes: its blocks of distances with their copies, and its lists, in bytes a pair."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """One run: seconds by step, peak memory in bytes, pairs of the graph (0 if there is none)."""

    seconds: dict[str, float]
    peak: int
    pairs: int


def made_vectors(rows: int) -> Vectors:
    """Return unit vectors: themes of unequal size and width that have a part in common, and a fifth of noise."""
    lots = np.random.default_rng(1)
    common = lots.standard_normal(DIMENSIONS, dtype=np.float32) * np.float32(0.5)
    centres = lots.standard_normal((THEMES, DIMENSIONS), dtype=np.float32) + common
    widths = lots.uniform(0.45, 0.85, THEMES).astype(np.float32)
    weights = 1 / np.sqrt(np.arange(1, THEMES + 1))
    themes = lots.choice(THEMES, size=rows, p=weights / weights.sum())
    made = lots.standard_normal((rows, DIMENSIONS), dtype=np.float32)
    noisy = lots.random(rows) < NOISE_SHARE
    for row in range(rows):
        # Row by row, so that the peak is that of the clustering and not of its test data.
        made[row] = made[row] + common if noisy[row] else centres[themes[row]] + widths[themes[row]] * made[row]
        made[row] /= np.linalg.norm(made[row])
    return made


def measure(how: str, rows: int, target: Path) -> Measured:
    """Cluster in this process and leave the numbers at `target`."""
    vectors = made_vectors(rows)
    seconds, pairs = {}, 0
    begin = time.perf_counter()
    if how == "plain":
        found = DBSCAN(eps=EPS, min_samples=MIN_SAMPLES, metric="cosine").fit_predict(vectors)
        seconds["cluster"] = time.perf_counter() - begin
    else:
        ground = ground_of([""] * rows, vectors, EPS)
        found = np.array(numbers_on(ground, ALL_LABELS))
        seconds["cluster"] = time.perf_counter() - begin
        begin = time.perf_counter()
        numbers_on(ground, SMALLER)
        seconds["again"] = time.perf_counter() - begin
        pairs = ground.graph.pairs
    np.save(target, numbered(np.asarray(found, dtype=np.int64)))
    return Measured(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, pairs)


def in_a_child(how: str, rows: int, target: Path) -> Measured:
    command = [sys.executable, "-m", "benchmarks.clustering", CHILD, how, str(rows), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout))


def free_bytes() -> int:
    """Return how much memory a new process can have."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def compared(rows: int, folder: Path) -> list[dict[str, object]]:
    """Return the rows of one size: time, memory, and re-clustering at a smaller eps."""
    ours = in_a_child("graph", rows, folder / "ours.npy")
    needed = PLAIN_BLOCKS + PLAIN_PAIR * ours.pairs
    mine = f"{ours.seconds['cluster']:.2f} s, {ours.peak / 1e6:,.0f} MB, {ours.pairs:,} pairs"
    aim = f"aim below {AIM_BYTES / 1e6:,.0f} MB: {'met' if ours.peak < AIM_BYTES else 'missed'}"
    if needed > free_bytes():
        why = f"{mine}; plain scikit-learn skipped: about {needed / 1e9:.1f} GB, {free_bytes() / 1e9:.1f} GB are free"
        return [{"case": f"{rows:,} rows: time and memory", "ratio": None, "detail": f"{why}; {aim}"}]
    plain = in_a_child("plain", rows, folder / "plain.npy")
    differing = int((np.load(folder / "ours.npy") != np.load(folder / "plain.npy")).sum())
    whole, again = plain.seconds["cluster"], ours.seconds["again"]
    theirs = f"{whole:.2f} s, {plain.peak / 1e6:,.0f} MB"
    same = "same clusters" if not differing else f"{differing} rows in another cluster"
    return [
        {
            "case": f"{rows:,} rows: time / plain",
            "ratio": ours.seconds["cluster"] / whole,
            "detail": f"{mine} / {theirs}; {same}",
        },
        {"case": f"{rows:,} rows: peak memory / plain", "ratio": ours.peak / plain.peak, "detail": aim},
        {
            "case": f"{rows:,} rows: smaller eps from the graph / plain",
            "ratio": again / whole,
            "detail": f"{again:.3f} s / {whole:.2f} s",
        },
    ]


def main() -> None:
    if sys.argv[1:2] == [CHILD]:
        how, rows, target = sys.argv[2:]
        print(json.dumps(vars(measure(how, int(rows), Path(target)))))
        return
    sizes = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps({"rows": [row for size in sizes for row in compared(size, Path(name))]}))


if __name__ == "__main__":
    main()
