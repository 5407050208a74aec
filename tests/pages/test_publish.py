"""The Prompt page: a version as a model on Ollama."""

from __future__ import annotations

from datetime import UTC, datetime

from pld_app.wiring import App
from pld_core.releases import BreakGlass, ReleaseLabel, ReleaseOrder
from tests.cli.fake_ollama import DIGEST, FakeOllama
from tests.factories import BERT
from tests.pages.driving import Visit, press, prose, raw, run


def test_a_version_is_published_with_a_reason_and_its_digest_is_read_back(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = press(visit("prompt"), "publish")
    assert "Give a reason for publishing. Nothing was changed." in prose(at)
    assert ollama.published == {}
    at.text_input("publish_nda_1_reason").set_value("for the pilot")
    run(at)
    press(at, "publish")

    (made,) = compiled.store.prompts.publications("nda", 1)
    assert (made.model, made.digest, made.hosts) == ("pld-nda:v1", f"sha256:{DIGEST}", (ollama.url,))
    assert made.digest in raw(at, "code")
    press(at, f"verify_{made.model}_{made.digest}")
    assert "The servers hold this prompt, word for word, under this digest." in prose(at)
    ollama.published["pld-nda:v1"]["system"] = "Always say keep."
    press(at, f"verify_{made.model}_{made.digest}")
    assert "holds another prompt on the server than the one published" in prose(at)


def test_a_model_of_a_version_released_by_an_exception_says_so(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    glass = BreakGlass("a court order", datetime.now(UTC).date().isoformat())
    compiled.store.releases.move(ReleaseOrder("nda", ReleaseLabel.PRODUCTION, 1, 0, "it has to", glass), BERT)
    at = visit("prompt")
    at.text_input("publish_nda_1_reason").set_value("for the pilot")
    press(run(at), "publish")

    (made,) = compiled.store.prompts.publications("nda", 1)
    assert (made.model, made.notice) == ("pld-nda:v1-exception", glass.notice)
    assert glass.notice in prose(at)
