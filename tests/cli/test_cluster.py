"""`pld cluster` and `pld synthesize`: what they keep, what they only tell, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.models import NOISE, Algorithm, ClusterParams
from storage import SqliteStore, create_store, open_store
from tests.cli.running import Pld, content_of
from tests.factories import ANNA, fill, make_task, url_of


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def empty_task(folder: Path, teacher: str = "told") -> Path:
    folder.mkdir()
    fill(create_store(url_of(folder / "pld.db")), replace(make_task(), teacher=teacher))
    return folder


def test_the_published_setting_is_the_default_and_the_result_is_kept(space: Path, pld: Pld) -> None:
    value = pld("cluster", "--task", "nda", "--workspace", space, "--json").value
    kept = store_of(space).logic.clustering(2)
    assert value["clustering"] == 2
    assert value["params"] == kept.params.as_json() == ClusterParams(0.4, 6).as_json()
    assert (value["clusters"], value["noise"]) == (kept.clusters, kept.noise)
    assert sum(n["noise"] for n in value["noise_by_label"].values()) == value["noise"]
    assert value["purity"] == 1.0
    assert not value["collapsed"]
    assert (value["troubles"], value["remedies"]) == ([], [])
    assert kept.created_by == "anna"


def test_each_option_is_kept_with_the_clustering(space: Path, pld: Pld) -> None:
    given = ("--eps", 0.3, "--min-samples", 4, "--algorithm", "hdbscan", "--all-labels", "--seed", 5)
    pld("cluster", "--task", "nda", *given, "--workspace", space)
    kept = store_of(space).logic.clustering(2).params
    assert kept == ClusterParams(0.3, 4, False, seed=5, algorithm=Algorithm.HDBSCAN)


@pytest.mark.parametrize("flag", ["--dry-run", "--sweep"])
def test_a_dry_run_and_a_sweep_keep_nothing(space: Path, pld: Pld, flag: str) -> None:
    before = content_of(space)
    assert pld("cluster", "--task", "nda", flag, "--workspace", space).code == 0
    assert content_of(space) == before


def test_the_same_parameters_give_the_same_clusters(space: Path, pld: Pld) -> None:
    for _ in range(2):
        pld("cluster", "--task", "nda", "--eps", 0.35, "--workspace", space)
    store = store_of(space)
    assert store.logic.clustering(2).points == store.logic.clustering(3).points


def test_the_sweep_is_a_table_with_a_suggestion(space: Path, pld: Pld) -> None:
    value = pld("cluster", "--task", "nda", "--sweep", "--workspace", space, "--json").value
    assert {"eps", "min_samples", "clusters", "noise_share", "largest_share", "purity", "tokens"} <= set(
        value["rows"][0]
    )
    assert 0 < value["suggested_eps"] < 1
    told = pld("cluster", "--task", "nda", "--sweep", "--workspace", space).out.splitlines()
    assert len(told) == len(value["rows"]) + 2
    assert told[0].split() == ["eps", "smallest", "clusters", "noise", "largest", "purity", "tokens", "trouble"]
    assert told[-1].startswith("Suggestion: --eps 0.")


def test_a_collapse_is_told_with_what_may_help(space: Path, pld: Pld) -> None:
    given = ("--eps", 1.0, "--min-samples", 3, "--all-labels", "--dry-run", "--workspace", space)
    value = pld("cluster", "--task", "nda", *given, "--json").value
    assert value["clustering"] is None
    assert value["collapsed"]
    assert [t["kind"] for t in value["troubles"]][:2] == ["one_cluster", "few_clusters"]
    helps = {r["words"]: r["params"] for r in value["remedies"] if r["for"] == "one_cluster"}
    assert {"Cluster inside each label", "Use HDBSCAN"} < set(helps)
    told = pld("cluster", "--task", "nda", *given).out
    assert "Warning: One cluster holds 100% of the clustered instructions." in told
    assert "What may help: Lower eps to 0." in told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--eps", "0"), "eps is 0.0; it has to lie above 0"),
        (("--eps", "2.5"), "eps is 2.5"),
        (("--min-samples", "1"), "min_samples is 1"),
        (("--min-samples", "1", "--sweep"), "min_samples is 1"),
    ],
)
def test_parameters_out_of_range_are_refused(space: Path, pld: Pld, given: tuple[str, ...], words: str) -> None:
    assert words in pld("cluster", "--task", "nda", *given, "--workspace", space).refusal
    assert len(store_of(space).logic.clusterings("nda")) == 1


def test_a_task_without_instructions_is_refused(tmp_path: Path, pld: Pld) -> None:
    space = empty_task(tmp_path / "space")
    assert "posts has no instructions yet" in pld("cluster", "--task", "posts", "--workspace", space).refusal
    assert "no task" in pld("cluster", "--task", "none", "--workspace", space).refusal


# --- synthesis --------------------------------------------------------------------------------------------------------


def test_rules_are_made_of_the_newest_clustering_and_go_into_review(space: Path, pld: Pld) -> None:
    store = store_of(space)
    kept = pld("cluster", "--task", "nda", "--eps", 0.45, "--min-samples", 6, "--workspace", space, "--json").value
    told = pld("synthesize", "--task", "nda", "--dry-run", "--workspace", space, "--json").value
    assert told["clustering"] == kept["clustering"] == 2
    assert told["awaited"] + told["already_there"] == kept["clusters"]
    assert store.rules.count("nda") == 13
    value = pld("synthesize", "--task", "nda", "--workspace", space, "--json").value
    assert value["made"] + value["failed"] == told["awaited"]
    assert value["already_there"] == told["already_there"]
    assert store.rules.count("nda") == 13 + value["made"]


def test_a_clustering_can_be_named_and_what_has_its_rule_is_left_alone(space: Path, pld: Pld) -> None:
    pld("cluster", "--task", "nda", "--workspace", space)
    told = pld("synthesize", "--task", "nda", "--clustering", 1, "--dry-run", "--workspace", space)
    assert told.out == "Clustering 1: 0 rules to ask for, 13 already there. Nothing was asked.\n"
    done = pld("synthesize", "--task", "nda", "--clustering", 1, "--workspace", space)
    assert done.out == "Clustering 1: rules 0 made, 13 already there, 0 failed.\n"


def test_what_is_counted_is_what_takes_part(space: Path, pld: Pld) -> None:
    store = store_of(space)
    point = next(p for p in store.logic.clustering(1).points if p.cluster != NOISE)
    example = store.tasks.example("nda", point.example_hash)
    other = next(label for label in store.tasks.get("nda").label_names if label != example.label)
    store.tasks.import_examples("nda", [replace(example, label=other)], "again.csv", ANNA)
    value = pld("synthesize", "--task", "nda", "--dry-run", "--workspace", space, "--json").value
    assert (value["awaited"], value["already_there"]) == (1, 12)


def test_without_clustering_number_or_teacher_synthesis_is_refused(tmp_path: Path, space: Path, pld: Pld) -> None:
    refused = pld("synthesize", "--task", "nda", "--clustering", 9, "--workspace", space).refusal
    assert refused == "Task nda has no clustering 9. It has: 1."
    bare = empty_task(tmp_path / "bare", teacher="")
    assert "has no teacher" in pld("synthesize", "--task", "posts", "--workspace", bare).refusal
    lone = tmp_path / "lone"
    lone.mkdir()
    create_store(url_of(lone / "pld.db")).tasks.add(make_task(), ANNA)
    refused = pld("synthesize", "--task", "posts", "--workspace", lone).refusal
    assert refused == "Task posts has no clustering yet. `pld cluster --task posts` makes one."
