"""Settings are compared in a table, a collapse is told with a way out that works, a suggestion is no more than one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from pld_core.clustering import Ground, Trouble, ground_of, health, numbers_on, open_ground
from pld_core.compilation import fixed_length
from pld_core.models import NOISE, Algorithm, ClusterParams
from pld_core.sweep import (
    EPS_STEPS,
    MIN_SAMPLES_STEPS,
    prompt_tokens,
    remedies,
    rule_lengths,
    suggested_eps,
    sweep,
)
from tests.factories import LABELS, make_example, make_instruction, make_task

Vectors = npt.NDArray[np.float32]


def fans(themes: int, each: int, strays: int, spread: float, shift: float = 0.0, seed: int = 0) -> Ground:
    """Return instructions of `themes` themes, labels taking turns by theme, and strays.

    Args:
        spread: how far the instructions of a theme lie from each other.
        shift: how much all of them have in common, as a weak embedding model has it: distances shrink.
    """
    lots = np.random.default_rng(seed)
    centres = lots.normal(size=(themes, 64))
    made = np.repeat(centres, each, axis=0) + lots.normal(scale=spread, size=(themes * each, 64))
    made = np.vstack([made, lots.normal(size=(strays, 64))])
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[:, 0] += shift
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    labels = [LABELS[n // each % 2] for n in range(themes * each)] + [LABELS[n % 2] for n in range(strays)]
    return open_ground(labels, made.astype(np.float32))


SOUND = fans(8, 12, 10, 0.4)
COLLAPSING = fans(8, 12, 10, 0.4, shift=1.5)
"""At the published setting everything is one cluster; the themes are there all the same, closer together."""


def of(ground: Ground, params: ClusterParams) -> set[Trouble]:
    return {trouble for trouble, _ in health(ground.labels, numbers_on(ground, params)).troubles}


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_for_each_eps_and_minimum_and_says_what_each_gives() -> None:
    rows = sweep(SOUND, [100] * 106, 2000, within_label=True)
    assert [(r.eps, r.min_samples) for r in rows] == [(e, m) for e in EPS_STEPS for m in MIN_SAMPLES_STEPS]
    for row in rows:
        numbers = numbers_on(SOUND, ClusterParams(row.eps, row.min_samples))
        assert row.figures == health(SOUND.labels, numbers)
        assert row.tokens == (2000 + 100 * row.figures.clusters) // 4
    assert any(row.figures.clusters == 8 and not row.figures.troubles for row in rows)


def test_a_larger_eps_never_makes_more_noise() -> None:
    rows = [r for r in sweep(SOUND, [1] * 106, 0, within_label=False) if r.min_samples == 6]
    assert all(a.figures.noise >= b.figures.noise for a, b in pairwise(rows))


def test_an_eps_beyond_the_graph_is_left_out_of_the_table() -> None:
    short = ground_of(["keep"] * 3, np.eye(3, dtype=np.float32), 0.3)
    assert {row.eps for row in sweep(short, [1] * 3, 0, within_label=True)} == {0.05, 0.1, 0.15, 0.2, 0.25, 0.3}


def test_a_row_says_the_same_for_machines() -> None:
    row = sweep(COLLAPSING, [10] * 106, 400, False, [0.4], [6])[0].as_json()
    assert {"eps": 0.4, "min_samples": 6, "clusters": 1, "tokens": 102, "collapsed": True}.items() <= row.items()
    assert row["noise_by_label"] == {"keep": {"noise": 0, "of": 53}, "remove": {"noise": 0, "of": 53}}


def test_the_prompt_is_what_is_always_there_and_the_longest_instruction_of_each_cluster() -> None:
    assert prompt_tokens([0, 0, 1, NOISE], [100, 300, 500, 9000], 2000) == 700
    assert prompt_tokens([], [], 2000) == 500
    example = make_example("x")
    (length,) = rule_lengths([make_instruction(example, "the post is friendly")])
    written = "1. [R12] IF the post is friendly, THEN keep. EXCEPT it is irony."
    assert length == pytest.approx(len(written), abs=8)


def test_the_fixed_part_of_a_prompt_grows_with_the_guideline() -> None:
    assert fixed_length(make_task(guideline="x" * 500)) - fixed_length(make_task(guideline="x")) == 499


# --- the suggestion ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("within", [True, False])
def test_the_suggested_eps_parts_company_from_strays(seed: int, within: bool) -> None:
    ground = fans(6, 20, 20, 0.35, seed=seed)
    eps = suggested_eps(ground, 5, within)
    assert eps is not None
    assert eps == round(eps, 2)
    found = health(ground.labels, numbers_on(ground, ClusterParams(eps, 5, within)))
    assert found.clusters == 6
    assert found.noise == pytest.approx(20, abs=12)


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((0, 3)), np.eye(5), np.tile(np.eye(1, 3), (40, 1)), np.zeros((40, 3)), np.eye(40)],
    ids=["nothing", "few", "all equal", "all zero", "all apart"],
)
def test_where_there_is_no_knee_nothing_is_suggested(vectors: npt.NDArray[np.float64]) -> None:
    ground = open_ground(["keep"] * len(vectors), vectors.astype(np.float32))
    assert suggested_eps(ground, 3, within_label=True) is None


# --- collapse and the way out -----------------------------------------------------------------------------------------


def test_the_published_setting_collapses_on_a_weak_embedding_and_is_told() -> None:
    published = ClusterParams(within_label=False)
    assert (published.eps, published.min_samples) == (0.4, 6)
    assert of(COLLAPSING, published) == {Trouble.ONE_CLUSTER, Trouble.FEW_CLUSTERS}
    assert not of(SOUND, published)


def test_the_way_out_of_a_collapse_is_a_lower_eps_clustering_inside_labels_or_hdbscan() -> None:
    published = ClusterParams(within_label=False)
    rows = sweep(COLLAPSING, [1] * 106, 0, within_label=False)
    offered = remedies(Trouble.ONE_CLUSTER, published, rows)
    lower, inside, other = (remedy.params for remedy in offered)
    assert lower.eps < 0.4
    assert inside == ClusterParams(within_label=True)
    assert other == ClusterParams(within_label=False, algorithm=Algorithm.HDBSCAN)
    assert [r.words for r in offered] == [f"Lower eps to {lower.eps:g}", "Cluster inside each label", "Use HDBSCAN"]
    for way_out in (lower, other):
        assert not of(COLLAPSING, way_out)


def test_much_noise_is_met_by_a_larger_eps_fewer_samples_or_hdbscan() -> None:
    tight = ClusterParams(0.05, 6)
    assert of(SOUND, tight) == {Trouble.MUCH_NOISE, Trouble.LABEL_LOST}
    offered = remedies(Trouble.MUCH_NOISE, tight, sweep(SOUND, [1] * 106, 0, within_label=True))
    raised, fewer, other = (remedy.params for remedy in offered)
    assert not of(SOUND, raised)
    assert (fewer.min_samples, fewer.eps) == (3, 0.05)
    assert other.algorithm is Algorithm.HDBSCAN
    assert not of(SOUND, other)


def test_a_label_lost_in_mixed_clusters_is_met_by_clustering_inside_labels() -> None:
    mixed = ClusterParams(0.9, 3, within_label=False)
    rows = sweep(COLLAPSING, [1] * 106, 0, within_label=False)
    assert remedies(Trouble.LABEL_LOST, mixed, rows)[1].params.within_label
    assert all(r.words != "Cluster inside each label" for r in remedies(Trouble.LABEL_LOST, ClusterParams(), rows))


def test_an_eps_that_does_not_help_is_not_offered() -> None:
    lone = ground_of(["keep", "remove"] * 20, np.tile(np.eye(1, 4, dtype=np.float32), (40, 1)), 0.9)
    ill = ClusterParams(0.4, 3, within_label=False)
    offered = remedies(Trouble.ONE_CLUSTER, ill, sweep(lone, [1] * 40, 0, within_label=False))
    assert [remedy.words for remedy in offered] == ["Cluster inside each label", "Use HDBSCAN"]


def test_a_remedy_is_never_the_setting_that_is_ill() -> None:
    for trouble in Trouble:
        for algorithm in Algorithm:
            for within in (True, False):
                ill = ClusterParams(0.05, 2, within, algorithm=algorithm)
                rows = sweep(SOUND, [1] * 106, 0, within)
                assert all(remedy.params != ill for remedy in remedies(trouble, ill, rows))
                assert all(remedy.params != ill for remedy in remedies(trouble, ill, ()))
