"""What `streamlit run` starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

IMPORTED = """
import gc
from streamlit import config
config.set_option("server.address", "127.0.0.1")
import pld_app.server
print(gc.get_freeze_count(), len(gc.get_objects()))
"""


def test_no_garbage_collection_walks_what_was_imported(tmp_path: Path) -> None:
    environment = {**os.environ, "PLD_WORKSPACE": str(tmp_path)}
    command = [sys.executable, "-c", IMPORTED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    left_out, walked = (int(number) for number in done.stdout.split())
    assert left_out > 100 * walked
