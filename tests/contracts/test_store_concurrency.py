"""Several processes at one workspace: nothing is lost, nothing is decided twice."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from pld_core.errors import PldError
from pld_core.models import Actor, Judgement
from storage import SqliteStore, create_store, open_store
from tests.factories import ALL_ROLES, ANNA, BERT, CLEO, fill, make_task, rule_in_review, url_of, verdict_on

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
    fill(sqlite_store, make_task(four_eyes=four_eyes))
    rule_id = rule_in_review(sqlite_store)
    seen = verdict_on(sqlite_store, rule_id)
    with SPAWN.Pool(2) as pool:
        ends = pool.map(decide, [(url_of(workspace), seen, who) for who in (BERT, CLEO)], chunksize=1)
    assert sorted(ends) == ["RevisionMovedOn", "recorded"]
    assert len(sqlite_store.rules.dossier(rule_id).decisions) == 1
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
