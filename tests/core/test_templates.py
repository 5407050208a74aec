"""Templates have a version that is never sent; material cannot leave its block."""

from __future__ import annotations

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.canonical import hash_text
from pld_core.templates import material, template

NAMES = sorted(file.name for file in resources.files("pld_core").joinpath("prompts").iterdir())


def test_there_are_templates() -> None:
    assert {"extraction.txt", "student.txt", "synthesis.txt"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_template_has_a_version_and_the_hash_of_its_file(name: str) -> None:
    found = template(name)
    file = resources.files("pld_core").joinpath("prompts", name).read_text(encoding="utf-8")
    assert found.version >= 1
    assert found.hash == hash_text(file)
    assert file.endswith(found.text)
    assert not found.text.startswith(("#", "\n"))
    assert found.words == f"{name[:-4]}, version {found.version} ({found.hash[7:15]})"


@given(st.text(alphabet="<>aE \n") | st.text())
def test_a_block_has_exactly_its_own_two_markers(text: str) -> None:
    block = material("EXAMPLE", text)
    assert (block.count("<<<"), block.count(">>>")) == (1, 1)
    assert block.startswith("<<<EXAMPLE\n")
    assert block.endswith("\nEXAMPLE>>>")


@given(st.text(alphabet="ab <\n"))
def test_an_ordinary_text_is_shown_as_it_is(text: str) -> None:
    if "<<<" not in text:
        assert material("X", text, " (1 of 2)") == f"<<<X (1 of 2)\n{text}\nX>>>"
