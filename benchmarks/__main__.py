"""`make bench`: run every figure and print one table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FIGURES = ("review_page", "store_write", "dataset_import", "import_csv", "clustering", "call_engine")


def main() -> int:
    print(f"{'figure':<14} {'case':<46} {'ratio':>8}")
    for name in FIGURES:
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        root = Path(__file__).resolve().parent.parent
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            return done.returncode
        for row in json.loads(done.stdout)["rows"]:
            ratio = "none" if row["ratio"] is None else f"{row['ratio']:.2f}"
            print(f"{name:<14} {row['case']:<46} {ratio:>8}   {row['detail']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
