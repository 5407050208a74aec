"""`pld evaluate` over many cells and repeats, `pld compare`, both as gates of a build; what is known costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pld_app import wiring
from pld_core.compilation import Choices
from pld_core.models import Split
from pld_core.prompt_manifest import PromptKind
from storage import SqliteStore, create_store, open_store
from tests.cli.running import Pld
from tests.factories import approved_rule, fill, make_examples, make_rule, make_text, url_of
from tests.teacher_stub import KEY, MODEL, Fault, TeacherStub, teacher_stub

N = 24
ALL = Split.VALIDATION, Split.TEST
SETTINGS = 'student = "openai:{model}"\nopenai_model = "{model}"\nopenai_base_url = "{url}"\n'
KEEP, REMOVE = Fault(text='{"label": "keep"}'), Fault(text='{"label": "remove"}')


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub(lambda _number, _text: KEEP) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    """Options for a workspace with two rules, version 1 of them, and version 2, the baseline without rules."""
    folder = tmp_path / "space"
    store = create_store(url_of(folder / "pld.db"))
    fill(store, examples=[*make_examples(2), *(one for split in ALL for one in make_examples(N, split))])
    for number in range(2):
        rule = make_rule(
            make_text(f"the post is of kind {number}"), store.tasks.examples("posts")[:2], origin=f"{number}"
        )
        approved_rule(store, rule)
    (folder / "settings.toml").write_text(SETTINGS.format(model=MODEL, url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_OPENAI_API_KEY", KEY)
    app = wiring.open_app(folder)
    wiring.compile_task(app, "posts")
    wiring.compile_task(app, "posts", Choices(kind=PromptKind.NO_RULES))
    return ("--task", "posts", "--workspace", folder)


def store_of(here: tuple[Any, ...]) -> SqliteStore:
    return open_store(url_of(here[-1] / "pld.db"))


def test_the_cells_of_a_matrix_run_one_after_the_other(pld: Pld, here: tuple[object, ...], stub: TeacherStub) -> None:
    found = pld("evaluate", "--prompt", 2, "--prompt", 1, *here, "--json").value["runs"]
    assert [(one["run"], one["prompt"], one["n"], one["from_cache"]) for one in found] == [(1, 2, N, 0), (2, 1, N, 0)]
    assert set(stub.seen.values()) == {2}
    said = pld("evaluate", "--prompt", 2, "--prompt", 1, *here).out.splitlines()
    lines = [line for line in said if line.startswith("Run ")]
    assert lines[0].startswith(f"Run 3: prompt 2 with openai:{MODEL} on validation: 12 of 24 ")
    assert lines[1].endswith(f"{N} answers were known already.")
    assert set(stub.seen.values()) == {2}, "the second time costs no call"


def test_the_baselines_that_are_known_stand_beside_the_figures_and_no_model_is_asked_for_them(
    pld: Pld, here: tuple[object, ...], stub: TeacherStub
) -> None:
    beside = pld("evaluate", "--prompt", 1, *here, "--json").value["baselines"]
    by_code = ["nearest neighbour", "vote of the 5 nearest neighbours", "most frequent label"]
    assert [line["baseline"] for line in beside["lines"]] == by_code
    assert beside["missing"] == ["no rules", "5-shot"]
    assert all(len(line["difference_interval_95"]) == 2 for line in beside["lines"])
    assert set(stub.seen.values()) == {1}
    lines = pld("evaluate", "--prompt", 1, "--prompt", 2, *here).out.splitlines()
    first, second = (next(i for i, line in enumerate(lines) if line.startswith(f"Run {run}: ")) for run in (2, 3))
    # The run without rules is made after it, and known all the same.
    assert any("This run beside no rules: no difference shown" in line for line in lines[first:second])
    assert any(line.strip().startswith("No difference shown to: no rules") for line in lines[first:second])
    missing = "pld compile --task posts --baseline five-shot, then pld evaluate --task posts --prompt N"
    assert sum(missing in line for line in lines) == 2
    assert not any("This run beside no rules" in line for line in lines[second:]), "it is none to itself"


def test_repeats_have_their_baselines_once(pld: Pld, here: tuple[object, ...]) -> None:
    warm = ("evaluate", "--prompt", 1, "--repeats", 3, "--temperature", 0.7, *here)
    assert pld(*warm).out.count("This run beside nearest neighbour:") == 1
    assert [bool(one["baselines"]["lines"]) for one in pld(*warm, "--json").value["runs"]] == [True] * 3


def test_the_estimate_asks_nothing_and_begins_no_run(pld: Pld, here: tuple[object, ...], stub: TeacherStub) -> None:
    pld("evaluate", "--prompt", 1, *here)
    asked = dict(stub.seen)
    both = ("--prompt", 1, "--prompt", 2, "--split", "validation", "--split", "test")
    found = pld("evaluate", *both, "--estimate", *here, "--json").value
    assert (found["questions"], found["calls"]) == (4 * N, 3 * N)
    assert found["seconds"] > 0
    assert pld("evaluate", "--prompt", 1, "--estimate", *here).out == (
        f"{N} questions, {N} answered before: 0 calls. Nothing was asked.\n"
    )
    assert stub.seen == asked
    assert len(store_of(here).runs.all("posts")) == 1


def test_a_look_at_the_test_split_needs_a_reason_and_is_counted(pld: Pld, here: tuple[object, ...]) -> None:
    both = ("evaluate", "--split", "validation", "--split", "test", *here)
    assert "A look at the test split needs a reason" in pld(*both).refusal
    assert store_of(here).runs.all("posts") == (), "nothing at all is asked"
    pld(*both, "--reason", "before the release")
    (look,) = store_of(here).runs.looks("posts")
    assert (look.split, look.setup.reason) == (Split.TEST, "before the release")
    assert [run.setup.reason for run in store_of(here).runs.all("posts")] == ["before the release", ""]
    told = pld("audit", "log", *here[-2:]).out
    assert "Reason: before the release" in told


def test_repeats_have_seeds_that_count_up_and_speak_for_no_version(
    pld: Pld, here: tuple[object, ...], stub: TeacherStub
) -> None:
    warm = ("evaluate", "--prompt", 1, "--repeats", 3, "--temperature", 0.7, *here)
    said = pld(*warm, "--json").value
    (steady,) = said["stability"]
    assert (steady["repeats"], steady["flipped"]["k"], steady["flipped"]["n"]) == (3, 0, N)
    found = said["runs"]
    assert [(one["seed"], one["temperature"], one["shuffled"]) for one in found] == [(i, 0.7, False) for i in range(3)]
    (group,) = {one["group"] for one in found}
    store = store_of(here)
    assert [run.id for run in store.runs.repeats(group)] == [1, 2, 3]
    assert store.runs.all("posts") == ()
    assert [store.attributions.made(number) for number in (1, 2, 3)] == [(), (), ()]
    assert "drew lots (temperature 0.7, seed 1)" in pld("errors", *here[:2], "--run", 2, *here[2:]).refusal
    assert set(stub.seen.values()) == {3}
    assert "examples changed their answer in 3 repeats." in pld(*warm).out
    assert set(stub.seen.values()) == {3}


def test_shuffled_rules_are_asked_with_another_prompt(pld: Pld, here: tuple[object, ...]) -> None:
    pld("evaluate", "--prompt", 1, "--repeats", 4, "--shuffle-rules", *here)
    runs = store_of(here).runs.trials("posts")
    assert len({run.prompt_sha256 for run in runs}) == 2, "two rules have two orders"
    assert "fewer than two rules" in pld("evaluate", "--prompt", 2, "--shuffle-rules", *here).refusal


def test_equal_repeats_are_refused(pld: Pld, here: tuple[object, ...], stub: TeacherStub) -> None:
    assert "ask the same again" in pld("evaluate", "--repeats", 3, *here).refusal
    assert not stub.seen


def test_a_red_gate_ends_with_1_after_the_figures(pld: Pld, here: tuple[object, ...]) -> None:
    done = pld("evaluate", "--prompt", 1, "--gate", *here)
    assert done.stopped.startswith("Gates are red: ")
    assert "Gates of version 1\n" in done.out
    assert "To do: Evaluate version 1 on the test split." in done.out


@pytest.mark.parametrize("option", [("--reason", "x"), ("--repeats", 2), ("--estimate",), ("--prompt", 1)])
def test_a_run_is_gone_on_with_as_it_was_begun(pld: Pld, here: tuple[object, ...], option: tuple[object, ...]) -> None:
    assert pld("evaluate", "--resume", 1, *option, *here).code == 2


# --- compare ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(pld: Pld, here: tuple[object, ...], stub: TeacherStub) -> tuple[object, ...]:
    """Run 1 of version 1 is right on the posts to keep; run 2 of version 2 on half of them."""
    pld("evaluate", "--prompt", 1, *here)
    stub.script = lambda _number, text: REMOVE if int(text.rpartition(" ")[2]) % 4 == 0 else KEEP
    pld("evaluate", "--prompt", 2, *here)
    return here


def test_two_runs_are_compared_example_by_example(pld: Pld, two: tuple[object, ...]) -> None:
    found = pld("compare", "--run", 1, "--run", 2, *two, "--json").value
    assert (found["n"], found["fixed"], found["broken"]) == (N, 0, 6)
    assert (len(found["broken_examples"]), found["is_worse"]) == (6, True)
    lines = pld("compare", "--run", 1, "--run", 2, *two).out.splitlines()
    assert lines[0] == f"Before: run 1, prompt 1 with openai:{MODEL} on validation"
    assert lines[2].startswith("Worse: macro F1 ")
    assert [line.partition(":")[0] for line in lines[3:9]] == ["Broken"] * 6


def test_the_baselines_stand_beside_both_runs_or_how_they_are_made(pld: Pld, two: tuple[object, ...]) -> None:
    found = pld("compare", "--run", 2, "--run", 1, *two, "--json").value["baselines"]
    by_code = ["nearest neighbour", "vote of the 5 nearest neighbours", "most frequent label"]
    assert [line["baseline"] for line in found["1"]["lines"]] == ["no rules", *by_code]
    assert [line["baseline"] for line in found["2"]["lines"]] == by_code
    assert (found["1"]["missing"], found["2"]["missing"]) == (["5-shot"], ["5-shot"])
    assert "The rules are better than: no rules" in found["1"]["verdict"]
    out = pld("compare", "--run", 2, "--run", 1, *two).out
    assert "Run 1: This run beside no rules: better: " in out
    assert "Run 1: The baseline with 5 examples was not answered by these weights on validation: pld compile" in out


def test_versions_are_compared_by_their_newest_runs(pld: Pld, two: tuple[object, ...]) -> None:
    found = pld("compare", "--prompt", 2, "--prompt", 1, *two, "--json").value
    assert (found["before"]["run"], found["after"]["run"], found["verdict"]) == (2, 1, "better")
    assert "no complete runs" in pld("compare", "--prompt", 1, "--prompt", 2, "--split", "test", *two).refusal


def test_worse_ends_with_1_and_better_does_not(pld: Pld, two: tuple[object, ...]) -> None:
    worse = pld("compare", "--run", 1, "--run", 2, "--fail-if-worse", *two)
    assert worse.stopped.startswith("Run 2 is worse than run 1: worse: macro F1")
    assert worse.out
    assert pld("compare", "--run", 2, "--run", 1, "--fail-if-worse", *two).code == 0


@pytest.mark.parametrize(
    "given",
    [(), ("--run", 1), ("--run", 1, "--run", 2, "--prompt", 1), ("--run", 1, "--run", 2, "--split", "test")],
)
def test_it_takes_two_runs_or_two_versions(pld: Pld, here: tuple[object, ...], given: tuple[object, ...]) -> None:
    assert pld("compare", *given, *here).code == 2


def test_a_run_of_another_task_is_not_compared(pld: Pld, two: tuple[object, ...]) -> None:
    words = pld("compare", "--task", "nda", "--run", 1, "--run", 2, *two[2:]).refusal
    assert words == "Run 1 belongs to task posts, not to nda."
