"""Importing 200,000 CSV rows (100 MB) against pandas reading them plus bare sqlite3 writing them, in one run."""

from __future__ import annotations

import csv
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from pld_app import importing
from pld_app.wiring import create_app
from pld_core.validation.plan import TaskWords

ROWS = 200_000
TEXTS = {"complaint": 48, "answer": 18}
"""Words of each text column."""
LABELS = ("refund", "delay", "damage", "other")
VOCABULARY = 20_000
BEST_OF = 2


def write_file(path: Path) -> None:
    """Write rows of made-up words, of which few are frequent and most are rare; some hold a number or an address."""
    rng = np.random.default_rng(1)
    syllables = np.array([c + v for c in "bdfgklmnprst" for v in "aeiou"])
    lengths = rng.integers(1, 6, VOCABULARY)
    words = np.array(["".join(rng.choice(syllables, n)) for n in lengths])
    share = 1 / (np.arange(VOCABULARY) + 5)
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", *TEXTS, "label"])
        for begin in range(0, ROWS, 10_000):
            columns = [
                words[rng.choice(VOCABULARY, (10_000, n), p=share / share.sum())].tolist() for n in TEXTS.values()
            ]
            for number, (complaint, answer) in enumerate(zip(*columns, strict=True), start=begin):
                end = f"on {number % 28 + 1}.{number % 12 + 1}.2024, order {number * 37 % 9_999_991}"
                if number % 50 == 0:
                    end += f", call 0{number % 899 + 100} {number % 8999 + 1000} 123 or u{number}@mail.example"
                label = LABELS[number * number % 7 % len(LABELS)]
                rows.writerow([f"c-{number:06d}", f"{' '.join(complaint)} {end}.", " ".join(answer), label])


def bare_seconds(path: Path, folder: Path) -> float:
    """Return how long pandas and sqlite3 take to read the file and to write its rows, durably, into one table."""
    times = []
    for turn in range(BEST_OF):
        begin = time.perf_counter()
        frame = pd.read_csv(path, dtype=str)
        conn = sqlite3.connect(folder / f"bare{turn}.db")
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute(f"CREATE TABLE example ({', '.join(frame.columns)})")
        conn.executemany("INSERT INTO example VALUES (?, ?, ?, ?)", frame.itertuples(index=False, name=None))
        conn.commit()
        conn.close()
        times.append(time.perf_counter() - begin)
    return min(times)


def import_once(path: Path, workspace: Path) -> dict[str, float]:
    """Import the file and return seconds by step, and the peak memory of this process in MB."""
    app = create_app(workspace)
    order = importing.ImportOrder(path.name, TaskWords("bench"))
    told = []
    marks = [time.perf_counter()]
    order, checked = importing.check(app, path, order, lambda done, *_: told.append(done))
    marks.append(time.perf_counter())
    planned = importing.plan(checked, order)
    marks.append(time.perf_counter())
    done = importing.import_file(app, checked, order, planned)
    marks.append(time.perf_counter())
    if done.added != ROWS or len(told) < 10:
        raise RuntimeError(f"{done.words} Progress was told {len(told)} times.")
    check, plan, write = (later - earlier for earlier, later in pairwise(marks))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"check": check, "plan": plan, "write": write, "peak": peak}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "rows.csv"
        write_file(path)
        size = path.stat().st_size / 1e6
        # A process of its own, so that its peak memory is that of the import alone.
        command = [sys.executable, "-m", "benchmarks.import_csv", str(path), str(folder / "workspace")]
        root = Path(__file__).resolve().parent.parent
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)
        base = bare_seconds(path, folder)
    checking = ours["check"] + ours["plan"]
    whole = checking + ours["write"]
    rows = [
        {
            "case": f"import of {ROWS:,} rows / pandas and bare sqlite3",
            "ratio": whole / base,
            "detail": (
                f"{whole:.1f} s / {base:.1f} s, {size:.0f} MB, peak {ours['peak']:.0f} MB, "
                f"checking {checking / whole:.0%}, writing {ours['write'] / whole:.0%}"
            ),
        },
        {
            "case": "checking alone / pandas and bare sqlite3",
            "ratio": checking / base,
            "detail": f"{checking:.1f} s ({ours['plan']:.1f} s of it planning) / {base:.1f} s",
        },
    ]
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(import_once(Path(sys.argv[1]), Path(sys.argv[2]))))
    else:
        main()
