"""`pld ask-batch`: files and standard input, the table, a stop that keeps all, and bad inputs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld

TWO = "hypothesis,clause,label\nthe claim,the text,Entailment\nanother,more text,Contradiction\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "two.csv"
    file.write_text(TWO, encoding="utf-8")
    return file


def test_a_file_is_asked_and_its_table_written(pld: Pld, compiled: Path, table: Path, tmp_path: Path) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    value = pld("ask-batch", *here, "--file", table, "--out", tmp_path / "out.csv", "--json").value
    assert (value["batch"], value["prompt"], value["right"]["n"]) == (1, 1, 2)
    assert [(line["line"], line["status"], line["gold"]) for line in value["lines"]] == [
        (1, "ok", "Entailment"),
        (2, "ok", "Contradiction"),
    ]
    rows = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 3
    assert rows[0].startswith("line,")
    listed = pld("ask-batch", *here, "--list").out
    assert "two.csv: 2 of 2 inputs answered; 0 without a label; of those with a gold label" in listed


def test_standard_input_holds_one_input_a_line(
    pld: Pld, compiled: Path, monkeypatch: pytest.MonkeyPatch, ollama: FakeOllama
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("clause\thypothesis\nthe text\tthe claim\n"))
    said = pld("ask-batch", "--task", "nda", "--file", "-", "--workspace", compiled)
    assert "Batch 1: 1 of 1 inputs answered; 0 without a label." in said.out
    assert len(ollama.asked) == 1


def test_a_complete_batch_asks_nothing_again(pld: Pld, compiled: Path, table: Path, ollama: FakeOllama) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    pld("ask-batch", *here, "--file", table)
    again = pld("ask-batch", *here, "--resume", 1, "--json").value
    assert [line["status"] for line in again["lines"]] == ["ok", "ok"]
    assert len(ollama.asked) == 2


def test_bad_orders_are_refused_in_words(pld: Pld, compiled: Path) -> None:
    here = ("--task", "nda", "--workspace", compiled)
    assert pld("ask-batch", *here).code == 2
    assert pld("ask-batch", *here, "--resume", 1, "--student", "embedded").code == 2
    assert "There is no batch 9" in pld("ask-batch", *here, "--resume", 9).refusal
    assert pld("ask-batch", *here, "--list").out.startswith("No batch yet.")


def test_a_table_that_could_not_be_written_stops_before_anything_is_asked(
    pld: Pld, compiled: Path, table: Path, tmp_path: Path, ollama: FakeOllama
) -> None:
    wrong = pld("ask-batch", "--task", "nda", "--workspace", compiled, "--file", table, "--out", tmp_path / "x.pdf")
    assert "ends neither in .csv nor in .jsonl" in wrong.refusal
    assert ollama.asked == []
