"""What is written stays written: the database refuses changes, and changes made behind its back are found."""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pld_core.ablation import Ablated, Ablation, Scope
from pld_core.attention import Attention, Seen
from pld_core.attribution import Attribution, Claim, Method
from pld_core.batches import BatchItem, NewBatch
from pld_core.canonical import Json, canonical_json
from pld_core.compilation import compile_prompt
from pld_core.conflicts.pairs import PairJudgement, PairVerdict
from pld_core.conflicts.stopped import LoopStop
from pld_core.decision_book import read_book, write_book
from pld_core.decision_check import read_decisions
from pld_core.decision_sheet import DecisionSheet, sheet_row
from pld_core.desk import Half, SeenRule
from pld_core.effect import Basis, Case, Effect, StudentKey
from pld_core.effect_ports import KeptAnswer
from pld_core.errors import GuardsMissing, WorkspaceError, WorkspaceUnreadable
from pld_core.evaluation import failed_answer
from pld_core.finding import AnswerPlace, Mark, Marking, Settlement
from pld_core.gate_policy import AS_MADE, GatePolicy
from pld_core.live_batch import BatchAnswer, BatchOrder, read_lines
from pld_core.models import SYSTEM, Answer, AnswerStatus, Example, Prediction, RevisionState, Role, Run, Split, Verdict
from pld_core.policy import Policy
from pld_core.records import TeacherCall
from pld_core.releases import BreakGlass, ReleaseLabel, ReleaseOrder
from pld_core.token_count import estimated
from storage import SqliteStore, create_store, open_for_audit, open_store
from storage.migrations import APPEND_ONLY, guard_triggers
from tests.conflict_models import action
from tests.conflict_models import text as conflict_text
from tests.factories import (
    ANNA,
    BERT,
    TickingClock,
    approved_rule,
    fill,
    hashes_of,
    make_instruction,
    make_task,
    make_text,
    rule_in_review,
    update_of,
    url_of,
    verdict_on,
)
from tests.releasing import LOOK
from tests.resolving import RuleSpec, conflicted, scripted
from tests.seeding import IRONY, KEPT, open_check, plain_rule
from tests.sheets import APPROVED, fill_in


@pytest.fixture
def full(sqlite_store: SqliteStore) -> SqliteStore:
    """A workspace with at least one row in every append-only table."""
    store = sqlite_store
    examples = fill(store, policy=Policy(second_look=100, known_bad=20))
    call = TeacherCall("r", "extraction", (), "told", "t", "{}", "", None, None, 0)
    store.logic.record_calls("posts", [(call, None)])
    store.logic.add_instruction("posts", make_instruction(examples[0]))
    items = (BatchItem("r", (examples[0].hash,)),)
    (batch,) = store.batches.add("posts", [NewBatch("extraction", "told", "t", "", 1, items)], ANNA)
    store.batches.record(batch.id, [(call, None)])
    approved_rule(store)
    prompt = compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))
    version = store.prompts.save(prompt, ANNA, estimated(prompt.text))
    run = Run(0, "posts", version.number, version.prompt.sha256, "told", "", Split.TEST, "", "anna", 1, None, LOOK)
    put_down(store, store.runs.start(run, ANNA, version.prompt), examples[0])
    release(store)
    mark_an_answer(store)
    ask_many(store)
    assert store.lineage.update("posts", [update_of(store, "R1", examples[2:3])], hashes_of(examples), ANNA).stale == 1
    store.roles.grant("anna", Role.ADMIN, "", ANNA)
    store.rules.judge(verdict_on(store, "R1"), ANNA)
    fill_desk(store)
    fill_effects(store)
    close_check(store)
    hand_in_a_sheet(store)
    change_what_rules_are_read_by(store)
    return store


LOOP = (
    "resolution",
    "conflict_round",
    "proposal",
    "proposal_trial",
    "resolution_score",
    "proposal_outcome",
    "rule_lock",
    "edited_texts",
    "resolution_stop",
    "pair_judgement",
)
"""A loop needs data with a conflict in them, so its tables are filled in a workspace of their own."""


@pytest.fixture
def looped(sqlite_store: SqliteStore) -> SqliteStore:
    """A workspace with at least one row in every table of a loop."""
    kinds = [("insult plain", "remove"), ("praise plain", "keep"), ("insult joke", "keep")]
    rules = [RuleSpec("insult is said", "remove", "insult"), RuleSpec("praise is said", "keep", "praise")]
    conflicted(sqlite_store, kinds, rules)
    excepted = conflict_text("insult is said", "remove", ["joke is said"])
    ended = scripted(sqlite_store, ("joke", lambda r: [action("add_exception", ["R1"], r, excepted)])).run()
    proposal = ended.rounds[1].proposals[0].proposal
    sqlite_store.resolutions.note_stop(ended.resolution.id, LoopStop(5, None, "cancelled"), ANNA)
    sqlite_store.proposals.edit(ended.resolution.id, proposal.hash, [one.text for one in proposal.texts], ANNA)
    sqlite_store.proposals.dismiss(ended.resolution.id, proposal.hash, "not now", ANNA)
    sqlite_store.locks.lock("R1", "From a settlement.", ANNA)
    low, high = (sqlite_store.rules.summary(rule_id).head for rule_id in ("R1", "R2"))
    word = PairJudgement(low, high, ("R1", "R2"), PairVerdict.UNCLEAR, "Few inputs.", (), "teacher", "sha256:r")
    sqlite_store.pairs.keep(word, ANNA)
    return sqlite_store


@pytest.fixture
def holding(request: pytest.FixtureRequest) -> SqliteStore:
    """The workspace with a row in the table that the test is about."""
    table = request.node.callspec.params["table"]
    found: SqliteStore = request.getfixturevalue("looped" if table in LOOP else "full")
    return found


def mark_an_answer(store: SqliteStore) -> None:
    """Ask once, say that the answer is wrong, and dismiss that."""
    sent: dict[str, Json] = {"fields": [["post", "a post"]]}
    number = store.runs.record_live_test("posts", "sha256:p", "told", sent, failed_answer("slept"), ANNA)
    marking = Marking("posts", AnswerPlace(live_test=number), Mark.WRONG, "keep", "It slept.", ("R1",))
    finding = store.findings.mark(marking, ANNA)
    store.findings.settle(Settlement(finding.id, "R1", reason="It may sleep."), BERT)


def ask_many(store: SqliteStore) -> None:
    """Ask about several inputs at once, and keep one answer."""
    read = read_lines(store.tasks.get("posts"), "one\ntwo")
    batch = store.live_batches.order(BatchOrder("posts", 1, "sha256:p", "told", "", read, {}), ANNA)
    store.live_batches.keep(batch.id, [BatchAnswer(read.inputs[0].text_hash, failed_answer("slept"))])


def put_down(store: SqliteStore, run: Run, example: Example) -> None:
    """Complete the run with one answer, and put that down to two rules."""
    answer = Answer("keep", "keep", AnswerStatus.OK, 7)
    store.runs.add_predictions(run.id, [Prediction(example.hash, "keep", answer)])
    store.runs.finish(run.id, {}, SYSTEM)
    claims = (Claim(example.hash, "R1", True), Claim(example.hash, "R2", False))
    store.attributions.record(run.id, Attribution(Method.EVIDENCE, "", "b", ("R1", "R2"), claims), ANNA)


def release(store: SqliteStore) -> None:
    """Set limits for the gates, and release the prompt by an exception."""
    store.gate_policies.change("posts", AS_MADE, GatePolicy(token_budget=10), "a tiny student", ANNA)
    glass = BreakGlass("a court order", "2026-01-20")
    store.releases.move(ReleaseOrder("posts", ReleaseLabel.PRODUCTION, 1, 0, "it has to go out", glass), ANNA)


def hand_in_a_sheet(store: SqliteStore) -> None:
    """Approve a rule on a sheet."""
    rule_id = rule_in_review(store, plain_rule(500))
    sheet = DecisionSheet(store.sheets.origin("posts", ANNA.name), (sheet_row(store.rules.dossier(rule_id, ANNA)),))
    content = fill_in(write_book(sheet), {rule_id: APPROVED})
    assert store.sheets.record(read_decisions(read_book(content, "rules.xlsx")), ANNA).decided


def change_what_rules_are_read_by(store: SqliteStore) -> None:
    """Change the guideline and what a label means, which makes what was approved stale."""
    store.guidelines.change("posts", 1, "Keep what harms nobody at all.", "clearer", ANNA)
    labels = store.tasks.get("posts").labels
    store.labels.change("posts", labels, (replace(labels[0], description="It stays."), *labels[1:]), "clearer", ANNA)


def fill_effects(store: SqliteStore) -> None:
    """Keep an answer of a student, and measure what a rule does to it, by itself and in a run."""
    answer = Answer("keep", "keep", AnswerStatus.OK, 7)
    student = StudentKey("told", "sha256:w", "sha256:o")
    store.effects.keep(student, [KeptAnswer("p", "a", answer)])
    basis = Basis("R1", store.rules.summary("R1").head, "sha256:e", "sha256:out", "sha256:in", 1)
    case = Case("a", "keep", answer, answer)
    store.effects.record(Effect("posts", basis, student, (case,), {"rules": []}), ANNA)
    left_out = Ablated(1, "R1", basis.revision_hash, "sha256:in", "sha256:out", Scope.ALL)
    store.ablations.record(Ablation("posts", left_out, student, (case,), ()), ANNA)


def close_check(store: SqliteStore) -> None:
    """Bring rules into review until a seeded check is among them, and approve it at the page."""
    store.tasks.import_examples("posts", [*KEPT, IRONY], "more.csv", ANNA)
    judgement = verdict_on(store, open_check(store).rule_id)
    store.rules.judge(replace(judgement, attention=Attention(7, Seen(2, 2, 2), Seen(0, 0, 0), 0)), ANNA)


def fill_desk(store: SqliteStore) -> None:
    """Discuss, withdraw the approval, split the rule, and reject a half, which somebody else finds right."""
    comment = store.desk.comments.add("R1", "Really?", ANNA)
    store.desk.comments.resolve(comment.id, ANNA)
    approved = store.rules.summary("R1")
    store.desk.queue.withdraw("R1", approved.head, approved.state, "I misread it.", ANNA)
    store.desk.queue.ask_second_opinion("R1", approved.head, "Please look.", ANNA)
    supports = frozenset(e.example_hash for e in store.rules.dossier("R1", SYSTEM).evidence)
    halves = Half(make_text("it is kind"), supports), Half(make_text("it is funny"), supports)
    half, _ = store.desk.parts.split(
        SeenRule("R1", approved.head, RevisionState.IN_REVIEW), halves, "Two matters.", ANNA
    )
    store.rules.judge(verdict_on(store, half, Verdict.REJECT), ANNA)
    store.desk.second_looks.confirm(half, store.rules.summary(half).head, "It is too broad.", BERT)


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as conn:
        columns = {table: "rowid, *" if has_rowid(conn, table) else "*" for table in APPEND_ONLY}
        return {table: conn.execute(f"SELECT {columns[table]} FROM {table}").fetchall() for table in APPEND_ONLY}  # noqa: S608


def has_rowid(conn: sqlite3.Connection, table: str) -> bool:
    (_, _, _, _, without_rowid, _) = conn.execute(f"PRAGMA table_list({table})").fetchone()
    return not without_rowid


def columns_of(conn: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in conn.execute(f"PRAGMA table_info({table})")]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("recursive", [0, 1])
def test_update_delete_and_replace_are_refused_on_any_connection(
    holding: SqliteStore, table: str, recursive: int
) -> None:
    path = holding.database.path
    before = dump(path)
    assert before[table], "the test needs a row to attack"
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute(f"PRAGMA recursive_triggers = {recursive}")
        columns = columns_of(conn, table)
        listed = ", ".join(columns)
        for column in columns:
            for verb in ("UPDATE", "UPDATE OR REPLACE", "UPDATE OR IGNORE"):
                with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only: UPDATE"):
                    conn.execute(f"{verb} {table} SET {column} = {column}")
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only: DELETE"):
            conn.execute(f"DELETE FROM {table}")  # noqa: S608
        for verb in ("INSERT OR REPLACE", "REPLACE"):
            with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only: REPLACE"):
                conn.execute(f"{verb} INTO {table} ({listed}) SELECT {listed} FROM {table}")  # noqa: S608
    assert dump(path) == before


@pytest.mark.parametrize(("table", "key"), [(table, key) for table, keys in APPEND_ONLY.items() for key in keys])
def test_a_replace_that_meets_only_one_key_is_refused_too(
    holding: SqliteStore, table: str, key: tuple[str, ...]
) -> None:
    path = holding.database.path
    before = dump(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        info = {str(row[1]): str(row[2]) for row in conn.execute(f"PRAGMA table_info({table})")}
        fresh = {"INTEGER": "987654", "TEXT": "'\"forged\"'", "REAL": "0.5"}
        values = {name: name if name in key else fresh[kind] for name, kind in info.items()}
        if "rowid" in key:
            values["rowid"] = "rowid"
        sql = f"INSERT OR REPLACE INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {table}"  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only: REPLACE"):
            conn.execute(sql)
    assert dump(path) == before


def test_every_key_of_every_append_only_table_is_guarded(full: SqliteStore) -> None:
    with closing(sqlite3.connect(full.database.path)) as conn:
        for table, guarded in APPEND_ONLY.items():
            keys = set()
            for index in conn.execute(f"PRAGMA index_list({table})").fetchall():
                if index[2]:
                    keys.add(tuple(row[2] for row in conn.execute(f"PRAGMA index_info({index[1]})")))
            whole = {row[1]: (row[2], row[5]) for row in conn.execute(f"PRAGMA table_info({table})")}
            alias = [name for name, (kind, place) in whole.items() if kind == "INTEGER" and place == 1]
            only = sum(place > 0 for _, place in whole.values()) == 1
            if has_rowid(conn, table):
                keys.add((alias[0],) if alias and only else ("rowid",))
            assert keys == set(guarded), table


@pytest.mark.parametrize("name", sorted(guard_triggers()))
def test_a_dropped_guard_closes_the_workspace_and_is_named(workspace: Path, name: str) -> None:
    create_store(url_of(workspace))
    with closing(sqlite3.connect(workspace)) as conn:
        conn.execute(f"DROP TRIGGER {name}")
    with pytest.raises(GuardsMissing, match=name):
        open_store(url_of(workspace))
    report = open_for_audit(url_of(workspace)).events.verify()
    assert [name in problem for problem in report.problems] == [True]


def test_a_guard_that_was_weakened_is_as_good_as_gone(workspace: Path) -> None:
    create_store(url_of(workspace))
    with closing(sqlite3.connect(workspace)) as conn:
        conn.execute("DROP TRIGGER event_no_update")
        conn.execute("CREATE TRIGGER event_no_update BEFORE UPDATE ON event WHEN 0 BEGIN SELECT 1; END")
    with pytest.raises(GuardsMissing, match="event_no_update"):
        open_store(url_of(workspace))


# --- the audit chain on disk ------------------------------------------------------------------------------------------


def behind_the_back(path: Path, *statements: tuple[str, tuple[object, ...]]) -> None:
    """Change the log as somebody with the file in his hands would: guards off, change, guards on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        guards = {name: sql for name, sql in guard_triggers().items() if name.startswith("event_")}
        for name in guards:
            conn.execute(f"DROP TRIGGER {name}")
        for sql, values in statements:
            conn.execute(sql, values)
        for sql in guards.values():
            conn.execute(sql)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seq=st.integers(1, 8),
    change=st.sampled_from(
        [
            ("at", "2020-01-01T00:00:00Z"),
            ("actor", "mallory"),
            ("kind", "rule.other"),
            ("subject", "R77"),
            ("payload", "{}"),
            ("payload", '{"damaged'),
            ("payload", "[]"),
            ("payload", '{"x": NaN}'),
            ("payload", '{"x": 1e999}'),
            ("payload", '{"x": "\\ud800"}'),
            ("payload", '{"x": ' + "[" * 3000 + "]" * 3000 + "}"),
            ("hash", "sha256:0"),
            ("prev", "sha256:0"),
        ]
    ),
)
def test_a_changed_field_is_found_and_its_event_named(full: SqliteStore, seq: int, change: tuple[str, str]) -> None:
    column, value = change
    path = full.database.path
    with closing(sqlite3.connect(path)) as conn:
        (old,) = conn.execute(f"SELECT {column} FROM event WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
    sql = f"UPDATE event SET {column} = ? WHERE seq = ?"  # noqa: S608
    behind_the_back(path, (sql, (value, seq)))
    report = full.events.verify()
    behind_the_back(path, (sql, (old, seq)))
    assert report.first_broken == seq
    assert f"Event {seq} " in report.problems[0]
    assert full.events.verify().intact


def test_bytes_that_are_no_text_are_found_as_a_changed_event(full: SqliteStore) -> None:
    for column in ("actor", "payload"):
        behind_the_back(full.database.path, (f"UPDATE event SET {column} = CAST(x'ff41' AS TEXT) WHERE seq = 3", ()))  # noqa: S608
        assert full.events.verify().first_broken == 3


@pytest.fixture
def last_of_kind(full: SqliteStore) -> dict[str, int]:
    """Return the number of the last event of each kind; every kind of governance is among them."""
    found = {event.kind: event.seq for event in reversed(full.events.page(actor=SYSTEM))}
    assert found.keys() >= GOVERNING
    return found


GOVERNING = {
    "policy.changed",
    "guideline.changed",
    "labels.described",
    "rule.approved",
    "rule.rejected",
    "rule.decision_withdrawn",
    "rule.second_opinion_asked",
    "rule.second_look_drawn",
    "rule.rejection_confirmed",
    "rule.split",
    "rule.marked_stale",
    "check.closed",
    "rule.effect_measured",
    "review.imported",
    "role.granted",
}


def test_an_edited_event_of_any_kind_is_named(full: SqliteStore, last_of_kind: dict[str, int]) -> None:
    for kind, seq in last_of_kind.items():
        (old,) = (event for event in full.events.page(actor=SYSTEM) if event.seq == seq)
        forged = canonical_json({**old.payload, "reason": "another reason"})
        rewrite = "UPDATE event SET payload = ? WHERE seq = ?"
        behind_the_back(full.database.path, (rewrite, (forged, seq)))
        report = full.events.verify()
        behind_the_back(full.database.path, (rewrite, (canonical_json(old.payload), seq)))
        assert (report.first_broken, f"Event {seq} " in report.problems[0]) == (seq, True), kind
    assert full.events.verify().intact


def test_a_removed_event_of_any_kind_is_named(full: SqliteStore, last_of_kind: dict[str, int]) -> None:
    last = full.events.count()
    for kind, seq in {"the first": 1, **last_of_kind}.items():
        with closing(sqlite3.connect(full.database.path)) as conn:
            row = conn.execute("SELECT * FROM event WHERE seq = ?", (seq,)).fetchone()
        behind_the_back(full.database.path, ("DELETE FROM event WHERE seq = ?", (seq,)))
        report = full.events.verify()
        behind_the_back(full.database.path, (f"INSERT INTO event VALUES ({', '.join('?' * len(row))})", row))  # noqa: S608
        told = "the log was cut" if seq == last else f"Event {seq} is missing"
        assert (report.first_broken, told in report.problems[0]) == (seq, True), kind
    assert full.events.verify().intact


def test_events_that_changed_places_are_named(full: SqliteStore, last_of_kind: dict[str, int]) -> None:
    def swap(one: int, other: int) -> None:
        steps = [(one, -1), (other, one), (-1, other)]
        sql = "UPDATE event SET seq = ? WHERE seq = ?"
        behind_the_back(full.database.path, *[(sql, (new, old)) for old, new in steps])

    for kind, seq in last_of_kind.items():
        before = max(seq - 1, 1)
        swap(before, before + 1)
        assert full.events.verify().first_broken == before, kind
        swap(before, before + 1)
    assert full.events.verify().intact


def test_a_cut_tail_is_told_by_the_head_file(full: SqliteStore) -> None:
    last = full.events.count()
    behind_the_back(full.database.path, ("DELETE FROM event WHERE seq > ?", (last - 2,)))
    report = full.events.verify()
    assert report.first_broken == last - 1
    assert "the log was cut" in report.problems[0]


def test_without_the_head_file_the_report_says_what_it_cannot_tell(full: SqliteStore) -> None:
    full.database.head_path.unlink()
    report = full.events.verify()
    assert not report.intact
    assert "head file beside the database is missing" in report.problems[0]
    full.tasks.add(make_task("other"), ANNA)
    assert full.events.verify().intact


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"seq": 1}', '{"seq": "x", "hash": "y"}', '{"seq": Infinity, "hash": ""}', "\x00"]
)
def test_a_damaged_head_file_is_refused_by_name(full: SqliteStore, text: str) -> None:
    full.database.head_path.write_text(text)
    with pytest.raises(WorkspaceUnreadable, match=r"head file pld.db.head .* Restore it from a backup"):
        full.events.verify()


def test_the_head_file_is_the_last_event_after_every_write(full: SqliteStore) -> None:
    last = full.events.page()[0]
    assert json.loads(full.database.head_path.read_text()) == {"seq": last.seq, "hash": last.hash}
    assert list(full.database.path.parent.glob("*.new")) == []


# --- no room left -----------------------------------------------------------------------------------------------------

GREEDY = """
import resource, signal, sys
from storage import open_store
from pld_core.errors import StorageFull, WorkspaceError
from tests.factories import ANNA, make_example
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1])
room = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
n = 0
try:
    while True:
        rows = [make_example(f"{n} {i} " + "x" * 400) for i in range(100)]
        store.tasks.import_examples("posts", rows, "big.csv", ANNA)
        n += 1
except WorkspaceError as error:
    print(n, type(error).__name__, error)
"""


@pytest.mark.parametrize("kib", [400, 1000])
def test_a_file_that_may_not_grow_ends_in_one_sentence_and_an_intact_workspace(full: SqliteStore, kib: int) -> None:
    before = full.tasks.count_examples("posts")
    run = subprocess.run(
        [sys.executable, "-c", GREEDY, url_of(full.database.path), str(kib * 1024)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    stored, name, sentence = run.stdout.strip().split(" ", 2)
    assert name in ("StorageFull", "WorkspaceUnreadable")
    assert "\n" not in sentence
    assert int(stored) > 0
    again = open_store(url_of(full.database.path), TickingClock())
    assert again.tasks.count_examples("posts") == before + 100 * int(stored)
    assert again.events.verify().intact
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != kib * 1024
    with closing(sqlite3.connect(full.database.path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


FILL_A_DISK = """
import subprocess, sys
from pathlib import Path
from storage import create_store
from pld_core.errors import StorageFull, WorkspaceError
from tests.factories import ANNA, make_example, make_task
folder = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True).returncode:
    print("no mount"); sys.exit()
store = create_store(f"sqlite:///{folder}/pld.db")
store.tasks.add(make_task(), ANNA)
n = 0
full = None
while full is None:
    rows = [make_example(f"{n} {i} " + "x" * 400) for i in range(50)]
    try:
        store.tasks.import_examples("posts", rows, "big.csv", ANNA)
    except StorageFull as error:
        full = error
        continue
    except WorkspaceError as error:
        # The last change that fits may leave no room for the note beside the database.
        assert "The change was saved" in str(error)
    n += 1
print(type(full).__name__, "|", full)
print(n, store.tasks.count_examples("posts"), store.events.verify().intact)
"""


def test_a_full_disk_is_named_and_keeps_everything_before_it(small_disk: Path) -> None:
    # A mount namespace of its own, so that nothing is left mounted whatever happens.
    command = ["unshare", "-rm", sys.executable, "-c", FILL_A_DISK, str(small_disk)]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60, check=False
    )
    if "no mount" in run.stdout or "unshare" in run.stderr:
        pytest.skip("this machine lets nobody mount a small disk")
    problem, counts = run.stdout.strip().splitlines()
    assert problem.startswith("StorageFull | The disk is full. This change was rolled back")
    batches, examples, intact = counts.split()
    assert int(examples) == 50 * int(batches) > 0
    assert intact == "True"


def test_a_head_file_that_cannot_be_written_does_not_deny_the_change_that_was_saved(sqlite_store: SqliteStore) -> None:
    sqlite_store.database.head_path.unlink(missing_ok=True)
    sqlite_store.database.head_path.mkdir()
    with pytest.raises(WorkspaceError, match=r"The change was saved, but the head file pld.db.head"):
        fill(sqlite_store)
    assert [task.name for task in sqlite_store.tasks.all()] == ["posts"]
    assert list(sqlite_store.database.path.parent.glob("*.new")) == []
