"""What comes back on a decision sheet: the judgements that it holds, and why rows hold none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.decision_sheet import CATEGORIES, DECISIONS, SHEET_FORMAT, FilledRow, FilledSheet, SheetOrigin
from pld_core.errors import EvidenceMovedOn, InvalidInput, RevisionMovedOn
from pld_core.models import Judgement, RevisionState, RuleText, Verdict

_STATES = {state.value for state in RevisionState}
_AGAIN = "Decide on it on the Review page, or in a sheet exported now."


@dataclass(frozen=True)
class RowJudgement:
    """What the row of this number decides."""

    number: int
    judgement: Judgement


@dataclass(frozen=True)
class Refusal:
    """A row that decides nothing, and what to do about it."""

    number: int
    rule_id: str
    problem: str

    @property
    def words(self) -> str:
        return f"Row {self.number}{f' ({self.rule_id})' if self.rule_id else ''}: {self.problem}"

    def as_json(self) -> dict[str, Json]:
        return {"row": self.number, "rule": self.rule_id, "reason": self.problem}


@dataclass(frozen=True)
class SheetReading:
    """What a sheet says, as far as that can be told without the store.

    Attributes:
        skipped: rows in which nothing was typed.
    """

    origin: SheetOrigin
    file: str
    sha256: str
    judgements: tuple[RowJudgement, ...]
    refused: tuple[Refusal, ...]
    skipped: int


@dataclass(frozen=True)
class RowDecision:
    """A row that was recorded, or would be: the decision's number and the state that it led to."""

    number: int
    rule_id: str
    verdict: Verdict
    decision: int
    state: RevisionState


@dataclass(frozen=True)
class SheetOutcome:
    """What became of a sheet, or would become of it."""

    decided: tuple[RowDecision, ...]
    refused: tuple[Refusal, ...]
    skipped: int


def check_origin(sheet: FilledSheet, workspace: str, task: str = "") -> None:
    """Raise `InvalidInput` unless the sheet was exported here, from this task if one is named, and is unchanged."""
    origin = sheet.origin
    if origin.version != SHEET_FORMAT:
        raise InvalidInput(
            f"{sheet.file} has format {origin.version} of decision sheets; this version reads {SHEET_FORMAT}. "
            "Nothing was recorded. Export the rules again."
        )
    if sheet.checksum != origin.checksum:
        raise InvalidInput(
            f"What {sheet.file} says of where it comes from was changed. Nothing was recorded. Export the rules again."
        )
    if origin.workspace != workspace:
        raise InvalidInput(
            f"{sheet.file} was exported from another workspace. Nothing was recorded. Import it there, or export the "
            "rules of this one."
        )
    if task not in ("", origin.task):
        raise InvalidInput(
            f"{sheet.file} holds rules of the task {origin.task}, not of {task}. Nothing was recorded. Choose that "
            "task, then hand the sheet in."
        )


def read_decisions(sheet: FilledSheet) -> SheetReading:
    """Return what each row decides; a row that cannot be taken at its word is refused with the reason."""
    times = Counter(row.row.rule_id for row in sheet.rows if _is_typed(row))
    judgements, refused, skipped = [], [], 0
    for row in sheet.rows:
        if not _is_typed(row):
            skipped += 1
        elif problem := _problem(row, sheet.origin, times[row.row.rule_id]):
            refused.append(Refusal(row.number, row.row.rule_id, problem))
        else:
            judgements.append(RowJudgement(row.number, _judgement(row)))
    return SheetReading(sheet.origin, sheet.file, sheet.sha256, tuple(judgements), tuple(refused), skipped)


def moved_words(error: RevisionMovedOn, seen_state: RevisionState) -> str:
    """Return what changed since the sheet was exported, and what to do."""
    if isinstance(error, EvidenceMovedOn):
        return f"its evidence has changed since the sheet was exported. Nothing was recorded for it. {_AGAIN}"
    if error.seen.hash == error.current.hash:
        what = f"it was {seen_state.label} when the sheet was exported and is {error.state.label} now, by {error.by}"
    else:
        parts = ", ".join(_changed_parts(error.seen.text, error.current.text)) or "nothing of the text"
        what = (
            f"the sheet holds revision {error.seen.number}; revision {error.current.number} by {error.by} took its "
            f"place and is {error.state.label}. Changed: {parts}"
        )
    return f"{what}. Nothing was recorded for it. {_AGAIN}"


def _is_typed(row: FilledRow) -> bool:
    return bool(row.problem or row.decision.strip() or row.category.strip() or row.reason.strip())


def _problem(row: FilledRow, origin: SheetOrigin, times: int) -> str:
    """Return why the row cannot be taken at its word, empty if it can."""
    if row.problem:
        return row.problem
    if row.seal != row.row.seal(origin) or row.row.seen_state not in _STATES:
        return (
            "what the row shows or its hidden cells were changed, so it is not certain what was decided on. Nothing "
            f"was recorded for it. {_AGAIN}"
        )
    if times > 1:
        return f"the rule stands in {times} rows with something typed in. Keep one of them, then hand the sheet in."
    return _typed_problem(_word(row.decision), _word(row.category), row.reason)


def _typed_problem(decision: str, category: str, reason: str) -> str:
    """Return what is wrong with the cells that a person fills in, empty if nothing is."""
    if not decision:
        return "there is a reason or a category but no decision. Choose one, or empty the row's yellow cells."
    if decision not in DECISIONS:
        return f"{decision!r} is no decision. Choose {_listed(DECISIONS)}, or empty the row's yellow cells."
    if not reason.strip():
        return f"there is no reason for the decision “{decision}”. Type one in your own words, for approvals too."
    if category and category not in CATEGORIES:
        return f"{category!r} is no category. Choose {_listed(CATEGORIES)}."
    is_rejection = DECISIONS[decision] is Verdict.REJECT
    if is_rejection and not category:
        return f"rejecting needs a category. Choose {_listed(CATEGORIES)}."
    if category and not is_rejection:
        return f"the category “{category}” goes with a rejection only. Empty it, or choose reject."
    return ""


def _judgement(row: FilledRow) -> Judgement:
    """Return what a row without a problem decides; when its rule was opened is not known."""
    return Judgement(
        rule_id=row.row.rule_id,
        seen_revision=row.row.revision,
        seen_state=RevisionState(row.row.seen_state),
        verdict=DECISIONS[_word(row.decision)],
        reason=row.reason.replace("\r\n", "\n").strip(),
        category=CATEGORIES.get(_word(row.category)),
        seen_evidence=row.row.evidence_set,
    )


def _word(typed: str) -> str:
    return " ".join(typed.replace("_", " ").split()).casefold()


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}"


def _changed_parts(before: RuleText, after: RuleText) -> list[str]:
    old, new = before.as_json(), after.as_json()
    return [name for name in old if old[name] != new[name]]
