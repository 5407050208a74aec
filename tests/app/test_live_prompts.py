"""Which prompts a live test can ask with, and what they are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_app import wiring
from pld_app.live_prompts import AskedPrompt, chosen_at_first, prompt_called, prompts_to_ask, trial_of
from pld_app.wiring import App
from pld_core.compilation import Choices
from pld_core.errors import InvalidInput, NotFound
from pld_core.prompt_manifest import PromptKind
from pld_core.prompt_style import Style
from pld_core.releases import BreakGlass, ReleaseLabel, ReleaseOrder
from tests.factories import verdict_on

NO_RULES = Choices(kind=PromptKind.NO_RULES)


@pytest.fixture
def app(no_settings_from_outside: None, demo_copy: Path) -> App:
    """The demo with version 1 of rules R1 and R2."""
    opened = wiring.open_app(demo_copy)
    for rule_id in ("R1", "R2"):
        opened.store.rules.judge(verdict_on(opened.store, rule_id), opened.actor)
    wiring.compile_task(opened, "nda")
    return opened


def release(app: App, version: int, label: ReleaseLabel) -> None:
    until = f"{app.store.prompts.get('nda', version).created_at[:10]}"
    glass = BreakGlass("for a test", until)
    app.store.releases.move(ReleaseOrder("nda", label, version, 0, "to try", glass), app.actor)


def names(prompts: tuple[AskedPrompt, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.key, one.name, tuple(mark.partition(" (")[0] for mark in one.marks)) for one in prompts]


def test_without_a_stored_baseline_one_is_compiled_that_is_no_version(app: App) -> None:
    prompts = prompts_to_ask(app, "nda")
    assert names(prompts) == [
        ("1", "version 1", ("newest",)),
        ("no-rules", "no rules", ("baseline", "not a version")),
    ]
    assert prompts[1].prompt.rules == ()
    assert prompts[1].as_json()["kind"] == "baseline"
    assert len(app.store.prompts.all("nda")) == 1


def test_a_stored_baseline_is_the_one_without_rules(app: App) -> None:
    wiring.compile_task(app, "nda", NO_RULES)
    assert names(prompts_to_ask(app, "nda")) == [
        ("2", "version 2", ("newest", "baseline without rules")),
        ("1", "version 1", ()),
    ]
    assert prompt_called(app, "nda", "no-rules").number == 2


def test_what_is_worth_a_look_is_chosen_at_first(app: App) -> None:
    prompts = prompts_to_ask(app, "nda")
    assert [one.key for one in chosen_at_first(app, "nda", prompts)] == ["1", "no-rules"]
    release(app, 1, ReleaseLabel.PRODUCTION)
    wiring.compile_task(app, "nda", Choices(leave_out=("R2",), reason="to try"))
    prompts = prompts_to_ask(app, "nda")
    assert [one.key for one in chosen_at_first(app, "nda", prompts)] == ["2", "1", "no-rules"]
    wiring.compile_task(app, "nda", Choices(kind=PromptKind.FEW_SHOT))
    later = prompts_to_ask(app, "nda")
    assert later[0].key == "3", "a baseline may be the newest, and is not what somebody works on"
    assert [one.key for one in chosen_at_first(app, "nda", later)] == ["2", "1", "no-rules"]
    assert chosen_at_first(app, "nda", ()) == ()


def test_where_answers_are_letters_the_baseline_answers_by_letter_too(app: App) -> None:
    wiring.compile_task(app, "nda", Choices(style=Style.LETTER))
    assert prompt_called(app, "nda", "no-rules").prompt.style is Style.LETTER


def test_a_prompt_is_called_by_number_label_or_nothing(app: App) -> None:
    release(app, 1, ReleaseLabel.CANDIDATE)
    wiring.compile_task(app, "nda", NO_RULES)
    assert [prompt_called(app, "nda", word).number for word in ("", "1", " Candidate ", "2")] == [2, 1, 1, 2]


@pytest.mark.parametrize(
    ("word", "error", "words"),
    [
        ("production", NotFound, "No version of nda is production. Nothing was asked."),
        ("7", NotFound, "Task nda has no prompt version 7."),
        ("draft", InvalidInput, "one of candidate, production, no-rules"),
    ],
)
def test_a_prompt_that_is_not_there_is_refused(app: App, word: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        prompt_called(app, "nda", word)


def test_a_trial_says_what_it_is_made_from_and_is_no_version(app: App) -> None:
    trial = trial_of(prompt_called(app, "nda", "1"), [" r2"])
    assert (trial.name, trial.without) == ("version 1 without R2", ("R2",))
    recorded = trial.as_json()
    assert (recorded["kind"], recorded["version"], recorded["without"]) == ("trial", None, ["R2"])
    assert recorded["sha256"] == trial.prompt.sha256
    assert len(app.store.prompts.all("nda")) == 1
