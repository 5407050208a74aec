"""Audit packs and exports of the log: what is in them, who may make them, and that they are whole or not there."""

from __future__ import annotations

import csv
import errno
import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pld_app.auditing import LogContent, PackContent, export_log, export_pack, pack_order, waiting_pack
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_app.worker import run_one
from pld_core.canonical import canonical_json
from pld_core.errors import InvalidInput, JobCancelled, MissingRole, NotFound
from pld_core.models import Actor, JobState, Role
from pld_core.oversight import oversight
from pld_core.pack.report import RULES_A_PART
from pld_core.records import EventFilter
from storage import SqliteStore
from tests.factories import ANNA, READER, fill, make_rule, make_task, make_text, no_report
from tests.packs import HOSTILE, MAIL, ORDER, fill_for_audit, packed, unpack

REVIEWER = Actor("rob", frozenset({Role.REVIEWER, Role.ANALYST, Role.RELEASE_MANAGER}))


@pytest.fixture
def app(tmp_path: Path, sqlite_store: SqliteStore) -> App:
    fill_for_audit(sqlite_store)
    return App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)


@pytest.fixture
def pack(app: App, tmp_path: Path) -> zipfile.ZipFile:
    export_pack(app, "posts", tmp_path / "pack.zip", False, no_report)
    return zipfile.ZipFile(tmp_path / "pack.zip")


def text_of(pack: zipfile.ZipFile, name: str) -> str:
    return pack.read(name).decode("utf-8")


class Tags(HTMLParser):
    """Collects tags and attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_the_same_state_and_time_give_the_same_bytes(app: App) -> None:
    first, second = packed(app.store)[0], packed(app.store)[0]
    assert first == second
    later = packed(app.store, order=replace(ORDER, made_at="2026-02-03T04:05:07.000000Z"))[0]
    assert first != later


def test_entries_stand_in_a_fixed_order_with_a_fixed_date(pack: zipfile.ZipFile) -> None:
    names = pack.namelist()
    assert names[:-1] == sorted(names[:-1])
    assert names[-1] == "manifest.json"
    assert {info.date_time for info in pack.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_rejected_rule_is_in_it_with_its_evidence_and_the_reason(pack: zipfile.ZipFile) -> None:
    found = json.loads(pack.read("dossiers/R2.json"))
    assert found["rule"]["state"] == "rejected"
    (decision,) = found["decisions"]
    assert (decision["category"], decision["reason"], decision["reviewer"]) == ("not_supported", HOSTILE, "anna")
    roles = sorted(link["role"] for link in found["revisions"][0]["evidence"])
    assert roles == ["contradicts", "supports", "supports"]
    texts = {example["fields"][0][1] for example in found["examples"].values()}
    assert HOSTILE in texts
    assert [move["state"] for move in found["revisions"][0]["transitions"]] == ["proposed", "in_review", "rejected"]


def test_inventory_runs_and_sections_that_only_events_fill(pack: zipfile.ZipFile, app: App) -> None:
    inventory = json.loads(pack.read("inventory.json"))
    assert [label["name"] for label in inventory["task"]["labels"]] == ["keep", "remove"]
    assert [g["version"] for g in inventory["task"]["guideline_versions"]] == [1]
    (data_set,) = inventory["data_sets"]
    assert data_set["sha256"] == app.store.data.all("posts")[0].about.sha256
    assert inventory["students"] == [{"student": "told", "digest": "sha256:w", "runs": 1}]
    (run,) = json.loads(pack.read("runs.json"))
    assert (run["figures"]["n"], run["figures"]["correct"], run["figures"]["invalid"]) == (1, 0, {"failed": 1})
    assert json.loads(pack.read("releases.json")) == {"labels": [], "label_moves": []}
    roles = json.loads(pack.read("roles.json"))
    assert [person["name"] for person in roles["people"]] == ["anna", "bert", "system"][: len(roles["people"])]
    statistics = json.loads(pack.read("statistics.json"))
    assert statistics["verdicts"] == {"approve": 1, "reject": 1, "request_changes": 1}
    assert (statistics["rules_edited_by_a_person"]["k"], statistics["rules_edited_by_a_person"]["n"]) == (1, 2)
    figures = {
        **oversight(app.store.oversight.facts("posts")).as_json(),
        "seeded_checks": app.store.checks.figures("posts").as_json(),
    }
    assert statistics == json.loads(json.dumps(figures))


def test_the_report_tells_the_figures_and_what_was_on_the_screen(pack: zipfile.ZipFile) -> None:
    report = text_of(pack, "report.html")
    assert "3 decisions by 2 people: 1 approval, 1 rejection, 1 request for changes." in report
    assert "The time at work is known of 1 of 3 decisions." in report
    assert report.count("On the screen before:") == 1
    assert "3 of 3 examples, 2 in full. Of those that contradict: 1 of 1 examples, 1 in full." in report


def test_the_log_in_it_is_the_log(pack: zipfile.ZipFile, app: App) -> None:
    lines = [json.loads(line) for line in text_of(pack, "events.jsonl").splitlines()]
    stored = app.store.events.page()[::-1]
    # The last event tells of this very pack.
    assert [line["hash"] for line in lines] == [event.hash for event in stored[:-1]]


def test_marked_personal_data_is_named_in_the_manifest(pack: zipfile.ZipFile, app: App) -> None:
    (marked,) = (e for e in app.store.tasks.examples("posts") if e.personal)
    manifest = json.loads(pack.read("manifest.json"))
    assert manifest["examples_with_marked_personal_data"] == {marked.hash: ["e-mail"]}
    assert manifest["masked_examples"] == []
    assert not manifest["personal_data_masked"]


def test_no_cell_of_a_table_runs_as_a_formula(pack: zipfile.ZipFile) -> None:
    for name, rows in (("decisions.csv", 3), ("examples.csv", 5)):
        cells = list(csv.reader(io.StringIO(text_of(pack, name), newline="")))
        assert len(cells) == rows + 1
        assert [cell for row in cells for cell in row if cell[:1] in ("=", "+", "-", "@")] == []
    assert "'=cmd, say which posts." in text_of(pack, "decisions.csv")


def test_another_task_has_a_pack_of_its_own(app: App, tmp_path: Path) -> None:
    app.store.tasks.add(make_task("other"), ANNA)
    pack = unpack(packed(app.store, "other")[0], tmp_path / "other")
    assert pack.verify().code == 0
    assert "0 rules" in pack.verify().said
    assert not (pack.folder / "dossiers").exists()


# --- the report -------------------------------------------------------------------------------------------------------


def test_the_report_shows_texts_letter_by_letter_and_fetches_nothing(pack: zipfile.ZipFile) -> None:
    html = text_of(pack, "report.html")
    found = Tags(html)
    names = {tag for tag, _ in found.tags}
    assert names & {"script", "img", "link", "iframe", "object", "form", "base", "svg"} == set()
    for tag, attributes in found.tags:
        assert [name for name in attributes if name.startswith("on") or name in ("src", "style")] == []
        if "href" in attributes:
            assert re.fullmatch(r"#\w+", str(attributes["href"])), (tag, attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert HOSTILE in found.text
    assert MAIL in found.text


def test_the_report_tells_a_rule_from_if_to_the_decision(pack: zipfile.ZipFile) -> None:
    html = text_of(pack, "report.html")
    section = Tags(html[html.index('id="R1"') : html.index('id="R2"')]).text
    order = (
        "Revision 1",
        "IF",
        "the post is number 1",
        "THEN",
        "contradicts",
        "supports",
        "asked for changes",
        "Revision 2",
        "Reason: Says which posts.",
        "The same examples in the same roles",
        "approved it",
    )
    places = [section.index(words) for words in order]
    assert places == sorted(places)
    assert "Decision 2, bound to revision sha256:" in section
    assert re.search(r"Label moves.*?None\.", Tags(html).text, re.DOTALL)


def test_many_rules_stand_in_files_of_their_own(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    examples = fill(sqlite_store)
    for number in range(RULES_A_PART + 1):
        rule = make_rule(make_text(f"the post is number {number}"), examples[:1], (), f"origin {number}")
        assert sqlite_store.rules.propose("posts", rule, ANNA)
    pack = unpack(packed(sqlite_store)[0], tmp_path / "pack")
    assert pack.verify().code == 0
    report = (pack.folder / "report.html").read_text(encoding="utf-8")
    assert 'href="report/rules-0001.html#R100"' in report
    assert 'href="report/rules-0002.html#R101"' in report
    assert 'class="rule"' not in report
    assert 'id="R100"' in (pack.folder / "report/rules-0001.html").read_text(encoding="utf-8")
    assert 'id="R101"' in (pack.folder / "report/rules-0002.html").read_text(encoding="utf-8")
    assert "with 100 rules each" in (pack.folder / "README.txt").read_text(encoding="utf-8")


# --- making one -------------------------------------------------------------------------------------------------------


def test_an_export_is_an_event_with_the_hash_of_the_file(app: App, tmp_path: Path) -> None:
    made = export_pack(app, "posts", tmp_path / "pack.zip", False, no_report)
    event = app.store.events.page()[0]
    assert (event.kind, event.actor, event.subject) == ("audit.pack_exported", "anna", "posts")
    assert event.payload["sha256"] == made.sha256
    assert (event.payload["rules"], event.payload["examples"], event.payload["masking"]) == (3, 3, False)
    assert app.store.events.verify().intact


@pytest.mark.parametrize("roles", [{Role.AUDITOR}, {Role.LEAD}, {Role.ADMIN}])
def test_auditor_lead_and_admin_may_export(app: App, tmp_path: Path, roles: set[Role]) -> None:
    export_pack(replace(app, actor=Actor("x", frozenset(roles))), "posts", tmp_path / "p.zip", False, no_report)
    assert (tmp_path / "p.zip").is_file()


def test_others_may_not_and_leave_nothing(app: App, tmp_path: Path) -> None:
    before = app.store.events.count()
    with pytest.raises(MissingRole, match="rob may not export an audit pack"):
        export_pack(replace(app, actor=REVIEWER), "posts", tmp_path / "p.zip", False, no_report)
    assert not (tmp_path / "p.zip").exists()
    assert app.store.events.count() == before


@pytest.mark.parametrize("target", ["nowhere/pack.zip", "."])
def test_a_pack_that_cannot_be_written_leaves_nothing(app: App, tmp_path: Path, target: str) -> None:
    before = sorted(tmp_path.rglob("*.zip*"))
    with pytest.raises(InvalidInput, match="cannot be written"):
        export_pack(app, "posts", tmp_path / target, False, no_report)
    assert sorted(tmp_path.rglob("*.zip*")) == before


def test_a_disk_that_fills_up_is_told_as_that(app: App, tmp_path: Path) -> None:
    def full(done: int, total: int, message: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InvalidInput, match=r"p\.zip cannot be written: No space left"):
        export_pack(app, "posts", tmp_path / "p.zip", False, full)
    assert list(tmp_path.glob("*p.zip*")) == []


def test_a_task_that_is_not_there_is_refused(app: App, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no task 'nothing'"):
        export_pack(app, "nothing", tmp_path / "p.zip", False, no_report)
    assert list(tmp_path.glob("*p.zip*")) == []


def test_a_pack_that_is_stopped_leaves_nothing(app: App, tmp_path: Path) -> None:
    def stop(done: int, total: int, message: str) -> None:
        raise JobCancelled("Stopped.")

    with pytest.raises(JobCancelled):
        export_pack(app, "posts", tmp_path / "p.zip", False, stop)
    assert list(tmp_path.glob("*p.zip*")) == []


def test_a_job_makes_a_pack_that_waits_for_its_download(app: App) -> None:
    app.store.jobs.enqueue("audit_pack", "posts", pack_order(True), READER)
    job = run_one(app, "worker")
    assert job is not None
    assert job.state is JobState.DONE, job.message
    assert "personal data masked in 1" in job.message
    path = waiting_pack(app.settings, job)
    assert path is not None
    content = PackContent(path)
    assert zipfile.ZipFile(io.BytesIO(content())).testzip() is None
    exported = next(e for e in app.store.events.page() if e.kind == "audit.pack_exported")
    assert exported.actor == READER.name
    path.unlink()
    assert waiting_pack(app.settings, job) is None
    with pytest.raises(NotFound, match="make it again"):
        content()


# --- the log ----------------------------------------------------------------------------------------------------------


def test_the_log_is_exported_in_words_and_defused(app: App, tmp_path: Path) -> None:
    where = EventFilter(rule="r1")
    assert export_log(app, where, tmp_path / "log.csv", "csv") == app.store.events.count(where)
    text = (tmp_path / "log.csv").read_bytes().decode("utf-8")
    assert text.encode() == LogContent(app, where, "csv")()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["kind"] for row in rows][:3] == ["rule.proposed", "rule.submitted", "rule.changes_requested"]
    assert rows[2]["in_words"] == "bert asked for changes to R1. Reason: =cmd, say which posts."
    assert {row["subject"] for row in rows} == {"R1"}


def test_the_log_as_json_lines_can_be_hashed_again(app: App) -> None:
    lines = LogContent(app, EventFilter(), "jsonl")().decode("utf-8").splitlines()
    events = app.store.events.page()[::-1]
    assert [json.loads(line)["hash"] for line in lines] == [event.hash for event in events]
    assert all(canonical_json(json.loads(line)) == line for line in lines)


def test_a_log_that_cannot_be_written_leaves_nothing(app: App, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        export_log(app, EventFilter(), tmp_path / "nowhere" / "log.csv", "csv")
