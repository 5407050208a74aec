"""Clusters: the stored clustering, its members and warnings, a preview of other settings, and synthesis as a job."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import NOISE, ClusterParams, ClusterPoint, JobState, Task
from tests.factories import ANNA, fill, make_examples, make_instruction, make_task
from tests.pages.driving import NASTY, Visit, Worker, metrics, press, prose, raw, run, takes_literally

DEMO_FIGURES = {"Clusters": "13", "Noise": "20 of 115", "Largest cluster": "8%"}


def preview(at: AppTest) -> str:
    (line,) = [text for text in raw(at, "markdown") if " clusters**, " in text]
    return line


def with_settings(at: AppTest, eps: float, least: int, within_label: bool) -> AppTest:
    at.slider("eps").set_value(eps)
    at.slider("min_samples").set_value(least)
    at.toggle("within_label").set_value(within_label)
    return run(at)


def collapsed(app: App, cluster: int = 0, task: Task | None = None) -> None:
    """A task whose four instructions all lie in one cluster, or all in none."""
    examples = fill(app.store, task, make_examples(4))
    for example, word in zip(examples, ("alpha", "beta", "gamma", "delta"), strict=True):
        app.store.logic.add_instruction("posts", make_instruction(example, f"{word} says {NASTY}"))
    points = [ClusterPoint(e.hash, e.label, cluster, 0.1, 0.2) for e in examples]
    app.store.logic.add_clustering("posts", ClusterParams(), points, ANNA)


def test_a_task_without_instructions_says_where_they_come_from(empty: App, visit: Visit) -> None:
    fill(empty.store)
    at = visit("clusters")
    assert "No instructions yet. A teacher writes one for each training example" in prose(at)
    assert not at.button


def test_the_demo_clustering_shows_its_figures(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    assert metrics(at) == DEMO_FIGURES
    assert "The teacher wrote 115 instructions." in prose(at)
    assert "Contradiction 6 of 27, Entailment 7 of 52, NotMentioned 7 of 36" in prose(at)
    assert at.selectbox("clustering_nda").options[0].startswith("Clustering 1 · 13 clusters, 20 noise · eps 0.55")
    assert not at.warning


def test_the_members_of_a_cluster_and_the_noise_can_be_read(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    points = demo.store.logic.clustering(1).points
    conditions = {i.example_hash: i.condition for i in demo.store.logic.instructions("nda")}
    box = at.selectbox("cluster_1")
    assert box.options[-1] == "Noise (20)"
    for cluster in (3, NOISE):
        box = at.selectbox("cluster_1")
        box.select(cluster)
        run(at)
        members = [point for point in points if point.cluster == cluster]
        shown = [line for line in prose(at).splitlines() if line.startswith("IF ")]
        assert len(shown) == len(members) > 1
        for point, line in zip(members, shown, strict=True):
            assert line.startswith(f"IF {' '.join(conditions[point.example_hash].split())}")
            assert line.endswith(f":gray[{point.label}]") == (cluster == NOISE)


def test_a_click_on_the_map_chooses_the_cluster(demo: App, visit: Visit) -> None:
    at = visit("clusters")
    point = {"curve_number": 0, "point_index": 0, "customdata": [4]}
    at.session_state["map_1"] = {"selection": {"points": [point], "point_indices": [0], "box": [], "lasso": []}}
    run(at)
    assert at.selectbox("cluster_1").value == 4


def test_one_cluster_for_everything_is_warned_of(empty: App, visit: Visit) -> None:
    collapsed(empty)
    assert raw(visit("clusters"), "warning") == [
        "One cluster holds 100\\% of the clustered instructions\\: eps is probably too large\\.",
        "Fewer clusters \\(1\\) than labels \\(2\\)\\: try a smaller eps\\.",
    ]


def test_labels_that_would_end_without_a_rule_are_warned_of(empty: App, visit: Visit) -> None:
    collapsed(empty, NOISE)
    warnings = "\n".join(raw(visit("clusters"), "warning"))
    assert "100\\% of the instructions are in no cluster" in warnings
    for label in ("keep", "remove"):
        assert f"No cluster concludes {label}\\: this label would end without a rule\\." in warnings


def test_instructions_are_plain_text(empty: App, visit: Visit) -> None:
    collapsed(empty)
    members = [text for text in raw(visit("clusters"), "markdown") if text.startswith("IF ")]
    assert len(members) == 4
    assert all(takes_literally([member], f"says {NASTY}") for member in members)


# --- other settings ---------------------------------------------------------------------------------------------------


def test_the_preview_begins_with_what_the_demo_was_made_with(demo: App, visit: Visit) -> None:
    assert preview(visit("clusters")).startswith("**13 clusters**, 20 of 115 noise, the largest holds 8%")


def test_another_setting_is_shown_at_once_and_not_stored(demo: App, visit: Visit) -> None:
    at = with_settings(visit("clusters"), 1.0, 3, within_label=False)
    assert preview(at).startswith("**1 clusters**, 0 of 115 noise, the largest holds 100%")
    assert "eps is probably too large" in prose(at)
    with_settings(at, 0.05, 12, within_label=True)
    assert preview(at).startswith("**0 clusters**, 115 of 115 noise")
    assert "No cluster concludes Entailment" in prose(at)
    assert metrics(at) == DEMO_FIGURES
    assert len(demo.store.logic.clusterings("nda")) == 1


def test_keeping_a_setting_stores_and_shows_it(demo: App, visit: Visit) -> None:
    at = press(with_settings(visit("clusters"), 0.4, 4, within_label=True), "keep")
    kept = demo.store.logic.clustering(2)
    assert (kept.params.eps, kept.params.min_samples, kept.created_by) == (0.4, 4, "anna")
    assert raw(at, "toast") == [f"Clustering 2 is kept\\: {kept.clusters} clusters\\, {kept.noise} noise"]
    assert at.selectbox("clustering_nda").value == 2
    assert metrics(at)["Clusters"] == str(kept.clusters)
    assert demo.store.rules.count("nda") == 13, "clustering alone writes no rule"


# --- synthesis --------------------------------------------------------------------------------------------------------


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
    collapsed(empty, task=replace(make_task(), teacher=""))
    assert visit("clusters").button("synthesise").disabled
