"""Two published data sets the whole way, by commands: from the file to a measured prompt whose lineage holds.

The teacher is a stub that answers by rule of thumb: examples of one topic and label get the same condition, so that
what clustering has to find is known beforehand.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pld_core.compilation import input_of
from pld_core.models import SYSTEM, EvidenceRole, Example, Split
from pld_core.records import ExampleFilter
from storage import SqliteStore, open_store
from tests.cli.fake_ollama import MODEL, STUDENT, FakeOllama
from tests.cli.running import Pld
from tests.factories import extraction_json, synthesis_json, url_of
from tests.teacher_stub import KEY, Fault, TeacherStub, teacher_stub

TASK = "published"
SETTINGS = """
user = "anna"
student = "{student}"
ollama_host = "{ollama}"
ollama_model = "{model}"
[teacher]
extraction = "openai:big"
base_url = "{teacher}"
"""
SMALLEST = 2
WRONG_EVERY = 4
CONTRACTS, SENTENCES = 8, 120
STEREOSET = ("--input", "sentence", "--input", "target")


# --- the data sets ----------------------------------------------------------------------------------------------------


def few_contracts(whole: Path, target: Path) -> Path:
    """Write the first few contracts, each with its 17 hypotheses."""
    content = json.loads(whole.read_text(encoding="utf-8"))
    content["documents"] = content["documents"][:CONTRACTS]
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


def few_sentences(whole: Path, target: Path) -> Path:
    """Write the sentences about the groups of people that occur most often."""
    content = json.loads(whole.read_text(encoding="utf-8"))
    items = content["data"]["intrasentence"]
    often = Counter(item["target"] for item in items)
    items.sort(key=lambda item: (-often[item["target"]], item["target"]))
    content["data"]["intrasentence"] = items[:SENTENCES]
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


@dataclass(frozen=True)
class DataSet:
    """A published data set: its file, how a part of it is made and imported, and which field tells the topic."""

    file: str
    part: Callable[[Path, Path], Path]
    options: tuple[str, ...]
    rows: int
    topic: str


DATA_SETS = (
    DataSet("contract_nli/dev.json", few_contracts, ("--context", "window"), CONTRACTS * 17, "hypothesis"),
    DataSet(
        "stereoset/stereoset_subset.json", few_sentences, ("--input", "sentence", "--input", "target"), 120, "target"
    ),
)


# --- teacher and student ----------------------------------------------------------------------------------------------


@dataclass
class Thumb:
    """Answers as a teacher by rule of thumb, and as a student that is wrong at every fourth example of validation."""

    topic: str
    examples: tuple[Example, ...] = ()
    inputs: dict[str, Example] | None = None

    def condition(self, example: Example) -> str:
        code = zlib.crc32(f"{dict(example.fields)[self.topic]} {example.label}".encode())
        return f"matter {code} decides for {example.label}"

    def teach(self, _number: int, text: str) -> Fault:
        conditions = {self.condition(example): example.label for example in self.examples}
        found = sorted((text.index(condition), label) for condition, label in conditions.items() if condition in text)
        if found:
            # The members of a cluster come first; what stands near it comes later.
            return Fault(text=synthesis_json(found[0][1]))
        (example,) = [e for e in self.examples if all(value in text for _, value in e.fields)]
        return Fault(text=extraction_json(example.label, self.condition(example)))


def answering(ollama: FakeOllama, by_input: dict[str, Example], wrong: set[str], labels: list[str]) -> None:
    """Let the student know the gold labels, and be wrong about some."""

    def answer(_number: int) -> None:
        example = by_input[ollama.asked[-1]]
        others = [label for label in labels if label != example.label]
        ollama.label = others[0] if example.hash in wrong else example.label

    ollama.before = answer


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def space(tmp_path: Path, stub: TeacherStub, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose settings name stub and fake as teacher and student; there is no workspace yet."""
    folder = tmp_path / "space"
    folder.mkdir()
    text = SETTINGS.format(student=STUDENT, ollama=ollama.url, model=MODEL, teacher=stub.url)
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return folder


# --- what has to hold -------------------------------------------------------------------------------------------------


def check_instructions(store: SqliteStore, train: dict[str, Example]) -> None:
    made = store.logic.instructions(TASK)
    assert {i.example_hash for i in made} == set(train)
    assert all(i.label == train[i.example_hash].label for i in made)


def check_lineage(store: SqliteStore, examples: dict[str, Example], clustered: set[str]) -> list[str]:
    """Every piece of evidence is an imported example with the right label; return the ids of the rules."""
    supporting: Counter[str] = Counter()
    ids = [rule.id for rule in store.rules.queue(TASK)]
    for rule_id in ids:
        dossier = store.rules.dossier(rule_id, SYSTEM)
        labels = set(dossier.head.text.labels)
        for piece in dossier.evidence:
            example = examples[piece.example_hash]
            if piece.role is EvidenceRole.SUPPORTS:
                assert example.split is Split.TRAIN
                supporting[example.hash] += 1
            assert (example.label in labels) == (piece.role is EvidenceRole.SUPPORTS)
    assert set(supporting) == clustered
    assert set(supporting.values()) == {1}, "an example supports the rule of its own cluster and no other"
    return ids


@pytest.mark.parametrize("given", DATA_SETS, ids=lambda given: Path(given.file).parent.name)
def test_from_the_published_file_to_a_measured_prompt(
    given: DataSet,
    pld: Pld,
    published: Callable[[str], Path],
    space: Path,
    tmp_path: Path,
    stub: TeacherStub,
    ollama: FakeOllama,
) -> None:
    def run(*arguments: object) -> Any:
        return pld(*arguments, "--workspace", space, "--json").value

    file = given.part(published(given.file), tmp_path / "part.json")
    report = run("import", file, "--task", TASK, *given.options)
    # Of the sentences, one stands there twice.
    assert (report["read"], report["added"] + report["merged"], report["refused"]) == (given.rows, given.rows, 0)
    store = open_store(url_of(space / "pld.db"))
    task = store.tasks.get(TASK)
    examples = {e.hash: e for e in store.tasks.examples(TASK)}
    train = {e.hash: e for e in store.tasks.examples(TASK, ExampleFilter(split=Split.TRAIN))}
    validation = store.tasks.examples(TASK, ExampleFilter(split=Split.VALIDATION))
    thumb = Thumb(given.topic, tuple(examples.values()))
    stub.script = thumb.teach

    assert run("extract", "--task", TASK)["made"] == len(train) == sum(stub.seen.values())
    check_instructions(store, train)

    sizes = Counter(thumb.condition(example) for example in train.values())
    clustered = {e.hash for e in train.values() if sizes[thumb.condition(e)] >= SMALLEST}
    clusters = sum(size >= SMALLEST for size in sizes.values())
    assert clusters > 3
    settings = ("--eps", 0.01, "--min-samples", SMALLEST)
    kept = run("cluster", "--task", TASK, *settings)
    assert (kept["clusters"], kept["noise"], kept["purity"]) == (clusters, len(train) - len(clustered), 1.0)

    assert run("synthesize", "--task", TASK)["made"] == clusters
    ids = check_lineage(store, examples, clustered)
    assert len(ids) == clusters

    first, second, *approved = ids
    run("rules", "reject", first, "--category", "unclear", "--reason", "I cannot tell what it means.")
    for rule_id in approved:
        run("rules", "approve", rule_id)
    prompt = run("compile", "--task", TASK)
    assert {rule["rule"] for rule in prompt["rules"]} == set(approved)
    assert all(f"[{rule_id}]" in prompt["text"] for rule_id in approved)
    assert not any(f"[{rule_id}]" in prompt["text"] for rule_id in (first, second))

    wrong = {example.hash for example in validation[::WRONG_EVERY]}
    answering(ollama, {input_of(task, e): e for e in validation}, wrong, list(task.label_names))
    figures = run("evaluate", "--task", TASK)
    assert (figures["n"], figures["correct"]) == (len(validation), len(validation) - len(wrong))
    assert {p.example_hash for p in store.runs.predictions(1) if p.answer.label != p.gold} == wrong

    paid = dict(stub.seen)
    assert run("extract", "--task", TASK)["made"] == 0
    run("cluster", "--task", TASK, *settings)
    again = run("synthesize", "--task", TASK)
    assert (again["made"], again["already_there"]) == (0, clusters)
    assert stub.seen == paid, "nothing is paid for twice"
    assert run("compile", "--task", TASK) == prompt
    assert run("audit", "verify")["intact"] is True
