"""The baselines of code on a split: the figures of the same answers that stand beside a run, and what is missing."""

from __future__ import annotations

from pathlib import Path

from pld_app.run_figures import beside
from pld_app.settings import load_settings
from pld_app.split_baselines import SHOWN, split_baselines
from pld_app.wiring import App
from pld_core.models import Split
from storage import SqliteStore
from tests.answering import answered_run
from tests.factories import ANNA, approved_rule, fill, make_examples
from tests.releasing import compare_rules, compiled

ASKED = make_examples(20, Split.VALIDATION)


def app_of(folder: Path, store: SqliteStore) -> App:
    return App(load_settings(folder / "space", {}), store, ANNA)


def test_they_are_those_beside_a_run_that_asks_the_whole_split(tmp_path: Path, sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, examples=[*make_examples(6), *ASKED])
    approved_rule(sqlite_store)
    compare_rules(sqlite_store)
    compiled(sqlite_store)
    app = app_of(tmp_path, sqlite_store)
    run = answered_run(sqlite_store, sqlite_store.prompts.get("posts", 1).prompt, ASKED, {})
    lines = {line.beside.baseline: line for line in beside(app, run).lines}
    found = split_baselines(app, "posts", Split.VALIDATION)
    assert tuple(one.baseline for one in found) == SHOWN
    for one in found:
        assert one.figures is not None
        assert one.figures.accuracy == lines[one.baseline].accuracy
        assert one.figures.macro_f1 == lines[one.baseline].macro_f1
        assert one.words.startswith(f"{one.figures.accuracy.rate:.0%} right (")


def test_without_other_training_examples_it_is_said_what_brings_some(tmp_path: Path, sqlite_store: SqliteStore) -> None:
    fill(sqlite_store, examples=make_examples(6))
    app = app_of(tmp_path, sqlite_store)
    assert all("the Data page divides" in one.words for one in split_baselines(app, "posts", Split.TRAIN))
