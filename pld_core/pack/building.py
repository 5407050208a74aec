"""Writing an audit pack: from one state of the database, piece by piece, in a fixed order, into one zip file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from string import Template
from typing import IO

from pld_core.audit_ports import AuditSnapshot, RuleRecord
from pld_core.canonical import Json, canonical_json
from pld_core.checks import catch_rate
from pld_core.models import Decision, Example
from pld_core.oversight import oversight
from pld_core.pack.archive import Archive
from pld_core.pack.dossiers import (
    RuleLine,
    Shown,
    dossier_json,
    in_full,
    masked,
    rule_line,
)
from pld_core.pack.inventory import (
    FromEvents,
    event_json,
    inventory_json,
    prompt_json,
    run_json,
    run_score,
    trial_prompt_json,
)
from pld_core.pack.report import PAGE_END, RULES_A_PART, ReportFrame, part_head, part_name, report_head
from pld_core.pack.report_rules import rule_section
from pld_core.pack.verify import FORMAT
from pld_core.ports import Progress
from pld_core.spreadsheet import csv_line

_REPORT_EVERY = 200
_DECISION_COLUMNS = (
    "decision",
    "rule",
    "verdict",
    "category",
    "reason",
    "reviewer",
    "opened_at",
    "decided_at",
    "revision_hash",
    "evidence_hash",
    "guideline_version",
)
_EXAMPLE_COLUMNS = ("hash", "label", "split", "state", "personal_data", "file", "counted_in", "number")
_PARTS = " Its rules\n                    stand in the folder report, {} files with {} rules each."
_IN_FULL = """
  Texts of examples are in full in this pack, personal data included.
"""
_MASKED = """
  MASKED: personal data that was found in texts of examples, by pattern, is replaced by its kind in brackets. Some may
  have been missed. What people wrote as reasons, what rules say, and people's names are not masked.
  A masked example stands under the hash of its original: evidence sets, decisions and the chain can be verified.
  What cannot be verified is that the original of a masked example gives its hash; ask for the pack in full for that.
"""


@dataclass(frozen=True)
class PackOrder:
    """What a pack is to say of itself.

    Attributes:
        made_at: UTC time, ISO 8601; the one thing that differs between two packs of one state.
        program: name and version of what makes it.
        masking: personal data in examples are masked.
        open_checks: seeded checks that are open are named; never for somebody who may decide on them.
    """

    made_at: str
    made_by: str
    program: str
    masking: bool = False
    open_checks: bool = False


@dataclass(frozen=True)
class PackFigures:
    """What was put into a pack; `examples` counts those that rules rest on, `masked` how many of them are masked."""

    rules: int
    decisions: int
    examples: int
    masked: int
    events: int
    head: str


def write_pack(snapshot: AuditSnapshot, target: IO[bytes], order: PackOrder, report: Progress) -> PackFigures:
    """Write the pack of a task; the same snapshot and order give the same bytes.

    Args:
        target: an open binary file that can be written; at most one rule with its examples is held in memory.
        report: hears how many steps are done; what it raises stops the work, and what was written so far is no pack.
    """
    with Archive(target) as archive:
        return _Builder(snapshot, archive, order, report).build()


class _Builder:
    def __init__(self, snapshot: AuditSnapshot, archive: Archive, order: PackOrder, report: Progress) -> None:
        self._snapshot, self._archive, self._order, self._report = snapshot, archive, order, report
        self._shown: Shown = masked if order.masking else in_full
        self._lines: list[RuleLine] = []
        self._checks = snapshot.checks()
        self._told = FromEvents()
        self._examples: set[str] = set()
        self._personal: dict[str, list[str]] = {}
        self._masked: set[str] = set()
        self._made = self._done = 0
        # Rules are read twice: for their dossiers, and for the report.
        self._total = 2 * snapshot.count_rules() + snapshot.count_events() + snapshot.count_examples()

    def build(self) -> PackFigures:
        snapshot, archive = self._snapshot, self._archive
        archive.add("README.txt", self._readme())
        rate, named = catch_rate(self._checks), [c for c in self._checks if c.outcome or self._order.open_checks]
        archive.add("checks.json", _json([check.as_json() for check in named]))
        self._write_decisions()
        self._write_dossiers()
        self._write_events()
        self._write_examples()
        inventory = inventory_json(snapshot)
        archive.add("inventory.json", _json(inventory))
        prompts, moves, made_at = snapshot.prompts(), snapshot.releases(), self._order.made_at
        for version in prompts:
            archive.add(f"prompts/v{version.number}.json", _json(prompt_json(version, moves, made_at)))
            archive.add(f"prompts/v{version.number}.txt", version.prompt.text)
        trials = self._write_trial_prompts()
        archive.add("releases.json", _json(self._told.releases_json(moves, made_at)))
        labels = snapshot.task.label_names
        runs = [(run, run_score(labels, snapshot.answers(run.id))) for run in snapshot.runs()]
        figures = oversight(snapshot.oversight())
        order = self._order
        frame = ReportFrame(
            snapshot.task,
            order.made_at,
            order.made_by,
            order.masking,
            inventory,
            figures,
            self._told,
            prompts,
            runs,
            self._lines,
            rate,
            named,
            moves,
        )
        self._write_report(frame)
        archive.add("roles.json", _json(self._told.roles_json()))
        archive.add("runs.json", _json([run_json(run, found, run.id in trials) for run, found in runs]))
        archive.add("statistics.json", _json({**figures.as_json(), "seeded_checks": rate.as_json()}))
        archive.add("verify.py", files("pld_core.pack").joinpath("verify.py").read_text(encoding="utf-8"))
        archive.add("manifest.json", _json(self._manifest()))
        self._report(self._total, self._total, "pack written")
        return PackFigures(
            len(self._lines),
            self._made,
            len(self._examples),
            len(self._masked),
            self._told.events,
            self._told.head,
        )

    # --- the parts ----------------------------------------------------------------------------------------------------

    def _readme(self) -> str:
        order, rules = self._order, self._snapshot.count_rules()
        parts = _PARTS.format(-(-rules // RULES_A_PART), RULES_A_PART) if rules > RULES_A_PART else ""
        template = Template(files("pld_core.pack").joinpath("readme.txt").read_text(encoding="utf-8"))
        return template.substitute(
            task=self._snapshot.task.name,
            made_at=order.made_at,
            made_by=order.made_by,
            parts=parts,
            masking=_MASKED if order.masking else _IN_FULL,
        )

    def _write_decisions(self) -> None:
        with self._archive.file("decisions.csv") as file:
            file.write(csv_line(_DECISION_COLUMNS))
            for decision in self._snapshot.decisions():
                file.write(csv_line(_decision_cells(decision)))

    def _write_dossiers(self) -> None:
        for record in self._snapshot.rules():
            # One line a file: with line breaks, Python writes JSON several times slower.
            text = canonical_json(dossier_json(record, self._noted)) + "\n"
            self._archive.add(f"dossiers/{record.summary.id}.json", text)
            self._lines.append(rule_line(record))
            self._made += len(record.decisions)
            self._step("rules")

    def _noted(self, example: Example) -> Example:
        """Return an example as the pack shows it, and note what the manifest says of it."""
        original, shown = example.hash, self._shown(example)
        self._examples.add(original)
        if example.personal:
            self._personal[original] = list(example.personal)
        if shown.masked:
            self._masked.add(original)
        return shown

    def _write_events(self) -> None:
        with self._archive.file("events.jsonl") as file:
            for event in self._snapshot.events():
                file.write(canonical_json(event_json(event)) + "\n")
                self._told.note(event, self._snapshot.task.name)
                self._step("events")

    def _write_examples(self) -> None:
        with self._archive.file("examples.csv") as file:
            file.write(csv_line(_EXAMPLE_COLUMNS))
            for line in self._snapshot.example_lines():
                personal, number = ", ".join(line.personal), "" if line.number is None else str(line.number)
                cells = [line.hash, line.label, line.split.value, line.state.value, personal]
                file.write(csv_line([*cells, line.file, line.unit, number]))
                self._step("examples")

    def _write_trial_prompts(self) -> frozenset[int]:
        """Write what runs asked with that is no prompt version, and return which runs these are."""
        written = []
        for run, prompt in self._snapshot.trial_prompts():
            self._archive.add(f"trial_prompts/run-{run.id}.json", _json(trial_prompt_json(run, prompt)))
            self._archive.add(f"trial_prompts/run-{run.id}.txt", prompt.text)
            written.append(run.id)
        return frozenset(written)

    def _write_report(self, frame: ReportFrame) -> None:
        records = self._snapshot.rules()
        with self._archive.file("report.html") as file:
            for piece in report_head(frame):
                file.write(piece)
            if not frame.parts:
                self._write_sections(records, file.write)
            file.write(PAGE_END)
        for number in range(1, frame.parts + 1):
            with self._archive.file(part_name(number)) as file:
                file.write(part_head(frame, number))
                self._write_sections(islice(records, RULES_A_PART), file.write)
                file.write(PAGE_END)

    def _write_sections(self, records: Iterator[RuleRecord], write: Callable[[str], None]) -> None:
        for record in records:
            for piece in rule_section(record, self._shown):
                write(piece)
            self._step("pages of the report")

    def _manifest(self) -> dict[str, Json]:
        order = self._order
        return {
            "format": FORMAT,
            "task": self._snapshot.task.name,
            "made_at": order.made_at,
            "made_by": order.made_by,
            "made_with": order.program,
            "chain": {"events": self._told.events, "head": self._told.head},
            "personal_data_masked": order.masking,
            "examples_with_marked_personal_data": dict(sorted(self._personal.items())),
            "masked_examples": sorted(self._masked),
            "files": self._archive.files,
        }

    def _step(self, what: str) -> None:
        self._done += 1
        if self._done % _REPORT_EVERY == 0:
            self._report(self._done, self._total, what)


def _decision_cells(decision: Decision) -> list[str]:
    return [
        str(decision.id),
        decision.rule_id,
        decision.verdict.value,
        decision.category.value if decision.category else "",
        decision.reason,
        decision.reviewer,
        decision.opened_at,
        decision.decided_at,
        decision.revision_hash,
        decision.evidence_hash,
        str(decision.guideline_version or ""),
    ]


def _json(value: Json) -> str:
    """Return JSON that people can read too: sorted keys, a line for each entry."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
