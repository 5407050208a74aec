"""Each command does what it says, for people and with --json for machines."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest

from pld_app.cli import cli
from pld_core.backends.embedded import missing_part
from pld_core.canonical import Json
from pld_core.demo import DEMO_TASKS
from storage import open_store
from tests.cli.fake_ollama import STUDENT, FakeOllama, use_student
from tests.cli.running import ROOT, Pld, clean_environment, content_of, start_pld
from tests.factories import ANNA, url_of


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    return [leaf for name, below in command.commands.items() for leaf in commands(below, (*path, name))]


COMMANDS = [pytest.param(path, command, id=" ".join(path)) for path, command in commands(cli)]


# --- the command tree -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_takes_workspace_and_json(path: tuple[str, ...], command: click.Command) -> None:
    spelled = {option for parameter in command.params for option in parameter.opts}
    assert {"--workspace", "--json"} <= spelled


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_is_in_the_list_of_commands(path: tuple[str, ...], command: click.Command) -> None:
    assert f"pld {' '.join(path)}" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_explains_itself_and_its_options(path: tuple[str, ...], command: click.Command, pld: Pld) -> None:
    helped = pld(*path, "--help")
    assert (helped.code, helped.err) == (0, "")
    assert helped.out.startswith(f"Usage: pld {' '.join(path)}")
    assert (command.help or "").split(".")[0].split()[0] in helped.out


def test_the_version_is_that_of_the_package(pld: Pld) -> None:
    assert "0.1.0" in pld("--version").out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("rules",),
        ("rules", "list", "--nonsense"),
        ("rules", "list", "--state", "nonsense"),
        ("rules", "show"),
        ("rules", "reject", "R1", "--category", "nonsense"),
        ("rules", "approve", "R1", "--revision", "one"),
        ("rules", "edit", "R1", "--except", "it rains", "--no-exceptions", "--reason", "r"),
        ("ask", "--task", "nda", "--field", "clause=c", "--example", "ab"),
        ("import", "file.csv"),
        ("compile",),
        ("evaluate", "--task", "nda", "--split", "nonsense"),
        ("demo", "--task", "nonsense"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_nothing_on_stdout(pld: Pld, arguments: tuple[str, ...]) -> None:
    outcome = pld(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Usage: pld" in outcome.err


# --- which workspace --------------------------------------------------------------------------------------------------


def test_the_workspace_is_named_by_the_environment(
    pld: Pld, demo_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_WORKSPACE", str(demo_template))
    assert len(pld("rules", "list", "--json").value) == 13


def test_the_option_goes_before_the_environment(
    pld: Pld, demo_template: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_WORKSPACE", str(nowhere))
    assert len(pld("rules", "list", "--json", "--workspace", demo_template).value) == 13


def test_the_workspace_is_the_folder_workspace_if_none_is_named(
    pld: Pld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"There is no workspace at {tmp_path / 'workspace'}." in pld("rules", "list").refusal


# --- demo -------------------------------------------------------------------------------------------------------------


def test_demo_builds_both_tasks_and_says_where(pld: Pld, nowhere: Path) -> None:
    built = pld("demo", "--workspace", nowhere)
    assert (built.code, built.err) == (0, "")
    assert f"Workspace: {nowhere}" in built.out
    assert "0 failed" in built.out
    rules = pld("rules", "list", "--workspace", nowhere, "--json").value
    assert {rule["task"] for rule in rules} == set(DEMO_TASKS)
    assert {rule["state"] for rule in rules} == {"in_review"}


def test_demo_in_json_counts_the_rules_of_each_task(pld: Pld, space: Path) -> None:
    built = pld("demo", "--task", "nda", "--workspace", space, "--json").value
    assert built == {"workspace": str(space), "rules": {"nda": 13}}


def test_a_second_demo_run_adds_nothing_and_keeps_decisions(pld: Pld, space: Path) -> None:
    pld("rules", "approve", "R1", "--workspace", space)
    rules = pld("rules", "list", "--workspace", space, "--json").value
    audit = pld("audit", "verify", "--workspace", space, "--json").value
    again = pld("demo", "--task", "nda", "--workspace", space)
    assert "instructions 0 made, 115 already there, 0 failed; rules 0 made, 13 already there, 0 failed" in again.out
    assert pld("rules", "list", "--workspace", space, "--json").value == rules
    assert pld("audit", "verify", "--workspace", space, "--json").value == audit


# --- rules ------------------------------------------------------------------------------------------------------------


def test_rules_list_names_every_rule_on_a_line(pld: Pld, demo_template: Path) -> None:
    lines = pld("rules", "list", "--workspace", demo_template).out.splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(f"R{n}" for n in range(1, 14))
    assert all("in review" in line for line in lines)


def test_rules_list_in_json_is_one_array(pld: Pld, demo_template: Path) -> None:
    rules = pld("rules", "list", "--task", "nda", "--workspace", demo_template, "--json").value
    first = next(rule for rule in rules if rule["id"] == "R1")
    assert first["labels"] == ["Entailment"]
    assert first["in_force"] is None
    assert first["revision"] == 1
    assert first["revision_hash"].startswith("sha256:")


def test_rules_list_in_json_is_an_array_also_when_empty(pld: Pld, demo_template: Path, nowhere: Path) -> None:
    assert pld("rules", "list", "--state", "approved", "--workspace", demo_template, "--json").out == "[]\n"
    assert "No rule matches." in pld("rules", "list", "--state", "approved", "--workspace", demo_template).out


def test_rules_list_filters_by_label_and_text(pld: Pld, demo_template: Path) -> None:
    by_label = pld("rules", "list", "--label", "Contradiction", "--workspace", demo_template, "--json").value
    assert {tuple(rule["labels"]) for rule in by_label} == {("Contradiction",)}
    by_text = pld("rules", "list", "--search", "reverse engineering", "--workspace", demo_template, "--json").value
    assert "R12" in {rule["id"] for rule in by_text}
    assert len(by_text) < 13


def test_rules_show_reads_as_if_then_except_with_its_evidence(pld: Pld, demo_template: Path) -> None:
    shown = pld("rules", "show", "R1", "--workspace", demo_template).out
    for part in ("IF      ", "THEN    Entailment", "EXCEPT  ", "supports: Entailment (train)", "    clause: "):
        assert part in shown


def test_rules_show_in_json_holds_evidence_revisions_and_decisions(pld: Pld, space: Path) -> None:
    pld("rules", "approve", "r1", "--reason", "I read it.", "--workspace", space)
    shown = pld("rules", "show", "r1", "--workspace", space, "--json").value
    assert shown["revisions"][0]["state"] == "approved"
    assert len([e for e in shown["evidence"] if e["role"] == "supports"]) == shown["support"]
    assert [(d["verdict"], d["reviewer"], d["reason"]) for d in shown["decisions"]] == [
        ("approve", "anna", "I read it.")
    ]


def test_approve_puts_the_rule_in_force(pld: Pld, space: Path) -> None:
    said = pld("rules", "approve", "R2", "--reason", "Fits.", "--workspace", space)
    assert said.out.splitlines()[0] == "R2 revision 1 is approved (decision 1 by anna)."
    rule = pld("rules", "show", "R2", "--workspace", space, "--json").value
    assert rule["in_force"] == rule["revision_hash"]


def test_approve_in_json_names_revision_and_evidence_that_were_signed(pld: Pld, space: Path) -> None:
    decision = pld("rules", "approve", "R2", "--revision", 1, "--workspace", space, "--json").value
    rule = pld("rules", "show", "R2", "--workspace", space, "--json").value
    assert decision["state"] == "approved"
    assert decision["revision_hash"] == rule["revision_hash"]
    assert decision["evidence_hash"].startswith("sha256:")


def test_reject_keeps_category_and_reason(pld: Pld, space: Path) -> None:
    arguments = ("R3", "--category", "over_broad", "--reason", "Covers too much.", "--workspace", space)
    decision = pld("rules", "reject", *arguments, "--json").value
    assert (decision["state"], decision["category"], decision["reason"]) == (
        "rejected",
        "over_broad",
        "Covers too much.",
    )


def test_edit_makes_a_new_revision_in_review_and_keeps_what_is_not_given(pld: Pld, space: Path) -> None:
    before = pld("rules", "show", "R4", "--workspace", space, "--json").value["revisions"][0]
    said = pld("rules", "edit", "R4", "--if", "the clause is public", "--reason", "Shorter.", "--workspace", space)
    assert said.out.startswith("R4 revision 2 is in review (sha256:")
    shown = pld("rules", "show", "R4", "--workspace", space, "--json").value
    new = shown["revisions"][1]
    assert shown["state"] == "in_review"
    assert (new["condition"], new["author"], new["note"]) == ("the clause is public", "anna", "Shorter.")
    assert new["parent"] == before["hash"]
    assert {k: new[k] for k in ("title", "labels", "exceptions")} == {
        k: before[k] for k in ("title", "labels", "exceptions")
    }


def test_edit_changes_labels_title_and_exceptions(pld: Pld, space: Path) -> None:
    base = ("--reason", "r", "--workspace", space, "--json")
    one = pld("rules", "edit", "R4", "--then", "Contradiction", "--then", "NotMentioned", "--title", "T", *base).value
    assert (one["labels"], one["title"]) == (["Contradiction", "NotMentioned"], "T")
    two = pld("rules", "edit", "R4", "--except", "it rains", "--except", "it snows", *base).value
    assert two["exceptions"] == ["it rains", "it snows"]
    three = pld("rules", "edit", "R4", "--no-exceptions", *base).value
    assert (three["exceptions"], three["revision"]) == ([], 4)


# --- compile, ask, evaluate -------------------------------------------------------------------------------------------


def test_compile_gives_the_same_version_and_bytes_twice(pld: Pld, space: Path) -> None:
    pld("rules", "approve", "R1", "--workspace", space)
    first = pld("compile", "--task", "nda", "--workspace", space, "--json").value
    after_first = content_of(space)
    second = pld("compile", "--task", "nda", "--workspace", space, "--json").value
    assert first == second
    assert content_of(space) == after_first
    assert [rule["rule"] for rule in first["rules"]] == ["R1"]
    said = pld("compile", "--task", "nda", "--workspace", space).out
    length = f"about {first['tokens']['tokens']:,} tokens, estimated from the length: 4 bytes a token"
    assert said == f"Prompt version 1 of nda: 1 rule, {first['sha256']}\n{length}\n"


def test_compile_shows_the_prompt_as_it_is_sent(pld: Pld, compiled: Path) -> None:
    shown = pld("compile", "--task", "nda", "--show", "--workspace", compiled).out
    assert "1. [R1] IF " in shown
    text = pld("compile", "--task", "nda", "--workspace", compiled, "--json").value["text"]
    assert shown.rstrip("\n") == text.rstrip("\n")


def test_ask_answers_about_fields_given(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    fields = ("--field", "clause=No copies = none.", "--field", "hypothesis=Copies are allowed.")
    said = pld("ask", "--task", "nda", *fields, "--workspace", compiled)
    assert said.out.splitlines()[0] == "Entailment"
    assert "123 + 7 tokens" in said.out
    assert ollama.asked == ["CLAUSE:\nNo copies = none.\n\nHYPOTHESIS:\nCopies are allowed."]


def test_ask_answers_about_a_stored_example_and_names_its_gold_label(pld: Pld, compiled: Path) -> None:
    example = pld("rules", "show", "R1", "--workspace", compiled, "--json").value["evidence"][0]
    for prefix in (example["example"], example["example"].removeprefix("sha256:")[:16]):
        answer = pld("ask", "--task", "nda", "--example", prefix, "--workspace", compiled, "--json").value
        assert answer["gold"] == example["label"]
        assert (answer["label"], answer["status"], answer["prompt"]) == ("Entailment", "ok", 1)
        assert answer["student"] == STUDENT


def test_evaluate_prints_figures_with_n_and_interval(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    said = pld("evaluate", "--task", "nda", "--workspace", compiled)
    assert said.out.startswith(f"Run 1: prompt 1 with {STUDENT} on validation: 16 of 33 (48%, 95 % interval ")
    chosen = ("--prompt", 1, "--split", "test", "--reason", "at the end", "--workspace", compiled)
    figures = pld("evaluate", "--task", "nda", *chosen, "--json").value
    assert (figures["run"], figures["split"], figures["n"], figures["correct"]) == (2, "test", 30, 13)
    assert len(ollama.asked) == 33 + 30


# --- worker, audit ------------------------------------------------------------------------------------------


def test_worker_once_with_nothing_to_do_says_so_in_json_only(pld: Pld, space: Path) -> None:
    assert pld("worker", "--once", "--workspace", space, "--json").value == []
    assert pld("worker", "--once", "--workspace", space).out == ""


def test_worker_once_runs_what_is_queued_and_says_how_it_ended(pld: Pld, compiled: Path) -> None:
    store = open_store(url_of(compiled / "pld.db"))
    for prompt in (1, 9):
        order: dict[str, Json] = {"prompt": prompt, "student": STUDENT, "split": "validation"}
        store.jobs.enqueue("evaluate", "nda", order, ANNA)
    done, failed = pld("worker", "--once", "--workspace", compiled).out.splitlines()
    assert done == "Job 1 (evaluate): done. Run 1 is complete."
    assert failed.startswith("Job 2 (evaluate): failed. Task nda has no prompt version 9.")


def test_audit_verify_reports_an_intact_chain(pld: Pld, demo_template: Path) -> None:
    report = pld("audit", "verify", "--workspace", demo_template, "--json").value
    assert (report["intact"], report["first_broken"], report["problems"]) == (True, None, [])
    assert pld("audit", "verify", "--workspace", demo_template).out == (
        f"Intact: {report['events']} events, head {report['head']}.\n"
    )


def test_audit_verify_names_the_first_broken_event_and_ends_with_1(pld: Pld, space: Path) -> None:
    with closing(sqlite3.connect(space / "pld.db")) as conn, conn:
        guard = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'event_no_update'").fetchone()[0]
        conn.execute("DROP TRIGGER event_no_update")
        conn.execute("UPDATE event SET actor = 'mallory' WHERE seq = 5")
        conn.execute(guard)
    assert "5" in pld("audit", "verify", "--workspace", space).refusal
    in_json = pld("audit", "verify", "--workspace", space, "--json")
    assert in_json.code == 1
    report = json.loads(in_json.out)
    assert (report["intact"], report["first_broken"]) == (False, 5)


# --- the whole way, and processes of their own ------------------------------------------------------------------------


def test_from_demo_to_a_measured_prompt_by_commands_alone(pld: Pld, space: Path, ollama: FakeOllama) -> None:
    use_student(space, ollama.url)
    here = ("--workspace", space, "--json")
    assert pld("rules", "approve", "R1", *here).value["state"] == "approved"
    edited = pld("rules", "edit", "R2", "--if", "the clause says so", "--reason", "Too broad.", *here).value
    assert pld("rules", "approve", "R2", "--revision", 2, *here).value["revision_hash"] == edited["hash"]
    pld("rules", "reject", "R3", "--category", "unclear", "--reason", "I cannot tell.", *here)
    prompt = pld("compile", "--task", "nda", *here).value
    assert {r["rule"]: r["revision"] for r in prompt["rules"]}["R2"] == edited["hash"]
    assert "IF the clause says so, THEN" in prompt["text"]
    assert "[R3]" not in prompt["text"]
    pld("ask", "--task", "nda", "--field", "clause=c", "--field", "hypothesis=h", *here)
    run = pld("evaluate", "--task", "nda", *here).value
    assert (run["prompt"], run["student"], run["n"]) == (prompt["number"], STUDENT, 33)
    assert pld("audit", "verify", *here).value["intact"] is True
    assert pld("compile", "--task", "nda", *here).value == prompt


def test_the_module_runs_as_a_program_with_exit_codes(demo_template: Path, nowhere: Path) -> None:
    good = start_pld("rules", "list", "--json", "--workspace", demo_template)
    bad = start_pld("rules", "list", "--json", environment=clean_environment(PLD_WORKSPACE=str(nowhere)))
    out, err = good.communicate()
    assert (good.returncode, err) == (0, "")
    assert len(json.loads(out)) == 13
    out, err = bad.communicate()
    assert (bad.returncode, out) == (1, "")
    assert err.startswith(f"pld: There is no workspace at {nowhere}.")
    assert err.count("\n") == 1


def test_a_reader_that_stops_reading_brings_no_traceback(demo_template: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "pld_app.cli", "rules", "show", "R1", "--workspace", str(demo_template)]
        ended = subprocess.run(
            command, cwd=ROOT, env=clean_environment(), stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert ended.stderr == b""
    assert ended.returncode == 1


@pytest.mark.student
def test_the_embedded_student_answers_and_is_recorded(pld: Pld, compiled: Path) -> None:
    if missing_part() and os.environ.get("PLD_REQUIRE_STUDENT") != "1":
        pytest.skip(missing_part())
    fields = ("--field", "clause=The Recipient shall return all copies.", "--field", "hypothesis=Copies go back.")
    here = ("--workspace", compiled, "--json")
    answer = pld("ask", "--task", "nda", "--student", "embedded", *fields, *here).value
    assert answer["student"] == "embedded"
    assert answer["status"] == "ok"
    assert answer["label"] in {"Entailment", "Contradiction", "NotMentioned"}
    assert pld("audit", "verify", *here).value["intact"] is True
