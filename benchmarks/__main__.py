"""`make bench`: run every figure and print one table. A figure that fails is named; the others are still measured."""

from __future__ import annotations

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
    print(f"{'figure':<16} {'case':<52} {'ratio':>6}")
    begin, failed = time.monotonic(), []
    for name in FIGURES:
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(done.stderr, file=sys.stderr)
            failed.append(name)
            continue
        for row in json.loads(done.stdout)["rows"]:
            ratio = "none" if row["ratio"] is None else f"{row['ratio']:.2f}"
            print(f"{name:<16} {row['case']:<52} {ratio:>6}   {row['detail']}", flush=True)
    print(f"All in {time.monotonic() - begin:,.0f} s." + (f" Failed: {', '.join(failed)}." if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
