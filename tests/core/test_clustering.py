"""DBSCAN over cosine distance, the same on every call, with a plain word when the result should not be trusted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.cluster import DBSCAN

from pld_core.clustering import (
    EPS_MAX,
    TSNE_LIMIT,
    Ground,
    Trouble,
    cluster_numbers,
    cluster_points,
    ground_of,
    health,
    numbers_on,
    open_ground,
    positions,
)
from pld_core.errors import InvalidInput
from pld_core.models import NOISE, Algorithm, ClusterParams
from tests.factories import LABELS, make_example, make_instruction

Vectors = npt.NDArray[np.float32]


def blobs(seed: int, n: int = 90, centres: int = 5) -> tuple[list[str], Vectors]:
    """Return labels and unit vectors that lie around some centres, with stray points between them."""
    lots = np.random.default_rng(seed)
    middle = lots.normal(size=(centres, 12))
    rows = middle[lots.integers(centres, size=n)] + lots.normal(scale=0.45, size=(n, 12))
    rows[::9] = lots.normal(size=(len(rows[::9]), 12))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return [LABELS[i] for i in lots.integers(2, size=n)], unit.astype(np.float32)


def partition(numbers: list[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, n in enumerate(numbers) if n == number) for number in set(numbers) - {NOISE}}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("eps", [0.1, 0.2, 0.35])
@pytest.mark.parametrize("min_samples", [2, 6])
def test_it_equals_sklearns_dbscan_on_cosine_up_to_numbering(seed: int, eps: float, min_samples: int) -> None:
    labels, vectors = blobs(seed)
    ours = cluster_numbers(labels, vectors, ClusterParams(eps, min_samples, within_label=False))
    theirs = DBSCAN(eps=eps, min_samples=min_samples, metric="cosine").fit_predict(vectors).tolist()
    assert partition(ours) == partition(theirs)
    assert [n == NOISE for n in ours] == [n == NOISE for n in theirs]


@pytest.mark.parametrize("seed", range(6))
def test_within_labels_no_cluster_mixes_labels_and_each_label_stands_alone(seed: int) -> None:
    labels, vectors = blobs(seed)
    params = ClusterParams(0.3, 3)
    numbers = cluster_numbers(labels, vectors, params)
    assert partition(numbers)
    for members in partition(numbers):
        assert len({labels[i] for i in members}) == 1
    for label in LABELS:
        rows = [i for i, name in enumerate(labels) if name == label]
        alone = cluster_numbers([label] * len(rows), vectors[rows], params)
        assert partition([numbers[i] for i in rows]) == partition(alone)


def test_over_all_labels_a_cluster_may_mix_them() -> None:
    vectors = np.tile(np.eye(1, 4, dtype=np.float32), (4, 1))
    assert cluster_numbers(["keep", "remove"] * 2, vectors, ClusterParams(0.2, 2, within_label=False)) == [0, 0, 0, 0]
    assert cluster_numbers(["keep", "remove"] * 2, vectors, ClusterParams(0.2, 2)) == [0, 1, 0, 1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("within", [True, False])
def test_numbers_follow_the_rows_and_are_the_same_on_every_call(seed: int, within: bool) -> None:
    labels, vectors = blobs(seed)
    params = ClusterParams(0.3, 3, within)
    numbers = cluster_numbers(labels, vectors, params)
    assert numbers == cluster_numbers(labels, vectors.copy(), params)
    seen = list(dict.fromkeys(n for n in numbers if n != NOISE))
    assert seen == list(range(len(seen)))


@pytest.mark.parametrize("within", [True, False])
def test_a_text_without_a_known_word_is_noise_however_many_there_are(within: bool) -> None:
    vectors = np.zeros((12, 3), dtype=np.float32)
    vectors[:5, 1] = 1
    numbers = cluster_numbers(["keep"] * 12, vectors, ClusterParams(2.0, 2, within))
    assert numbers == [0] * 5 + [NOISE] * 7


@pytest.mark.parametrize("within", [True, False])
def test_nothing_gives_no_clusters(within: bool) -> None:
    assert cluster_numbers([], np.zeros((0, 4), dtype=np.float32), ClusterParams(within_label=within)) == []
    assert cluster_points([], np.zeros((0, 4), dtype=np.float32), ClusterParams(within_label=within)) == ()


@pytest.mark.parametrize("eps", [0.0, -0.1, 2.01, float("nan")])
def test_eps_out_of_range_is_refused(eps: float) -> None:
    with pytest.raises(InvalidInput, match=r"eps is .* above 0 and at most at 2"):
        cluster_numbers(["keep"], np.eye(1, dtype=np.float32), ClusterParams(eps))


@pytest.mark.parametrize("samples", [1, 0, -3])
def test_min_samples_below_two_is_refused(samples: int) -> None:
    with pytest.raises(InvalidInput, match=f"min_samples is {samples}; it has to be at least 2"):
        cluster_numbers(["keep"], np.eye(1, dtype=np.float32), ClusterParams(0.4, samples))


@pytest.mark.parametrize("within", [True, False])
def test_what_is_read_from_one_ground_is_what_is_made_for_the_parameters_alone(within: bool) -> None:
    labels, vectors = blobs(4, 120)
    ground = open_ground(labels, vectors)
    for algorithm in Algorithm:
        for eps in (0.07, 0.2, 0.4, 1.0):
            params = ClusterParams(eps, 4, within, algorithm=algorithm)
            assert numbers_on(ground, params) == cluster_numbers(labels, vectors, params)


def test_an_open_ground_ends_where_a_third_of_all_pairs_are_neighbours() -> None:
    lots = np.random.default_rng(0)
    vectors = lots.normal(size=(3000, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    graph = open_ground(["keep"] * 3000, vectors).graph
    assert 0.7 < graph.eps_max < EPS_MAX
    assert 1_000_000 < graph.pairs <= 1_500_000
    params = ClusterParams(algorithm=Algorithm.HDBSCAN)
    assert cluster_numbers(["keep"] * 3000, vectors, params) == numbers_on(Ground(("keep",) * 3000, graph), params)


def test_an_eps_beyond_the_ground_is_refused() -> None:
    labels, vectors = blobs(4)
    with pytest.raises(InvalidInput, match=r"eps can be at most 0\.3: choose a smaller one"):
        numbers_on(ground_of(labels, vectors, 0.3), ClusterParams(0.31))


@pytest.mark.parametrize("within", [True, False])
def test_hdbscan_needs_no_eps_and_keeps_labels_apart_if_asked(within: bool) -> None:
    labels, vectors = blobs(2, 160)
    params = ClusterParams(0.4, 4, within, algorithm=Algorithm.HDBSCAN)
    numbers = cluster_numbers(labels, vectors, params)
    assert numbers == cluster_numbers(labels, vectors, replace(params, eps=0.05))
    assert len(partition(numbers)) >= 3
    pure = [len({labels[i] for i in members}) == 1 for members in partition(numbers)]
    assert all(pure) == within


def test_parameters_stored_before_there_was_a_choice_are_dbscans() -> None:
    stored = {"eps": 0.3, "min_samples": 4, "within_label": False, "embedder": "e", "seed": 3}
    assert ClusterParams.from_json(stored) == ClusterParams(0.3, 4, False, "e", 3, Algorithm.DBSCAN)
    later = ClusterParams(0.3, algorithm=Algorithm.HDBSCAN)
    assert ClusterParams.from_json(later.as_json()) == later


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 10, 40])
def test_every_row_has_a_finite_place_on_the_map(rows: int) -> None:
    vectors = blobs(rows, 40)[1][:rows]
    places = positions(vectors, 0)
    assert places.shape == (rows, 2)
    assert np.isfinite(places).all()


@pytest.mark.parametrize("rows", [1, 3, 8])
@pytest.mark.parametrize("fill", [0.0, 0.5])
def test_equal_rows_have_a_place_too(rows: int, fill: float) -> None:
    assert np.isfinite(positions(np.full((rows, 4), fill, dtype=np.float32), 0)).all()


def test_the_map_is_the_same_for_the_same_seed() -> None:
    vectors = blobs(1, 30)[1]
    assert np.array_equal(positions(vectors, 3), positions(vectors, 3))


def test_a_large_set_is_projected_and_still_has_a_place_for_each_row() -> None:
    lots = np.random.default_rng(0)
    vectors = lots.normal(size=(TSNE_LIMIT + 1, 4)).astype(np.float32)
    places = positions(vectors, 0)
    assert places.shape == (TSNE_LIMIT + 1, 2)
    assert np.isfinite(places).all()


def test_points_keep_example_label_and_cluster_together() -> None:
    examples = [make_example(f"text {i}", LABELS[i // 4]) for i in range(8)]
    vectors = np.repeat(np.eye(2, 4, dtype=np.float32), 4, axis=0)
    points = cluster_points([make_instruction(e) for e in examples], vectors, ClusterParams(0.2, 2))
    assert [(p.example_hash, p.label, p.cluster) for p in points] == [
        (e.hash, e.label, i // 4) for i, e in enumerate(examples)
    ]


def test_a_sound_clustering_has_no_warning() -> None:
    even = health(["keep"] * 5 + ["remove"] * 5, [0] * 5 + [1] * 5)
    assert even.warnings == ()
    assert (even.clusters, even.points, even.noise, even.largest_share, even.noise_share) == (2, 10, 0, 0.5, 0.0)


def test_noise_is_counted_by_label() -> None:
    found = health(["keep", "remove", "keep", "remove"], [0, NOISE, 0, 1])
    assert found.noise_by_label == {"keep": (0, 2), "remove": (1, 2)}
    assert (found.noise, found.noise_share) == (1, 0.25)


def test_purity_is_the_share_of_the_most_frequent_label_of_each_cluster() -> None:
    found = health(["keep", "keep", "remove", "remove", "keep", "remove"], [0, 0, 0, 1, 1, NOISE])
    assert found.purity == (2 + 1) / 5
    assert health(["keep", "remove"], [NOISE, NOISE]).purity == 0.0


def test_a_label_that_is_in_clusters_but_never_the_most_frequent_one_ends_without_a_rule() -> None:
    found = health(["keep", "keep", "remove"] * 2, [0, 0, 0, 1, 1, 1])
    assert [kind for kind, _ in found.troubles] == [Trouble.LABEL_LOST]
    assert "No cluster concludes remove" in found.warnings[0]
    assert not found.is_collapsed


def test_a_collapse_into_one_cluster_is_told() -> None:
    found = health(["keep"] * 5 + ["remove"] * 5, [0] * 10)
    assert found.is_collapsed
    assert [kind for kind, _ in found.troubles] == [Trouble.ONE_CLUSTER, Trouble.FEW_CLUSTERS]
    assert "One cluster holds 100% " in found.warnings[0]
    assert "Fewer clusters (1) than labels (2)" in found.warnings[1]


def test_much_noise_is_told_from_above_forty_percent_on() -> None:
    labels = ["keep"] * 5 + ["remove"] * 5
    at_limit = health(labels, [0, 0, 0, NOISE, NOISE, 1, 1, 1, NOISE, NOISE])
    above = health(labels, [0, 0, NOISE, NOISE, NOISE, 1, 1, 1, NOISE, NOISE])
    assert not any("no cluster:" in warning for warning in at_limit.warnings)
    assert any("50% of the instructions are in no cluster" in warning for warning in above.warnings)


def test_a_label_that_would_end_without_a_rule_is_named() -> None:
    found = health(["keep", "keep", "remove", "remove"], [0, 0, NOISE, NOISE])
    assert "No cluster concludes remove: this label would end without a rule." in found.warnings
    assert not any("concludes keep" in warning for warning in found.warnings)


def test_nothing_but_noise_names_every_label_and_divides_by_nothing() -> None:
    found = health(["keep", "remove"], [NOISE, NOISE])
    assert (found.largest_share, found.noise_share, found.clusters) == (0.0, 1.0, 0)
    assert sum("No cluster concludes" in warning for warning in found.warnings) == 2
    assert health([], []).warnings == ()
