"""`make bench`: run every figure, or those that are named, and print one table.

A figure that fails is named; the others are still measured.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

FIGURES = (
    "review_page",
    "store_write",
    "oversight",
    "analytics",
    "dataset_import",
    "import_csv",
    "student_overhead",
    "call_engine",
    "clustering",
)
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"all if none is named: {', '.join(FIGURES)}")
    wanted = parser.parse_args().figures or list(FIGURES)
    if unknown := [name for name in wanted if name not in FIGURES]:
        parser.error(f"There is no figure {unknown[0]!r}. Nothing was measured. There are: {', '.join(FIGURES)}.")
    print(f"{'figure':<16} {'case':<52} {'ratio':>6}", flush=True)
    failed = [name for name in wanted if not _measured(name)]
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _measured(name: str) -> bool:
    """Run a figure and print its rows; say why where it failed."""
    begin = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        return False
    for row in json.loads(done.stdout)["rows"]:
        ratio = "none" if row["ratio"] is None else f"{row['ratio']:.2f}"
        print(f"{name:<16} {row['case']:<52} {ratio:>6}   {row['detail']}")
    print(f"{name:<16} took {time.monotonic() - begin:,.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
