"""`pld cluster` and `pld synthesize`: what they keep, what they only tell, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pld_core.models import Algorithm, ClusterParams
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
    assert told["calls"] + told["answered"] + told["already_there"] == kept["clusters"]
    assert (told["cost_micro"], told["currency"], told["measured"]) == (0, "USD", 0)
    assert store.rules.count("nda") == 13
    value = pld("synthesize", "--task", "nda", "--workspace", space, "--json").value
    assert value["made"] + value["failed"] == value["calls"] == told["calls"]
    assert value["already_there"] == told["already_there"]
    assert store.rules.count("nda") == 13 + value["made"]


def test_a_clustering_can_be_named_and_what_has_its_rule_is_left_alone(space: Path, pld: Pld) -> None:
    pld("cluster", "--task", "nda", "--workspace", space)
    told = pld("synthesize", "--task", "nda", "--clustering", 1, "--dry-run", "--workspace", space)
    assert told.out.startswith("Clustering 1: 0 clusters to ask about, 0 answered already, 13 with their rule.")
    assert told.out.endswith("Nothing was asked.\n")
    done = pld("synthesize", "--task", "nda", "--clustering", 1, "--workspace", space)
    assert done.out == "Clustering 1: rules 0 made, 13 already there, 0 failed. 0 calls, 0.00 USD.\n"


def test_what_takes_no_part_any_more_leaves_an_approved_rule_stale(space: Path, pld: Pld) -> None:
    store = store_of(space)
    where = ("--workspace", space)
    pld("rules", "approve", "R1", "--reason", "right", *where)
    member = pld("rules", "show", "R1", *where, "--json").value["goes_on_as"]["members"][0]
    example = store.tasks.example("nda", member)
    other = next(label for label in store.tasks.get("nda").label_names if label != example.label)
    store.tasks.import_examples("nda", [replace(example, label=other)], "again.csv", ANNA)
    shown = pld("rules", "show", "R1", *where, "--json").value
    assert (shown["state"], shown["in_force"]) == ("stale", None)
    assert [change["removed"] for change in shown["evidence_changes"]] == [[member]]
    assert "1 example was taken out of its evidence (then stale)" in pld("rules", "show", "R1", *where).out
    value = pld("synthesize", "--task", "nda", "--dry-run", *where, "--json").value
    assert (value["calls"], value["already_there"]) == (0, 13)
    approved = pld("rules", "approve", "R1", "--reason", "still right", *where, "--json").value
    assert approved["state"] == "approved"
    assert len(pld("rules", "show", "R1", *where, "--json").value["decisions"]) == 2


def test_coverage_lists_what_no_rule_covers(space: Path, pld: Pld) -> None:
    where = ("--task", "nda", "--workspace", space)
    value = pld("coverage", *where, "--json").value
    assert (value["clustering"], value["clusters_without_rule"], value["warnings"]) == (1, [], [])
    assert value["covered"] + len(value["examples_without_rule"]) == value["examples"] == 115
    assert value["covered"] == sum(row["covered"] for row in value["labels"])
    for rule in pld("rules", "list", "--label", "NotMentioned", *where, "--json").value:
        given = ("--category", "unclear", "--reason", "no", "--workspace", space)
        pld("rules", "reject", rule["id"], *given)
    told = pld("coverage", *where).out
    assert "Warning: No rule concludes NotMentioned" in told
    assert told.count("of clustering 1 has no rule") == 4
    assert "no clustering 9" in pld("coverage", *where, "--clustering", 9).refusal


def test_a_task_without_data_is_told_what_to_do(tmp_path: Path, pld: Pld) -> None:
    create_store(url_of(tmp_path / "lone" / "pld.db")).tasks.add(make_task(), ANNA)
    told = pld("coverage", "--task", "posts", "--workspace", tmp_path / "lone").out
    assert told == "Task posts has no training example that takes part. `pld import` brings some.\n"


def test_rules_that_overlap_are_listed_and_right_after_an_edit(space: Path, pld: Pld) -> None:
    where = ("--task", "nda", "--workspace", space)
    assert pld("rules", "overlaps", *where).out == "No rules overlap.\n"
    said = pld("rules", "show", "R3", "--workspace", space, "--json").value["revisions"][-1]["condition"]
    given = ("--reason", "to compare", "--workspace", space)
    edited = pld("rules", "edit", "R11", "--if", said, "--priority", 1, *given, "--json").value
    assert (edited["priority"], edited["not_compared"]) == (1, "")
    (pair,) = pld("rules", "overlaps", *where, "--json").value
    assert (pair["rules"], pair["closeness"], pair["verdict"]) == (["R3", "R11"], 1.0, None)
    assert pld("rules", "overlaps", *where).out.startswith(f"R3 overlaps R11 (1.00): IF {said} THEN Entailment; IF ")
    assert {rule["id"] for rule in pld("rules", "list", "--overlapping", *where, "--json").value} == {"R3", "R11"}
    assert pld("rules", "show", "R3", "--workspace", space, "--json").value["overlaps"] == [pair]
    told = pld("rules", "show", "R11", "--workspace", space).out
    assert "priority 1 (first)" in told
    assert "R3 overlaps R11" in told
    assert pld("coverage", *where, "--json").value["overlaps"] == [pair]
    pld("rules", "edit", "R11", "--if", "quite another thing is said", *given)
    assert pld("rules", "overlaps", *where).out == "No rules overlap.\n"


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
