"""`pld report`: which run it is about, what is written, and what is refused."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from pld_app.printing import BROWSER_VARIABLE, find_browser, pdf_of
from pld_core.errors import InvalidInput
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld, content_of

PRINTS = """#!/bin/sh
for given in "$@"; do
  case "$given" in
    --print-to-pdf=*) target="${given#--print-to-pdf=}" ;;
    file://*) source="${given#file://}" ;;
  esac
done
printf '%%PDF-' > "$target"
cat "$source" >> "$target"
"""
FAILS = "#!/bin/sh\necho 'no such display' >&2\necho >&2\nexit 1\n"


def browser(folder: Path, script: str) -> str:
    """Write a browser of our own that prints, or does not."""
    path = folder / "browser"
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def runs(pld: Pld, compiled: Path, ollama: FakeOllama) -> Path:
    """Run 1 with a rule always says Entailment, run 2 without rules Contradiction; run 3 with the rule is on test."""
    assert pld("compile", "--task", "nda", "--baseline", "none", "--workspace", compiled).code == 0
    for label, number in (("Entailment", 1), ("Contradiction", 2)):
        ollama.label = label
        assert pld("evaluate", "--task", "nda", "--prompt", number, "--workspace", compiled).code == 0
    test = ("--prompt", 1, "--split", "test", "--reason", "before the release")
    assert pld("evaluate", "--task", "nda", *test, "--workspace", compiled).code == 0
    return compiled


def test_the_file_is_written_and_its_hash_told(pld: Pld, runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    found = pld("report", "--task", "nda", "--run", 1, "--out", target, "--workspace", runs, "--json").value
    content = target.read_bytes()
    assert (found["bytes"], found["sha256"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    assert (found["run"], found["prompt_version"], found["split"], found["complete"]) == (1, 1, "validation", True)
    assert found["figures"]["n"] == 33
    page = content.decode("utf-8")
    assert found["prompt_sha256"] in page
    assert "Which rule is behind the answers, by evidence" in page


def test_the_baselines_are_those_of_the_same_weights_and_those_of_code(pld: Pld, runs: Path, tmp_path: Path) -> None:
    command = ("report", "--task", "nda", "--out", tmp_path / "a.html", "--workspace", runs, "--json")
    found = pld(*command, "--run", 1).value
    assert {line["baseline"]: line["origin"] for line in found["baselines"]} == {
        "no rules": "run 2, prompt version 2",
        "nearest neighbour": "computed from 115 training examples",
        "vote of the 5 nearest neighbours": "computed from 115 training examples",
        "most frequent label": "computed from 115 training examples",
    }
    made_and_asked = (
        "pld compile --task nda --baseline five-shot, then pld evaluate --task nda --prompt N --student ollama:fake "
        "--split validation"
    )
    assert found["missing"] == [
        f"The baseline with 5 examples was not answered by these weights on validation: {made_and_asked}",
    ]
    # A baseline is none to itself, and there is none of these weights on test.
    assert "no rules" not in [line["baseline"] for line in pld(*command, "--run", 2).value["baselines"]]
    on_test = pld(*command, "--run", 3).value["missing"][0]
    assert on_test.endswith("--prompt 2 --student ollama:fake --split test --reason WHY")


def test_two_reports_of_the_same_facts_differ_in_one_line(pld: Pld, runs: Path, tmp_path: Path) -> None:
    assert pld("ablate", "--task", "nda", "--run", 1, "--rule", "R1", "--all", "--workspace", runs).code == 0
    pages = []
    for name in ("a.html", "b.html"):
        assert pld("report", "--task", "nda", "--run", 1, "--out", tmp_path / name, "--workspace", runs).code == 0
        pages.append((tmp_path / name).read_text(encoding="utf-8").split("\n"))
    assert len(pages[0]) == len(pages[1])
    assert len([one for one, two in zip(*pages, strict=True) if one != two]) <= 1
    whole = "\n".join(pages[0])
    assert "<td>all 33 answers</td>" in whole, "of the ablation"
    for baseline in ("no rules<br>", "nearest neighbour<br>", "vote of the 5 nearest neighbours<br>"):
        assert f"<td>{baseline}" in whole
    made = [re.sub(r"Made .* UTC", "Made", line) for line in pages[0]]
    assert made == [re.sub(r"Made .* UTC", "Made", line) for line in pages[1]]


def test_without_a_number_it_is_the_newest_run_with_rules_and_test_comes_first(
    pld: Pld, runs: Path, tmp_path: Path
) -> None:
    command = ("report", "--task", "nda", "--out", tmp_path / "a.html", "--workspace", runs, "--json")
    found = pld(*command).value
    assert (found["run"], found["split"], found["test_looks"]) == (3, "test", 1)
    assert pld(*command, "--split", "validation").value["run"] == 1
    assert pld(*command, "--prompt", 2).value["run"] == 2


def test_reading_for_a_report_changes_nothing(pld: Pld, runs: Path, tmp_path: Path) -> None:
    assert pld("report", "--task", "nda", "--out", tmp_path / "a.html", "--workspace", runs).code == 0
    before = content_of(runs)
    assert pld("report", "--task", "nda", "--out", tmp_path / "b.html", "--workspace", runs).code == 0
    assert content_of(runs) == before


def test_what_cannot_be_reported_is_refused_with_the_way_out(pld: Pld, compiled: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.html"
    command = ("report", "--task", "nda", "--workspace", compiled, "--out", target)
    assert pld(*command).refusal == (
        "Task nda has no complete run of a prompt with rules to report. Start one: pld evaluate --task nda"
    )
    assert pld(*command, "--prompt", 1, "--split", "test").refusal.endswith(
        "--task nda --prompt 1 --split test --reason WHY"
    )
    assert "no run 9" in pld(*command, "--run", 9).refusal
    assert pld(*command, "--run", 1, "--prompt", 1).code == 2
    assert "is an .html or a .pdf file" in pld(*command[:-1], tmp_path / "a.docx").refusal
    assert not target.exists()


def test_it_goes_to_a_file_or_to_mlflow(pld: Pld, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = ("report", "--task", "nda", "--run", 1, "--workspace", runs)
    assert pld(*command).code == 2
    assert "There is no MLflow to log to" in pld(*command, "--mlflow").refusal
    assert "holds a name or a password" in pld(*command, "--mlflow", "https://me:secret@flows.test").refusal


def test_a_pdf_is_printed_by_the_browser_that_is_set(
    pld: Pld, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BROWSER_VARIABLE, browser(tmp_path, PRINTS))
    target = tmp_path / "report.pdf"
    assert pld("report", "--task", "nda", "--run", 1, "--out", target, "--workspace", runs).code == 0
    assert target.read_bytes().startswith(b"%PDF-<!doctype html>")


def test_without_a_browser_the_refusal_says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match=r"none is on the path.*print it to PDF from any browser"):
        find_browser({"PATH": ""})
    with pytest.raises(InvalidInput, match="PLD_BROWSER names nowhere, which cannot be run"):
        find_browser({"PATH": "", BROWSER_VARIABLE: "nowhere"})


def test_a_browser_that_does_not_print_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"did not print the report: no such display\. Nothing was written"):
        pdf_of("<p>", {BROWSER_VARIABLE: browser(tmp_path, FAILS)})
    with pytest.raises(InvalidInput, match="did not print the report"):
        pdf_of("<p>", {BROWSER_VARIABLE: browser(tmp_path, "")})


@pytest.mark.browser
def test_a_real_browser_prints_a_pdf(pld: Pld, runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    outcome = pld("report", "--task", "nda", "--run", 1, "--out", target, "--workspace", runs)
    if "printed by Chromium" in outcome.err:
        pytest.skip("no Chromium or Chrome is on the path")
    assert outcome.code == 0, outcome.err
    content = target.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 20_000
