"""`pld rules effect`: said to be unmeasured, measured, shown again, and marked when it is out of date."""

from __future__ import annotations

from pathlib import Path

from storage import open_store
from tests.cli.fake_ollama import STUDENT, FakeOllama
from tests.cli.running import Pld
from tests.factories import url_of


def test_an_effect_that_was_not_measured_is_said_to_be_so(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    said = pld("rules", "effect", "r2", "--workspace", compiled).out
    assert said.startswith(f"R2: not measured yet. --measure asks {STUDENT} at most ")
    assert "of 33 validation examples, with and without the rule." in said
    assert "fixed" not in said
    assert pld("rules", "effect", "R2", "--workspace", compiled, "--json").value == []
    assert ollama.asked == []


def test_measuring_asks_each_question_once_and_the_figures_add_up(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    measure = ("rules", "effect", "R2", "--measure", "--workspace", compiled, "--json")
    (found,) = pld(*measure).value
    asked = len(ollama.asked)
    assert asked == 2 * found["n"] == 2 * len(found["examples"])
    assert (found["rule"], found["student"], found["changes"]) == ("R2", STUDENT, [])
    # The fake student answers the same whatever the prompt says.
    assert (found["fixed"], found["broken"], found["mcnemar_p"]) == (0, 0, None)
    assert found["right_with"] == sum(case["gold"] == "Entailment" for case in found["examples"])
    assert pld(*measure).value == [found]
    assert len(ollama.asked) == asked
    shown = pld("rules", "effect", "R2", "--workspace", compiled).out
    assert shown.startswith(f"R2: fixed 0, broken 0 of {found['n']} affected validation examples.\n")
    assert f"measured on {STUDENT}, {found['at']}, by anna" in shown
    assert "No answer changed between right and wrong." in shown


def test_changed_answers_are_listed_with_their_example(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    trial = pld("rules", "effect", "R2", "--workspace", compiled).out
    half = int(trial.split("at most ")[1].split()[0]) // 2

    def learn(number: int) -> None:
        ollama.label = "Contradiction" if number <= half else "Entailment"

    ollama.before = learn
    (found,) = pld("rules", "effect", "R2", "--measure", "--workspace", compiled, "--json").value
    gold = [case["gold"] for case in found["examples"]]
    assert (found["fixed"], found["broken"]) == (gold.count("Entailment"), gold.count("Contradiction"))
    shown = pld("rules", "effect", "R2", "--workspace", compiled).out
    assert shown.count("fixed: ") == found["fixed"]
    assert "gold Entailment, without Contradiction, with Entailment" in shown
    assert "exact McNemar test, p = " in shown


def test_after_an_edit_the_figures_are_marked_as_those_of_an_earlier_text(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    pld("rules", "effect", "R2", "--measure", "--workspace", compiled)
    pld("rules", "edit", "R2", "--if", "it says so", "--reason", "clearer", "--workspace", compiled)
    assert "Measured for an earlier text of the rule: measure it again." in (
        pld("rules", "effect", "R2", "--workspace", compiled).out
    )
    (found,) = pld("rules", "effect", "R2", "--workspace", compiled, "--json").value
    assert found["changes"] == ["an earlier text of the rule"]


def test_another_student_was_not_measured(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    pld("rules", "effect", "R2", "--measure", "--workspace", compiled)
    said = pld("rules", "effect", "R2", "--student", "embedded", "--workspace", compiled).out
    assert said.startswith("R2: not measured yet. --measure asks embedded at most ")


def test_a_student_that_is_down_measures_nothing_and_says_how_to_go_on(
    pld: Pld, compiled: Path, ollama: FakeOllama
) -> None:
    ollama.models.clear()
    words = pld("rules", "effect", "R2", "--measure", "--workspace", compiled).refusal
    assert "ollama pull" in words
    assert words.endswith("The answers so far are kept; the same command goes on from there.")
    assert open_store(url_of(compiled / "pld.db")).effects.of_rule("R2") == ()
