"""Roles at the command line, and what each command takes there once sign-in is configured."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace
from pathlib import Path

import click
import pytest

from pld_app.cli import cli
from pld_core.canonical import Json
from pld_core.models import SYSTEM, Actor, Role
from pld_core.permissions import PERMITTED, Step
from storage import open_store
from tests.cli.fake_ollama import STUDENT
from tests.cli.running import Pld, content_of
from tests.factories import url_of
from tests.signing_in import write_secrets

ME = f"os:{pwd.getpwuid(os.getuid()).pw_name}"
LOCAL = Actor("anna", frozenset(Role))
FILE = "FILE"
"""Stands for a file to import."""
EXAMPLE = "EXAMPLE"
"""Stands for an example of the rule's evidence."""
REFUSED: dict[Step, tuple[tuple[str, ...], ...]] = {
    Step.IMPORT_DATA: (
        ("demo", "--task", "moderation"),
        ("import", FILE, "--task", "posts", "--label", "label", "--input", "text"),
    ),
    Step.ARCHIVE_DATA: (("data", "archive", "1", "--reason", "old"),),
    Step.RESTORE_DATA: (("data", "restore", "1"),),
    Step.DELETE_DATA: (("data", "delete", "1", "--reason", "old"),),
    Step.SETTLE_LABELS: (),
    Step.RESPLIT: (("data", "resplit", "--task", "nda"),),
    Step.CHANGE_GUIDELINE: (("guideline", "set", FILE, "--task", "nda", "--reason", "clearer"),),
    Step.CHANGE_LABELS: (("data", "describe", "--task", "nda", "Entailment=It follows.", "--reason", "clearer"),),
    Step.EXTRACT: (
        ("extract", "--task", "nda"),
        ("extract", "--task", "nda", "--probe"),
        ("teacher", "batches", "--task", "nda", "--cancel", "all"),
    ),
    Step.EMBED: (("embedder", "forget", "--embedder", "openai:none"),),
    Step.CLUSTER: (("cluster", "--task", "nda"),),
    Step.SYNTHESISE: (("synthesize", "--task", "nda"),),
    Step.COMPARE: (),
    Step.JUDGE_PAIRS: (("rules", "judge-pairs", "--task", "nda"),),
    Step.RESOLVE: (
        ("resolve", "--task", "nda"),
        ("resolve", "--task", "nda", "--dry-run"),
        ("proposals", "greedy", "--task", "nda"),
    ),
    Step.ACCEPT_PROPOSAL: (("proposals", "accept", "ab", "--task", "nda"),),
    Step.DISMISS_PROPOSAL: (("proposals", "dismiss", "ab", "--task", "nda", "--reason", "no"),),
    Step.LOCK: (("rules", "lock", "R2", "--reason", "settled"), ("rules", "unlock", "R2", "--reason", "open")),
    Step.SUBMIT: (),
    Step.PROMOTE: (),
    Step.JUDGE: (
        ("rules", "approve", "R2"),
        ("rules", "request-changes", "R2", "--reason", "narrower"),
        ("rules", "reject", "R2", "--category", "other", "--reason", "no"),
        ("rules", "reject-duplicates", "R2", "--of", "R3", "--reason", "same"),
        ("review", "import", FILE),
        ("review", "import", FILE, "--check"),
    ),
    Step.SECOND_LOOK: (("rules", "second-look", "R2", "confirm", "--reason", "right"),),
    Step.EDIT: (("rules", "edit", "R2", "--title", "Another", "--reason", "better"),),
    Step.RETIRE: (),
    Step.TICK: (
        ("rules", "tick", "R2", EXAMPLE, "irrelevant"),
        ("finding", "settle", "1", "--dismiss", "--reason", "no"),
    ),
    Step.WITHDRAW: (("rules", "withdraw", "R2", "--reason", "too early"),),
    Step.SPLIT: (("rules", "split", "R2", "--if", "one part", "--if", "another part", "--reason", "two"),),
    Step.MERGE: (("rules", "merge", "R2", "R3", "--if", "both parts", "--reason", "one"),),
    Step.EXPORT_SHEET: (("review", "export", "--task", "nda", "--xlsx", "rules.xlsx"),),
    Step.COMMENT: (("rules", "comment", "R2", "Why?"), ("rules", "resolve", "1")),
    Step.ASK_OPINION: (("rules", "second-opinion", "R2", "--note", "Look."),),
    Step.TAG: (("rules", "tag", "R2", "--tag", "urgent"),),
    Step.ASSIGN: (("rules", "assign", "R2", "--to", "nobody"),),
    Step.ASSIGN_OTHERS: (),
    Step.COMPILE: (("compile", "--task", "nda"),),
    Step.RELEASE: (
        ("prompt", "release", "--task", "nda", "--as", "production", "--reason", "better"),
        ("prompt", "rollback", "--task", "nda", "--label", "production", "--reason", "worse"),
    ),
    Step.EVALUATE: (
        ("evaluate", "--task", "nda"),
        ("attribute", "--run", "1"),
        ("ablate", "--task", "nda", "--run", "1"),
    ),
    Step.ASK: (
        ("ask", "--task", "nda", "--field", "hypothesis=x"),
        ("ask-batch", "--task", "nda", "--resume", "1"),
        ("student", "check", "--task", "nda"),
    ),
    Step.MARK: (("finding", "mark", "--task", "nda", "--live-test", "1", "--right"), ("finding", "attach", "1", "R2")),
    Step.PULL_MODEL: (("student", "pull", "other:1b"),),
    Step.PUBLISH: (("prompt", "publish", "--task", "nda", "--reason", "tried"),),
    Step.MEASURE_EFFECT: (("rules", "effect", "R2", "--measure"),),
    Step.EXPORT: (("audit", "pack", "--task", "nda", "--out", FILE),),
    Step.CHANGE_SETTINGS: (
        ("settings", "set", "teacher.in_flight", "3"),
        ("settings", "unset", "teacher.in_flight"),
    ),
    Step.CHANGE_POLICY: (
        ("policy", "set", "--task", "nda", "--four-eyes", "--reason", "two of us"),
        ("policy", "set-gates", "--task", "nda", "--malformed", "0.1", "--reason", "a poor student"),
    ),
    Step.GRANT: (("roles", "grant", "eve@example.org", "lead"), ("roles", "revoke", ME, "admin", "--reason", "x")),
}
"""Commands by the step they take. A step without one is settled elsewhere: the conflict in `tests/cli/test_data.py` has
to be there first, and no command submits, promotes or retires by itself; comparing is left out for those
who may not."""
READING = {
    *(
        "serve",
        "worker",
        "student list",
        "student verify",
        "teacher test",
        "teacher failures",
        "audit verify",
        "audit log",
        "oversight",
    ),
    *("roles list", "embedder test", "settings show", "coverage", "rules queue", "rules comments", "rules drafts"),
    *("guideline show", "guideline history", "policy show", "policy history"),
    *("prompt list", "prompt diff", "prompt export", "prompt verify"),
    *("data list", "data show", "data conflicts", "data export", "rules list", "rules show", "rules overlaps"),
    "finding list",
    *("prompt gates", "prompt history", "policy gates", "proposals list", "compare", "errors", "figures", "report"),
}
SETTLED_ELSEWHERE = {"data settle"}


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> set[str]:
    if not isinstance(command, click.Group):
        return {" ".join(path)}
    return {leaf for name, below in command.commands.items() for leaf in leaves(below, (*path, name))}


@pytest.fixture
def governed(compiled: Path) -> Path:
    """A demo workspace with sign-in, whose admin is ada; the person at the command line holds no role."""
    write_secrets(compiled)
    open_store(url_of(compiled / "pld.db")).roles.grant("ada@example.org", Role.ADMIN, "", LOCAL)
    return compiled


def grant(space: Path, *roles: Role) -> None:
    store = open_store(url_of(space / "pld.db"))
    for role in roles:
        store.roles.grant(ME, role, "", LOCAL)


def test_every_command_takes_a_step_or_only_reads() -> None:
    taken = {line[0] for step in REFUSED.values() for line in step} | {
        " ".join(line[:2]) for step in REFUSED.values() for line in step
    }
    assert leaves(cli) - taken == READING | SETTLED_ELSEWHERE
    assert set(REFUSED) == set(Step)


def test_with_sign_in_the_command_line_without_a_role_only_reads(governed: Path, pld: Pld, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("text,label\none long text,keep\nanother long text,remove\n")
    evidence = open_store(url_of(governed / "pld.db")).rules.dossier("R2", SYSTEM).evidence
    stands_for = {FILE: str(file), EXAMPLE: evidence[0].example_hash}
    before = content_of(governed)
    for step, lines in REFUSED.items():
        for line in lines:
            words = pld(*(stands_for.get(part, part) for part in line), "--workspace", governed).refusal
            assert f"{ME} may not {step.value}: that takes the role" in words
    assert {name: digest for name, digest in content_of(governed).items() if "db-" not in name} == {
        name: digest for name, digest in before.items() if "db-" not in name
    }
    assert len(pld("rules", "list", "--workspace", governed, "--json").value) == 13
    assert pld("audit", "verify", "--workspace", governed).code == 0


def test_without_a_role_overlaps_are_read_as_they_were_found_last(governed: Path, pld: Pld) -> None:
    listed = pld("rules", "overlaps", "--task", "nda", "--workspace", governed).out
    assert "Not compared yet" not in listed
    store = open_store(url_of(governed / "pld.db"))
    rule = store.rules.dossier("R2", SYSTEM)
    text = replace(rule.head.text, title="Another")
    store.rules.edit("R2", rule.head.hash, rule.summary.state, text, "clearer", LOCAL)
    for command in (("rules", "overlaps"), ("rules", "list", "--overlapping")):
        assert pld(*command, "--task", "nda", "--workspace", governed).code == 0
        assert store.lineage.uncompared("nda") == ("R2",)
    told = pld("rules", "overlaps", "--task", "nda", "--workspace", governed).out
    assert told.endswith("Not compared yet: R2. That takes the role lead or reviewer.\n")
    grant(governed, Role.REVIEWER)
    assert "Not compared yet" not in pld("rules", "overlaps", "--task", "nda", "--workspace", governed).out


def test_one_role_of_the_table_is_enough_and_a_revoked_one_bites_at_once(governed: Path, pld: Pld) -> None:
    assert Role.REVIEWER in PERMITTED[Step.JUDGE]
    grant(governed, Role.REVIEWER)
    decided = pld("rules", "approve", "R2", "--workspace", governed, "--json").value
    assert decided["reviewer"] == ME
    assert "may not compile a prompt" in pld("compile", "--task", "nda", "--workspace", governed).refusal
    open_store(url_of(governed / "pld.db")).roles.revoke(ME, Role.REVIEWER, "moved on", LOCAL)
    assert "may not decide" in pld("rules", "approve", "R3", "--workspace", governed).refusal


def test_the_worker_needs_no_role_for_what_somebody_was_allowed_to_order(governed: Path, pld: Pld) -> None:
    store = open_store(url_of(governed / "pld.db"))
    order: dict[str, Json] = {"prompt": 1, "student": STUDENT, "split": "test", "reason": "to release it"}
    store.jobs.enqueue("evaluate", "nda", order, Actor("lea@example.org", frozenset({Role.LEAD})))
    (ended,) = pld("worker", "--once", "--workspace", governed, "--json").value
    assert (ended["state"], store.runs.get(1).created_by) == ("done", "lea@example.org")


def test_the_user_setting_lends_nobody_a_name_once_sign_in_is_configured(
    governed: Path, pld: Pld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_USER", "ada@example.org")
    assert ME in pld("roles", "grant", "eve@example.org", "lead", "--workspace", governed).refusal


def test_the_first_admin_is_granted_by_the_local_user(pld: Pld, nowhere: Path) -> None:
    write_secrets(nowhere)
    said = pld("roles", "grant", "Ada@Example.org", "admin", "--reason", "runs the desk", "--workspace", nowhere)
    assert said.out == (
        "ada@example.org is admin. It is the first admin, granted by the local user because there was none.\n"
    )
    (holder,) = pld("roles", "list", "--workspace", nowhere, "--json").value
    assert (holder["person"], holder["role"], holder["first_admin"], holder["by"]) == (
        "ada@example.org",
        "admin",
        True,
        ME,
    )
    assert "may not grant" in pld("roles", "grant", "eve@example.org", "admin", "--workspace", nowhere).refusal


def test_roles_are_granted_listed_and_revoked(space: Path, pld: Pld) -> None:
    assert pld("roles", "list", "--workspace", space).out == "No role has been granted yet.\n"
    for person, role in (("ada@example.org", "admin"), ("bert@example.org", "release_manager")):
        assert pld("roles", "grant", person, role, "--workspace", space).code == 0
    assert (
        "needs a reason" in pld("roles", "revoke", "bert@example.org", "release_manager", "--workspace", space).refusal
    )
    gone = pld("roles", "revoke", "bert@example.org", "release_manager", "--reason", "left", "--workspace", space)
    assert gone.out == "bert@example.org is no longer release manager.\n"
    last = pld("roles", "revoke", "ada@example.org", "admin", "--reason", "left", "--workspace", space)
    assert "ada@example.org is the last admin" in last.refusal
    listed = pld("roles", "list", "--workspace", space).out
    assert listed.startswith("ada@example.org ")
    assert "bert" not in listed
    history = pld("roles", "list", "--history", "--workspace", space).out.splitlines()
    assert [line.split()[0] for line in history] == ["bert@example.org", "bert@example.org", "ada@example.org"]
    assert history[0].endswith(": left")
    assert pld("roles", "grant", "ada@example.org", "king", "--workspace", space).code == 2
    assert pld("audit", "verify", "--workspace", space).code == 0


def test_secrets_that_are_not_complete_stop_every_command(space: Path, pld: Pld) -> None:
    (space / "secrets.toml").write_text('[auth]\ncookie_secret = "never-to-be-shown"\n')
    words = pld("rules", "list", "--workspace", space).refusal
    assert "lacks redirect_uri in [auth]" in words
    assert "never-to-be-shown" not in words
