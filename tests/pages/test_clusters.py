"""Clusters: settings compared and chosen, the map and its points, warnings with a way out, noise, keeping, rules."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from pld_app.wiring import App
from pld_core.clustering import Trouble
from pld_core.models import NOISE, SYSTEM, Algorithm, AuthorKind, ClusterParams, JobState, RevisionState, Task, Verdict
from pld_core.sweep import EPS_STEPS, MIN_SAMPLES_STEPS
from tests.factories import fill, make_example, make_examples, make_instruction, make_task, verdict_on
from tests.pages.driving import (
    NASTY,
    Visit,
    Worker,
    choose_row,
    links,
    metrics,
    press,
    press_at_once,
    prose,
    raw,
    run,
    takes_literally,
)

DEMO_FIGURES = {"Clusters": "13", "Noise": "20 of 115", "Largest cluster": "8%", "Label purity": "100%"}


def figures(at: AppTest) -> dict[str, str]:
    return {name: value for name, value in metrics(at).items() if name in DEMO_FIGURES}


def with_settings(at: AppTest, eps: float, least: int, within_label: bool) -> AppTest:
    at.slider("eps_nda").set_value(eps)
    at.slider("min_samples_nda").set_value(least)
    at.toggle("within_nda").set_value(within_label)
    return run(at)


def settings(at: AppTest, task: str = "nda") -> tuple[float, int, bool, Algorithm]:
    eps, least = at.slider(f"eps_{task}").value, at.slider(f"min_samples_{task}").value
    assert isinstance(eps, float)
    assert isinstance(least, int)
    algorithm = Algorithm(str(at.segmented_control(f"algorithm_{task}").value))
    return eps, least, at.toggle(f"within_{task}").value, algorithm


def click(at: AppTest, example_hash: str) -> AppTest:
    """Click the point of an example on the map."""
    point = {"curve_number": 0, "point_index": 0, "customdata": [example_hash]}
    at.session_state["map_nda"] = {"selection": {"points": [point], "point_indices": [0], "box": [], "lasso": []}}
    return run(at)


def alike(app: App, task: Task | None = None, words: str = "it says the same") -> None:
    """A task whose eight instructions nearly say the same, whatever their label."""
    for place, example in enumerate(fill(app.store, task, make_examples(8))):
        app.store.logic.add_instruction("posts", make_instruction(example, f"{words} in {NASTY} {'again ' * place}"))


def cluster_box(at: AppTest) -> Selectbox[int]:
    """Return the choice of a cluster; its key changes with the clustering."""
    (box,) = [found for found in at.selectbox if found.label == "Cluster"]
    return box


def remedies_of(at: AppTest, trouble: Trouble) -> list[str]:
    return [str(b.label) for b in at.button if str(b.key).startswith(f"remedy_{trouble.value}")]


def test_a_task_without_instructions_says_where_they_come_from(empty: App, visit: Visit) -> None:
    fill(empty.store)
    at = visit("clusters")
    assert "No instructions yet. A teacher writes one for each training example" in prose(at)
    assert not at.button


# --- settings ---------------------------------------------------------------------------------------------------------


def test_the_page_begins_with_what_the_demo_was_made_with(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    assert settings(at) == (0.55, 3, True, Algorithm.DBSCAN)
    assert figures(at) == DEMO_FIGURES
    assert "The teacher wrote 115 instructions." in prose(at)
    assert "Kept as clustering 1 by " in prose(at)
    assert not at.warning


def test_without_a_kept_clustering_the_page_begins_with_the_published_setting(empty: App, visit: Visit) -> None:
    empty.store.tasks.create_with_examples(make_task(), make_examples(8), "test.csv", empty.actor)
    for example in empty.store.tasks.examples("posts"):
        empty.store.logic.add_instruction("posts", make_instruction(example))
    assert settings(visit("clusters"), "posts") == (0.4, 6, True, Algorithm.DBSCAN)


def test_the_table_comes_first_with_a_row_for_each_setting(demo: App, visit: Visit) -> None:
    table = visit("clusters").dataframe[0].value
    assert list(table.columns) == ["eps", "smallest", "clusters", "noise", "largest", "purity", "tokens", "trouble"]
    assert len(table) == len(EPS_STEPS) * len(MIN_SAMPLES_STEPS)
    row = table[(table["eps"] == 0.55) & (table["smallest"] == 3)].iloc[0]
    assert (row["clusters"], row["noise"], row["trouble"]) == (13, 17, "none")
    assert "much noise" in table["trouble"].iloc[0]


def test_a_row_of_the_table_sets_the_controls_once(demo: App, visit: Visit) -> None:
    at = choose_row(visit("clusters"), "sweep_nda", 4)
    assert settings(at) == (0.1, 6, True, Algorithm.DBSCAN)
    at.slider("eps_nda").set_value(0.4)
    run(at)
    assert settings(at)[0] == 0.4, "the chosen row does not hold the slider"


def test_the_suggested_eps_is_called_a_suggestion_and_can_be_used(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    (line,) = [text for text in raw(at, "caption") if text.startswith("Suggestion")]
    assert "No more than a suggestion" in line
    eps = float(line.split("eps ")[1].split(",")[0])
    press(at, "use_suggestion")
    assert settings(at)[0] == eps


def test_where_there_is_no_knee_no_eps_is_suggested(empty: App, visit: Visit) -> None:
    for example in fill(empty.store, examples=make_examples(8)):
        empty.store.logic.add_instruction("posts", make_instruction(example))
    assert "No suggestion for eps" in prose(visit("clusters"))


def test_another_setting_is_shown_at_once_and_not_stored(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 1.0, 3, within_label=False)
    assert figures(at) | {"Label purity": ""} == {
        "Clusters": "1",
        "Noise": "0 of 115",
        "Largest cluster": "100%",
        "Label purity": "",
    }
    assert "Not kept yet." in prose(at)
    assert at.button("synthesise").disabled
    with_settings(at, 0.05, 12, within_label=True)
    assert (figures(at)["Clusters"], figures(at)["Noise"]) == ("0", "115 of 115")
    assert len(demo.store.logic.clusterings("nda")) == 1


def test_hdbscan_needs_no_eps(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    at.segmented_control("algorithm_nda").set_value(Algorithm.HDBSCAN)
    run(at)
    assert at.slider("eps_nda").disabled
    assert "HDBSCAN needs no eps" in prose(at)
    assert int(figures(at)["Clusters"]) >= 8
    press(at, "keep")
    kept = demo.store.logic.clustering(2)
    assert (kept.params.algorithm, str(kept.clusters)) == (Algorithm.HDBSCAN, figures(at)["Clusters"])


# --- warnings ---------------------------------------------------------------------------------------------------------


def test_a_collapse_is_warned_of_with_a_button_for_each_way_out(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 1.0, 3, within_label=False)
    assert "One cluster holds 100\\% of the clustered instructions\\." in raw(at, "warning")
    lower, inside, other = remedies_of(at, Trouble.ONE_CLUSTER)
    assert lower.startswith("Lower eps to 0")
    assert (inside, other) == ("Cluster inside each label", "Use HDBSCAN")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_way_out_sets_the_parameter_that_it_names(demo: App, visit: Visit, number: int) -> None:
    at = with_settings(visit("clusters"), 1.0, 3, within_label=False)
    press(at, f"remedy_{Trouble.ONE_CLUSTER.value}_{number}")
    eps, least, within, algorithm = settings(at)
    changed = (eps < 1.0, within, algorithm is Algorithm.HDBSCAN)
    assert changed == tuple(place == number for place in range(3))
    assert least == 3
    if number == 0:
        assert not at.warning


def test_much_noise_is_warned_of_and_each_label_without_a_rule_is_named(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 0.05, 6, within_label=True)
    warnings = "\n".join(raw(at, "warning"))
    assert "100\\% of the instructions are in no cluster" in warnings
    assert warnings.count("this label would end without a rule") == 3
    assert any(label.startswith("Raise eps to") for label in remedies_of(at, Trouble.MUCH_NOISE))


# --- the map ----------------------------------------------------------------------------------------------------------


def test_a_click_on_the_map_shows_the_instruction_with_its_example(demo: App, visit: Visit) -> None:
    points = demo.store.logic.clustering(1).points
    clicked = next(point for point in points if point.cluster == 4)
    at = click(visit("clusters"), clicked.example_hash)
    assert cluster_box(at).value == 4
    (said,) = [i for i in demo.store.logic.instructions("nda") if i.example_hash == clicked.example_hash]
    assert f"**IF** {' '.join(said.condition.split())} **THEN** {said.label}" in prose(at)
    for _, text in demo.store.tasks.example("nda", clicked.example_hash).fields:
        assert text in raw(at, "text")
    cluster_box(at).select(2)
    run(at)
    assert cluster_box(at).value == 2, "the click does not hold the choice"
    assert "**THEN**" not in prose(at)


@pytest.mark.parametrize("by", ["label", "cluster"])
def test_the_map_is_coloured_by_label_or_cluster(demo: App, visit: Visit, by: str) -> None:
    at = visit("clusters")
    at.segmented_control("colour_by").set_value(by)
    run(at)
    (chart,) = at.get("plotly_chart")
    spec = chart.proto.spec
    assert ("Cluster 1: Entailment" in spec) is True
    assert ('"name":"Noise"' in spec) == (by == "cluster")
    assert ('"name":"Contradiction"' in spec) == (by == "label")


def test_the_members_of_a_cluster_and_the_noise_can_be_read(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    points = demo.store.logic.clustering(1).points
    conditions = {i.example_hash: i.condition for i in demo.store.logic.instructions("nda")}
    assert cluster_box(at).options[-1] == "Noise (20)"
    for cluster in (3, NOISE):
        cluster_box(at).select(cluster)
        run(at)
        shown = prose(at)
        members = [point for point in points if point.cluster == cluster]
        assert len(members) > 1
        for point in members:
            assert f"IF {' '.join(conditions[point.example_hash].split())} :gray[{point.label}]" in shown


def test_instructions_are_plain_text(empty: App, visit: Visit) -> None:
    alike(empty)
    at = visit("clusters")
    members = [text for text in raw(at, "markdown") if text.startswith("IF ")]
    assert len(members) >= 8
    assert all(takes_literally([member], f"in {NASTY}") for member in members)
    (chart,) = at.get("plotly_chart")
    assert "<b>bold" not in chart.proto.spec


# --- noise ------------------------------------------------------------------------------------------------------------


def test_noise_is_counted_by_label_and_a_point_of_it_can_be_promoted_to_a_rule(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    assert "**Contradiction** 6 of 27 · **Entailment** 7 of 52 · **NotMentioned** 7 of 36" in prose(at)
    at.selectbox("noise_nda").select("NotMentioned")
    run(at)
    buttons = [b for b in at.button if str(b.key).startswith("promote_")]
    assert len(buttons) == 7
    press(at, str(buttons[0].key))
    (summary,) = [r for r in demo.store.rules.queue("nda") if r.support == 1]
    assert (summary.state, summary.labels) == (RevisionState.IN_REVIEW, ("NotMentioned",))
    head = demo.store.rules.dossier(summary.id, SYSTEM).head
    assert (head.author, head.author_kind) == ("anna", AuthorKind.PERSON)
    assert raw(at, "toast") == [f"{summary.id} is in review\\. Open it on the Review page"]
    assert "is a rule already" in prose(at)
    assert len([b for b in at.button if str(b.key).startswith("promote_")]) == 6
    assert demo.store.events.page()[0].kind == "rule.promoted"


def test_settings_that_come_with_the_press_make_no_rule_and_keep_no_clustering(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    promote = next(str(b.key) for b in at.button if str(b.key).startswith("promote_"))
    at.slider("min_samples_nda").set_value(5)
    press_at_once(at, promote)
    assert demo.store.events.page()[0].kind != "rule.promoted"
    at.slider("min_samples_nda").set_value(4)
    press_at_once(at, "keep")
    assert len(demo.store.logic.clusterings("nda")) == 1
    press(at, "keep")
    assert demo.store.logic.clustering(2).params.min_samples == 4


def test_noise_of_a_clustering_that_is_not_kept_cannot_be_promoted(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 0.3, 4, within_label=True)
    assert all(b.disabled for b in at.button if str(b.key).startswith("promote_"))
    assert "Keep the clustering first" in prose(at)
    press(at, "keep")
    assert not any(b.disabled for b in at.button if str(b.key).startswith("promote_"))


# --- keeping ----------------------------------------------------------------------------------------------------------


def test_keeping_a_setting_stores_it_and_it_can_be_opened_again(demo: App, visit: Visit) -> None:
    at = press(with_settings(visit("clusters"), 0.4, 4, within_label=True), "keep")
    kept = demo.store.logic.clustering(2)
    assert (kept.params.eps, kept.params.min_samples, kept.created_by) == (0.4, 4, "anna")
    assert raw(at, "toast") == [f"Clustering 2 is kept\\: {kept.clusters} clusters\\, {kept.noise} noise"]
    assert "Kept as clustering 2 by anna" in prose(at)
    assert at.button("keep").disabled
    assert demo.store.rules.count("nda") == 13, "clustering alone writes no rule"
    at.selectbox("kept_nda").select(1)
    run(at)
    assert settings(at) == (0.55, 3, True, Algorithm.DBSCAN)
    assert "Kept as clustering 1 by " in prose(at)


def test_what_was_kept_before_an_example_left_is_not_what_is_on_the_screen(demo: App, visit: Visit) -> None:
    clustered = demo.store.tasks.example("nda", demo.store.logic.clustering(1).points[0].example_hash)
    labels = demo.store.tasks.get("nda").label_names
    other = next(label for label in labels if label != clustered.label)
    demo.store.tasks.import_examples("nda", [replace(clustered, label=other)], "again.csv", demo.actor)
    at = visit("clusters")
    assert "The teacher wrote 114 instructions." in prose(at)
    assert "Not kept yet." in prose(at)


def test_parameters_beyond_the_controls_are_brought_into_reach(empty: App, visit: Visit) -> None:
    alike(empty)
    empty.store.logic.add_clustering("posts", ClusterParams(1.7, 50), [], empty.actor)
    assert settings(visit("clusters"), "posts") == (1.0, 20, True, Algorithm.DBSCAN)


# --- synthesis --------------------------------------------------------------------------------------------------------


def coverage_table(at: AppTest) -> dict[str, dict[Hashable, Any]]:
    (table,) = [found.value for found in at.dataframe if "support a rule" in found.value]
    return {str(row.pop("label")): {str(k): int(v) for k, v in row.items()} for row in table.to_dict("records")}


def test_what_no_rule_covers_is_counted_by_label_with_a_warning_and_links(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    assert "95 of 115 training examples support a rule" in prose(at)
    assert "Every cluster of this clustering has a rule." in prose(at)
    rejected = [row.id for row in demo.store.rules.queue("nda") if row.labels == ("NotMentioned",)]
    for rule_id in rejected:
        demo.store.rules.judge(verdict_on(demo.store, rule_id, Verdict.REJECT), demo.actor)
    at = visit("clusters")
    assert "No rule concludes NotMentioned" in prose(at)
    table = coverage_table(at)
    assert (table["NotMentioned"]["rules"], table["NotMentioned"]["support a rule"]) == (0, 0)
    assert table["NotMentioned"]["in a cluster, no rule"] + table["NotMentioned"]["noise"] == 36
    assert f"{len(rejected)} clusters without a rule" in prose(at)
    assert {f"{rule_id} was rejected or retired" for rule_id in rejected} <= set(links(at))


def test_coverage_without_a_kept_clustering_says_what_to_do(empty: App, visit: Visit) -> None:
    examples = make_examples(8)
    empty.store.tasks.create_with_examples(make_task(), examples, "test", empty.actor)
    for example in examples:
        empty.store.logic.add_instruction("posts", make_instruction(example))
    assert "Keep a clustering to see which of its clusters have a rule" in prose(visit("clusters"))


def test_coverage_of_what_is_not_kept_is_looked_at_with_the_newest(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 0.3, 4, True)
    assert "Looked at with clustering 1, the newest that is kept" in prose(at)


def test_synthesis_is_a_job_that_leaves_what_is_there(demo: App, visit: Visit, worker: Worker) -> None:
    at = press(visit("clusters"), "synthesise")
    (job,) = demo.store.jobs.recent("nda")
    assert (job.kind, job.params, job.state) == ("synthesise", {"clustering": 1}, JobState.QUEUED)
    assert job.created_by == "anna"
    assert "**Rule synthesis** nda" in prose(at)
    assert worker().state is JobState.DONE
    run(at)
    assert "Rules: 0 made, 13 already there, 0 failed." in prose(at)
    assert demo.store.rules.count("nda") == 13


def test_a_task_without_a_teacher_cannot_synthesise(empty: App, visit: Visit) -> None:
    alike(empty, replace(make_task(), teacher=""))
    at = visit("clusters")
    press(at, "keep")
    assert at.button("synthesise").disabled


def test_one_lone_instruction_is_noise_and_breaks_nothing(empty: App, visit: Visit) -> None:
    (example,) = fill(empty.store, examples=[make_example("alone")])
    empty.store.logic.add_instruction("posts", make_instruction(example))
    assert metrics(visit("clusters"))["Noise"] == "1 of 1"
