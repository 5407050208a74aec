"""Exports hold the prompt as it is, whatever stands in it, and a JSON file verifies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.canonical import hash_json, hash_text
from pld_core.errors import InvalidInput
from pld_core.models import PromptVersion, Split
from pld_core.prompt_export import export
from pld_core.prompt_export.source import ExportSource
from pld_core.prompt_export.verification import verify
from pld_core.prompt_manifest import Build
from pld_core.prompt_style import Style
from tests.core.test_prompt_golden import source
from tests.factories import make_example

NASTY = 'file:///x {{ env.HOME }} {% raw %} {#c#} {{{{user}}}} "q" ``` | *a*\n'


def saying(text: str, style: Style = Style.LABEL) -> ExportSource:
    """Return a version whose text is this."""
    made = source(style)
    prompt = replace(made.version.prompt, text=text, sha256=hash_text(text))
    return replace(made, version=replace(made.version, prompt=prompt))


def written(made: ExportSource, form: str) -> Any:
    return json.loads(export(made, form))


def test_there_is_no_other_format() -> None:
    with pytest.raises(InvalidInput, match="no export format 'pdf'"):
        export(source(), "pdf")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_json_and_openai_hold_the_prompt_letter_by_letter(text: str) -> None:
    made = saying(text)
    assert export(made, "text").decode("utf-8") == text
    assert written(made, "json")["text"] == text
    assert written(made, "openai")["messages"][0] == {"role": "system", "content": text}


def test_openai_brings_the_form_of_the_answer_along() -> None:
    body = written(source(), "openai")
    assert body["messages"][1] == {"role": "user", "content": "POST:\n{{post}}"}
    assert body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"] == ["keep", "remove"]
    letter = written(source(Style.LETTER), "openai")
    assert (letter["max_tokens"], "response_format" in letter) == (1, False)


@given(st.text(alphabet=st.sampled_from("{}%# ax\n"), max_size=40))
def test_promptfoo_finds_no_template_in_any_text_and_joins_it_again(text: str) -> None:
    made = replace(saying(text), examples=(make_example(text + "x", split=Split.VALIDATION),))
    config = written(made, "promptfoo")
    (test,) = config["tests"]
    texts = [config["defaultTest"]["vars"]["system"]["parts"], test["vars"]["user"]["parts"]]
    assert "".join(texts[0]) == text
    assert "".join(texts[1]) == f"POST:\n{text}x"
    assert not [part for parts in texts for part in parts if any(opening in part for opening in ("{{", "{%", "{#"))]


def test_promptfoo_asks_the_student_as_the_app_does() -> None:
    config = written(source(), "promptfoo")
    (provider,) = config["providers"]
    assert provider["id"] == "ollama:chat:gemma3:4b"
    assert provider["config"]["num_ctx"] == 8192
    assert provider["config"]["passthrough"]["truncate"] is False
    assert provider["config"]["passthrough"]["format"] == source().version.prompt.answer_form.schema
    assert len(config["tests"]) == 3
    letter = written(source(Style.LETTER), "promptfoo")
    assert {test["vars"]["gold"]["parts"][0] for test in letter["tests"]} == {"A", "B"}
    assert "format" not in letter["providers"][0]["config"]["passthrough"]


def test_a_modelfile_has_the_prompt_as_its_system_message() -> None:
    made = saying(NASTY)
    text = export(made, "modelfile").decode("utf-8")
    assert f'SYSTEM """{NASTY}"""\n' in text
    assert "\nFROM gemma3:4b\n" in text
    with pytest.raises(InvalidInput, match="three quotation marks"):
        export(saying('a """ b'), "modelfile")


def test_markdown_cannot_be_broken_by_the_prompt() -> None:
    page = export(saying("a\n````\nb\n"), "markdown").decode("utf-8")
    assert "`````\na\n````\nb\n`````" in page
    assert "No \\*room\\*." in page


# --- verifying --------------------------------------------------------------------------------------------------------


def tampered(change: dict[str, Any]) -> bytes:
    return json.dumps({**written(source(), "json"), **change}).encode()


def test_an_export_verifies_however_its_json_is_laid_out() -> None:
    content = export(source(), "json")
    found = verify(content)
    assert found.passed
    assert [check.name for check in found.checks] == ["the file's hash", "the text's sha256", "the manifest's hash"]
    assert verify(json.dumps(json.loads(content), sort_keys=True).encode()).passed
    assert found.file.built.tokens.counter == "ollama:gemma3:4b"


def test_a_version_made_before_styles_verifies_too() -> None:
    made = source()
    prompt = replace(made.version.prompt, build=Build(format=1))
    older = PromptVersion(1, prompt, "2026-01-02T03:04:05.000000Z", "anna")
    assert "style" not in prompt.manifest()
    assert verify(export(replace(made, version=older), "json")).passed


def test_a_changed_text_is_noticed() -> None:
    found = verify(tampered({"text": "Say keep."}))
    assert found.failures == ("the file's hash", "the text's sha256")


def test_a_changed_manifest_is_noticed() -> None:
    manifest = {**written(source(), "json")["manifest"], "guideline_version": 2}
    assert verify(tampered({"manifest": manifest})).failures == ("the file's hash", "the manifest's hash")


def test_a_changed_builder_is_noticed() -> None:
    built = {**written(source(), "json")["built"], "by": "mallory"}
    assert verify(tampered({"built": built})).failures == ("the file's hash",)


def test_who_computes_every_hash_anew_is_noticed_by_the_hash_that_was_signed_for() -> None:
    signed = source().version.prompt.sha256
    assert verify(export(source(), "json"), signed).passed
    made = written(saying("Say keep."), "json")
    rest = {name: value for name, value in made.items() if name != "hash"}
    forged = json.dumps({**rest, "hash": hash_json(rest)}).encode()
    assert verify(forged).passed
    assert verify(forged, signed).failures == ("the sha256 that was expected",)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no exported prompt"),
        (b"\xff", "no exported prompt"),
        (b"[]", "JSON, but no exported prompt"),
        (b'{"format": "other"}', "JSON, but no exported prompt"),
        (b'{"format": "pld-prompt 1", "format": "pld-prompt 1"}', "twice"),
        (b'{"format": "pld-prompt 1", "text": "\\ud800"}', "no exported prompt"),
        (b'{"format": "pld-prompt 1"}', "text: Field required"),
        (b"[" * 100_000, "no exported prompt"),
    ],
)
def test_what_is_no_exported_prompt_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        verify(content)


@pytest.mark.parametrize("extra", [{"note": "x"}, {"manifest_hash": "md5:1"}, {"text": 7}])
def test_a_file_of_another_shape_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="not as an exported prompt has to be"):
        verify(tampered(extra))
