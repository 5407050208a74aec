"""An audit pack holds the text that each run asked with, those in an order drawn by lot too, and the verifier looks."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pld_core.compilation import compile_prompt
from pld_core.models import CompiledPrompt, Run, Split
from pld_core.rule_shuffle import shuffled_prompt
from pld_core.run_setup import RunSetup
from storage import SqliteStore, create_store
from tests.factories import ANNA, TickingClock, approved_rule, fill, make_rule, make_text, url_of
from tests.packs import Unpacked, packed, rechained, unpack

Change = Callable[[Unpacked], None]


def begun(store: SqliteStore, prompt: CompiledPrompt, setup: RunSetup, own: bool) -> Run:
    place = (1, prompt.sha256, "told", "sha256:w", Split.VALIDATION)
    return store.runs.start(Run(0, "posts", *place, "", "", 1, None, setup), ANNA, prompt if own else None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of a task with run 1 of version 1, run 2 of it at a temperature, and run 3 with its rules shuffled."""
    folder = tmp_path_factory.mktemp("pack")
    store = create_store(url_of(folder / "pld.db"), TickingClock())
    examples = fill(store)
    for number in range(3):
        approved_rule(store, make_rule(make_text(f"the post is of kind {number}"), examples[:2], origin=f"{number}"))
    version = store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA)
    begun(store, version.prompt, RunSetup(), own=False)
    begun(store, version.prompt, RunSetup(temperature=0.7), own=False)
    begun(store, shuffled_prompt(version.prompt, 1), RunSetup(shuffled=True, seed=1), own=True)
    unpack(packed(store)[0], folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture
def pack(whole: Path, tmp_path: Path) -> Unpacked:
    return Unpacked(Path(shutil.copytree(whole, tmp_path / "pack")))


def test_each_run_names_the_file_whose_hash_it_was_asked_with(pack: Unpacked) -> None:
    runs = pack.read("runs.json")
    assert [run["prompt_text"] for run in runs] == ["prompts/v1.txt", "prompts/v1.txt", "trial_prompts/run-3.txt"]
    for run in runs:
        text = (pack.folder / run["prompt_text"]).read_bytes()
        assert f"sha256:{hashlib.sha256(text).hexdigest()}" == run["prompt_sha256"]
    assert runs[2]["prompt_sha256"] != runs[0]["prompt_sha256"]
    order = pack.read("trial_prompts/run-3.json")["manifest"]["rules"]
    assert sorted(line["rule"] for line in order) == ["R1", "R2", "R3"]
    assert pack.verify().code == 0


def other_rules(pack: Unpacked) -> None:
    trial = pack.read("trial_prompts/run-3.json")
    trial["manifest"]["rules"].pop()
    pack.write("trial_prompts/run-3.json", trial)


def other_text(pack: Unpacked) -> None:
    pack.put("trial_prompts/run-3.txt", "Say keep.")


def other_text_with_its_hash(pack: Unpacked) -> None:
    other_text(pack)
    sha256 = f"sha256:{hashlib.sha256(b'Say keep.').hexdigest()}"
    pack.write("trial_prompts/run-3.json", {**pack.read("trial_prompts/run-3.json"), "sha256": sha256})


def taken_out(pack: Unpacked) -> None:
    for suffix in ("json", "txt"):
        (pack.folder / f"trial_prompts/run-3.{suffix}").unlink()


def told_otherwise(number: int, **payload: Any) -> Change:
    def change(pack: Unpacked) -> None:
        events = pack.events()
        event = next(one for one in events if one["subject"] == f"posts run {number}")
        event["payload"].update(payload)
        pack.put_events(rechained(events))

    return change


def not_told(pack: Unpacked) -> None:
    pack.put_events(rechained([one for one in pack.events() if one["subject"] != "posts run 3"]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (other_rules, "The prompt of posts run 3 holds other rules than version 1."),
        (other_text, "The text that posts run 3 asked with was changed: it does not give its hash."),
        (other_text_with_its_hash, "The prompt of posts run 3 is not the one that event "),
        (taken_out, "posts run 3, and the text that it asked with is missing."),
        (not_told, "The prompt of posts run 3 is not told of by any event."),
        (told_otherwise(1, sha256="sha256:x"), "posts run 1, and the text that it asked with is missing."),
        (told_otherwise(3, prompt=2), "The prompt of posts run 3 is not the one that event "),
    ],
)
def test_a_change_to_what_a_run_asked_with_is_named_behind_a_fitting_manifest(
    pack: Unpacked, change: Change, problem: str
) -> None:
    change(pack)
    pack.seal()
    assert problem in pack.verify().first
