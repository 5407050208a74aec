"""What comes back on a decision sheet: what is taken at its word, and what is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pld_core.decision_check import check_origin, moved_words, read_decisions
from pld_core.decision_sheet import (
    CATEGORIES,
    DECISIONS,
    FilledRow,
    FilledSheet,
    SheetOrigin,
    SheetRow,
    sheet_row,
)
from pld_core.errors import EvidenceMovedOn, InvalidInput, RevisionMovedOn
from pld_core.models import (
    AuthorKind,
    Evidence,
    EvidenceRole,
    Judgement,
    RejectCategory,
    Revision,
    RevisionState,
    RuleDossier,
    RuleSummary,
    RuleText,
    Verdict,
    evidence_set_hash,
)
from pld_core.spreadsheet import CELL_LIMIT
from tests.factories import make_example, make_text

ORIGIN = SheetOrigin("sha256:first", "posts", "2026-01-02T03:04:05.000000Z", "anna")
REVISION = Revision("R1", 1, make_text(), "told", AuthorKind.TEACHER)


def dossier(*evidence: tuple[str, EvidenceRole], text: RuleText | None = None) -> RuleDossier:
    head = replace(REVISION, text=text or REVISION.text)
    examples = {e.hash: e for e in (make_example(post) for post, _ in evidence)}
    links = tuple(Evidence(make_example(post).hash, role, note="so") for post, role in evidence)
    summary = RuleSummary(
        "R1", "posts", head.text.title, head.text.labels, RevisionState.IN_REVIEW, 1, head.hash, "", 1, 0, "", "told"
    )
    return RuleDossier(summary, (head,), {head.hash: summary.state}, {head.hash: ""}, links, examples, ())


ROW = sheet_row(dossier(("kind words", EvidenceRole.SUPPORTS)))


def filled(decision: str = "", category: str = "", reason: str = "", row: SheetRow = ROW, number: int = 2) -> FilledRow:
    return FilledRow(number, row, row.seal(ORIGIN), decision, category, reason)


def sheet(*rows: FilledRow, origin: SheetOrigin = ORIGIN) -> FilledSheet:
    return FilledSheet(origin, origin.checksum, rows, "rules.xlsx", "sha256:file")


def refusal(*rows: FilledRow) -> str:
    reading = read_decisions(sheet(*rows))
    assert reading.judgements == ()
    return reading.refused[0].words


# --- what a row shows -------------------------------------------------------------------------------------------------


def test_a_row_shows_the_rule_with_contradicting_evidence_first() -> None:
    row = sheet_row(
        dossier(
            ("nice", EvidenceRole.SUPPORTS),
            ("far off", EvidenceRole.IRRELEVANT),
            ("almost", EvidenceRole.NEAR_MISS),
            ("nasty", EvidenceRole.CONTRADICTS),
            ("lovely", EvidenceRole.SUPPORTS),
        )
    )
    assert row.rule == "IF the post is friendly\nTHEN keep\nEXCEPT it is irony"
    assert (row.labels, row.state) == ("keep", "in review")
    assert row.evidence == (
        "CONTRADICTING (1)\n\n1. gold label: keep · train · test\npost: nasty\nNote: so\n\n"
        "NEAR MISSES (1)\n\n1. gold label: keep · train · test\npost: almost\nNote: so\n\n"
        "SUPPORTING (2)\n\n1. gold label: keep · train · test\npost: nice\nNote: so\n\n"
        "2. gold label: keep · train · test\npost: lovely\nNote: so\n\n"
        "MARKED AS IRRELEVANT (1)\n\n1. gold label: keep · train · test\npost: far off\nNote: so"
    )


def test_a_row_is_bound_to_revision_state_and_evidence() -> None:
    given = dossier(("kind words", EvidenceRole.SUPPORTS))
    assert (ROW.revision, ROW.seen_state) == (REVISION.hash, "in_review")
    assert ROW.evidence_set == evidence_set_hash(given.evidence)


def test_a_rule_without_evidence_says_that_it_cannot_be_approved() -> None:
    assert "can be rejected, but not approved" in sheet_row(dossier()).evidence


def test_evidence_beyond_what_a_cell_holds_is_cut_with_a_note() -> None:
    row = sheet_row(dossier(("😀" * 40_000, EvidenceRole.SUPPORTS)))
    assert len(row.evidence) < CELL_LIMIT
    assert row.evidence.endswith("The Review page shows all of the evidence.]")


def test_texts_that_look_like_formulas_are_defused() -> None:
    row = sheet_row(dossier(text=make_text(label="=1+1", title="@SUM(A1)")))
    assert (row.title, row.labels) == ("'@SUM(A1)", "'=1+1")


# --- what is taken at its word ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["reject", "Reject", " REJECT "])
def test_a_rejection_becomes_a_judgement_on_what_the_sheet_shows(typed: str) -> None:
    reading = read_decisions(sheet(filled(typed, "over broad", "  Too wide.\r\nFar too wide. ")))
    assert [row.judgement for row in reading.judgements] == [
        Judgement(
            "R1",
            REVISION.hash,
            RevisionState.IN_REVIEW,
            Verdict.REJECT,
            "Too wide.\nFar too wide.",
            RejectCategory.OVER_BROAD,
            "",
            ROW.evidence_set,
        )
    ]
    assert (reading.refused, reading.skipped) == ((), 0)


@pytest.mark.parametrize(("word", "verdict"), DECISIONS.items())
def test_each_decision_of_the_drop_down_is_understood(word: str, verdict: Verdict) -> None:
    category = "other" if verdict is Verdict.REJECT else ""
    (row,) = read_decisions(sheet(filled(word, category, "So."))).judgements
    assert row.judgement.verdict is verdict


@pytest.mark.parametrize(("word", "category"), CATEGORIES.items())
def test_each_category_of_the_drop_down_is_understood(word: str, category: RejectCategory) -> None:
    (row,) = read_decisions(sheet(filled("reject", word, "So."))).judgements
    assert row.judgement.category is category


def test_rows_in_which_nothing_was_typed_are_counted() -> None:
    reading = read_decisions(sheet(filled(), filled("  ", "\n", " "), filled("approve", "", "Fine.")))
    assert (reading.skipped, len(reading.judgements), reading.refused) == (2, 1, ())


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (("approve", "", ""), "no reason for the decision “approve”. Type one in your own words, for approvals too."),
        (("approve", "", " \n"), "no reason"),
        (("request changes", "", ""), "no reason"),
        (("reject", "", "No."), "rejecting needs a category. Choose over broad, "),
        (("reject", "nonsense", "No."), "'nonsense' is no category. Choose over broad, "),
        (("approve", "unclear", "Yes."), "“unclear” goes with a rejection only. Empty it, or choose reject."),
        (("maybe", "", "Hm."), "'maybe' is no decision. Choose approve, reject or request changes, or empty"),
        (("", "", "Hm."), "no decision. Choose one, or empty the row's yellow cells."),
        (("", "unclear", ""), "no decision. Choose one"),
    ],
)
def test_a_row_that_is_not_filled_in_well_is_named_with_what_to_do(typed: tuple[str, str, str], problem: str) -> None:
    words = refusal(filled(*typed, number=7))
    assert words.startswith("Row 7 (R1): ")
    assert problem in words


def test_a_cell_that_could_not_be_read_is_told() -> None:
    assert refusal(replace(filled(), problem="Reason begins with =.")) == "Row 2 (R1): Reason begins with =."


def test_a_rule_that_is_decided_in_two_rows_is_decided_in_neither() -> None:
    yes, no = filled("approve", "", "Yes."), filled("reject", "other", "No.", number=5)
    reading = read_decisions(sheet(yes, no))
    assert reading.judgements == ()
    assert [found.number for found in reading.refused] == [2, 5]
    assert "stands in 2 rows" in reading.refused[0].problem


def test_a_copied_row_that_is_empty_disturbs_nobody() -> None:
    reading = read_decisions(sheet(filled("approve", "", "Yes."), filled(number=5)))
    assert (len(reading.judgements), reading.skipped) == (1, 1)


# --- what was tampered with -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SheetRow.__dataclass_fields__)
def test_a_change_of_anything_that_a_row_shows_or_hides_is_noticed(name: str) -> None:
    given = filled("approve", "", "Yes.")
    tampered = replace(given, row=replace(ROW, **{name: getattr(ROW, name) + "x"}))
    assert "were changed, so it is not certain what was decided on" in refusal(tampered)


def test_what_a_spreadsheet_program_changes_on_its_own_is_not_noticed() -> None:
    given = filled("approve", "", "Yes.")
    shown = replace(ROW, rule=ROW.rule.replace("\n", "\r\n"), title=f"'{ROW.title} ")
    assert len(read_decisions(sheet(replace(given, row=shown))).judgements) == 1


def test_a_row_of_another_sheet_is_noticed() -> None:
    other = replace(ORIGIN, exported_at="2026-01-01T00:00:00.000000Z")
    given = replace(filled("approve", "", "Yes."), seal=ROW.seal(other))
    assert "not certain" in refusal(given)


def test_a_state_that_there_is_not_is_noticed_even_under_a_right_seal() -> None:
    row = replace(ROW, seen_state="blessed")
    assert "not certain" in refusal(filled("approve", "", "Yes.", row=row))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda o: replace(o, version=2), "has format 2 of decision sheets; this version reads 1"),
        (lambda o: replace(o, workspace="sha256:other"), "was exported from another workspace"),
        (lambda o: replace(o, task="nda"), "holds rules of the task nda, not of posts"),
    ],
)
def test_a_sheet_from_elsewhere_is_refused_as_a_whole(change: Callable[[SheetOrigin], SheetOrigin], told: str) -> None:
    check_origin(sheet(), ORIGIN.workspace, "posts")
    check_origin(sheet(), ORIGIN.workspace)
    with pytest.raises(InvalidInput, match=f"rules.xlsx {told}.*Nothing was recorded"):
        check_origin(sheet(origin=change(ORIGIN)), ORIGIN.workspace, "posts")


@pytest.mark.parametrize("name", ["workspace", "task", "exported_at", "exported_by"])
def test_a_changed_origin_is_noticed(name: str) -> None:
    given = replace(sheet(), origin=replace(ORIGIN, **{name: "x"}))  # type: ignore[arg-type]  # texts, all four
    with pytest.raises(InvalidInput, match="where it comes from was changed"):
        check_origin(given, ORIGIN.workspace)


# --- what moved on ----------------------------------------------------------------------------------------------------


def test_it_is_told_what_moved_on() -> None:
    newer = replace(REVISION, number=2, text=replace(REVISION.text, condition="the post is kind", title="Kind posts"))
    replaced = RevisionMovedOn(REVISION, newer, RevisionState.IN_REVIEW, "bert")
    assert moved_words(replaced, RevisionState.IN_REVIEW).startswith(
        "the sheet holds revision 1; revision 2 by bert took its place and is in review. Changed: title, condition."
    )
    decided = RevisionMovedOn(REVISION, REVISION, RevisionState.APPROVED, "bert")
    assert moved_words(decided, RevisionState.IN_REVIEW).startswith(
        "it was in review when the sheet was exported and is approved now, by bert."
    )
    other = EvidenceMovedOn(REVISION, RevisionState.IN_REVIEW, "bert")
    assert moved_words(other, RevisionState.IN_REVIEW).startswith("its evidence has changed since")
