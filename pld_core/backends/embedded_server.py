"""The process that holds the embedded student: llama.cpp's server on a free port of this machine.

Run by `pld_core.backends.embedded`, never by hand: `python embedded_server.py WEIGHTS CONTEXT_SIZE`, with the key in
`PLD_EMBEDDED_KEY`. It prints one line of JSON, `{"url": "http://127.0.0.1:PORT"}`, once it listens, and ends when its
standard input closes, which the system does for it even if the parent was killed.

It imports nothing of ours, so that it starts without the time that the other backends take to load.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from xllamacpp import CommonParams, Server

KEY_VARIABLE = "PLD_EMBEDDED_KEY"
PROMPT_CACHE_MIB = 512


def start(weights: Path, context_size: int, key: str) -> Server:
    """Load the weights and listen on a free port of the loopback address.

    Args:
        weights: a GGUF file.
        context_size: tokens that prompt and answer share.
        key: what every request must carry.

    Raises:
        RuntimeError: the weights cannot be loaded.
    """
    params = CommonParams()
    params.model.path = str(weights)
    params.model_alias = {weights.stem}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_ctx = context_size
    # Two slots would halve the window of each.
    params.n_parallel = 1
    # The window is what was asked for, on every machine, and so is the arithmetic.
    params.fit_params = False
    params.n_gpu_layers = 0
    # Threads wait for each other spinning: with as many as processors, a second child (the app and the worker have one
    # each) or any other load made a call six times slower; with half of them both run side by side at full speed.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 1) // 2)
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.cache_prompt = True
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = -1
    return Server(params)


def main() -> None:
    """Serve until standard input closes."""
    key = os.environ.pop(KEY_VARIABLE)
    # Only the one line goes to the parent; whatever the library prints must not fill that pipe.
    to_parent = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    server = start(Path(sys.argv[1]), int(sys.argv[2]), key)
    to_parent.write(json.dumps({"url": server.listening_address}) + "\n")
    to_parent.flush()
    sys.stdin.buffer.read()
    # Nobody waits for an answer any more, so one that is being written is not finished first.
    os._exit(0)


if __name__ == "__main__":
    main()
