"""What cannot be done ends with 1, one sentence on stderr, nothing on stdout, and every byte where it was."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pld_app.serve import address_of
from tests.cli.fake_ollama import FakeOllama, use_student
from tests.cli.running import ROOT, Pld, clean_environment, content_of
from tests.signing_in import write_secrets

FIELDS = ("--field", "clause=c", "--field", "hypothesis=h")
READING: list[tuple[str, ...]] = [
    ("rules", "list"),
    ("rules", "list", "--json"),
    ("rules", "show", "R1"),
    ("rules", "approve", "R1"),
    ("rules", "reject", "R1", "--category", "other", "--reason", "r"),
    ("rules", "edit", "R1", "--title", "T", "--reason", "r"),
    ("compile", "--task", "nda"),
    ("ask", "--task", "nda", *FIELDS),
    ("evaluate", "--task", "nda"),
    ("worker", "--once"),
    ("audit", "verify"),
    ("audit", "verify", "--json"),
    ("data", "list"),
    ("data", "show", "1"),
    ("data", "conflicts", "--task", "nda"),
    ("data", "settle", "ab", "--task", "nda", "--label", "none", "--reason", "r"),
    ("data", "resplit", "--task", "nda"),
    ("data", "describe", "--task", "nda", "Entailment=x"),
    ("data", "archive", "1", "--reason", "r"),
    ("data", "restore", "1"),
    ("data", "delete", "1", "--reason", "r"),
    ("data", "export", "--task", "nda", "--to", "never-written.csv"),
]
"""Commands that want a workspace that is there."""
MAKING: list[tuple[str, ...]] = [("demo", "--task", "nda")]
"""Commands that make one, but never out of something else."""

# --- the workspace ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_missing_workspace_is_named_and_not_made(pld: Pld, nowhere: Path, arguments: tuple[str, ...]) -> None:
    words = pld(*arguments, "--workspace", nowhere).refusal
    assert f"There is no workspace at {nowhere}." in words
    assert "`pld demo`" in words
    assert not nowhere.exists()


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_folder_without_database_stays_as_it_is(pld: Pld, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    before = content_of(tmp_path)
    assert f"There is no workspace at {tmp_path}." in pld(*arguments, "--workspace", tmp_path).refusal
    assert content_of(tmp_path) == before


def text_file(folder: Path) -> None:
    (folder / "pld.db").write_text("Dear Sir or Madam, " * 100, encoding="utf-8")


def foreign_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "pld.db")) as conn, conn:
        conn.execute("CREATE TABLE recipe (name TEXT)")


@pytest.mark.parametrize("make", [text_file, foreign_database])
@pytest.mark.parametrize("arguments", READING + MAKING, ids=" ".join)
def test_a_file_that_is_no_workspace_stays_as_it_is(
    pld: Pld, tmp_path: Path, arguments: tuple[str, ...], make: Callable[[Path], None]
) -> None:
    make(tmp_path)
    before = content_of(tmp_path)
    assert "is not a pld-review workspace" in pld(*arguments, "--workspace", tmp_path).refusal
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_an_empty_file_is_no_workspace_for_commands_that_want_one(
    pld: Pld, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "pld.db").touch()
    before = content_of(tmp_path)
    assert pld(*arguments, "--workspace", tmp_path).refusal
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("arguments", READING + MAKING, ids=" ".join)
def test_a_workspace_of_a_newer_version_stays_as_it_is(pld: Pld, space: Path, arguments: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(space / "pld.db")) as conn, conn:
        conn.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('pld', 'm999_from_the_future')")
    before = content_of(space)
    words = pld(*arguments, "--workspace", space).refusal
    assert "newer pld-review (its schema has m999_from_the_future)" in words
    assert content_of(space) == before


def test_a_workspace_below_a_file_is_refused(pld: Pld, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("mine", encoding="utf-8")
    assert "There is no workspace" in pld("rules", "list", "--workspace", file).refusal
    assert "cannot be made" in pld("demo", "--task", "nda", "--workspace", file).refusal
    assert file.read_text(encoding="utf-8") == "mine"


def test_a_wrong_setting_is_refused_before_anything_is_opened(pld: Pld, space: Path) -> None:
    (space / "settings.toml").write_text("port = 0\n", encoding="utf-8")
    before = content_of(space)
    assert "The setting port reads 0" in pld("rules", "list", "--workspace", space).refusal
    assert content_of(space) == before


# --- names, reasons, revisions ----------------------------------------------------------------------------------------

NAMED_WRONG = [
    (("rules", "list", "--task", "nope"), "There is no task 'nope' in this workspace. There are: nda."),
    (("compile", "--task", "nope"), "There is no task 'nope'"),
    (("ask", "--task", "nope", *FIELDS), "There is no task 'nope'"),
    (("evaluate", "--task", "nope"), "There is no task 'nope'"),
    (("rules", "show", "R99"), "R99"),
    (("rules", "show", "rule one"), "RULE ONE"),
    (("rules", "approve", "R99"), "R99"),
    (("rules", "edit", "R99", "--title", "T", "--reason", "r"), "R99"),
    (("rules", "reject", "R99", "--category", "other", "--reason", "r"), "R99"),
    (("rules", "approve", "R1", "--revision", "7"), "R1 has no revision 7; its newest is 1."),
    (("rules", "reject", "R1", "--reason", "r"), "Rejecting needs a category."),
    (("rules", "reject", "R1", "--category", "unclear"), "Rejecting needs a reason"),
    (("rules", "reject", "R1", "--category", "unclear", "--reason", "  "), "Rejecting needs a reason"),
    (("rules", "edit", "R1", "--reason", "r"), "Nothing was changed"),
    (("rules", "edit", "R1", "--title", "Another"), "An edit needs a reason"),
    (("rules", "edit", "R1", "--if", " ", "--reason", "r"), "needs a condition after IF"),
    (("rules", "edit", "R1", "--then", "Maybe", "--reason", "r"), "The label 'Maybe' is not one of"),
    (("rules", "approve", "R1", "--reason", "caf\udce9"), "not UTF-8"),
    (("compile", "--task", "nda"), "No rule of nda is approved yet"),
    (("ask", "--task", "nda", *FIELDS), "Task nda has no prompt version yet."),
    (("ask", "--task", "nda", "--prompt", "4", *FIELDS), "Task nda has no prompt version 4."),
    (("evaluate", "--task", "nda"), "Task nda has no prompt version yet."),
]


@pytest.mark.parametrize(("arguments", "words"), NAMED_WRONG, ids=[" ".join(a) for a, _ in NAMED_WRONG])
def test_what_is_named_wrong_or_not_ready_is_refused(
    pld: Pld, space: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = content_of(space)
    assert words in pld(*arguments, "--workspace", space).refusal
    assert content_of(space) == before


ASKED_WRONG = [
    ((), "There is nothing to ask about"),
    (("--field", "clause= "), "There is nothing to ask about"),
    (("--field", "colour=red"), "--field reads 'colour'; it has to be NAME=TEXT with NAME one of clause, hypothesis."),
    (("--field", "clause"), "--field reads 'clause'; it has to be NAME=TEXT"),
    (("--example", "zz"), "0 examples of nda begin with 'zz'"),
    (("--student", "nonsense", *FIELDS), "There is no backend 'nonsense'"),
    (("--student", "ollama:", *FIELDS), "needs a model after a colon"),
]


@pytest.mark.parametrize(("arguments", "words"), ASKED_WRONG, ids=[" ".join(a) or "nothing" for a, _ in ASKED_WRONG])
def test_a_question_that_cannot_be_asked_is_refused(
    pld: Pld, compiled: Path, ollama: FakeOllama, arguments: tuple[str, ...], words: str
) -> None:
    before = content_of(compiled)
    assert words in pld("ask", "--task", "nda", *arguments, "--workspace", compiled).refusal
    assert content_of(compiled) == before
    assert ollama.asked == []


def test_a_prefix_that_names_several_examples_is_refused(pld: Pld, compiled: Path) -> None:
    words = [
        pld("ask", "--task", "nda", "--example", prefix, "--workspace", compiled) for prefix in ("sha256:", "sha256")
    ]
    assert "178 examples of nda begin with 'sha256:'; give digits that name just one." in words[0].refusal
    assert "0 examples" in words[1].refusal


def test_approving_a_revision_that_moved_on_shows_what_happened(pld: Pld, space: Path) -> None:
    pld("rules", "edit", "R1", "--title", "Another", "--reason", "Clearer.", "--workspace", space)
    before = content_of(space)
    words = pld("rules", "approve", "R1", "--revision", 1, "--workspace", space).refusal
    assert "R1 revision 1 was on your screen, but the rule has a newer revision 2 by anna, in review." in words
    assert content_of(space) == before


def test_deciding_twice_is_refused(pld: Pld, space: Path) -> None:
    assert pld("rules", "approve", "R1", "--workspace", space).code == 0
    before = content_of(space)
    assert "A revision that is approved cannot take the step 'approve'." in (
        pld("rules", "approve", "R1", "--workspace", space).refusal
    )
    assert content_of(space) == before


# --- the student ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("ask", "--task", "nda", *FIELDS), ("evaluate", "--task", "nda")], ids=" ".join)
def test_an_ollama_that_is_down_brings_the_command_that_starts_it(
    pld: Pld, compiled: Path, arguments: tuple[str, ...]
) -> None:
    with socket.socket() as held:
        # Bound but not listening: every connection is refused, and nobody else gets the port.
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        use_student(compiled, url)
        before = content_of(compiled)
        words = pld(*arguments, "--workspace", compiled).refusal
    assert f"No Ollama server answers at {url}." in words
    assert "ollama serve" in words
    assert content_of(compiled) == before


@pytest.mark.parametrize("arguments", [("ask", "--task", "nda", *FIELDS), ("evaluate", "--task", "nda")], ids=" ".join)
def test_a_model_that_is_not_pulled_brings_the_command_that_pulls_it(
    pld: Pld, compiled: Path, ollama: FakeOllama, arguments: tuple[str, ...]
) -> None:
    use_student(compiled, ollama.url, "gemma3:4b")
    before = content_of(compiled)
    assert "ollama pull gemma3:4b" in pld(*arguments, "--workspace", compiled).refusal
    assert content_of(compiled) == before
    assert ollama.asked == []


# --- serve ------------------------------------------------------------------------------------------------------------


def test_serve_on_a_port_in_use_names_the_address_and_changes_nothing(pld: Pld, space: Path, nowhere: Path) -> None:
    before = content_of(space)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert pld("serve", "--port", port, "--workspace", space).refusal
        words = pld("serve", "--port", port, "--demo-if-missing", "--workspace", nowhere).refusal
    assert f"Port {port} on 127.0.0.1 is already in use" in words
    assert f"http://127.0.0.1:{port}" in words
    assert content_of(space) == before
    assert not nowhere.exists()


EVERYWHERE = "0.0.0.0"  # noqa: S104 - to be refused


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.7", "example.org", "127.0.0.1.example.org"])
def test_without_sign_in_serve_listens_on_loopback_only(pld: Pld, nowhere: Path, host: str) -> None:
    words = pld("serve", "--host", host, "--workspace", nowhere).refusal
    assert f"everybody who reaches {host} would act as" in words
    assert "Configure sign-in, as docs/sign-in.md shows" in words
    assert not nowhere.exists()


def test_an_ipv6_address_is_named_as_a_browser_wants_it() -> None:
    assert address_of("::1", 8501) == "http://[::1]:8501"
    assert address_of("localhost", 8501) == "http://localhost:8501"


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_serve_on_an_address_of_another_machine_is_refused(
    pld: Pld, nowhere: Path, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_SECRETS", str(write_secrets(tmp_path)))
    words = pld("serve", "--host", host, "--workspace", nowhere).refusal
    assert f"'{host}' is not an address of this machine." in words
    assert not nowhere.exists()


def test_streamlit_by_hand_opens_no_door_that_serve_keeps_shut(nowhere: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", "pld_app/server.py", "--server.port=8999"]
    environment = clean_environment(PLD_WORKSPACE=str(nowhere), PYTHONPATH=str(ROOT))
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode != 0
    assert f"everybody who reaches {EVERYWHERE} would act as" in done.stdout + done.stderr
