"""`pld resolve` that is killed in a terminal: what commands say of its loop, and that no answer is paid for twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pld_core.models import Split
from pld_core.records import ExampleFilter
from storage import SqliteStore, create_store, open_store
from tests.cli.fake_ollama import FakeOllama, write_settings
from tests.cli.running import Pld
from tests.cli.worker_scenes import kill_pld_at
from tests.conflict_models import text
from tests.factories import url_of
from tests.loops_on_ollama import KINDS, RULES, VALIDATION, misreads, says
from tests.resolving import conflicted
from tests.teacher_stub import KEY, MODEL, Fault, TeacherStub, teacher_stub

TEST = 4 * len(KINDS)
RUN = re.compile(r'--resume "(resolve-[0-9a-f]{8})"')


def joke_rule(_number: int, request: str) -> Fault:
    """Propose a rule of its own for every wrong answer."""
    wrong = re.findall(r"^\[([0-9a-f]{8})\]$", request.partition("<<<WRONG")[2].partition("WRONG>>>")[0], re.MULTILINE)
    change = {"action": "new_rule", "rules": [], "reason": "Jokes stay.", "examples": wrong}
    texts = [text("joke is said", "keep")]
    return Fault(text=json.dumps({"kind": "other", "cause": "Jokes.", "actions": [{**change, "texts": texts}]}))


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Iterator[TeacherStub]:
    monkeypatch.setenv("PLD_OPENAI_API_KEY", KEY)
    with teacher_stub(joke_rule) as running:
        yield running


@pytest.fixture
def space(tmp_path: Path, ollama: FakeOllama, teacher: TeacherStub) -> Path:
    """A workspace whose student takes every insult for one to remove, jokes too."""
    folder = tmp_path / "space"
    conflicted(create_store(url_of(folder / "pld.db")), KINDS, RULES)
    write_settings(
        folder,
        user="anna",
        ollama_host=ollama.url,
        ollama_model="fake",
        student="ollama:fake",
        openai_base_url=teacher.url,
    )
    ollama.before = says(ollama, misreads)
    return folder


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def test_a_loop_killed_in_a_terminal_is_told_as_interrupted_and_goes_on_without_a_second_paid_call(
    pld: Pld, space: Path, ollama: FakeOllama, teacher: TeacherStub
) -> None:
    here = ("--task", "posts", "--workspace", space)
    order = ("resolve", *here, "--teacher", f"openai:{MODEL}", "--rounds", 1)
    first_look = len(store_of(space).tasks.examples("posts", ExampleFilter(split=Split.TRAIN))) + VALIDATION
    # In the middle of a trial: the teacher's answers are in, and some of the student's.
    kill_pld_at(ollama, first_look + 5, *order, PLD_OPENAI_API_KEY=KEY)
    paid = dict(teacher.seen)
    assert set(paid.values()) == {1}
    assert store_of(space).resolutions.stops(1) == ()

    told = pld("proposals", "list", *here).out
    assert "Loop 1 has no proposals yet.\nLoop 1 was interrupted, or still runs in another terminal" in told
    as_json = pld("proposals", "list", *here, "--json")
    assert (as_json.value, "Loop 1 was interrupted" in as_json.err) == ([], True)
    (run,) = RUN.findall(told)

    ended = pld("resolve", *here, "--resume", run, "--json").value
    assert (ended["loop"], ended["run"], ended["stopped"]) == (1, run, "no_gain")
    assert teacher.seen == paid
    # Only the question that was open when it was killed is asked twice, of those of the trial and the last look.
    assert len(ollama.asked) == first_look + VALIDATION + TEST + 1
    assert "Loop 1" not in pld("proposals", "list", *here).out
    assert store_of(space).events.verify().intact
