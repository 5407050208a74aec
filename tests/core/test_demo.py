"""The demo tasks are whole: every example has what the screens need, and running them makes rules worth reviewing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from pld_core.backends.scripted import ScriptedChat
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.demo import DEMO_TASKS, Demo, load_demo
from pld_core.errors import NotFound
from pld_core.extraction import read_extraction
from pld_core.models import EvidenceRole, RevisionState, Split
from pld_core.pipeline import extract, save_clustering
from pld_core.synthesising import synthesise
from storage import SqliteStore, create_store
from tests.factories import ANNA, TickingClock, no_report, url_of

FOLDER = Path(__file__).parents[2] / "pld_core" / "demo"


@pytest.fixture(params=DEMO_TASKS, scope="module")
def demo(request: pytest.FixtureRequest) -> Demo:
    return load_demo(request.param)


@pytest.fixture(scope="module")
def built(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> SqliteStore:
    """A workspace in which the demo was really run: extracted, clustered and merged."""
    store = create_store(url_of(tmp_path_factory.mktemp("demo") / "pld.db"), TickingClock())
    name, teacher, embedder = demo.task.name, ScriptedChat(demo.task.teacher, demo.script), TfidfEmbedder()
    store.tasks.create_with_examples(demo.task, demo.examples, "demo", ANNA)
    extracted = asyncio.run(extract(store, teacher, name, no_report))
    assert extracted.failed == 0
    clustering = asyncio.run(save_clustering(store, embedder, name, demo.params, ANNA))
    merged = asyncio.run(synthesise(store, teacher, embedder, clustering.id, ANNA, no_report))
    assert (merged.failed, merged.made) == (0, clustering.clusters)
    return store


def rows(name: str) -> list[dict[str, object]]:
    """Return the rows of the examples as they stand in the package, with theme and hardness."""
    files = sorted((FOLDER / name).glob("examples-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]


def test_a_demo_that_is_not_there_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"no demo task 'x'. There are: nda, moderation"):
        load_demo("x")


def test_every_row_of_the_package_is_in_the_demo_under_a_key_of_its_own(demo: Demo) -> None:
    given = rows(demo.task.name)
    keys = [str(row["key"]) for row in given]
    assert len(set(keys)) == len(keys)
    assert {e.source for e in demo.examples} == {f"demo {key}" for key in keys}


def test_there_are_enough_examples_and_every_split_holds_every_label(demo: Demo) -> None:
    assert len(demo.examples) >= 160
    table = Counter((e.split, e.label) for e in demo.examples)
    assert set(table) == {(split, label) for split in Split for label in demo.task.label_names}


def test_labels_have_about_the_same_share_in_every_split(demo: Demo) -> None:
    for label in demo.task.label_names:
        whole = sum(e.label == label for e in demo.examples) / len(demo.examples)
        for split in Split:
            part = [e for e in demo.examples if e.split is split]
            assert sum(e.label == label for e in part) / len(part) == pytest.approx(whole, abs=0.06), (label, split)


def test_no_text_stands_twice(demo: Demo) -> None:
    texts = Counter(" ".join(e.text.lower().split()) for e in demo.examples)
    assert [text for text, n in texts.items() if n > 1] == []


def test_every_field_of_every_example_says_something(demo: Demo) -> None:
    for example in demo.examples:
        assert [name for name, _ in example.fields] == list(demo.task.input_fields)
        assert all(value.strip() for _, value in example.fields), example.source


def test_the_teacher_knows_the_training_examples_and_no_others(demo: Demo) -> None:
    assert set(demo.script.extraction) == {e.hash for e in demo.examples if e.split is Split.TRAIN}


def test_every_reply_can_be_read_and_concludes_the_gold_label(demo: Demo) -> None:
    by_hash = {e.hash: e for e in demo.examples}
    for example_hash, text in demo.script.extraction.items():
        assert read_extraction(by_hash[example_hash], text, "told").label == by_hash[example_hash].label


def test_every_split_holds_hard_examples(demo: Demo) -> None:
    assert {row["split"] for row in rows(demo.task.name) if row["hard"]} == {split.value for split in Split}


def test_every_theme_has_one_merged_rule_and_every_rule_a_theme(demo: Demo) -> None:
    themes = {row["theme"] for row in rows(demo.task.name)}
    files = sorted((FOLDER / demo.task.name).glob("synthesis-*.jsonl"))
    written = [json.loads(line)["theme"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert sorted(written) == sorted(set(written))
    assert set(written) <= themes
    assert all(entry.examples for entry in demo.script.synthesis)


def test_running_the_demo_makes_at_least_ten_rules_in_review(demo: Demo, built: SqliteStore) -> None:
    queue = built.rules.queue(demo.task.name)
    assert len(queue) >= 10
    assert {summary.state for summary in queue} == {RevisionState.IN_REVIEW}
    assert all(summary.support for summary in queue)


def test_every_label_is_concluded_by_a_rule(demo: Demo, built: SqliteStore) -> None:
    concluded = {label for summary in built.rules.queue(demo.task.name) for label in summary.labels}
    assert concluded == set(demo.task.label_names)


def test_at_least_one_rule_has_examples_that_speak_against_it(demo: Demo, built: SqliteStore) -> None:
    rules = built.lineage.standing(demo.task.name)
    against = {r.id for r in rules for e in r.evidence if e.role is EvidenceRole.CONTRADICTS or e.note}
    assert against
    assert {rule.id for rule in rules} - against
    assert all(any(e.role is EvidenceRole.NEAR_MISS for e in rule.evidence) for rule in rules)


def test_running_the_demo_twice_makes_the_same_rules(demo: Demo, built: SqliteStore) -> None:
    numbers = [point.cluster for point in built.logic.clustering(1).points]
    again = asyncio.run(save_clustering(built, TfidfEmbedder(), demo.task.name, demo.params, ANNA))
    assert [point.cluster for point in again.points] == numbers
    assert built.events.verify().intact
