"""Live test, side by side: three prompts, rules cited and switched off, repeats, stopping, a student that fails."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest, app_test
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from pld_app import wiring
from pld_app.wiring import App
from pld_core.canonical import Json
from pld_core.compilation import Choices
from pld_core.prompt_style import Style
from tests.cli.fake_ollama import DIGEST, FakeOllama
from tests.factories import verdict_on
from tests.pages.driving import Visit, links, press, prose, raw, run


@pytest.fixture
def versions(compiled: App) -> App:
    """Version 1 of R1, version 2 of R1 and R2, version 3 of both, whose answers cite rules."""
    compiled.store.rules.judge(verdict_on(compiled.store, "R2"), compiled.actor)
    wiring.compile_task(compiled, "nda")
    wiring.compile_task(compiled, "nda", Choices(style=Style.CITED))
    return compiled


def choose(at: AppTest, *prompts: str) -> AppTest:
    at.multiselect("test_prompts_nda").set_value(list(prompts))
    return run(at)


def switch_off(at: AppTest, prompt: str, *rules: str) -> AppTest:
    at.selectbox("trial_prompt_nda").select(prompt)
    run(at)
    at.multiselect(f"trial_rules_nda_{prompt}").set_value(list(rules))
    return press(run(at), "ask_trial")


def five_times(at: AppTest, temperature: float = 0.0) -> AppTest:
    at.segmented_control("test_times").set_value("5 times")
    run(at)
    at.number_input("test_temperature").set_value(temperature)
    return run(at)


def recorded(space: Path) -> list[dict[str, Json]]:
    """Return what was sent in each live test, with the status of its answer."""
    with closing(sqlite3.connect(space / "pld.db")) as conn:
        rows = conn.execute("SELECT sent, answer FROM live_test ORDER BY id").fetchall()
    return [{**json.loads(sent), "status": json.loads(answer)["status"]} for sent, answer in rows]


def prompt_of(sent: dict[str, Json]) -> dict[str, Json]:
    found = sent["prompt"]
    assert isinstance(found, dict)
    return found


# --- side by side -----------------------------------------------------------------------------------------------------


def test_three_prompts_are_asked_one_after_the_other_with_the_same_input(
    versions: App, visit: Visit, ollama: FakeOllama, workspace_folder: Path
) -> None:
    at = press(choose(visit("live_test"), "2", "1", "no-rules"), "ask")
    assert len(ollama.asked) == 3
    assert len(set(ollama.asked)) == 1
    assert [text for text in raw(at, "markdown") if text in ("**Version 2**", "**Version 1**", "**No rules**")] == [
        "**Version 2**",
        "**Version 1**",
        "**No rules**",
    ]
    sent = recorded(workspace_folder)
    assert [prompt_of(one)["kind"] for one in sent] == ["version", "version", "baseline"]
    assert {one["digest"] for one in sent} == {f"sha256:{DIGEST}"}
    assert "[R1]" not in str(sent[2]["system"])
    assert "baseline, not a version, 0 rules" in prose(at)


def test_without_a_prompt_chosen_nothing_can_be_asked(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = choose(visit("live_test"))
    assert at.button("ask").disabled


def test_a_student_that_fails_at_the_second_column_leaves_the_first_and_asks_no_third(
    versions: App, visit: Visit, ollama: FakeOllama
) -> None:
    def vanish(number: int) -> None:
        if number == 1:
            ollama.models.clear()

    ollama.before = vanish
    at = press(choose(visit("live_test"), "2", "1", "no-rules"), "ask")
    assert len(ollama.asked) == 1
    assert len(at.error) == 1
    assert "ollama pull fake" in prose(at)
    assert ":blue-badge[Entailment]" in raw(at, "markdown")
    assert "Not asked: it was stopped, or the student failed, before its turn." in prose(at)


def test_a_student_that_breaks_in_mid_answer_shows_and_records_what_came(
    versions: App, visit: Visit, ollama: FakeOllama, workspace_folder: Path
) -> None:
    ollama.breaks = True
    at = press(choose(visit("live_test"), "1"), "ask")
    assert ":red-badge[:material/error: no label: failed, counts as wrong]" in raw(at, "markdown")
    assert raw(at, "code")[-1] == '{"la'
    assert "neither time nor tokens are known" in prose(at)
    (sent,) = recorded(workspace_folder)
    assert (sent["status"], sent["digest"]) == ("failed", f"sha256:{DIGEST}")


def test_what_the_answers_are_to_stands_above_them(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(choose(visit("live_test"), "1"), "ask")
    asked = next(text for text in prose(at).splitlines() if text.startswith("Asked of ollama:fake about: "))
    at.selectbox("test_example_nda_validation_").select(3)
    run(at)
    assert asked in prose(at)
    assert len(ollama.asked) == 1


def test_each_answer_can_be_marked_and_a_trial_too(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = switch_off(choose(visit("live_test"), "2"), "2", "R1")
    press(at, "mark_2_0__right")
    (finding,) = versions.store.findings.all("nda")
    assert (finding.marking.place.live_test, finding.marking.mark.value) == (2, "right")
    assert "You marked it as right (finding 1)." in prose(at)
    assert "mark_1_0__right" in [button.key for button in at.button]


# --- rules cited ------------------------------------------------------------------------------------------------------


def test_rules_cited_are_what_the_student_says_and_link_to_the_rule(
    versions: App, visit: Visit, ollama: FakeOllama
) -> None:
    ollama.cited = ["R2", "R77"]
    at = press(choose(visit("live_test"), "3"), "ask")
    assert "**Rules cited** (the student says)" in prose(at)
    assert links(at)[-1] == "R2"
    (link,) = [found for found in at.get("page_link") if found.proto.label == "R2"]
    assert "rule=R2" in link.proto.query_string
    assert "One that this prompt does not hold: unknown." in prose(at)


def test_a_student_that_cites_nothing_says_so(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = press(choose(visit("live_test"), "3"), "ask")
    assert "None: the student says that no rule decided." in prose(at)


def test_a_prompt_that_asks_for_no_rules_tells_how_to_get_one_that_does(
    versions: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = press(choose(visit("live_test"), "2", "no-rules"), "ask")
    assert "This prompt does not ask for rules. On the Prompt page, compile one" in prose(at)
    assert "This prompt holds no rules that could be cited." in prose(at)


# --- rules switched off -----------------------------------------------------------------------------------------------


def test_a_rule_switched_off_shows_the_flip_and_is_recorded_as_a_trial(
    versions: App, visit: Visit, ollama: FakeOllama, workspace_folder: Path
) -> None:
    def change_its_mind(number: int) -> None:
        ollama.label = "Entailment" if number == 1 else "Contradiction"

    ollama.before = change_its_mind
    at = switch_off(choose(visit("live_test"), "2"), "2", "R1")
    assert "Without R1: Entailment → Contradiction: changed" in prose(at)
    assert "trial, not a version, 1 rule" in prose(at)
    before, after = recorded(workspace_folder)
    assert (prompt_of(before)["version"], prompt_of(after)["version"]) == (2, None)
    assert (prompt_of(after)["kind"], prompt_of(after)["without"]) == ("trial", ["R1"])
    assert "1. [R2] IF" in str(after["system"])
    assert "[R1]" not in str(after["system"])
    assert len(versions.store.prompts.all("nda")) == 3


def test_an_answer_that_stays_is_said_to_be_the_same(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = switch_off(choose(visit("live_test"), "2"), "2", "R1", "R2")
    assert "Without R1, R2: Entailment → Entailment: the same" in prose(at)


def test_five_answers_with_and_without_a_rule_are_one_finding(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    def change_once(number: int) -> None:
        ollama.label = "Contradiction" if number == 7 else "Entailment"

    ollama.before = change_once
    at = switch_off(five_times(choose(visit("live_test"), "2"), 0.7), "2", "R1")
    assert "Without R1: changed in 1 of 5 (seeds 1)" in prose(at)
    assert "**Version 2 without R1**" in prose(at)


def test_a_prompt_that_cites_rules_keeps_at_least_one(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = switch_off(choose(visit("live_test"), "3"), "3", "R1", "R2")
    assert "Keep one rule on." in prose(at)
    assert ollama.asked == []


def test_without_a_prompt_that_holds_rules_none_can_be_switched_off(
    versions: App, visit: Visit, ollama: FakeOllama
) -> None:
    at = choose(visit("live_test"), "no-rules")
    assert "Choose a prompt that holds rules first." in prose(at)
    assert "ask_trial" not in [button.key for button in at.button]


# --- five times -------------------------------------------------------------------------------------------------------


def test_five_answers_are_counted_with_n_and_no_rate(
    versions: App, visit: Visit, ollama: FakeOllama, workspace_folder: Path
) -> None:
    def waver(number: int) -> None:
        ollama.label = "Contradiction" if number == 3 else "Entailment"

    ollama.before = waver
    at = press(five_times(choose(visit("live_test"), "1"), 0.7), "ask")
    assert "**Entailment** 4 of 5" in prose(at)
    assert "**Contradiction** 1 of 5" in prose(at)
    assert "1 of 5 differ from the most frequent." in prose(at)
    assert "n = 5, temperature 0.7, seeds 0 to 4" in prose(at)
    assert "%" not in prose(at)
    assert [(one["temperature"], one["seed"]) for one in ollama.options] == [(0.7, seed) for seed in range(5)]
    assert len(recorded(workspace_folder)) == 5


def test_five_equal_answers_at_temperature_0_are_all_the_same(versions: App, visit: Visit, ollama: FakeOllama) -> None:
    at = five_times(choose(visit("live_test"), "1"))
    assert "Evaluations ask at temperature 0 too" in prose(at)
    press(at, "ask")
    assert "All answers are the same." in prose(at)
    assert {one["temperature"] for one in ollama.options} == {0.0}


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def runners(monkeypatch: pytest.MonkeyPatch) -> list[LocalScriptRunner]:
    """Collects what runs the page, so that a test can press a button while the page still runs."""
    found: list[LocalScriptRunner] = []

    class Watched(LocalScriptRunner):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
            found.append(self)

    monkeypatch.setattr(app_test, "LocalScriptRunner", Watched)
    return found


def press_stop(runner: LocalScriptRunner) -> None:
    """Ask for a run of the page, as any button does, while it runs."""
    runner.request_rerun(RerunData(page_script_hash=runner._pages_manager.current_page_script_hash))


def test_stop_ends_the_server_shows_what_came_and_asks_nothing_more(
    versions: App, visit: Visit, ollama: FakeOllama, runners: list[LocalScriptRunner], workspace_folder: Path
) -> None:
    at = choose(visit("live_test"), "2", "1")
    ollama.holds, ollama.before = True, lambda _: press_stop(runners[-1])
    at.button("ask").click()
    run(at)
    assert ollama.hung_up.wait(30)
    assert len(ollama.asked) == 1
    assert ":gray-badge[:material/stop_circle: stopped: no label]" in raw(at, "markdown")
    assert "Stopped by hand before the answer was complete. It is no label." in prose(at)
    assert "Not asked: it was stopped" in prose(at)
    assert not [button.key for button in at.button if str(button.key).startswith(("stop", "mark_"))]
    assert [one["status"] for one in recorded(workspace_folder)] == ["stopped"]


def test_stop_in_the_middle_of_five_keeps_the_answers_before(
    versions: App, visit: Visit, ollama: FakeOllama, runners: list[LocalScriptRunner], workspace_folder: Path
) -> None:
    at = five_times(choose(visit("live_test"), "1"))

    def stop_the_third(number: int) -> None:
        if number == 3:
            ollama.holds = True
            press_stop(runners[-1])

    ollama.before = stop_the_third
    at = press(at, "ask")
    assert "**Entailment** 2 of 2" in prose(at)
    assert "Asked 3 of 5 times: it was stopped, or the student failed." in prose(at)
    assert "The last answer was stopped; it does not count." in prose(at)
    assert [one["status"] for one in recorded(workspace_folder)] == ["ok", "ok", "stopped"]
