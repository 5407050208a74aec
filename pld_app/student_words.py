"""What is known of a student, in words for pages and commands."""

from __future__ import annotations

from pld_core.model_ports import BackendStatus

MIB = 1024 * 1024
DIGEST_LENGTH = len("sha256:") + 12


def fact_words(status: BackendStatus) -> str:
    """Say what the server tells of a student that is ready: context, size, whether it is in memory, digest.

    >>> fact_words(BackendStatus("s", "S", True, "s", size_bytes=MIB, context_size=2048, loaded=True))
    'context 2,048 tokens · 1 MiB · loaded'
    """
    window = status.context_size
    of_longest = f" of {status.model_context:,}" if status.model_context and status.model_context != window else ""
    parts = (
        f"context {window:,}{of_longest} tokens" if window else "",
        f"{status.size_bytes / MIB:,.0f} MiB" if status.size_bytes else "",
        {True: "loaded", False: "not loaded yet, so the first answer takes longer", None: ""}[status.loaded],
        status.digest[:DIGEST_LENGTH],
    )
    return " · ".join(filter(None, parts))
