"""Writing the settings file: what was set is read back, comments and order stay, and the file is never half of it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_app.settings_file import PriceAmounts, Value, replace_file, rewritten
from pld_core.errors import InvalidInput, WorkspaceUnreadable

FILES = [
    "",
    "# nothing but a remark\n",
    '# top\nuser = "ada"  # who\n\n[teacher] # ours\n# hard\nin_flight = 8 # calls\n',
    "teacher.in_flight = 8 # dotted\nport = 9000\n",
    'teacher = {extraction = "ollama:x", prices = {big = {input = 1, output = 2}}} # inline\n',
    'port = 9000\r\n[teacher]\r\n# carriage\r\ncurrency = "EUR"',
    '[teacher.prices."gpt-4.1"]\ninput = 0.10 # in\noutput = 2\n\n[teacher]\nmax_cost = 2.50 # cap\n',
    "[teacher]\n[teacher.prices]\nbig = {input = 0.1, output = 1, batch_discount = 0.25} # one line\n# last\n",
]
AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=6, allow_nan=False)
PRICES = st.builds(PriceAmounts, AMOUNTS, AMOUNTS | st.none(), AMOUNTS | st.none())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        ("user",): TEXTS | st.none(),
        ("port",): st.integers(1, 65535) | st.none(),
        ("timeout_s",): AMOUNTS | st.none(),
        ("teacher", "in_flight"): st.integers(1, 10**9) | st.none(),
        ("teacher", "max_cost"): AMOUNTS | st.none(),
        ("teacher", "currency"): TEXTS | st.none(),
        ("teacher", "prices", "gpt-4.1"): PRICES | st.none(),
        ("teacher", "prices", "big"): PRICES | st.none(),
        ("teacher", "prices", "a b\"c'd.é"): PRICES | st.none(),
    },
)


def read(content: bytes, keys: tuple[str, ...]) -> object:
    found: object = tomllib.loads(content.decode(), parse_float=Decimal)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


@given(st.sampled_from(FILES), CHANGES)
def test_whatever_is_set_is_read_back_and_the_rest_stays(
    file: str, changes: Mapping[tuple[str, ...], Value | None]
) -> None:
    before = file.encode()
    after = rewritten(before, changes)
    for keys, value in changes.items():
        if isinstance(value, PriceAmounts):
            expected = {part: amount for part, amount in value._asdict().items() if amount is not None}
            assert read(after, keys) == expected
        else:
            assert read(after, keys) == value
    others = [("teacher", "extraction"), ("user",), ("port",), ("teacher", "currency"), ("teacher", "max_cost")]
    for keys in others:
        if keys not in changes:
            assert read(after, keys) == read(before, keys)
    assert rewritten(after, changes) == after, "the same again changes nothing"


def test_comments_and_order_stay_where_they_were() -> None:
    file = '# top\nuser = "ada"  # who\n\n[teacher] # ours\n# hard\nin_flight = 8 # calls\ncurrency = "EUR"\n'
    after = rewritten(file.encode(), {("teacher", "in_flight"): 16, ("user",): "grace"}).decode()
    assert after == file.replace("8", "16").replace("ada", "grace")


def test_an_amount_keeps_its_digits() -> None:
    assert b"max_cost = 2.50\n" in rewritten(b"", {("teacher", "max_cost"): Decimal("2.50")})


def test_a_file_that_cannot_be_kept_whole_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Nothing was changed\. Change it in an editor"):
        rewritten(b"teacher = 5\n", {("teacher", "in_flight"): 8})


# --- replacing it -----------------------------------------------------------------------------------------------------


def test_the_mode_of_the_file_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"old")
    file.chmod(0o640)
    replace_file(file, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new", 0o640)
    assert [found.name for found in tmp_path.iterdir()] == ["settings.toml"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_bytes(b"old")
    link = tmp_path / "settings.toml"
    link.symlink_to(real)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_file_that_cannot_be_written_is_one_sentence_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"old")
    (tmp_path / f".settings.toml.{os.getpid()}.new").mkdir()
    with pytest.raises(WorkspaceUnreadable, match=r"cannot be written: .* Nothing was changed"):
        replace_file(file, b"new")
    assert file.read_bytes() == b"old"
