"""`pld audit log` and `pld audit pack`."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.running import Pld
from tests.packs import unpack, verified


@pytest.fixture
def decided(space: Path, pld: Pld) -> Path:
    """A demo workspace with R1 approved and R2 rejected."""
    assert pld("rules", "approve", "R1", "--reason", "=sound", "--workspace", space).code == 0
    reject = ("rules", "reject", "R2", "--category", "over_broad", "--reason", "Too much.")
    assert pld(*reject, "--workspace", space).code == 0
    return space


# --- log --------------------------------------------------------------------------------------------------------------


def test_the_log_reads_as_sentences_newest_first(decided: Path, pld: Pld) -> None:
    lines = pld("audit", "log", "--limit", 2, "--workspace", decided).out.splitlines()
    assert lines[0].endswith("UTC  anna rejected R2: over broad. Reason: Too much.")
    assert lines[1].endswith("UTC  anna approved R1. Reason: =sound")
    assert lines[2] == "29 older events match; --limit shows more."


def test_filters_narrow_together(decided: Path, pld: Pld) -> None:
    found = pld(
        "audit", "log", "--rule", "r1", "--kind", "rule.approved", "--actor", "anna", "--workspace", decided, "--json"
    ).value
    assert (found["total"], len(found["events"])) == (1, 1)
    (event,) = found["events"]
    assert (event["subject"], event["in_words"]) == ("R1", "anna approved R1. Reason: =sound")
    day = event["at"][:10]
    within = pld("audit", "log", "--since", day, "--until", event["at"], "--workspace", decided, "--json").value
    assert within["total"] == 30
    before = pld("audit", "log", "--until", "2020-01-01", "--workspace", decided)
    assert (before.code, before.out) == (0, "No event matches.\n")
    assert pld("audit", "log", "--search", "Too much", "--workspace", decided, "--json").value["total"] == 1


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_what_is_no_time_is_one_sentence(decided: Path, pld: Pld, option: str) -> None:
    assert "'last week' is no date or time" in pld("audit", "log", option, "last week", "--workspace", decided).refusal


def test_a_kind_that_is_not_there_names_those_there_are(decided: Path, pld: Pld) -> None:
    refusal = pld("audit", "log", "--kind", "rule.aproved", "--workspace", decided).refusal
    assert "'rule.aproved'" in refusal
    assert "rule.approved" in refusal


def test_the_log_is_written_to_files(decided: Path, pld: Pld, tmp_path: Path) -> None:
    table, lines = tmp_path / "log.csv", tmp_path / "log.jsonl"
    done = pld("audit", "log", "--rule", "R1", "--csv", table, "--jsonl", lines, "--workspace", decided, "--json")
    assert done.value == {"files": {str(table): 3, str(lines): 3}}
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["rule.proposed", "rule.submitted", "rule.approved"]
    assert [json.loads(line)["kind"] for line in lines.read_text().splitlines()] == [row["kind"] for row in rows]
    assert rows[2]["payload"].startswith("{")


# --- pack -------------------------------------------------------------------------------------------------------------


def test_a_pack_is_made_and_verifies_with_python_alone(decided: Path, pld: Pld, tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    made = pld("audit", "pack", "--task", "nda", "--out", target, "--workspace", decided, "--json").value
    assert (made["file"], made["rules"], made["decisions"]) == (str(target), 13, 2)
    assert made["bytes"] == target.stat().st_size
    pack = unpack(target.read_bytes(), tmp_path / "unpacked")
    assert pack.verify().code == 0
    assert verified(pack.folder / "verify.py", target).code == 0
    newest = pld("audit", "log", "--limit", 1, "--workspace", decided, "--json").value["events"][0]
    assert (newest["kind"], newest["payload"]["sha256"]) == ("audit.pack_exported", made["sha256"])
    # The hash of any event, known from the workspace, is found in the pack.
    assert pack.verify("--head", newest["prev"]).code == 0
    assert "was cut, or it is another chain" in pack.verify("--head", newest["hash"]).first


def test_a_pack_says_what_it_holds(decided: Path, pld: Pld, tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    said = pld("audit", "pack", "--task", "nda", "--out", target, "--mask-personal", "--workspace", decided).out
    assert "13 rules, 2 decisions" in said
    assert "python verify.py" in said
    with zipfile.ZipFile(target) as pack:
        assert json.loads(pack.read("manifest.json"))["personal_data_masked"] is True


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--task", "nothing", "--out", "pack.zip"), "There is no task 'nothing'"),
        (("--task", "nda", "--out", "nowhere/pack.zip"), "cannot be written"),
    ],
)
def test_refusals(decided: Path, pld: Pld, tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    given = (*arguments[:3], tmp_path / arguments[3])
    assert problem in pld("audit", "pack", *given, "--workspace", decided).refusal
    assert list(tmp_path.rglob("*pack.zip*")) == []
