"""A version that is released by an exception says so in every file of it; the text stays as it was signed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pld_core.errors import InvalidInput
from pld_core.prompt_export import FORMATS, export, file_name
from pld_core.prompt_export.verification import verify
from pld_core.releases import BreakGlass
from tests.core.test_prompt_golden import source

GLASS = BreakGlass("a *court* order", "2026-01-20")
BEFORE, AFTER = "2026-01-20T23:59:59Z", "2026-01-21T00:00:00Z"


@pytest.mark.parametrize("form", FORMATS)
def test_the_name_of_every_file_says_it(form: str) -> None:
    ending = FORMATS[form].ending
    assert file_name(source(), form) == f"posts-v3{ending}"
    assert file_name(replace(source(), exception=GLASS, at=BEFORE), form) == f"posts-v3-exception{ending}"
    assert file_name(replace(source(), exception=GLASS, at=AFTER), form) == f"posts-v3-expired-exception{ending}"


@pytest.mark.parametrize("form", ["markdown", "json", "modelfile", "promptfoo"])
@pytest.mark.parametrize(
    ("moment", "words"), [(BEFORE, "exception until 2026"), (AFTER, "expired exception: released")]
)
def test_files_that_hold_more_than_the_prompt_say_it_inside(form: str, moment: str, words: str) -> None:
    written = export(replace(source(), exception=GLASS, at=moment), form).decode().replace("\\", "")
    assert words in written
    assert words not in export(source(), form).decode()


@pytest.mark.parametrize("form", ["text", "openai"])
def test_files_of_the_bare_prompt_stay_as_they_were_signed(form: str) -> None:
    assert export(replace(source(), exception=GLASS, at=BEFORE), form) == export(source(), form)


def test_a_model_made_of_the_modelfile_states_the_exception_and_reads_the_prompt_as_it_was_signed() -> None:
    written = export(replace(source(), exception=GLASS, at=BEFORE), "modelfile").decode()
    notice = "Released with red gates, by an exception until 2026-01-20. Reason: a *court* order"
    assert written.endswith(f'LICENSE """{notice}"""\n')
    assert f'SYSTEM """{source().version.prompt.text}"""' in written
    with pytest.raises(InvalidInput, match="three quotation marks"):
        export(replace(source(), exception=BreakGlass('a """ b', "2026-01-20"), at=BEFORE), "modelfile")


def test_the_json_file_verifies_with_the_exception_in_it() -> None:
    content = export(replace(source(), exception=GLASS, at=AFTER), "json")
    found = verify(content)
    assert found.passed
    assert found.file.built.exception is not None
    assert (found.file.built.exception.reason, found.file.built.exception.until) == ("a *court* order", "2026-01-20")
    without = json.loads(content)
    del without["built"]["exception"]
    assert not verify(json.dumps(without).encode()).passed
