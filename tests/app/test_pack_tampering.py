"""Whatever is changed in an unpacked pack, the verifier names it; it runs with Python's standard library alone."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pld_core.models import AuthorKind, Revision
from storage import create_store
from tests.factories import ANNA, BERT, TickingClock, hashes_of, make_text, update_of, url_of, verdict_on
from tests.packs import MAIL, ORDER, Unpacked, fill_for_audit, packed, rechained, unpack, verified

Change = Callable[[Unpacked], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pack, packed and unpacked. Not to be changed: copies are."""
    folder = tmp_path_factory.mktemp("pack")
    store = create_store(url_of(folder / "pld.db"), TickingClock())
    fill_for_audit(store)
    content, _ = packed(store)
    (folder / "pack.zip").write_bytes(content)
    unpack(content, folder / "unpacked")
    return folder


@pytest.fixture
def pack(whole: Path, tmp_path: Path) -> Unpacked:
    return Unpacked(Path(shutil.copytree(whole / "unpacked", tmp_path / "pack")))


def dossier(name: str, change: Callable[[Any], object]) -> Change:
    """Return a change to a dossier that leaves the manifest fitting."""

    def apply(pack: Unpacked) -> None:
        found = pack.read(name)
        change(found)
        pack.write(name, found)
        pack.seal()

    return apply


def events(change: Callable[[list[Any]], list[Any]]) -> Change:
    """Return a change to the log that leaves the manifest fitting."""

    def apply(pack: Unpacked) -> None:
        pack.put_events(change(pack.events()))
        pack.seal()

    return apply


def where(events: list[Any], kind: str) -> int:
    return next(place for place, event in enumerate(events) if event["kind"] == kind)


def without(kind: str) -> Callable[[list[Any]], list[Any]]:
    return lambda found: rechained([event for event in found if event is not found[where(found, kind)]])


def edited(kind: str, **payload: object) -> Callable[[list[Any]], list[Any]]:
    def change(found: list[Any]) -> list[Any]:
        found[where(found, kind)]["payload"].update(payload)
        return rechained(found)

    return change


def first_example(found: Any) -> Any:
    return next(iter(found["examples"].values()))


# --- an honest pack ---------------------------------------------------------------------------------------------------


def test_an_untouched_pack_is_intact_in_a_folder_and_as_a_zip(whole: Path) -> None:
    for done in (
        verified(whole / "unpacked" / "verify.py"),
        verified(whole / "unpacked" / "verify.py", whole / "unpacked"),
        verified(whole / "unpacked" / "verify.py", whole / "pack.zip"),
    ):
        assert done.code == 0, done.said
        assert "Intact: " in done.said
        assert " 3 rules" in done.said
        assert "4 revisions, 3 decisions" in done.said


def test_what_a_system_leaves_in_a_folder_does_not_matter(pack: Unpacked) -> None:
    pack.put(".DS_Store", "x")
    assert pack.verify().code == 0


def test_a_head_that_is_known_from_elsewhere_can_be_demanded(pack: Unpacked) -> None:
    known = pack.events()[5]["hash"]
    assert pack.verify("--head", known).code == 0
    pack.put_events(rechained(pack.events()[:4] + pack.events()[5:]))
    pack.seal()
    assert known in pack.verify("--head", known).said


@pytest.mark.parametrize("arguments", [("--head",), ("a", "b"), ("--nonsense",)])
def test_wrong_usage_is_told_from_a_broken_pack(pack: Unpacked, arguments: tuple[str, ...]) -> None:
    assert pack.verify(*arguments).code == 2


def test_what_is_no_pack_is_one_sentence(pack: Unpacked, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    for place in (tmp_path, tmp_path / "text.zip", tmp_path / "nowhere"):
        assert "There is no readable audit pack" in pack.verify(place).first
    pack.put("manifest.json", "{")
    assert "There is no readable audit pack" in pack.verify().first


# --- a change that leaves the manifest as it was ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "README.txt",
        "decisions.csv",
        "dossiers/R1.json",
        "events.jsonl",
        "examples.csv",
        "inventory.json",
        "prompts/v1.json",
        "prompts/v1.txt",
        "releases.json",
        "report.html",
        "roles.json",
        "runs.json",
        "statistics.json",
        "verify.py",
    ],
)
def test_every_file_is_covered_by_the_manifest(pack: Unpacked, name: str) -> None:
    listed = pack.read("manifest.json")["files"]
    assert sorted(listed) == sorted({*listed, name})
    content = (pack.folder / name).read_bytes()
    (pack.folder / name).write_bytes(content + b"\n")
    assert pack.verify().first == f"The file {name} was changed: its content does not give the hash in the manifest."
    (pack.folder / name).write_bytes(content)
    if name != "verify.py":
        (pack.folder / name).unlink()
        assert pack.verify().first == f"The file {name} is missing."


def test_an_added_file_is_named(pack: Unpacked) -> None:
    pack.put("dossiers/R9.json", "{}")
    assert pack.verify().first == "The file dossiers/R9.json was added: the manifest does not list it."


def test_a_file_that_is_in_the_zip_twice_is_named(whole: Path, tmp_path: Path) -> None:
    twice = Path(shutil.copy(whole / "pack.zip", tmp_path / "twice.zip"))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(twice, "a") as found:
        found.writestr("dossiers/R1.json", "{}")
    assert (
        "The file dossiers/R1.json is in the pack more than once." in verified(whole / "unpacked/verify.py", twice).said
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda e: [*e[:4], {**e[4], "actor": "mallory"}, *e[5:]], "Event 5 (rule.submitted) was changed"),
        (lambda e: [*e[:4], *e[5:]], "Event 5 is missing: event 6 stands in its place."),
        (lambda e: [*e[:4], e[5], e[4], *e[6:]], "Event 5 is missing: event 6 stands in its place."),
        (lambda e: e[:-2], "is missing: the chain was cut"),
        (lambda e: [*e, e[-1]], "is missing: event"),
    ],
)
def test_the_chain_is_checked_too_when_the_manifest_shows_it(
    pack: Unpacked, change: Callable[[list[Any]], list[Any]], problem: str
) -> None:
    pack.put_events(change(pack.events()))
    done = pack.verify()
    assert done.first.startswith("The file events.jsonl was changed")
    assert problem in done.said


# --- a change by somebody who makes the manifest fit ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        # The log: edited, removed, reordered, cut.
        (events(lambda e: [*e[:4], {**e[4], "actor": "mallory"}, *e[5:]]), "Event 5 (rule.submitted) was changed"),
        (events(lambda e: [*e[:4], *e[5:]]), "Event 5 is missing: event 6 stands in its place."),
        (events(lambda e: [*e[:4], e[5], e[4], *e[6:]]), "Event 5 is missing: event 6 stands in its place."),
        (events(lambda e: [*e[:4], {**e[4], "prev": e[2]["hash"]}, *e[5:]]), "Event 5 does not continue event 4"),
        (events(lambda e: e[: where(e, "rule.rejected")]), "Decision 3 on R2 is not told of by any event."),
        (events(lambda e: e[: where(e, "prompt.compiled")]), "Prompt posts v1 is not told of by any event."),
        # The log, made up anew from end to end.
        (events(without("rule.rejected")), "Decision 3 on R2 is not told of by any event."),
        (events(without("rule.edited")), "The making of revision 2 of R1 is not told of by any event."),
        (events(edited("rule.rejected", reason="Fine.")), "Decision 3 on R2: the reason in the dossier is not"),
        (events(edited("rule.approved", decision=77)), "Decision 2 on R1 is not told of by any event."),
        (events(edited("rule.rejected", to="approved")), "Decision 3 on R2: the dossier lacks the transition to"),
        (events(edited("rule.proposed", evidence="sha256:0")), "The evidence of Revision 1 of R1 was changed"),
        (events(edited("prompt.compiled", sha256="sha256:0")), "Prompt posts v1 is not the one that event"),
        # Revisions.
        (
            dossier("dossiers/R2.json", lambda d: d["revisions"][0]["text"].update(condition="it is nice")),
            "Revision 1 of R2 was changed: its text, author or parent does not give its hash.",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["revisions"].pop(0)),
            "Revision 1 of R1 is missing from its dossier.",
        ),
        (dossier("dossiers/R1.json", lambda d: d["revisions"].pop()), "Event"),
        # Examples and evidence.
        (
            dossier("dossiers/R1.json", lambda d: first_example(d)["fields"][0].__setitem__(1, "Other words")),
            "was changed: its text and label do not give its hash.",
        ),
        (
            dossier("dossiers/R1.json", lambda d: first_example(d).update(label="another")),
            "was changed: its text and label do not give its hash.",
        ),
        (
            dossier("dossiers/R1.json", lambda d: first_example(d).update(masked_in_pack=True)),
            "says that it is masked, but this pack is not a masked one.",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["examples"].popitem()),
            "Revision 1 of R2 rests on example",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["revisions"][0]["evidence"].pop()),
            "The evidence of Revision 1 of R2 was changed",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["revisions"][1]["evidence"][0].update(role="irrelevant")),
            "Decision 2 on R1 is bound to other evidence",
        ),
        # Decisions.
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"][0].update(reason="Fine.")),
            "Decision 3 on R2: the reason in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"][0].update(verdict="approve")),
            "Decision 3 on R2: the verdict in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"][0].update(reviewer="mallory")),
            "Decision 3 on R2: the reviewer in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"][0].update(decided_at="2026-01-01T00:00:00Z")),
            "Decision 3 on R2: the time in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["decisions"][1].update(revision=d["revisions"][0]["hash"])),
            "Decision 2 on R1: the revision in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["decisions"][1]["attention"].update(active_seconds=900)),
            "Decision 2 on R1: the attention in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["decisions"][1].update(attention=None)),
            "Decision 2 on R1: the attention in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"][0].update(attention={"active_seconds": 900})),
            "Decision 3 on R2: the attention in the dossier is not the one that event",
        ),
        (dossier("dossiers/R2.json", lambda d: d["decisions"].clear()), "tells of decision 3 on R2, which no dossier"),
        (
            dossier("dossiers/R2.json", lambda d: d["decisions"].append(d["decisions"][0])),
            "Decision 3 on R2 is there more than once.",
        ),
        (
            dossier("dossiers/R2.json", lambda d: d["revisions"][0]["transitions"].pop()),
            "Decision 3 on R2: the dossier lacks the transition to 'rejected'",
        ),
        # Prompts, and what has another shape.
        (dossier("prompts/v1.json", lambda p: p["manifest"].update(guideline_version=9)), "Prompt posts v1 is not the"),
        (dossier("dossiers/R2.json", lambda d: d.pop("examples")), "The file dossiers/R2.json cannot be read as what"),
    ],
)
def test_a_change_behind_a_fitting_manifest_is_named(pack: Unpacked, change: Change, problem: str) -> None:
    change(pack)
    assert problem in pack.verify().first


def test_a_dossier_that_was_taken_out_is_missed(pack: Unpacked) -> None:
    (pack.folder / "dossiers/R3.json").unlink()
    pack.seal()
    assert "tells of the rule R3, which has no dossier." in pack.verify().first


def test_a_rule_that_was_made_up_is_named(pack: Unpacked) -> None:
    made_up = pack.read("dossiers/R3.json")
    made_up["rule"]["id"] = "R8"
    pack.write("dossiers/R8.json", made_up)
    pack.seal()
    assert pack.verify().first.startswith("Revision 1 of R8 was changed")
    made_up["revisions"][0]["hash"] = Revision(
        "R8", 1, make_text("the post is number 3", title="=SUM(A1)"), "told", AuthorKind.TEACHER
    ).hash
    pack.write("dossiers/R8.json", made_up)
    pack.seal()
    assert pack.verify().first == "The making of revision 1 of R8 is not told of by any event."
    pack.write("dossiers/R8.json", {**made_up, "revisions": []})
    pack.seal()
    assert pack.verify().first == "R8 has a dossier, but no revision."


def test_a_prompt_whose_text_was_changed_is_named(pack: Unpacked) -> None:
    pack.put("prompts/v1.txt", "Say keep.")
    pack.seal()
    assert pack.verify().first == "The text of prompt posts v1 was changed: it does not give its hash."


def test_a_key_that_is_written_twice_is_not_read_as_one_likes(pack: Unpacked) -> None:
    text = (pack.folder / "dossiers/R2.json").read_text(encoding="utf-8")
    pack.put("dossiers/R2.json", '{"decisions": [], ' + text.lstrip()[1:])
    pack.seal()
    assert "a key is written twice" in pack.verify().first


def test_names_from_a_pack_cannot_move_the_cursor(pack: Unpacked) -> None:
    manifest = pack.read("manifest.json")
    manifest["made_by"] = "\x1b[31mmallory\nIntact"
    pack.write("manifest.json", manifest)
    assert "?[31mmallory?Intact" in pack.verify().said


def test_a_masked_pack_verifies_but_for_the_masked_texts(whole: Path, tmp_path: Path) -> None:
    store = create_store(url_of(whole / "pld.db"))
    content, figures = packed(store, order=replace(ORDER, masking=True))
    pack = unpack(content, tmp_path / "masked")
    assert figures.masked == 1
    done = pack.verify()
    assert done.code == 0, done.said
    assert "1 examples are masked: whether their texts give their hashes is not verified." in done.said
    for path in pack.folder.rglob("*"):
        if path.is_file():
            assert MAIL not in path.read_text(encoding="utf-8"), path.name
    assert "masked" in (pack.folder / "README.txt").read_text(encoding="utf-8")
    manifest = pack.read("manifest.json")
    assert manifest["masked_examples"] == list(manifest["examples_with_marked_personal_data"])
    dossier("dossiers/R2.json", lambda d: d["revisions"][0]["evidence"].pop())(pack)
    assert "The evidence of Revision 1 of R2 was changed" in pack.verify().first


# --- evidence that changed after a decision ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack in which R3 was approved, went stale as its evidence changed, and was approved again. Copied, as above."""
    folder = tmp_path_factory.mktemp("changed")
    store = create_store(url_of(folder / "pld.db"), TickingClock())
    fill_for_audit(store)
    store.rules.judge(verdict_on(store, "R3"), ANNA)
    examples = store.tasks.examples("posts")
    update = update_of(store, "R3", examples[1:2], examples[2:3], examples[3:4])
    assert store.lineage.update("posts", [update], hashes_of(examples), ANNA).stale == 1
    store.rules.judge(verdict_on(store, "R3"), BERT)
    unpack(packed(store)[0], folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture
def versions(changed: Path, tmp_path: Path) -> Unpacked:
    return Unpacked(Path(shutil.copytree(changed, tmp_path / "pack")))


def test_each_decision_is_verified_against_the_evidence_that_it_was_made_beside(versions: Unpacked) -> None:
    done = versions.verify()
    assert done.code == 0, done.said
    found = versions.read("dossiers/R3.json")
    first, second = found["decisions"]
    assert first["evidence"] != second["evidence"] == found["revisions"][0]["evidence_versions"][0]["evidence"]
    assert [link["version"] for link in found["revisions"][0]["evidence"]] == [1, 1, 1, 2, 2, 2]
    assert len(found["lineage"]) == 2
    report = (versions.folder / "report.html").read_text(encoding="utf-8")
    assert "Evidence, version 2" in report
    assert "Evidence, version 1, until " in report
    assert "Of these, no later version holds:" in report
    assert "and version 1 of the evidence set" in report
    assert "and version 2 of the evidence set" in report


def revision_of(found: Any) -> Any:
    return found["revisions"][0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            dossier("dossiers/R3.json", lambda d: revision_of(d)["evidence"][0].update(role="irrelevant")),
            "The evidence of Revision 1 of R3 was changed",
        ),
        (
            dossier("dossiers/R3.json", lambda d: revision_of(d)["evidence"][-1].update(role="irrelevant")),
            "Version 2 of the evidence of Revision 1 of R3 was changed: it does not give its hash.",
        ),
        (
            dossier("dossiers/R3.json", lambda d: revision_of(d)["evidence_versions"][0].update(reason="Fine.")),
            "Version 2 of the evidence of Revision 1 of R3 is not the one that event",
        ),
        (
            dossier("dossiers/R3.json", lambda d: revision_of(d)["evidence_versions"][0].update(number=3)),
            "Version 2 of the evidence of Revision 1 of R3 is missing from its dossier.",
        ),
        (
            dossier(
                "dossiers/R3.json",
                lambda d: revision_of(d).update(
                    evidence=[x for x in revision_of(d)["evidence"] if x["version"] == 1], evidence_versions=[]
                ),
            ),
            "tells of version 2 of the evidence of Revision 1 of R3, which its dossier lacks.",
        ),
        (
            dossier("dossiers/R3.json", lambda d: d["decisions"][1].update(evidence=d["decisions"][0]["evidence"])),
            "Decision 5 on R3 is bound to other evidence",
        ),
        (
            dossier("dossiers/R3.json", lambda d: without_move(revision_of(d), "stale")),
            "Revision 1 of R3: the dossier lacks the transition to 'stale'",
        ),
        (
            events(without("rule.evidence_changed")),
            "Version 2 of the evidence of Revision 1 of R3 is not told of by any event.",
        ),
        (
            events(edited("rule.evidence_changed", before="sha256:0")),
            "Version 2 of the evidence of Revision 1 of R3 is not the one that event",
        ),
    ],
)
def test_a_change_to_a_version_of_the_evidence_is_named(versions: Unpacked, change: Change, problem: str) -> None:
    change(versions)
    assert problem in versions.verify().first


def without_move(revision: Any, state: str) -> None:
    revision["transitions"] = [move for move in revision["transitions"] if move["state"] != state]


# --- decisions that another guideline made obsolete -------------------------------------------------------------------


@pytest.fixture(scope="module")
def reguided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack in which R1, approved, went stale by another guideline and was approved again. Copied, as above."""
    folder = tmp_path_factory.mktemp("reguided")
    store = create_store(url_of(folder / "pld.db"), TickingClock())
    fill_for_audit(store)
    store.guidelines.change("posts", 1, "Keep what harms no one.", "the law changed", ANNA)
    store.rules.judge(verdict_on(store, "R1"), BERT)
    unpack(packed(store)[0], folder / "unpacked")
    return folder / "unpacked"


@pytest.fixture
def guided(reguided: Path, tmp_path: Path) -> Unpacked:
    return Unpacked(Path(shutil.copytree(reguided, tmp_path / "pack")))


def test_a_pack_tells_under_which_guideline_each_decision_was_made(guided: Unpacked) -> None:
    done = guided.verify()
    assert done.code == 0, done.said
    found = guided.read("dossiers/R1.json")
    assert [decision["guideline"] for decision in found["decisions"]] == [1, 1, 2]
    versions = guided.read("inventory.json")["task"]["guideline_versions"]
    assert [(v["version"], v["reason"]) for v in versions] == [(1, ""), (2, "the law changed")]
    report = (guided.folder / "report.html").read_text(encoding="utf-8")
    assert "made under guideline version 2" in report
    assert "Reason: the law changed" in report
    assert "The guideline changed: version 2 took the place of version 1. the law changed" in report


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            dossier("dossiers/R1.json", lambda d: d["decisions"][2].update(guideline=1)),
            "Decision 4 on R1: the guideline version in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R1.json", lambda d: d["decisions"][2].update(overlaps=["sha256:0"])),
            "Decision 4 on R1: the list of overlaps in the dossier is not the one that event",
        ),
        (
            dossier("dossiers/R1.json", lambda d: without_move(d["revisions"][1], "stale")),
            "Revision 2 of R1: the dossier lacks the transition to 'stale'",
        ),
        (events(without("rule.marked_stale")), "Revision 2 of R1: the transition to 'stale' at"),
        (
            events(edited("rule.marked_stale", reason="Nothing much.")),
            "Revision 2 of R1: the dossier lacks the transition to 'stale'",
        ),
    ],
)
def test_a_change_to_what_made_a_decision_obsolete_is_named(guided: Unpacked, change: Change, problem: str) -> None:
    change(guided)
    assert problem in guided.verify().first
