"""`pld figures`: everything that a stored run says, for people and for machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.models import Answer, Example, Split
from pld_core.prompt_manifest import PromptKind
from storage import create_store
from tests.answering import answer_of, answered_run
from tests.cli.running import Pld
from tests.factories import LABELS, approved_rule, fill, make_examples, url_of

N = 24
EXAMPLES = make_examples(N, Split.VALIDATION)


def other(example: Example) -> str:
    return next(label for label in LABELS if label != example.label)


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """Run 1 without rules, 12 of 24 right; run 2 with a rule, all right but two, one of these without a label."""
    folder = tmp_path / "space"
    store = create_store(url_of(folder / "pld.db"))
    fill(store, examples=[*make_examples(6), *EXAMPLES])
    approved_rule(store)
    task, in_force = store.tasks.get("posts"), store.rules.in_force("posts")
    bare: dict[str, Answer] = {e.hash: answer_of(other(e)) for e in EXAMPLES[:12]}
    ruled = {EXAMPLES[0].hash: answer_of(None), EXAMPLES[20].hash: answer_of(other(EXAMPLES[20]))}
    answered_run(store, compile_baseline(task, (), Choices(kind=PromptKind.NO_RULES)), EXAMPLES, bare)
    answered_run(store, compile_prompt(task, in_force), EXAMPLES, ruled)
    answered_run(store, compile_prompt(task, in_force), EXAMPLES[:3], {}, Split.TEST)
    return folder


def test_the_figures_of_a_run(pld: Pld, space: Path) -> None:
    value = pld("figures", "--task", "posts", "--run", 2, "--workspace", space, "--json").value
    assert (value["run"], value["n"], value["correct"], value["invalid"]) == (2, N, 22, {"malformed": 1})
    lines = {line["baseline"]: line for line in value["baselines"]["lines"]}
    assert list(lines) == [
        *("no rules", "nearest neighbour", "vote of the 5 nearest neighbours", "most frequent label"),
    ]
    assert lines["no rules"]["accuracy"]["k"] == 12
    assert value["baselines"]["missing"] == ["5-shot"]
    (how,) = value["baselines"]["notes"]
    assert "pld compile --task posts --baseline five-shot, then pld evaluate --task posts --prompt N" in how
    assert "The rules are better than: no rules" in value["baselines"]["verdict"]
    assert [point["run"] for point in value["learning_curve"]] == [2]
    assert (value["slices"], value["change"]) == ([], None)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--slices", "label"], {"keep": 12, "remove": 12}),
        (["--slices", "group"], {"": N}),
        (["--slices", "source"], {"test": N}),
    ],
)
def test_a_run_is_cut(pld: Pld, space: Path, options: list[str], parts: dict[str, int]) -> None:
    value = pld("figures", "--task", "posts", "--run", 2, *options, "--workspace", space, "--json").value
    assert {part["value"]: part["n"] for part in value["slices"]} == parts


def test_slices_by_length_and_by_field_hold_every_example(pld: Pld, space: Path) -> None:
    for options in (["--slices", "length"], ["--slices", "field", "--field", "post"]):
        value = pld("figures", "--task", "posts", "--run", 2, *options, "--workspace", space, "--json").value
        assert sum(part["n"] for part in value["slices"]) == N


def test_a_run_is_compared_with_another_one(pld: Pld, space: Path) -> None:
    value = pld("figures", "--task", "posts", "--run", 2, "--before", 1, "--workspace", space, "--json").value
    change = value["change"]
    assert (change["before"], change["after"], change["fixed"], change["broken"]) == (1, 2, 11, 1)
    assert change["verdict"] == "better"
    assert sum(one["fixed"] for one in change["changes"]) == 11


def test_the_same_in_lines(pld: Pld, space: Path) -> None:
    out = pld("figures", "--task", "posts", "--run", 2, "--before", 1, "--slices", "label", "--workspace", space).out
    assert out.startswith("Run 2: prompt 2 with told on validation, 24 of 24 answered\nAccuracy: 22 of 24 (92%")
    assert "No label: 1 malformed" in out
    assert "This run beside no rules: better" in out
    assert "pld compile --task posts --baseline five-shot" in out
    assert "Against run 1: better" in out
    assert "Part keep: " in out
    assert "Version 2 (run 2): macro F1 0." in out


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (["--run", 9], "There is no run 9."),
        (["--run", 2, "--before", 3], "both have to be complete, and on one split"),
        (["--run", 2, "--before", 2], "Run 2 cannot be held against run 2"),
        (["--run", 2, "--slices", "field"], "A field is named to cut by an input field"),
        (["--run", 2, "--slices", "field", "--field", "mood"], "has no field “mood”"),
    ],
)
def test_what_cannot_be_told_is_refused(pld: Pld, space: Path, options: list[object], refusal: str) -> None:
    assert refusal in pld("figures", "--task", "posts", *options, "--workspace", space).refusal
