"""Several processes at one workspace: nothing is lost, nothing is decided twice."""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from pld_core.errors import NotAllowed, PldError
from pld_core.models import SYSTEM, Actor, Decision, Judgement, RejectCategory, RevisionState, Verdict
from pld_core.policy import Policy
from pld_core.records import ImportRow
from storage import SqliteStore, create_store, open_store
from tests.contracts.data_sets import about, numbered
from tests.factories import (
    ALL_ROLES,
    ANNA,
    BERT,
    CLEO,
    fill,
    make_examples,
    make_task,
    rule_in_review,
    url_of,
    verdict_on,
)
from tests.seeding import all_checks, fill_with_checks, plain_rule

SPAWN = multiprocessing.get_context("spawn")


def enqueue_many(work: tuple[str, str, int]) -> None:
    url, who, n = work
    store = open_store(url)
    for number in range(n):
        store.jobs.enqueue("extract", "posts", {"who": who, "n": number}, Actor(who, ALL_ROLES))


def decide(work: tuple[str, Judgement, Actor]) -> str:
    url, judgement, actor = work
    try:
        open_store(url).rules.judge(judgement, actor)
    except PldError as error:
        return type(error).__name__
    return "recorded"


def decide_on_all(work: tuple[str, str, int]) -> tuple[list[Decision], dict[str, int]]:
    """Go through all rules in an order of one's own, as often as `rounds`; return what was recorded and refused."""
    url, who, rounds = work
    store, actor, lots = open_store(url), Actor(who, ALL_ROLES), random.Random(who)  # noqa: S311 - lots of a test
    made, refused = [], Counter[str]()
    for _ in range(rounds):
        rows = list(store.rules.queue("posts", actor=actor))
        lots.shuffle(rows)
        for row in rows:
            seen = store.rules.dossier(row.id, actor)
            verdict = lots.choice([Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT, Verdict.REQUEST_CHANGES])
            judgement = Judgement(row.id, seen.head.hash, seen.summary.state, verdict, "read", RejectCategory.OTHER)
            try:
                made.append(store.rules.judge(judgement, actor))
            except NotAllowed as error:
                refused[type(error).__name__] += 1
    return made, dict(refused)


def claim(work: tuple[str, str]) -> list[int]:
    url, owner = work
    store, got = open_store(url), []
    while job := store.jobs.claim(owner, 600):
        got.append(job.id)
    return got


def create(url: str) -> int:
    return create_store(url).events.count()


def test_four_processes_lose_no_event_and_the_chain_holds(sqlite_store: SqliteStore, workspace: Path) -> None:
    people = ("anna", "bert", "cleo", "dora")
    with SPAWN.Pool(4) as pool:
        pool.map(enqueue_many, [(url_of(workspace), who, 25) for who in people], chunksize=1)
    events = sqlite_store.events.page()
    assert len(events) == 100
    assert {(e.actor, e.payload["params"]["n"]) for e in events if isinstance(e.payload["params"], dict)} == {
        (who, n) for who in people for n in range(25)
    }
    assert sqlite_store.events.verify().intact
    noted = json.loads(sqlite_store.database.head_path.read_text())
    assert noted == {"seq": 100, "hash": events[0].hash}


@pytest.mark.parametrize("four_eyes", [False, True])
def test_of_two_decisions_on_one_screen_exactly_one_is_recorded(
    sqlite_store: SqliteStore, workspace: Path, four_eyes: bool
) -> None:
    fill(sqlite_store, policy=Policy(four_eyes=four_eyes))
    rule_id = rule_in_review(sqlite_store)
    seen = verdict_on(sqlite_store, rule_id)
    with SPAWN.Pool(2) as pool:
        ends = pool.map(decide, [(url_of(workspace), seen, who) for who in (BERT, CLEO)], chunksize=1)
    assert sorted(ends) == ["RevisionMovedOn", "recorded"]
    assert len(sqlite_store.rules.dossier(rule_id, SYSTEM).decisions) == 1
    assert sqlite_store.events.verify().intact


def test_eight_people_who_decide_on_the_same_fifty_rules_lose_nothing_and_decide_nothing_twice(
    sqlite_store: SqliteStore, workspace: Path
) -> None:
    fill_with_checks(sqlite_store, Policy(four_eyes=True, blind=True, second_look=50, known_bad=20))
    for number in range(50):
        rule_in_review(sqlite_store, plain_rule(number))
    people = [f"person {n}" for n in range(8)]
    with SPAWN.Pool(8) as pool:
        # Whatever else is raised in a process, such as a database that is locked, is raised here.
        ends = pool.map(decide_on_all, [(url_of(workspace), who, 2) for who in people], chunksize=1)
    recorded = sorted((d for made, _ in ends for d in made), key=lambda d: d.id)
    rules = sqlite_store.rules.queue("posts", actor=SYSTEM)
    assert len(rules) >= 50
    dossiers = [sqlite_store.rules.dossier(row.id, SYSTEM) for row in rules]
    assert sorted((d for x in dossiers for d in x.decisions), key=lambda d: d.id) == recorded
    assert len({d.id for d in recorded}) == len(recorded) > 50
    assert len({(d.revision_hash, d.reviewer) for d in recorded}) == len(recorded), "somebody decided twice"
    assert set().union(*(refused for _, refused in ends)) <= {"RevisionMovedOn", "IllegalTransition", "KnownBad"}
    for dossier in dossiers:
        if dossier.summary.state is RevisionState.APPROVED:
            assert len({d.reviewer for d in dossier.decisions if d.verdict is Verdict.APPROVE}) == 2
    in_force = {entry.rule_id for _, entry, _ in sqlite_store.rules.in_force("posts")}
    assert in_force == {x.summary.id for x in dossiers if x.summary.state is RevisionState.APPROVED}
    assert not in_force & {check.rule_id for check in all_checks(sqlite_store)}
    assert sqlite_store.events.verify().intact


def test_two_workers_share_the_jobs_and_none_is_claimed_twice(sqlite_store: SqliteStore, workspace: Path) -> None:
    ids = [sqlite_store.jobs.enqueue("extract", "posts", {}, ANNA).id for _ in range(20)]
    with SPAWN.Pool(2) as pool:
        one, two = pool.map(claim, [(url_of(workspace), owner) for owner in ("w1", "w2")], chunksize=1)
    assert sorted(one + two) == ids


def test_processes_that_make_the_same_workspace_at_once_all_get_it(tmp_path: Path) -> None:
    for attempt in range(3):
        url = url_of(tmp_path / f"space {attempt}" / "pld.db")
        with SPAWN.Pool(4) as pool:
            assert pool.map(create, [url] * 4, chunksize=1) == [0] * 4
        assert open_store(url).tasks.all() == ()


def import_file(url: str) -> tuple[int, int]:
    dataset, added = open_store(url).data.add(make_task(), about(), numbered(make_examples(3000)), ANNA)
    return dataset.id, added


def test_processes_that_import_one_file_at_once_make_one_data_set(sqlite_store: SqliteStore, workspace: Path) -> None:
    with SPAWN.Pool(2) as pool:
        ends = pool.map(import_file, [url_of(workspace)] * 4, chunksize=1)
    assert sorted(ends) == [(1, 0), (1, 0), (1, 0), (1, 3000)]
    assert [e.kind for e in sqlite_store.events.page()] == ["dataset.imported", "task.created"]
    assert (len(sqlite_store.data.all("posts")), sqlite_store.tasks.count_examples("posts")) == (1, 3000)


def import_and_wait(url: str, started: Event) -> None:
    def rows() -> Iterator[ImportRow]:
        yield from numbered(make_examples(2500))
        started.set()
        time.sleep(60)

    open_store(url).data.add(make_task(), about(), rows(), ANNA)


def test_an_import_that_is_killed_half_way_leaves_nothing(sqlite_store: SqliteStore, workspace: Path) -> None:
    started = SPAWN.Event()
    process = SPAWN.Process(target=import_and_wait, args=(url_of(workspace), started))
    process.start()
    assert started.wait(60)
    # Others read what there was before while the import runs.
    assert sqlite_store.tasks.all() == ()
    process.kill()
    process.join()
    assert (sqlite_store.tasks.all(), sqlite_store.events.count()) == ((), 0)
    with closing(sqlite3.connect(workspace)) as conn:
        for table in ("example", "dataset", "dataset_row", "dataset_state"):
            assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
        assert conn.execute("SELECT count(*) FROM example_fts WHERE example_fts MATCH 'post'").fetchone() == (0,)
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert import_file(url_of(workspace)) == (1, 3000)


def test_opening_a_workspace_once_more_lets_go_of_no_lock_of_this_process(sqlite_store: SqliteStore) -> None:
    """A file that a process opens by itself and closes takes with it the locks of all its connections to that file.

    Another process would then take itself for the last one and remove the log that this one still reads.
    """
    store, url = sqlite_store, url_of(sqlite_store.database.path)
    fill(store)
    before = len(store.jobs.recent())
    with store.database.read() as conn:
        assert conn.execute("SELECT count(*) FROM job").fetchone()[0] == before
        open_store(url)
        with SPAWN.Pool(1) as pool:
            pool.map(enqueue_many, [(url, "anna", 1)])
            pool.close()
            pool.join()
        assert store.database.path.with_name(f"{store.database.path.name}-wal").exists()
        assert conn.execute("SELECT count(*) FROM job").fetchone()[0] == before
    assert len(store.jobs.recent()) == before + 1
    assert store.events.verify().intact
