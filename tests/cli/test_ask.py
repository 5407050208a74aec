"""`pld ask` with several prompts, rules switched off, and repeats; the simple call is among the commands' tests."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.fake_ollama import DIGEST, FakeOllama
from tests.cli.running import PATIENCE_S, Pld, content_of, start_pld, wait_until

ASK = ("ask", "--task", "nda", "--field", "hypothesis=x")


@pytest.fixture
def versions(pld: Pld, compiled: Path) -> Path:
    """Version 1 of R1, version 2 of R1 and R2."""
    assert pld("rules", "approve", "R2", "--workspace", compiled).code == 0
    assert pld("compile", "--task", "nda", "--workspace", compiled).code == 0
    return compiled


def test_the_simple_call_tells_everything_about_one_answer(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    found = pld(*ASK, "--workspace", versions, "--json").value
    assert (found["prompt"], found["label"], found["number"], found["cited"]) == (2, "Entailment", 1, [])
    assert (found["prompt_tokens"], found["output_tokens"], found["cached_tokens"]) == (123, 7, None)
    assert (found["temperature"], found["seed"]) == (0.0, 0)
    assert found["sent"]["digest"] == f"sha256:{DIGEST}"
    assert found["sent"]["prompt"]["version"] == 2
    said = pld(*ASK, "--workspace", versions).out.splitlines()
    assert said[0] == "Entailment"
    assert said[1].startswith("Live test 2: ")


def test_several_prompts_are_asked_in_their_order(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    prompts = ("--prompt", "1", "--prompt", "2", "--prompt", "no-rules", "--prompt", "1")
    found = pld(*ASK, *prompts, "--workspace", versions, "--json").value
    assert [(one["name"], one["version"], one["kind"]) for one in found["columns"]] == [
        ("version 1", 1, "version"),
        ("version 2", 2, "version"),
        ("no rules", None, "baseline"),
    ]
    assert [one["counts"] for one in found["columns"]] == [[{"label": "Entailment", "times": 1}]] * 3
    assert found["flips"] == []
    assert len(ollama.asked) == 3


def test_the_baseline_alone_is_called_by_its_word(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    found = pld(*ASK, "--prompt", "no-rules", "--workspace", versions, "--json").value
    assert (found["prompt"], found["sent"]["prompt"]["kind"]) == ("no-rules", "baseline")


def test_the_version_in_production_is_called_by_its_label(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    until = pld("prompt", "list", "--task", "nda", "--workspace", versions, "--json").value[0]["at"][:10]
    moved = ("prompt", "release", "--task", "nda", "--prompt", 1, "--as", "production", "--reason", "to try")
    assert pld(*moved, "--exception", "for a test", "--until", until, "--workspace", versions).code == 0
    found = pld(*ASK, "--prompt", "production", "--workspace", versions, "--json").value
    assert found["prompt"] == 1


def test_a_rule_switched_off_is_asked_beside_the_version_and_recorded(
    pld: Pld, versions: Path, ollama: FakeOllama
) -> None:
    def change_its_mind(number: int) -> None:
        ollama.label = "Entailment" if number % 2 else "Contradiction"

    ollama.before = change_its_mind
    found = pld(*ASK, "--without", "r1", "--workspace", versions, "--json").value
    assert [one["name"] for one in found["columns"]] == ["version 2", "version 2 without R1"]
    assert found["flips"] == [{"before": "Entailment", "after": "Contradiction", "changed": True}]
    said = pld(*ASK, "--without", "R1", "--prompt", "2", "--workspace", versions).out
    assert said.splitlines()[-1] == "Entailment → Contradiction: changed"
    with closing(sqlite3.connect(versions / "pld.db")) as conn:
        sent = [json.loads(row[0]) for row in conn.execute("SELECT sent FROM live_test ORDER BY id")]
    assert [one["prompt"]["kind"] for one in sent] == ["version", "trial"] * 2
    assert "[R1]" not in sent[1]["system"]
    assert len(pld("prompt", "list", "--task", "nda", "--workspace", versions, "--json").value) == 2


def test_repeats_are_counted_without_a_rate(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    def waver(number: int) -> None:
        ollama.label = "Contradiction" if number == 2 else "Entailment"

    ollama.before = waver
    warm = ("--repeat", 5, "--temperature", 0.7)
    found = pld(*ASK, *warm, "--workspace", versions, "--json").value
    (column,) = found["columns"]
    assert (column["n"], column["flips"], found["temperature"]) == (5, 1, 0.7)
    assert [answer["seed"] for answer in column["answers"]] == [0, 1, 2, 3, 4]
    assert [answer["number"] for answer in column["answers"]] == [1, 2, 3, 4, 5]
    assert {one["temperature"] for one in ollama.options} == {0.7}
    said = pld(*ASK, "--repeat", 2, "--workspace", versions).out
    assert said.startswith("version 2 (newest): Entailment 2 of 2; all the same\n")
    assert "%" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--without", "R9"), "R9 cannot be switched off, as this prompt does not hold it. Nothing was asked."),
        (("--prompt", "no-rules", "--without", "R1"), "It holds: no rule."),
        (("--prompt", "production"), "No version of nda is production. Nothing was asked."),
        (("--prompt", "1", "--prompt", "candidate"), "No version of nda is candidate. Nothing was asked."),
        (("--prompt", "newest"), "--prompt reads 'newest'; it has to be the number of a version or one of"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    pld: Pld, versions: Path, ollama: FakeOllama, arguments: tuple[str, ...], words: str
) -> None:
    before = content_of(versions)
    assert words in pld(*ASK, *arguments, "--workspace", versions).refusal
    assert content_of(versions) == before
    assert ollama.asked == []


def test_rules_are_switched_off_of_one_prompt_only(pld: Pld, versions: Path) -> None:
    several = ("--prompt", "1", "--prompt", "2", "--without", "R1")
    assert pld(*ASK, *several, "--workspace", versions).code == 2


def test_ctrl_c_stops_the_student_and_what_came_is_recorded(pld: Pld, versions: Path, ollama: FakeOllama) -> None:
    ollama.holds = True
    process = start_pld(*ASK, "--repeat", 3, "--workspace", versions)
    wait_until(lambda: ollama.asked, "the question")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (1, "", "pld: stopped.\n")
    assert ollama.hung_up.wait(PATIENCE_S)
    assert len(ollama.asked) == 1
    with closing(sqlite3.connect(versions / "pld.db")) as conn:
        answers = [json.loads(row[0]) for row in conn.execute("SELECT answer FROM live_test")]
    assert [answer["status"] for answer in answers] == ["stopped"]
