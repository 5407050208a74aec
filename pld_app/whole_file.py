"""Files that appear only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from pld_core.errors import InvalidInput


@contextmanager
def whole_file(target: Path) -> Generator[Path]:
    """Give a file to write, which takes the place of `target` when the block ends well and is gone when it does not.

    Raises:
        InvalidInput: it cannot be written.
    """
    # A name that nobody else uses, so that no other file is overwritten or removed.
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield scratch
        scratch.replace(target)
    except OSError as error:
        raise unwritable(target, error) from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def unwritable(target: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"The file {target} cannot be written: {error.strerror}. Nothing was changed. "
        "Check the folder, its permissions and the free space."
    )
