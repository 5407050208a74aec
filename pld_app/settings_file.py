"""Writing `settings.toml`: comments and order stay, and the file is the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pld_core.errors import InvalidInput, WorkspaceUnreadable


class PriceAmounts(NamedTuple):
    """A price in the file: a million tokens of input, of output, and the share by which a batch costs less.

    None stands for an amount that the file does not give.
    """

    input: Decimal
    output: Decimal | None = None
    batch_discount: Decimal | None = None


Value = str | int | Decimal | PriceAmounts
"""What a setting can have in the file."""


def rewritten(content: bytes, changes: Mapping[tuple[str, ...], Value | None]) -> bytes:
    """Return the content of a settings file with some settings changed and everything else as it was.

    Args:
        content: TOML, perhaps empty.
        changes: by the keys of a setting, from the outermost table on; None takes it out.

    Raises:
        InvalidInput: the file is laid out in a way that cannot be changed from here.
    """
    spread = _spread(changes)
    # A new table under keys with dots in them can stand on one line only.
    for new_table in (tomlkit.table, tomlkit.inline_table):
        with suppress(TOMLKitError, ValueError, TypeError, KeyError):
            expected = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
            document = tomlkit.parse(content.decode("utf-8"))
            for keys, value in spread.items():
                # A decimal is written digit by digit: as a float it would come back as another number.
                item = tomlkit.value(f"{value:f}") if isinstance(value, Decimal) else value
                _put(document, keys, item, new_table)
                _put(expected, keys, value, dict)
            result = tomlkit.dumps(document)
            # Whatever else stands there is not ours to lose: it is read again before it may replace anything.
            if _without_empty(tomllib.loads(result, parse_float=Decimal)) == _without_empty(expected):
                return result.encode("utf-8")
    raise InvalidInput(
        "The settings file is laid out in a way that cannot be changed from here without losing something. "
        "Nothing was changed. Change it in an editor."
    )


def _put(table: MutableMapping[str, Any], keys: tuple[str, ...], value: object, new_table: Callable[[], Any]) -> None:
    *outer, last = keys
    for key in outer:
        if key not in table:
            if value is None:
                return
            table[key] = new_table()
        table = table[key]
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value


def _spread(changes: Mapping[tuple[str, ...], Value | None]) -> dict[tuple[str, ...], str | int | Decimal | None]:
    """Return the changes with each amount of a price for itself, so that remarks beside the others stay."""
    spread: dict[tuple[str, ...], str | int | Decimal | None] = {}
    for keys, value in changes.items():
        if isinstance(value, PriceAmounts):
            spread.update({(*keys, part): amount for part, amount in value._asdict().items()})
        else:
            spread[keys] = value
    return spread


def _without_empty(value: object) -> object:
    """Return the value without tables in which nothing is left; such headers say nothing."""
    if not isinstance(value, dict):
        return value
    return {key: kept for key, inner in value.items() if (kept := _without_empty(inner)) != {}}


def replace_file(file: Path, content: bytes) -> None:
    """Put the content in place of the file's at once; its permissions stay, and a link keeps pointing to it.

    Raises:
        WorkspaceUnreadable: it may not be written, or there is no room; the file is as it was.
    """
    target = file.resolve()
    scratch = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
        if mode is not None and not os.access(target, os.W_OK):
            raise WorkspaceUnreadable(
                f"The settings file {file} may not be written by this user. Nothing was changed. Check its permissions."
            )
        with scratch.open("wb") as written:
            if mode is not None:
                os.fchmod(written.fileno(), mode)
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        scratch.replace(target)
    except OSError as error:
        raise WorkspaceUnreadable(
            f"The settings file {file} cannot be written: {error.strerror or error}. Nothing was changed. "
            "Check its folder's permissions and the free space."
        ) from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
