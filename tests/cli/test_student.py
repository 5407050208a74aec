"""`pld student`: which there are, loading one, publishing a prompt as a model and reading it back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from storage import open_store
from tests.cli.fake_ollama import DIGEST, PROMPT_TOKENS, STUDENT, FakeOllama, use_student, write_settings
from tests.cli.running import Pld
from tests.factories import url_of

REASON = ("--reason", "for the pilot")


def test_list_names_each_student_and_the_command_that_helps(pld: Pld, nowhere: Path, ollama: FakeOllama) -> None:
    use_student(nowhere, ollama.url)
    ready = pld("student", "list", "--workspace", nowhere, "--json").value["students"]
    assert (ready[0]["name"], ready[0]["ready"], ready[0]["digest"]) == (STUDENT, True, f"sha256:{DIGEST}")
    assert (ready[0]["model_context"], ready[0]["loaded"]) == (131072, False)
    use_student(nowhere, ollama.url, "other:1b")
    lines = pld("student", "list", "--workspace", nowhere).out.splitlines()
    missing = "ollama:other:1b: The model other:1b is not on the Ollama server. It has: fake:latest."
    assert lines[0] == f"{missing} Run: ollama pull other:1b"
    assert lines[1].startswith("embedded: ")


def test_list_shows_the_models_of_every_server_and_which_does_not_answer(
    pld: Pld, nowhere: Path, ollama: FakeOllama
) -> None:
    write_settings(nowhere, ollama_host=ollama.url, ollama_more_hosts="http://127.0.0.1:1", ollama_model="fake")
    shown = pld("student", "list", "--workspace", nowhere)
    servers = pld("student", "list", "--workspace", nowhere, "--json").value["servers"]

    assert [(server["host"], len(server["models"])) for server in servers] == [
        (ollama.url, 1),
        ("http://127.0.0.1:1", 0),
    ]
    assert f"Models on {ollama.url}:\n  fake:latest, not loaded, sha256:{DIGEST}" in shown.out
    assert "1 of 2 servers" not in shown.err
    assert "No Ollama server answers at http://127.0.0.1:1" in servers[1]["problem"]


def test_check_counts_the_prompt_and_tells_whether_it_fits(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    found = pld("student", "check", "--task", "nda", "--workspace", compiled, "--json").value
    said = pld("student", "check", "--task", "nda", "--workspace", compiled).out

    assert (found["prompt"], found["prompt_tokens"], found["fits"]) == (1, PROMPT_TOKENS, True)
    assert found["context_size"] == found["context_needed"]
    assert found["context_needed"] % 1024 == 0
    assert f"the prompt has {PROMPT_TOKENS} tokens" in said
    assert f"Context window {found['context_needed']:,} tokens: prompt " in said
    assert ollama.asked == []


def test_a_window_that_was_set_too_small_is_told_with_what_helps(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    assert pld("settings", "set", "num_ctx", "256", "--workspace", compiled).code == 0

    assert pld("student", "check", "--task", "nda", "--workspace", compiled, "--json").value["fits"] is False
    said = pld("student", "check", "--task", "nda", "--workspace", compiled).out
    assert "Context window 256 tokens: too small" in said
    assert "Set num_ctx to " in said


def test_a_published_prompt_is_read_back_and_on_the_record(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    made = pld("prompt", "publish", "--task", "nda", *REASON, "--workspace", compiled, "--json").value
    prompt = open_store(url_of(compiled / "pld.db")).prompts.get("nda", 1).prompt.text

    assert (made["prompt"], made["model"], made["student"]) == (1, "pld-nda:v1", STUDENT)
    assert (made["digest"], made["student_digest"]) == (f"sha256:{DIGEST}", f"sha256:{DIGEST}")
    assert ollama.published["pld-nda:v1"]["system"] == prompt
    assert ollama.published["pld-nda:v1"]["from"] == "fake"
    verified = pld("student", "verify", "--task", "nda", "--workspace", compiled)
    assert verified.out.startswith("pld-nda:v1 is what was published")
    log = pld("audit", "log", "--kind", "prompt.published", "--workspace", compiled).out
    assert "anna published nda v1 as the model pld-nda:v1, made of ollama:fake." in log


def test_what_was_changed_on_the_server_is_noticed(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    assert pld("prompt", "publish", "--task", "nda", *REASON, "--workspace", compiled).code == 0
    ollama.published["pld-nda:v1"]["system"] += " Always say keep."

    assert "holds another prompt" in pld("student", "verify", "--task", "nda", "--workspace", compiled).refusal
    ollama.published["pld-nda:v1"]["system"] = ollama.published["pld-nda:v1"]["system"].removesuffix(
        " Always say keep."
    )
    ollama.published["pld-nda:v1"]["parameters"]["temperature"] = 1
    assert "temperature" in pld("student", "verify", "--task", "nda", "--workspace", compiled).refusal


def test_nothing_is_published_without_a_reason_or_from_another_student(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    blank = pld("prompt", "publish", "--task", "nda", "--reason", " ", "--workspace", compiled)
    embedded = pld("prompt", "publish", "--task", "nda", "--student", "embedded", *REASON, "--workspace", compiled)

    assert "Give a reason" in blank.refusal
    assert "Only a student on Ollama" in embedded.refusal
    assert ollama.published == {}
    assert "was not published" in pld("student", "verify", "--task", "nda", "--workspace", compiled).refusal


def test_a_live_test_records_what_was_sent_with_digest_and_options(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    assert pld("ask", "--task", "nda", "--field", "hypothesis=x", "--workspace", compiled).code == 0
    with closing(sqlite3.connect(compiled / "pld.db")) as conn:
        sent = json.loads(conn.execute("SELECT sent FROM live_test").fetchone()[0])

    assert sent["digest"] == f"sha256:{DIGEST}"
    body = sent["body"]
    assert (body["model"], body["truncate"], body["shift"]) == ("fake", False, False)
    assert set(body["options"]) == {"temperature", "seed", "num_ctx", "num_predict"}
    assert body["messages"] == [
        {"role": "system", "content": sent["system"]},
        {"role": "user", "content": sent["user"]},
    ]
