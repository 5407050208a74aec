"""What the Clusters page computes once for the same instructions, and reads at each move of the slider."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from pld_app import embedding, session
from pld_core.canonical import hash_json
from pld_core.clustering import Ground, numbers_on, open_ground, positions
from pld_core.compilation import fixed_length
from pld_core.models import ClusterParams, MicroInstruction, Task
from pld_core.sweep import MIN_SAMPLES_STEPS, SweepRow, rule_lengths, suggested_eps, sweep


@dataclass(frozen=True)
class Prepared:
    """The instructions of a task, compared with each other.

    Attributes:
        key: hash of what went in; equal keys mean equal everything.
        places: (rows, 2) on the map.
    """

    key: str
    instructions: tuple[MicroInstruction, ...]
    ground: Ground
    places: npt.NDArray[np.float64]
    embedder: str


def prepare(task: Task) -> Prepared | None:
    """Return the instructions of the task's active examples, compared; None if there are none. Sends nothing.

    Raises:
        VectorsMissing: some have to be embedded first.
    """
    instructions = session.app().store.logic.active_instructions(task.name)
    if not instructions:
        return None
    name = embedding.embedder_name(session.app().settings)
    origin = embedding.origin_of_vectors(session.app(), name, [i.condition for i in instructions])
    key = hash_json([name, origin, [[i.example_hash, i.condition, i.label] for i in instructions]])
    return _prepared(key, name, instructions)


# A resource, not data: data is copied at each look, and the graph can take hundreds of megabytes. It is never changed.
@st.cache_resource(show_spinner="Comparing the instructions with each other…", max_entries=2)
def _prepared(key: str, embedder: str, _instructions: tuple[MicroInstruction, ...]) -> Prepared:
    vectors = embedding.vectors(session.app(), embedder, [i.condition for i in _instructions])
    ground = open_ground([i.label for i in _instructions], vectors)
    return Prepared(key, _instructions, ground, positions(vectors, ClusterParams().seed), embedder)


def swept(task: Task, prepared: Prepared, within_label: bool, min_samples: int) -> tuple[SweepRow, ...]:
    """Return the table of settings, with the chosen minimum among them."""
    steps = tuple(sorted({*MIN_SAMPLES_STEPS, min_samples}))
    return _swept(prepared.key, fixed_length(task), within_label, steps, prepared)


@st.cache_data(show_spinner="Trying settings…", max_entries=24)
def _swept(
    key: str, fixed: int, within_label: bool, steps: tuple[int, ...], _prepared: Prepared
) -> tuple[SweepRow, ...]:
    del key  # only there to be remembered by
    lengths = rule_lengths(_prepared.instructions)
    return sweep(_prepared.ground, lengths, fixed, within_label, min_samples_steps=steps)


@st.cache_data(show_spinner=False, max_entries=24)
def suggestion(key: str, min_samples: int, within_label: bool, _ground: Ground) -> float | None:
    """Return the suggested eps for the ground that `key` stands for."""
    del key
    return suggested_eps(_ground, min_samples, within_label)


@st.cache_data(show_spinner=False, max_entries=64)
def numbers_for(key: str, params: ClusterParams, _ground: Ground) -> list[int]:
    """Return the cluster of each row of the ground that `key` stands for."""
    del key
    return numbers_on(_ground, params)
