"""`pld compile` with its choices, and `pld prompt`: list, diff, export, verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pld_core.prompt_export import FORMATS
from tests.cli.fake_ollama import STUDENT, FakeOllama, use_student
from tests.cli.running import Pld, content_of


@pytest.fixture
def approved(space: Path, pld: Pld, ollama: FakeOllama) -> Path:
    """A demo workspace with three approved rules, nothing compiled, and the fake Ollama as its student."""
    use_student(space, ollama.url)
    for rule_id in ("R1", "R2", "R3"):
        assert pld("rules", "approve", rule_id, "--workspace", space).code == 0
    return space


def test_without_a_budget_nobody_is_asked_and_the_length_is_an_estimate(
    approved: Path, pld: Pld, ollama: FakeOllama
) -> None:
    made = pld("compile", "--task", "nda", "--workspace", approved, "--json").value
    assert (made["tokens"]["method"], made["style"], made["order"]) == ("estimate", "label", {"by": "rank"})
    assert ollama.asked == []


def test_the_student_counts_when_there_is_a_budget(approved: Path, pld: Pld, ollama: FakeOllama) -> None:
    made = pld("compile", "--task", "nda", "--budget", 123, "--workspace", approved, "--json").value
    assert made["tokens"] == {"tokens": 123, "method": "probe", "counter": STUDENT, "note": ""}
    assert ollama.asked == ["."]
    assert "123 tokens, counted by ollama:fake" in pld("prompt", "list", "--task", "nda", "--workspace", approved).out


def test_over_budget_nothing_is_compiled_and_what_to_leave_out_is_proposed(approved: Path, pld: Pld) -> None:
    estimate = pld("compile", "--task", "nda", "--dry-run", "--workspace", approved, "--json").value["tokens"]["tokens"]
    line = ("compile", "--task", "nda", "--student", "ollama:gone", "--budget", estimate - 1, "--workspace", approved)
    refused = pld(*line)
    assert refused.out.startswith("Proposed to leave out: R")
    assert "training examples support it" in refused.out
    assert "could not count" in refused.stopped
    assert "Nothing was compiled." in refused.stopped
    assert pld("prompt", "list", "--task", "nda", "--workspace", approved, "--json").value == []
    (drop,) = json.loads(pld(*line, "--json").out)["leave_out"]
    kept = pld(*line, "--leave-out", drop["rule"], "--reason", "no room", "--json").value
    assert kept["left_out"][0]["reason"] == "no room"
    assert drop["rule"] not in [rule["rule"] for rule in kept["rules"]]


def test_an_order_of_ones_own_is_recorded_and_checked(approved: Path, pld: Pld) -> None:
    line = ("compile", "--task", "nda", "--workspace", approved, "--order")
    assert "needs a reason" in pld(*line, "R3,R1,R2").refusal
    assert "missing: R2" in pld(*line, "R3,R1", "--reason", "x").refusal
    made = pld(*line, "r3, R1,R2", "--reason", "as agreed", "--json").value
    assert [rule["rule"] for rule in made["rules"]] == ["R3", "R1", "R2"]
    assert made["order"]["reason"] == "as agreed"


def test_a_dry_run_stores_nothing(approved: Path, pld: Pld) -> None:
    before = content_of(approved)
    told = pld("compile", "--task", "nda", "--style", "cited", "--dry-run", "--workspace", approved)
    assert told.out.endswith("Nothing was stored.\n")
    assert {n: d for n, d in content_of(approved).items() if "db-" not in n} == {
        n: d for n, d in before.items() if "db-" not in n
    }


def test_baselines_are_versions_too_and_can_be_asked(approved: Path, pld: Pld, ollama: FakeOllama) -> None:
    for kind in ("none", "five-shot"):
        made = pld("compile", "--task", "nda", "--baseline", kind, "--workspace", approved, "--json").value
        assert (made["kind"], made["rules"]) == (kind, [])
        asked = pld("ask", "--task", "nda", "--field", "hypothesis=x", "--workspace", approved, "--json").value
        assert (asked["prompt"], asked["label"]) == (made["number"], "Entailment")


def test_a_difference_is_told_rule_by_rule(approved: Path, pld: Pld) -> None:
    pld("compile", "--task", "nda", "--workspace", approved)
    pld("compile", "--task", "nda", "--leave-out", "R2", "--reason", "x", "--style", "cited", "--workspace", approved)
    told = pld("prompt", "diff", 1, 2, "--task", "nda", "--workspace", approved).out
    assert "removed R2" in told
    assert "style: label only -> label, then the rules" in told
    value = pld("prompt", "diff", 2, 1, "--task", "nda", "--workspace", approved, "--json").value
    assert [(rule["rule"], rule["change"]) for rule in value["rules"]] == [("R2", "added")]
    assert "the same" in pld("prompt", "diff", 1, 1, "--task", "nda", "--workspace", approved).out
    assert "no prompt version 9" in pld("prompt", "diff", 1, 9, "--task", "nda", "--workspace", approved).refusal


def test_figures_of_both_versions_stand_in_the_difference(compiled: Path, pld: Pld) -> None:
    pld("compile", "--task", "nda", "--baseline", "none", "--workspace", compiled)
    for number in (1, 2):
        assert pld("evaluate", "--task", "nda", "--prompt", number, "--workspace", compiled).code == 0
    (row,) = pld("prompt", "diff", 1, 2, "--task", "nda", "--workspace", compiled, "--json").value["figures"]
    assert (row["student"], row["before"]["accuracy"]) == (STUDENT, row["after"]["accuracy"])
    assert (row["comparison"]["fixed"], row["comparison"]["broken"], row["to_do"]) == (0, 0, [])
    told = pld("prompt", "diff", 1, 2, "--task", "nda", "--workspace", compiled).out
    assert "macro F1 " in told
    assert "95 % interval +0.000 to +0.000" in told
    assert "right: Entailment " in told


def test_a_difference_says_which_run_is_missing(compiled: Path, pld: Pld) -> None:
    pld("compile", "--task", "nda", "--baseline", "none", "--workspace", compiled)
    line = ("prompt", "diff", 1, 2, "--task", "nda", "--workspace", compiled)
    assert "Neither version was evaluated yet. Start it: pld evaluate --task nda --prompt 1" in pld(*line).out
    assert pld("evaluate", "--task", "nda", "--prompt", 1, "--workspace", compiled).code == 0
    assert f"pld evaluate --task nda --prompt 2 --student {STUDENT} --split validation" in pld(*line).out


@pytest.mark.parametrize("form", FORMATS)
def test_a_version_is_written_in_each_format(compiled: Path, pld: Pld, form: str, tmp_path: Path) -> None:
    file = tmp_path / "prompt"
    line = ("prompt", "export", 1, "--task", "nda", "--format", form, "--workspace", compiled)
    assert pld(*line, "--out", file).code == 0
    assert pld(*line, "--json").value["content"] == file.read_text(encoding="utf-8")
    assert "cannot be written" in pld(*line, "--out", tmp_path / "none" / "prompt").refusal


def test_an_export_verifies_here_and_elsewhere(compiled: Path, pld: Pld, tmp_path: Path) -> None:
    file = tmp_path / "prompt.json"
    pld("prompt", "export", 1, "--task", "nda", "--format", "json", "--out", file, "--workspace", compiled)
    here = pld("prompt", "verify", file, "--workspace", compiled).out
    assert "It is version 1 of this workspace." in here
    sha256 = pld("prompt", "list", "--task", "nda", "--workspace", compiled, "--json").value[0]["sha256"]
    elsewhere = pld("prompt", "verify", file, "--expect", sha256, "--workspace", tmp_path / "nowhere", "--json").value
    assert (elsewhere["passed"], elsewhere["same_here"], len(elsewhere["checks"])) == (True, None, 4)
    assert not (tmp_path / "nowhere").exists()
    assert "64 hexadecimal digits" in pld("prompt", "verify", file, "--expect", "abc", "--workspace", compiled).refusal


def test_a_changed_export_is_told_and_refused(compiled: Path, pld: Pld, tmp_path: Path) -> None:
    file = tmp_path / "prompt.json"
    pld("prompt", "export", 1, "--task", "nda", "--format", "json", "--out", file, "--workspace", compiled)
    file.write_text(file.read_text(encoding="utf-8").replace("careful", "careless"), encoding="utf-8")
    told = pld("prompt", "verify", file, "--workspace", compiled)
    assert "DIFFERS: the text's sha256" in told.out
    assert "prompt.json is not as it was exported: the file's hash, the text's sha256" in told.stopped
