"""`pld data`: data sets, conflicts, divisions and export, for people and with --json for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pld_core.models import Example, ExampleState
from pld_core.records import ExampleFilter
from storage import create_store, open_store
from tests.cli.running import Pld, content_of
from tests.factories import url_of

ROWS = [(f"post number {i}", "keep" if i % 2 == 0 else "remove") for i in range(20)]
DISPUTED = [("post number 0", "remove"), ("post number 1", "keep")]


def write_csv(file: Path, rows: Sequence[Sequence[str]], header: str = "text,label") -> Path:
    lines = [header, *(",".join(cells) for cells in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def examples(space: Path, task: str) -> tuple[Example, ...]:
    """Return all examples of a task, whatever their state."""
    return open_store(url_of(space / "pld.db")).tasks.examples(task, ExampleFilter(states=()))


@pytest.fixture
def posts(pld: Pld, tmp_path: Path) -> Path:
    """A workspace with task `posts`: data set 1 of twenty examples, data set 2 that disputes two of them."""
    space = tmp_path / "posts"
    for name, rows in (("one.csv", ROWS), ("two.csv", DISPUTED)):
        file = write_csv(tmp_path / name, rows)
        assert pld("import", file, "--task", "posts", "--workspace", space).code == 0
    return space


# --- list and show ----------------------------------------------------------------------------------------------------


def test_list_names_the_data_sets_of_all_tasks_newest_first(pld: Pld, posts: Path, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "other.csv", ROWS)
    pld("import", file, "--task", "a-task", "--workspace", posts)
    found = pld("data", "list", "--workspace", posts, "--json").value
    assert [(d["id"], d["task"], d["file"], d["rows"], d["state"]) for d in found] == [
        (3, "a-task", "other.csv", 20, "active"),
        (2, "posts", "two.csv", 2, "active"),
        (1, "posts", "one.csv", 20, "active"),
    ]
    assert set(found[0]) == {"id", "task", "file", "sha256", "importer", "rows", "state", "at", "by"}
    assert found[0]["sha256"].startswith("sha256:")
    lines = pld("data", "list", "--task", "posts", "--workspace", posts).out.splitlines()
    assert [line.split()[:5] for line in lines] == [
        ["2", "posts", "2", "rows", "active"],
        ["1", "posts", "20", "rows", "active"],
    ]


def test_an_empty_workspace_has_no_data_set(pld: Pld, nowhere: Path) -> None:
    create_store(url_of(nowhere / "pld.db"))
    assert pld("data", "list", "--workspace", nowhere).out == "No data set yet.\n"
    assert pld("data", "list", "--workspace", nowhere, "--json").value == []


def test_show_prints_the_stored_report_with_the_splits_in_order(pld: Pld, posts: Path) -> None:
    shown = pld("data", "show", 1, "--workspace", posts, "--json").value
    assert (shown["id"], shown["rules"], shown["report"]["kept"]) == (1, [], 20)
    lines = pld("data", "show", 1, "--workspace", posts).out.splitlines()
    assert lines[0] == f"Data set 1 of posts: one.csv, {shown['sha256']}, active"
    assert lines[1] == "20 rows of one.csv read: 20 kept, 0 merged, 0 refused."
    kept = "Kept: train 12 (keep 6, remove 6); validation 4 (keep 2, remove 2); test 4 (keep 2, remove 2)."
    assert kept in lines


def test_show_names_the_rules_that_rest_on_a_data_set(pld: Pld, space: Path) -> None:
    shown = pld("data", "show", 1, "--workspace", space, "--json").value
    assert shown["rules"] == [f"R{n}" for n in range(1, 14)]
    assert "Rules that rest on it: R1, R2," in pld("data", "show", 1, "--workspace", space).out


# --- conflicts --------------------------------------------------------------------------------------------------------


def test_conflicts_lists_each_text_with_its_labels_and_places(pld: Pld, posts: Path) -> None:
    found = pld("data", "conflicts", "--task", "posts", "--workspace", posts, "--json").value
    assert [(c["fields"], [(e["label"], e["place"]) for e in c["examples"]]) for c in found] == [
        ({"text": "post number 0"}, [("keep", "row 2 of one.csv"), ("remove", "row 2 of two.csv")]),
        ({"text": "post number 1"}, [("remove", "row 3 of one.csv"), ("keep", "row 3 of two.csv")]),
    ]
    lines = pld("data", "conflicts", "--task", "posts", "--workspace", posts).out.splitlines()
    assert lines[:3] == [
        f"{found[0]['text'][7:19]}  post number 0",
        "    keep: row 2 of one.csv",
        "    remove: row 2 of two.csv",
    ]


def test_settle_keeps_one_label_by_the_first_digits_and_none_keeps_no_label(pld: Pld, posts: Path) -> None:
    here = ("--task", "posts", "--workspace", posts)
    first, second = pld("data", "conflicts", *here, "--json").value
    said = pld("data", "settle", first["text"][7:19], *here, "--label", "keep", "--reason", "The guideline says so.")
    assert (said.code, said.out) == (0, "Settled as keep.\n")
    settled = pld("data", "settle", second["text"], *here, "--label", "none", "--reason", "Unclear.", "--json").value
    assert settled == {"task": "posts", "text": second["text"], "label": "none"}
    assert pld("data", "conflicts", *here).out == "No text has more than one label.\n"
    states = {(e.text, e.label): e.state for e in examples(posts, "posts")}
    assert states["post number 0", "keep"] is ExampleState.ACTIVE
    assert states["post number 0", "remove"] is ExampleState.WITHDRAWN
    assert {states["post number 1", label] for label in ("keep", "remove")} == {ExampleState.WITHDRAWN}
    assert pld("audit", "verify", "--workspace", posts, "--json").value["intact"] is True


# --- divisions and labels ---------------------------------------------------------------------------------------------


def test_resplit_divides_anew_and_the_same_seed_changes_nothing(pld: Pld, posts: Path) -> None:
    here = ("--task", "posts", "--workspace", posts)
    before = {e.hash: e.split for e in examples(posts, "posts")}
    done = pld("data", "resplit", *here, "--seed", 7, "--json").value
    after = {e.hash: e.split for e in examples(posts, "posts")}
    assert done["changed"] == sum(before[content] != after[content] for content in before) > 0
    assert sum(done["splits"].values()) == 18
    assert pld("data", "resplit", *here, "--seed", 7).out.startswith("0 examples moved; now ")


def test_resplit_keeps_what_instructions_were_made_from_in_train(pld: Pld, space: Path) -> None:
    store = open_store(url_of(space / "pld.db"))
    bound = store.data.instructed("nda")
    assert bound
    assert pld("data", "resplit", "--task", "nda", "--seed", 7, "--workspace", space).code == 0
    assert {e.split for e in examples(space, "nda") if e.hash in bound} == {"train"}


def test_describe_says_what_labels_mean(pld: Pld, posts: Path) -> None:
    here = ("--task", "posts", "--workspace", posts)
    given = ("data", "describe", *here, "keep=It stays = it is seen.")
    described = pld(*given, "--reason", "clearer", "--json").value
    labels = {"keep": "It stays = it is seen.", "remove": ""}
    assert described == {"task": "posts", "labels": labels, "stale": [], "begun_again": []}
    assert "needs a reason" in pld("data", "describe", *here, "remove=It goes.").refusal
    said = pld("data", "describe", *here, "remove=It goes.", "--reason", "clearer")
    assert said.out == "keep: It stays = it is seen.\nremove: It goes.\nThis makes no rule stale.\n"


# --- archive, restore, delete -----------------------------------------------------------------------------------------


def test_archive_takes_examples_out_of_use_and_restore_brings_them_back(pld: Pld, posts: Path) -> None:
    archived = pld("data", "archive", 2, "--reason", "Doubtful.", "--workspace", posts, "--json").value
    assert (archived["id"], archived["state"]) == (2, "archived")
    assert len(examples(posts, "posts")) == 22
    assert sum(e.state is ExampleState.ARCHIVED for e in examples(posts, "posts")) == 2
    assert pld("data", "restore", 2, "--workspace", posts).out == "Data set 2 is in use again.\n"
    assert not any(e.state is ExampleState.ARCHIVED for e in examples(posts, "posts"))
    assert pld("data", "archive", 1, "--reason", "r", "--workspace", posts).out == "Data set 1 is archived.\n"
    assert pld("data", "restore", 1, "--workspace", posts, "--json").value["state"] == "active"


def test_delete_removes_the_examples_and_keeps_the_record(pld: Pld, posts: Path) -> None:
    deleted = pld("data", "delete", 2, "--reason", "A person asked for it.", "--workspace", posts, "--json").value
    assert deleted == {"dataset": 2, "state": "deleted"}
    assert len(examples(posts, "posts")) == 20
    assert [d["id"] for d in pld("data", "list", "--workspace", posts, "--json").value] == [1]
    assert pld("data", "show", 2, "--workspace", posts, "--json").value["state"] == "deleted"
    said = pld("data", "delete", 1, "--reason", "Another one.", "--workspace", posts)
    assert said.out == "Data set 1 is deleted; its record is kept.\n"
    assert examples(posts, "posts") == ()
    assert pld("audit", "verify", "--workspace", posts, "--json").value["intact"] is True


def test_delete_is_refused_with_the_rules_that_rest_on_it(pld: Pld, space: Path) -> None:
    before = content_of(space)
    words = pld("data", "delete", 1, "--reason", "r", "--workspace", space).refusal
    assert "on its examples rest the evidence of R1, R2, R3," in words
    assert "Archive it instead" in words
    assert content_of(space) == before


# --- export -----------------------------------------------------------------------------------------------------------

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)")


@pytest.fixture
def varied(pld: Pld, tmp_path: Path) -> Path:
    """A workspace with task `varied`: two fields, groups, ids, sources, formulas, quotes and line breaks."""
    space, file = tmp_path / "varied", tmp_path / "varied.jsonl"
    rows = [
        {"head": f"{sign} head {i}", "body": f'said "{i}",\nthen é{i}', "label": "ab"[i % 2], "group": f"g{i % 5}"}
        for i, sign in enumerate([*FORMULAS, "plain"] * 4)
    ]
    lines = (json.dumps({**row, "id": f"no {i}", "source": "web"}) for i, row in enumerate(rows))
    file.write_text("\n".join(lines), encoding="utf-8")
    assert pld("import", file, "--task", "varied", "--workspace", space).code == 0
    return space


def without_origin(example: Example) -> tuple[object, ...]:
    return (example.hash, example.fields, example.label, example.split, example.group, example.ref, example.source)


def test_an_exported_jsonl_imports_into_equal_examples(pld: Pld, varied: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    written = pld("data", "export", "--task", "varied", "--to", target, "--workspace", varied, "--json").value
    assert written == {"task": "varied", "file": str(target), "examples": 20}
    columns = ("--input", "head", "--input", "body")
    report = pld("import", target, "--task", "again", *columns, "--workspace", varied, "--json").value
    assert (report["kept"], report["refused"]) == (20, 0)
    one, two = ([without_origin(e) for e in examples(varied, task)] for task in ("varied", "again"))
    assert one == two


def test_an_exported_csv_defuses_formulas_and_keeps_the_rest(pld: Pld, varied: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    said = pld("data", "export", "--task", "varied", "--to", target, "--workspace", varied)
    assert said.out == f"20 examples written to {target}.\n"
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"), newline="")))
    stored = [dict(e.fields) for e in examples(varied, "varied")]
    assert [row["body"] for row in rows] == [fields["body"] for fields in stored]
    for row, fields in zip(rows, stored, strict=True):
        begins = fields["head"].startswith(("=", "+", "-", "@"))
        assert row["head"] == ("'" if begins else "") + fields["head"]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


def test_an_export_can_be_narrowed(pld: Pld, varied: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    here = ("--task", "varied", "--to", target, "--workspace", varied)
    plain = [e for e in examples(varied, "varied") if "plain" in e.text and e.label == "a"]
    wanted = [e for e in plain if e.split is plain[0].split]
    options = ("--split", plain[0].split.value, "--label", "a", "--search", "plain")
    assert pld("data", "export", *here, *options, "--json").value["examples"] == len(wanted)
    found = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["hash"] for row in found] == [e.hash for e in wanted]


def test_a_field_that_is_called_like_another_column_keeps_its_name(pld: Pld, tmp_path: Path) -> None:
    space = tmp_path / "named"
    file = write_csv(tmp_path / "n.csv", [("web", "s1", "x"), ("app", "s2", "y")], "source,state,gold")
    columns = ("--input", "source", "--input", "state", "--label", "gold")
    assert pld("import", file, "--task", "named", *columns, "--workspace", space).code == 0
    for target in (tmp_path / "out.jsonl", tmp_path / "out.csv"):
        assert pld("data", "export", "--task", "named", "--to", target, "--workspace", space).code == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(r["source"], r["state"], r["example_state"]) for r in rows] == [
        ("web", "s1", "active"),
        ("app", "s2", "active"),
    ]
    header = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert len(header) == len(set(header))


@pytest.mark.parametrize(
    ("task", "name", "words"),
    [
        ("varied", "out.xlsx", "'out.xlsx' ends neither in .csv nor in .jsonl."),
        ("varied", "out", "'out' ends neither in .csv nor in .jsonl."),
        ("varied", "gone/out.csv", "cannot be written: No such file or directory."),
        ("varied", "old.csv/out.csv", "cannot be written: Not a directory."),
        ("varied", "folder.csv", "cannot be written: Is a directory."),
        ("nope", "old.csv", "There is no task 'nope'"),
    ],
)
def test_an_export_that_fails_leaves_every_file_as_it_was(
    pld: Pld, varied: Path, tmp_path: Path, task: str, name: str, words: str
) -> None:
    folder = tmp_path / "folder"
    (folder / "folder.csv").mkdir(parents=True)
    (folder / "old.csv").write_text("mine", encoding="utf-8")
    (folder / "old.csv.part").write_text("mine too", encoding="utf-8")
    before = content_of(folder)
    assert words in pld("data", "export", "--task", task, "--to", folder / name, "--workspace", varied).refusal
    assert content_of(folder) == before


def test_an_export_replaces_the_file_of_that_name_only(pld: Pld, varied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old.csv").write_text("mine", encoding="utf-8")
    (folder / "old.csv.part").write_text("mine too", encoding="utf-8")
    assert pld("data", "export", "--task", "varied", "--to", folder / "old.csv", "--workspace", varied).code == 0
    assert (folder / "old.csv.part").read_text(encoding="utf-8") == "mine too"
    assert sorted(path.name for path in folder.iterdir()) == ["old.csv", "old.csv.part"]
    assert (folder / "old.csv").read_text(encoding="utf-8").startswith("head,body,label,")


# --- what is named wrong ----------------------------------------------------------------------------------------------

REASON = ("--reason", "r")
WRONG = [
    (("show", "9"), "There is no data set 9"),
    (("archive", "9", *REASON), "There is no data set 9"),
    (("restore", "9"), "There is no data set 9"),
    (("delete", "9", *REASON), "There is no data set 9"),
    (("archive", "1", "--reason", " "), "Archiving needs a reason. Nothing was changed."),
    (("delete", "1", "--reason", " "), "Deleting needs a reason. Nothing was changed."),
    (("list", "--task", "nope"), "There is no task 'nope' in this workspace. There are: posts."),
    (("conflicts", "--task", "nope"), "There is no task 'nope'"),
    (("resplit", "--task", "nope"), "There is no task 'nope'"),
    (("describe", "--task", "nope", "keep=x"), "There is no task 'nope'"),
    (("settle", "ab", "--task", "nope", "--label", "keep", *REASON), "There is no task 'nope'"),
    (("describe", "--task", "posts", "Keep=x"), "The label 'Keep' is not declared for posts: keep, remove."),
    (("settle", "xyz", "--task", "posts", "--label", "keep", *REASON), "0 unsettled conflicts of posts begin with"),
    (("settle", "", "--task", "posts", "--label", "keep", *REASON), "2 unsettled conflicts of posts begin with"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=[" ".join(a) for a, _ in WRONG])
def test_what_is_named_wrong_is_refused_and_changes_nothing(
    pld: Pld, posts: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = content_of(posts)
    assert words in pld("data", *arguments, "--workspace", posts).refusal
    assert content_of(posts) == before


def test_settling_needs_a_label_of_the_text_and_a_reason(pld: Pld, posts: Path) -> None:
    here = ("--task", "posts", "--workspace", posts)
    digits = pld("data", "conflicts", *here, "--json").value[0]["text"][7:15]
    before = content_of(posts)
    words = pld("data", "settle", digits, *here, "--label", "Keep", *REASON).refusal
    assert "The text has no label 'Keep'. It has: keep, remove. Nothing was changed." in words
    assert "needs a reason" in pld("data", "settle", digits, *here, "--label", "keep", "--reason", " ").refusal
    assert content_of(posts) == before


@pytest.mark.parametrize("command", [("show",), ("restore",), ("archive", *REASON), ("delete", *REASON)], ids=" ".join)
def test_a_deleted_data_set_stays_deleted(pld: Pld, posts: Path, command: tuple[str, ...]) -> None:
    pld("data", "delete", 2, "--reason", "r", "--workspace", posts)
    outcome = pld("data", *command, 2, "--workspace", posts)
    if command == ("show",):
        assert outcome.out.startswith("Data set 2 of posts: two.csv")
    else:
        assert "was deleted; only its record is kept." in outcome.refusal


USAGE = [
    ("show", "one"),
    ("show", "0"),
    ("show", "99999999999999999999"),
    ("archive", "1"),
    ("delete", "1"),
    ("conflicts",),
    ("resplit",),
    ("describe", "--task", "posts"),
    ("describe", "--task", "posts", "keep"),
    ("describe", "--task", "posts", "keep=x", "keep=y"),
    ("settle", "ab", "--task", "posts", "--label", "keep"),
    ("export", "--task", "posts"),
    ("export", "--task", "posts", "--to", "x.csv", "--split", "holdout"),
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage_ends_with_2(pld: Pld, posts: Path, arguments: tuple[str, ...]) -> None:
    outcome = pld("data", *arguments, "--workspace", posts)
    assert (outcome.code, outcome.out) == (2, "")
