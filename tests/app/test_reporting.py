"""What the report of a run is gathered from, read out of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_app.reporting import ReportContent, Wanted, gather, report_json
from pld_app.settings import load_settings
from pld_app.wiring import App, compile_task
from pld_core.baselines import Baseline
from pld_core.compilation import Choices
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import Prediction, PromptVersion, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.releases import BreakGlass, ReleaseLabel
from pld_core.run_report.limits import known_limits
from storage import SqliteStore
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, BERT, approved_rule, fill, make_example, make_examples, make_task
from tests.releasing import compare_rules, compiled, evaluated, order

TRAIN = make_examples(6)
ASKED = make_examples(20, Split.VALIDATION)


@pytest.fixture
def app(tmp_path: Path, sqlite_store: SqliteStore) -> App:
    """A task with one approved rule and prompt version 1, which nobody has evaluated."""
    fill(sqlite_store, examples=[*TRAIN, *ASKED, *make_examples(12, Split.TEST)])
    approved_rule(sqlite_store)
    compare_rules(sqlite_store)
    compiled(sqlite_store)
    return App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)


def run_of(app: App, version: PromptVersion | None = None, **wrong: str) -> Run:
    """Let a version, the rules' if none is given, answer every validation example rightly but for those named."""
    held = version or app.store.prompts.get("posts", 1)
    answers = {content: answer_of(label) for content, label in wrong.items()}
    return answered_run(app.store, held.prompt, ASKED, answers)


def test_the_newest_complete_run_is_taken_and_one_under_way_is_not(app: App) -> None:
    first = run_of(app)
    held = app.store.prompts.get("posts", 1)
    unfinished = Run(0, "posts", 1, held.prompt.sha256, "told", "sha256:w", Split.VALIDATION, "", "", 20, None)
    second = app.store.runs.start(unfinished, ANNA)
    assert gather(app, Wanted("posts")).run == first
    with pytest.raises(InvalidInput, match=r"Run 2 has no answer yet.*pld evaluate --task posts --resume 2"):
        gather(app, Wanted("posts", second.id))
    app.store.runs.add_predictions(second.id, [Prediction(ASKED[0].hash, ASKED[0].label, answer_of("keep"))])
    partial = gather(app, Wanted("posts", second.id))
    assert not partial.is_complete
    assert "1 of 20 examples are answered" in known_limits(partial)[0]


def test_a_run_of_another_task_is_named_as_such(app: App) -> None:
    run = run_of(app)
    app.store.tasks.add(make_task("mails"), ANNA)
    with pytest.raises(NotFound, match="posts"):
        gather(app, Wanted("mails", run.id))


def test_the_newest_baseline_that_answers_every_example_is_taken(app: App) -> None:
    bare = compile_task(app, "posts", Choices(kind=PromptKind.NO_RULES))
    complete = run_of(app, bare, **{ASKED[0].hash: "remove"})
    answered_run(app.store, bare.prompt, ASKED[:5], {})
    answered_run(app.store, bare.prompt, ASKED, {}, student="another")
    report = gather(app, Wanted("posts", run_of(app).id))
    line = report.baselines[0]
    assert (line.beside.baseline, line.origin) == (Baseline.NO_RULES, f"run {complete.id}, prompt version 2")
    assert line.accuracy.k == 19
    assert [sentence.split()[:4] for sentence in report.missing] == [["The", "baseline", "with", "5"]]


def test_shots_among_the_examples_are_counted(app: App) -> None:
    shots = compile_task(app, "posts", Choices(kind=PromptKind.FEW_SHOT))
    run = answered_run(app.store, shots.prompt, TRAIN, {}, Split.TRAIN)
    report = gather(app, Wanted("posts", run.id))
    assert report.data.asked_as_shots == 5
    assert report.missing[-1].endswith("about, and there are none.")
    assert "Examples of the run that are in the prompt itself, with their labels: 5." in known_limits(report)
    assert [line.beside.baseline for line in report.baselines] == []


def test_a_text_with_two_labels_is_told(app: App) -> None:
    copies = [make_example(TRAIN[0].text, "remove", Split.VALIDATION)]
    app.store.tasks.import_examples("posts", copies, "more.csv", ANNA)
    report = gather(app, Wanted("posts", run_of(app).id))
    assert report.data.conflicts == 1
    assert "Texts of the task that have two labels, which nobody has settled: 1." in known_limits(report)


def test_texts_that_are_in_training_too_are_counted_and_teach_no_baseline(app: App) -> None:
    run = run_of(app)
    app.store.data.resplit("posts", {ASKED[0].hash: Split.TRAIN}, 0, ANNA)
    app.store.tasks.import_examples("posts", [make_example(f" {ASKED[1].text.upper()}", ASKED[1].label)], "b.csv", ANNA)
    report = gather(app, Wanted("posts", run.id))
    assert report.data.asked_in_training == 2
    assert report.baselines[-1].origin == f"computed from {len(TRAIN) + 1} training examples"


def test_a_rule_that_is_not_in_force_any_more_is_told(app: App) -> None:
    run = run_of(app)
    app.store.guidelines.change("posts", 1, "Keep what harms no one.", "the law changed", ANNA)
    report = gather(app, Wanted("posts", run.id))
    assert [(rule.rule_id, rule.in_force, rule.state) for rule in report.rules] == [("R1", False, "stale")]


def test_release_exception_and_looks_are_told(app: App) -> None:
    run = run_of(app)
    evaluated(app.store, 1)
    glass = BreakGlass("the court waits", app.store.database.now()[:10])
    app.store.guidelines.change("posts", 1, "Keep what harms no one.", "the law changed", ANNA)
    app.store.releases.move(order(app.store, 1, glass=glass), BERT)
    report = gather(app, Wanted("posts", run.id))
    assert report.standing.labels == (ReleaseLabel.PRODUCTION,)
    assert report.standing.exception == glass
    assert [look.split for look in report.standing.looks] == [Split.TEST]
    assert report_json(report)["exception"] == glass.notice


def test_parts_that_are_too_small_for_a_rate_are_left_out(app: App) -> None:
    cut = dict(gather(app, Wanted("posts", run_of(app).id)).slices)
    assert all(any(part.n >= 10 for part in parts) for parts in cut.values())


def test_the_content_for_a_download_is_the_page(app: App) -> None:
    page = ReportContent(app, Wanted("posts", run_of(app).id))().decode("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</main></body></html>\n")


def test_the_baselines_of_code_need_no_run(app: App) -> None:
    report = gather(app, Wanted("posts", run_of(app).id))
    found = [line.beside.baseline for line in report.baselines]
    assert found == [Baseline.NEAREST, Baseline.NEAREST_FIVE, Baseline.MAJORITY]
    assert [sentence.split(" was ")[0] for sentence in report.missing] == [
        "The baseline without rules",
        "The baseline with 5 examples",
    ]
