"""The Errors page: what is missing and starts there, each chart, what a click leads to, and what the address keeps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import attributions, wiring
from pld_app.components.errors_views import VIEWS
from pld_app.wiring import App
from pld_core.analytics import BarSort, RuleBar
from pld_core.attribution import Method
from pld_core.compilation import Choices
from pld_core.models import Answer, AnswerStatus, Prediction, Run, Split
from pld_core.prompt_manifest import PromptKind
from pld_core.records import ExampleFilter, Page
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.factories import no_report, verdict_on
from tests.pages.driving import NASTY, Visit, Worker, links, press, press_at_once, prose, raw, run, takes_literally

WRONG = {"Entailment": "Contradiction", "Contradiction": "NotMentioned", "NotMentioned": "Entailment"}


def answered(
    app: App, prompt: int, wrong: Sequence[int], attributed: bool = True, split: Split = Split.VALIDATION
) -> Run:
    """Store a complete run in which the examples at these places are answered wrongly."""
    version = app.store.prompts.get("nda", prompt)
    asked = app.store.tasks.examples("nda", ExampleFilter(split=split), Page(0, 100))
    sha = version.prompt.sha256
    new = Run(0, "nda", prompt, sha, STUDENT, "sha256:w", split, "", "", len(asked), None)
    stored = app.store.runs.start(new, app.actor)
    told = [WRONG[e.label] if place in wrong else e.label for place, e in enumerate(asked)]
    given = [
        Prediction(e.hash, e.label, Answer(said, said, AnswerStatus.OK, 100 + place, 900, 5))
        for place, (e, said) in enumerate(zip(asked, told, strict=True))
    ]
    app.store.runs.add_predictions(stored.id, given)
    app.store.runs.finish(stored.id, {}, app.actor)
    if attributed:
        attributions.attribute(app, stored.id, no_report)
    return stored


@pytest.fixture
def ready(compiled: App) -> App:
    """Version 1 holds R1; version 2 holds R1, R5, R6 and R7; version 3 none. Runs 1 and 2 are of 3 and 2."""
    for rule_id in ("R5", "R6", "R7"):
        compiled.store.rules.judge(verdict_on(compiled.store, rule_id), compiled.actor)
    wiring.compile_task(compiled, "nda")
    wiring.compile_task(compiled, "nda", Choices(kind=PromptKind.NO_RULES))
    answered(compiled, 3, range(10))
    answered(compiled, 2, range(5, 25))
    return compiled


def click(at: AppTest, chart: str, *means: str, base: str = "chart_errors-") -> AppTest:
    """Click a point of a chart that stands for this."""
    at.session_state[f"{base}{chart}"] = {"selection": {"points": [{"customdata": list(means)}]}}
    return run(at)


def chosen(at: AppTest) -> dict[str, str]:
    """Return what the address says of the choice; what a link brought stands in lists."""
    names = ("rule", "gold", "said", "other")
    found = {name: at.query_params[name] for name in names if name in at.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in found.items()}


def most_harm(app: App) -> str:
    """Return the rule of the first bar."""
    return bars(app)[0].rule_id


def bars(app: App, sort: BarSort = BarSort.HARM) -> tuple[RuleBar, ...]:
    return app.store.analytics.rule_bars(2, Method.EVIDENCE, 1, sort).bars


def test_answers_that_are_no_label_are_not_laid_at_the_door_of_rules(ready: App, visit: Visit) -> None:
    version = ready.store.prompts.get("nda", 2)
    asked = ready.store.tasks.examples("nda", ExampleFilter(split=Split.VALIDATION), Page(0, 100))
    new = Run(0, "nda", 2, version.prompt.sha256, STUDENT, "sha256:w", Split.VALIDATION, "", "", len(asked), None)
    stored = ready.store.runs.start(new, ready.actor)
    shrug = Answer(None, "well", AnswerStatus.MALFORMED, 100, 900, 5)
    ready.store.runs.add_predictions(stored.id, [Prediction(e.hash, e.label, shrug) for e in asked])
    ready.store.runs.finish(stored.id, {}, ready.actor)
    attributions.attribute(ready, stored.id, no_report)
    at = visit("errors", run=str(stored.id))
    (warning,) = raw(at, "warning")
    assert warning.startswith("No answer holds a label that is declared.")
    assert "no rule is behind these errors" in warning
    assert not raw(visit("errors", run="2"), "warning")


# --- what is missing --------------------------------------------------------------------------------------------------


def test_without_a_prompt_version_the_way_to_one_is_shown(demo: App, visit: Visit) -> None:
    at = visit("errors")
    assert "There is no prompt version yet" in prose(at)
    assert "Go to Prompt" in links(at)


def test_without_a_run_one_click_starts_it_and_its_bars_follow(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    at = visit("errors")
    assert "No run yet" in prose(at)
    press(at, "errors_start_run")
    (job,) = [job for job in compiled.store.jobs.recent("nda") if job.kind == "evaluate"]
    assert (job.params["prompt"], job.params["student"], job.params["split"]) == (1, STUDENT, "validation")
    worker()
    at = run(at)
    assert at.selectbox("errors_run_nda").value == 1
    assert at.get("plotly_chart")


def test_a_run_that_is_not_complete_is_none(compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker) -> None:
    ollama.before = lambda number: compiled.store.jobs.request_cancel(1, compiled.actor) if number == 5 else None
    at = press(visit("errors"), "errors_start_run")
    worker()
    at = run(at)
    assert "No run is complete yet." in prose(at)


def test_answers_that_were_not_put_down_to_rules_are_with_one_click(
    compiled: App, visit: Visit, worker: Worker
) -> None:
    answered(compiled, 1, range(3), attributed=False)
    at = visit("errors")
    assert "The answers of run 1 are not put down to rules yet." in prose(at)
    press(at, "errors_attribute")
    assert worker().kind == "attribute"
    at = run(at)
    assert at.get("plotly_chart")


def test_a_prompt_that_asks_for_no_citations_has_none_and_says_so(ready: App, visit: Visit) -> None:
    at = visit("errors", errors_method="Cited")
    assert "does not ask the student which rules it goes by, so run 2 has no citations" in prose(at)
    assert not at.get("plotly_chart")


def test_without_another_run_no_harm_is_told(compiled: App, visit: Visit) -> None:
    answered(compiled, 1, range(3))
    at = visit("errors")
    assert "There is no run to tell harm against" in prose(at)
    at = visit("errors", errors_view="Support and harm")
    assert "A run without rules is the usual baseline." in prose(at)


def test_without_a_wrong_answer_there_is_no_map_of_confusions(compiled: App, visit: Visit) -> None:
    answered(compiled, 1, ())
    at = visit("errors", errors_view="Rule × confusion")
    assert "No answer is wrong that is put down to these rules." in prose(at)
    assert not at.get("plotly_chart")


def test_the_baseline_of_harm_is_ordered_where_it_is_missing(compiled: App, visit: Visit, ollama: FakeOllama) -> None:
    answered(compiled, 1, range(3))
    press(visit("errors", errors_view="Support and harm"), "baseline_NO_RULES")
    (job,) = [job for job in compiled.store.jobs.recent("nda") if job.kind == "evaluate"]
    made = compiled.store.prompts.get("nda", int(str(job.params["prompt"])))
    assert made.prompt.build.kind is PromptKind.NO_RULES


def test_the_student_that_is_chosen_with_the_press_is_shown_before_it_is_asked(
    compiled: App, visit: Visit, ollama: FakeOllama, embedded_student: None
) -> None:
    at = visit("errors")
    at.selectbox("run_student").select("embedded")
    press_at_once(at, "errors_start_run")
    press(at, "errors_start_run")
    (job,) = [job for job in compiled.store.jobs.recent("nda") if job.kind == "evaluate"]
    assert job.params["student"] == "embedded"


def test_where_only_other_splits_were_run_one_click_runs_validation(
    compiled: App, visit: Visit, ollama: FakeOllama
) -> None:
    answered(compiled, 1, range(3), split=Split.TRAIN)
    at = visit("errors")
    assert "There is no complete run over the validation split" in prose(at)
    assert at.get("plotly_chart"), "what there is can be looked at all the same"
    press(at, "errors_start_run")
    (job,) = [job for job in compiled.store.jobs.recent("nda") if job.kind == "evaluate"]
    assert (job.params["prompt"], job.params["split"]) == (1, "validation")


# --- the charts -------------------------------------------------------------------------------------------------------


def test_the_newest_run_of_rules_is_held_against_the_one_without(ready: App, visit: Visit) -> None:
    answered(ready, 3, range(2))
    at = visit("errors")
    assert (at.selectbox("errors_run_nda").value, at.selectbox("errors_baseline_2").value) == (2, 3)
    assert "This says what a rule is about, not what the student did." in prose(at)


@pytest.mark.parametrize("view", VIEWS)
def test_every_chart_is_drawn_with_its_numbers_to_take_along(ready: App, visit: Visit, view: str) -> None:
    at = visit("errors", errors_view=view, rule="R7")
    charts = at.get("plotly_chart")
    assert len(charts) == (3 if view == "Time and tokens" else 1)
    assert len(at.get("download_button")) == len(charts)
    for chart in charts:
        assert "run 2" in chart.proto.spec
        assert "toImage" in chart.proto.config
        assert "run 2" in chart.proto.alt


def test_the_order_of_the_bars_can_be_chosen(ready: App, visit: Visit) -> None:
    at = visit("errors", errors_sort="covered answers")
    covered = [bar.rule_id for bar in bars(ready, BarSort.COUNT)]
    spec = at.get("plotly_chart")[0].proto.spec
    places = [spec.index(f'"{rule_id} ') for rule_id in covered]
    assert places == sorted(places)


# --- from a click to the rule -----------------------------------------------------------------------------------------


def test_a_click_on_a_bar_lists_its_wrong_answers_and_leads_to_the_rule(ready: App, visit: Visit) -> None:
    rule_id = most_harm(ready)
    at = click(visit("errors"), "by-rule", rule_id)
    assert chosen(at) == {"rule": rule_id}
    assert at.selectbox("errors_rule").value == rule_id
    assert f"Open {rule_id} on Review" in links(at)
    assert "Nearness to the rule's evidence" in prose(at)
    assert "Examples 1 to" in prose(at)


def test_a_choice_from_the_list_does_the_same_as_a_click(ready: App, visit: Visit) -> None:
    rule_id = most_harm(ready)
    at = visit("errors")
    at.selectbox("errors_rule").set_value(rule_id)
    assert chosen(run(at)) == {"rule": rule_id}


def test_a_click_on_a_cell_narrows_the_list_and_can_be_taken_back(ready: App, visit: Visit) -> None:
    at = click(
        visit("errors", errors_view="Rule × confusion"), "rule-by-confusion", "R7", "Entailment", "Contradiction"
    )
    assert chosen(at) == {"rule": "R7", "gold": "Entailment", "said": "Contradiction"}
    assert "Only: **gold Entailment, said Contradiction**" in prose(at)
    assert chosen(press(at, "errors_clear")) == {"rule": "R7"}


def test_a_pair_of_rules_lists_what_both_claim(ready: App, visit: Visit) -> None:
    at = click(visit("errors", errors_view="Overlap"), "overlap", "R6", "", "", "R7")
    assert chosen(at) == {"rule": "R6", "other": "R7"}
    assert "claimed by R7 too" in prose(at)


def test_what_no_rule_covers_can_be_read_too(ready: App, visit: Visit) -> None:
    at = click(visit("errors", run="1"), "by-rule", "")
    assert chosen(at) == {"rule": "none"}
    assert at.selectbox("errors_rule").value == ""
    assert "No rule's evidence is near to it." in prose(at)
    assert not [link for link in links(at) if "on Review" in link]


def test_the_choice_survives_a_reload(ready: App, visit: Visit) -> None:
    at = visit("errors", rule="r7", gold="Entailment", run="2", baseline="1")
    assert at.selectbox("errors_rule").value == "R7"
    assert "gold Entailment" in prose(at)


def test_a_rule_of_another_task_or_of_none_is_not_kept(ready: App, visit: Visit) -> None:
    assert chosen(visit("errors", rule="R99")) == {}
    assert chosen(visit("errors", rule="<b>")) == {}


def test_a_long_list_is_read_a_page_at_a_time(ready: App, visit: Visit) -> None:
    at = visit("errors", run="1", rule="none")
    at.segmented_control("errors_kind").set_value("Every answer")
    at = run(at)
    assert "Examples 1 to 10" in prose(at)
    at = press(at, "errors_more")
    assert "Examples 11 to" in prose(at)
    assert "Examples 1 to 10" in prose(press(at, "errors_earlier"))


def test_texts_of_the_data_stay_plain(ready: App, visit: Visit) -> None:
    at = visit("errors", rule="R7", gold=NASTY)
    assert takes_literally(raw(at, "markdown"), NASTY)
    assert "No such answer." in prose(at)


# --- the queue by harm ------------------------------------------------------------------------------------------------


def test_the_queue_can_begin_with_the_rules_that_harm_most(ready: App, visit: Visit) -> None:
    at = visit("review", show="All", order="Most harm first")
    first = at.radio("queue_pick").options[0]
    assert most_harm(ready) in first


def test_the_queue_by_harm_says_where_there_is_no_harm_to_tell(demo: App, visit: Visit) -> None:
    assert "so the rules stand in the usual order" in prose(visit("review", show="All", order="Most harm first"))


# --- by ablation ------------------------------------------------------------------------------------------------------


def test_a_rule_is_left_out_by_order_and_what_changed_can_be_read(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker
) -> None:
    press(visit("errors"), "errors_start_run")
    worker()
    at = visit("errors", errors_method="By ablation")
    assert "The only method that shows a cause." in prose(at)
    assert "No rule was left out of run 1 yet." in prose(at)
    at = press(at, "left_out_estimate")
    assert "1 rule to leave out" in prose(at)
    ollama.label = "Contradiction"
    at.number_input("left_out_calls").set_value(150)
    press_at_once(at, "left_out_start")
    press(at, "left_out_start")
    job = worker()
    assert (job.kind, job.params["max_calls"]) == ("ablate", 150)
    at = click(run(at), "rules-left-out", "R1", base="chart_")
    assert "Open R1 on Review" in links(at)
    assert "Right only without the rule" in prose(at)
    spec = at.get("plotly_chart")[0].proto.spec
    assert "by ablation" in spec
    assert "right only with the rule" in spec


def test_ablation_needs_answers_that_were_put_down_to_rules(compiled: App, visit: Visit) -> None:
    answered(compiled, 1, range(3), attributed=False)
    assert "are not put down to rules yet" in prose(visit("errors", errors_method="By ablation"))
