"""`pld prompt` and `pld policy gates`: from a compiled version to production and back, with the words of the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pld_core.gate_policy import GatePolicy
from pld_core.releases import MEANINGS, MoveKind, ReleaseLabel
from storage import SqliteStore, open_store
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.cli.running import Outcome, Pld
from tests.factories import url_of

TODAY = datetime.now(UTC).date()
NEXT_WEEK = (TODAY + timedelta(days=7)).isoformat()


@pytest.fixture
def on_test(compiled: Path, pld: Pld) -> Path:
    """The demo with prompt version 1, evaluated on the test split by a student that says one label to everything."""
    look = ("--split", "test", "--reason", "to release it")
    done = pld("evaluate", "--task", "nda", *look, "--student", STUDENT, "--workspace", compiled)
    assert done.code == 0, done.err
    return compiled


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def release(pld: Pld, space: Path, *parts: str) -> Outcome:
    return pld("prompt", "release", "--task", "nda", "--as", "production", *parts, "--workspace", space)


def test_the_gates_of_a_version_say_what_is_missing_and_what_to_do(compiled: Path, pld: Pld) -> None:
    shown = pld("prompt", "gates", "--task", "nda", "--workspace", compiled)
    lines = shown.out.splitlines()
    assert len(lines) == 8
    assert lines[0].startswith("green           Only approved rules, none of them stale: 1 of 1 rules")
    assert "To do: Evaluate version 1 on the test split." in lines[4]
    assert shown.stopped == "2 of 8 gates of version 1 are red."
    assert release(pld, compiled, "--reason", "it is better").refusal.startswith(
        "Version 1 of nda was not released as production: 2 of 8 gates are red"
    )
    assert store_of(compiled).releases.history("nda") == ()


def test_a_version_goes_into_production_with_its_gates_and_its_reason(on_test: Path, pld: Pld) -> None:
    found = pld("prompt", "gates", "--task", "nda", "--prompt", "1", "--workspace", on_test, "--json").value
    assert {gate["state"] for gate in found["gates"]} == {"green", "not applicable"}
    assert "evaluations on test so far: 1" in found["gates"][4]["figure"]
    said = release(pld, on_test, "--reason", "it is better", "--json").value
    held = store_of(on_test).releases.holder("nda", ReleaseLabel.PRODUCTION)
    assert held is not None
    assert (said["version"], said["sha256"], said["reason"]) == (1, found["sha256"], held.reason)
    assert said["gates"] == found["gates"]
    assert store_of(on_test).events.page()[0].payload["meaning"] == MEANINGS[MoveKind.MOVE]
    assert "production is on version 1 of nda already" in release(pld, on_test, "--reason", "again").refusal
    assert pld("audit", "verify", "--workspace", on_test).code == 0


def test_an_exception_takes_a_reason_and_a_day_and_is_told_everywhere(compiled: Path, pld: Pld) -> None:
    assert release(pld, compiled, "--reason", "x", "--exception", "a court order").code == 2
    late = (TODAY + timedelta(days=32)).isoformat()
    assert (
        "within 30 days"
        in release(pld, compiled, "--reason", "x", "--exception", "a court order", "--until", late).refusal
    )
    said = release(pld, compiled, "--reason", "it has to", "--exception", "a court order", "--until", NEXT_WEEK)
    assert said.out.splitlines()[-1].endswith(
        f"Reason: it has to; exception until {NEXT_WEEK}: released with red gates (a court order)"
    )
    (move,) = pld("prompt", "history", "--task", "nda", "--workspace", compiled, "--json").value
    assert move["exception"]["status"] == f"exception until {NEXT_WEEK}: released with red gates"
    listed = pld("prompt", "list", "--task", "nda", "--workspace", compiled)
    assert listed.out.rstrip().endswith(f"production (exception until {NEXT_WEEK}: released with red gates)")
    exported = pld("prompt", "export", "1", "--task", "nda", "--workspace", compiled)
    assert exported.err == f"nda-v1-exception.txt: exception until {NEXT_WEEK}: released with red gates\n"
    value = pld("prompt", "export", "1", "--task", "nda", "--workspace", compiled, "--json").value
    assert value["caution"] == f"exception until {NEXT_WEEK}: released with red gates"
    log = pld("audit", "log", "--kind", "release.moved", "--workspace", compiled).out
    assert "moved production of the task nda to version 1 (move): gates" in log
    assert f"exception until {NEXT_WEEK}" in log


@pytest.mark.parametrize("form", ["text", "openai"])
def test_a_file_of_the_bare_prompt_is_not_written_under_a_name_that_hides_the_exception(
    compiled: Path, pld: Pld, tmp_path: Path, form: str
) -> None:
    release(pld, compiled, "--reason", "it has to", "--exception", "a court order", "--until", NEXT_WEEK)
    line = ("prompt", "export", "1", "--task", "nda", "--format", form, "--workspace", compiled, "--out")
    assert "in its name alone. Nothing was written." in pld(*line, tmp_path / "prompt").refusal
    assert not (tmp_path / "prompt").exists()
    assert pld(*line, tmp_path / "prompt-exception").code == 0


def test_a_published_model_states_the_exception_in_its_name_and_its_licence(
    compiled: Path, pld: Pld, ollama: FakeOllama
) -> None:
    publish = ("prompt", "publish", "--task", "nda", "--reason", "for the pilot", "--workspace", compiled)
    verify = ("student", "verify", "--task", "nda", "--workspace", compiled)
    assert pld(*publish, "--json").value["notice"] == ""
    release(pld, compiled, "--reason", "it has to", "--exception", "a court order", "--until", NEXT_WEEK)
    assert "pld-nda:v1 was published before the exception" in pld(*verify).err
    assert "has to hold 'exception'" in pld(*publish, "--name", "pld-nda:v1").refusal
    made = pld(*publish, "--json").value
    notice = f"Released with red gates, by an exception until {NEXT_WEEK}. Reason: a court order"
    assert (made["model"], made["notice"]) == ("pld-nda:v1-exception", notice)
    sent = ollama.published["pld-nda:v1-exception"]
    assert (sent["license"], sent["system"]) == ([notice], store_of(compiled).prompts.get("nda", 1).prompt.text)
    assert pld(*verify).err == ""
    log = pld("audit", "log", "--kind", "prompt.published", "--workspace", compiled).out
    assert f"as the model pld-nda:v1-exception, made of ollama:fake. It states: {notice}" in log
    sent["license"] = []
    assert "does not state on the server by which exception" in pld(*verify).refusal


def test_a_label_goes_back_with_a_reason(on_test: Path, pld: Pld) -> None:
    assert (
        "no version before"
        in pld(
            "prompt", "rollback", "--task", "nda", "--label", "production", "--reason", "x", "--workspace", on_test
        ).refusal
    )
    release(pld, on_test, "--reason", "first")
    pld("rules", "approve", "R2", "--workspace", on_test)
    pld("compile", "--task", "nda", "--workspace", on_test)
    glass = ("--exception", "a court order", "--until", NEXT_WEEK)
    assert release(pld, on_test, "--prompt", "2", "--reason", "second", *glass).code == 0
    back = pld(
        "prompt", "rollback", "--task", "nda", "--label", "production", "--reason", "worse", "--workspace", on_test
    )
    assert "production to version 1" in back.out
    assert "(rollback). Reason: worse" in back.out
    lines = pld("prompt", "history", "--task", "nda", "--workspace", on_test).out.splitlines()
    assert ["worse" in lines[0], "second" in lines[1], "first" in lines[2]] == [True] * 3


def test_the_limits_are_shown_and_changed_with_a_reason(compiled: Path, pld: Pld) -> None:
    def set_gates(*parts: str) -> Outcome:
        return pld("policy", "set-gates", "--task", "nda", *parts, "--workspace", compiled)

    shown = pld("policy", "gates", "--task", "nda", "--workspace", compiled)
    assert shown.out.splitlines()[0] == "Macro F1 below production, at most: 0.01"
    assert "needs a reason" in set_gates("--malformed", "0.1").refusal
    assert "between 0 and 1" in set_gates("--malformed", "10", "--reason", "x").refusal
    said = set_gates("--malformed", "0.1", "--no-on-test", "--reason", "a poor student").out.splitlines()
    assert said == ["Answers without a label, at most: 0.01 → 0.1", "Only the test split counts: on → off"]
    assert store_of(compiled).gate_policies.of("nda") == GatePolicy(malformed=0.1, on_test=False)
    value = pld("policy", "gates", "--task", "nda", "--workspace", compiled, "--json").value
    assert (value["malformed"], value["changes"][0]["reason"]) == (0.1, "a poor student")
