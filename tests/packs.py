"""An audit pack to read, to change and to verify."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pld_core.attention import Attention, Seen
from pld_core.canonical import hash_json
from pld_core.compilation import compile_prompt
from pld_core.evaluation import failed_answer
from pld_core.models import Example, Prediction, RejectCategory, RuleText, Run, Span, Split, Verdict
from pld_core.pack.building import PackFigures, PackOrder, write_pack
from storage import SqliteStore
from tests.factories import ANNA, BERT, fill, make_example, make_rule, make_text, no_report, rule_in_review, verdict_on

MAIL = "ann@example.org"
HOSTILE = '<script>alert(1)</script><img src="http://evil.test/x.png" onerror=x> & "quoted"'
NOTED = Attention(41, Seen(3, 3, 2), Seen(1, 1, 1), 0)
"""What the page noted of the approval of R1."""
ORDER = PackOrder("2026-02-03T04:05:06.000000Z", "anna", "pld-review 0.1.0")


def hostile_examples() -> tuple[Example, ...]:
    return (
        replace(make_example(f"Write to {MAIL} for more", source=f"row of {MAIL}"), personal=("e-mail",)),
        replace(make_example(HOSTILE, "remove"), spans=(Span("post", 0, 8), Span("post", 4, 400))),
        replace(make_example("=1+1"), ref="=2"),
        make_example("plain ü text"),
        make_example("kept for validation", split=Split.VALIDATION),
    )


def fill_for_audit(store: SqliteStore) -> None:
    """Make a task in which R1 is approved after an edit, R2 is rejected, R3 waits, with a prompt and a run."""
    examples = fill(store, examples=hostile_examples())
    for number, title in ((1, "Friendly"), (2, HOSTILE), (3, "=SUM(A1)")):
        text = make_text(f"the post is number {number}", title=title[:100])
        rule_in_review(store, make_rule(text, examples[:2], examples[2:3], f"origin {number}"))
    store.rules.judge(verdict_on(store, "R1", Verdict.REQUEST_CHANGES, "=cmd, say which posts."), BERT)
    seen = store.rules.summary("R1")
    better = RuleText("Friendly", "the post is friendly to all", ("keep",))
    store.rules.edit("R1", seen.head, seen.state, better, "Says which posts.", ANNA)
    store.rules.judge(replace(verdict_on(store, "R1"), attention=NOTED), BERT)
    store.rules.judge(verdict_on(store, "R2", Verdict.REJECT, HOSTILE, RejectCategory.NOT_SUPPORTED), ANNA)
    version = store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA)
    run = Run(0, "posts", version.number, version.prompt.sha256, "told", "sha256:w", Split.VALIDATION, "", "", 1, None)
    run_id = store.runs.start(run, ANNA).id
    store.runs.add_predictions(run_id, [Prediction(examples[4].hash, "keep", failed_answer("slept"))])


def packed(store: SqliteStore, task: str = "posts", order: PackOrder = ORDER) -> tuple[bytes, PackFigures]:
    target = io.BytesIO()
    with store.audit.snapshot(task, ANNA) as snapshot:
        figures = write_pack(snapshot, target, order, no_report)
    return target.getvalue(), figures


@dataclass(frozen=True)
class Verified:
    """What `verify.py` said."""

    code: int
    said: str

    @property
    def first(self) -> str:
        """The first thing that is broken."""
        assert self.code == 1, self.said
        line = self.said.splitlines()[-1] if "BROKEN" not in self.said else self.said.partition("BROKEN. ")[2]
        return line.splitlines()[0]


def verified(script: Path, *arguments: object) -> Verified:
    """Run the verifier of a pack with Python alone: no packages, no environment."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "", done.stderr
    return Verified(done.returncode, done.stdout)


@dataclass(frozen=True)
class Unpacked:
    """A pack in a folder, which can be changed as somebody would who wants it not to show."""

    folder: Path

    def verify(self, *arguments: object) -> Verified:
        return verified(self.folder / "verify.py", *arguments)

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def write(self, name: str, value: object) -> None:
        self.put(name, json.dumps(value, ensure_ascii=False))

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_bytes(text.encode("utf-8"))

    def events(self) -> list[Any]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_bytes().splitlines()]

    def put_events(self, events: list[Any]) -> None:
        self.put("events.jsonl", "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events))

    def seal(self) -> None:
        """Make the manifest fit what is there now."""
        manifest = self.read("manifest.json")
        names = [p.relative_to(self.folder).as_posix() for p in sorted(self.folder.rglob("*")) if p.is_file()]
        manifest["files"] = {
            name: {"sha256": "sha256:" + hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}
            for name in names
            if name != "manifest.json"
        }
        events = self.events()
        manifest["chain"] = {"events": len(events), "head": events[-1]["hash"]}
        self.write("manifest.json", manifest)


def rechained(events: list[Any]) -> list[Any]:
    """Number and hash events anew, as somebody would who makes up a log."""
    prev, made = "sha256:" + "0" * 64, []
    for number, event in enumerate(events, 1):
        body = {**{k: v for k, v in event.items() if k != "hash"}, "seq": number, "prev": prev}
        prev = hash_json(body)
        made.append({**body, "hash": prev})
    return made


def unpack(content: bytes, folder: Path) -> Unpacked:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        found.extractall(folder)
    return Unpacked(folder)
