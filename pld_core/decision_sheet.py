"""The sheet on which rules are decided in a spreadsheet program: what a row shows, and what binds it to a rule.

Nothing here knows the file's format; see `decision_book`. What comes back is checked by `decision_check`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pld_core.canonical import hash_json
from pld_core.models import Evidence, EvidenceRole, Example, RejectCategory, RuleDossier, Verdict, evidence_set_hash
from pld_core.review import rule_sentences
from pld_core.spreadsheet import cell_text

SHEET_FORMAT = 1
MOST_ROWS = 1_000
"""More rules than anybody reads at a sitting."""
DECISIONS = {verdict.value.replace("_", " "): verdict for verdict in Verdict}
CATEGORIES = {category.value.replace("_", " "): category for category in RejectCategory}
HEADINGS = {
    EvidenceRole.CONTRADICTS: "CONTRADICTING",
    EvidenceRole.NEAR_MISS: "NEAR MISSES",
    EvidenceRole.SUPPORTS: "SUPPORTING",
    EvidenceRole.IRRELEVANT: "MARKED AS IRRELEVANT",
}
"""In the order in which they are shown."""
NO_EVIDENCE = "This rule has no evidence, so nobody can judge it. It can be rejected, but not approved."
CUT = "\n[Cut here: {left:,} characters more than a cell holds. The Review page shows all of the evidence.]"


@dataclass(frozen=True)
class SheetOrigin:
    """Where a sheet comes from.

    Attributes:
        workspace: the hash of its first event.
        exported_at: UTC time of the store, ISO 8601.
        version: of the sheet's format.
    """

    workspace: str
    task: str
    exported_at: str
    exported_by: str
    version: int = SHEET_FORMAT

    @property
    def checksum(self) -> str:
        return hash_json(asdict(self))


@dataclass(frozen=True)
class SheetRow:
    """What a row shows of a rule, cut and defused as a cell takes it, and what binds the row to the rule.

    Attributes:
        rule: IF, THEN and each EXCEPT on a line of its own.
        evidence: the examples in full, contradicting ones first.
        revision: hash of the revision that is shown.
        seen_state: its state, as the store names it.
        evidence_set: hash of the evidence that is shown.
    """

    rule_id: str
    title: str
    rule: str
    labels: str
    state: str
    evidence: str
    revision: str
    seen_state: str
    evidence_set: str

    def seal(self, origin: SheetOrigin) -> str:
        """Return the hash by which it is noticed that a row was changed, mixed up, or came from another sheet.

        White space and a quote in front make no difference: spreadsheet programs change them on their own.
        """
        return hash_json([origin.checksum, *(" ".join(text.split()).lstrip("'") for text in asdict(self).values())])


@dataclass(frozen=True)
class DecisionSheet:
    """A sheet that is to be filled in."""

    origin: SheetOrigin
    rows: tuple[SheetRow, ...]


@dataclass(frozen=True)
class FilledRow:
    """A row as it came back.

    Attributes:
        number: the row as the spreadsheet program counts.
        seal: what the row was sealed with when it was exported.
        problem: why the typed cells cannot be read; empty if they can.
    """

    number: int
    row: SheetRow
    seal: str
    decision: str = ""
    category: str = ""
    reason: str = ""
    problem: str = ""


@dataclass(frozen=True)
class FilledSheet:
    """A sheet as it came back.

    Attributes:
        checksum: of the origin, as it was when the sheet was exported.
        file: the file's name, without folders.
        sha256: hash of its bytes, `sha256:` and hex digits.
    """

    origin: SheetOrigin
    checksum: str
    rows: tuple[FilledRow, ...]
    file: str
    sha256: str


def sheet_row(dossier: RuleDossier) -> SheetRow:
    """Return the row of a rule's newest revision; it tells no more than the dossier does."""
    head, state = dossier.head, dossier.summary.state
    condition, then, exceptions = rule_sentences(head.text)
    parts = [f"IF {condition}", f"THEN {then}", *(f"EXCEPT {exception}" for exception in exceptions)]
    return SheetRow(
        rule_id=dossier.summary.id,
        title=cell_text(head.text.title),
        rule=cell_text("\n".join(parts)),
        labels=cell_text(then),
        state=state.label,
        evidence=cell_text(_evidence_text(dossier), CUT),
        revision=head.hash,
        seen_state=state.value,
        evidence_set=evidence_set_hash(dossier.evidence),
    )


def _evidence_text(dossier: RuleDossier) -> str:
    blocks = []
    for role, heading in HEADINGS.items():
        found = [evidence for evidence in dossier.evidence if evidence.role is role]
        if found:
            blocks.append(f"{heading} ({len(found)})")
            blocks += [_example_text(n, e, dossier.examples[e.example_hash]) for n, e in enumerate(found, start=1)]
    return "\n\n".join(blocks) or NO_EVIDENCE


def _example_text(number: int, evidence: Evidence, example: Example) -> str:
    told = " · ".join(part for part in (f"gold label: {example.label}", example.split.value, example.place) if part)
    lines = [f"{number}. {told}", *(f"{name}: {value or '(empty)'}" for name, value in example.fields)]
    return "\n".join([*lines, f"Note: {evidence.note}"] if evidence.note else lines)
