"""`pld review`: rules out to a sheet, decisions back from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from pld_core.decision_layout import RULES_SHEET
from pld_core.models import SYSTEM
from storage import SqliteStore, open_store
from tests.cli.running import Pld, content_of
from tests.factories import url_of
from tests.sheets import APPROVED, REJECTED, Typed, fill_in


@pytest.fixture
def file(space: Path, pld: Pld, tmp_path: Path) -> Path:
    """The sheet of everything that waits for anna: 13 rules."""
    target = tmp_path / "rules.xlsx"
    assert pld("review", "export", "--task", "nda", "--xlsx", target, "--workspace", space).code == 0
    return target


def type_in(file: Path, **typed: Typed) -> None:
    file.write_bytes(fill_in(file.read_bytes(), typed))


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def test_a_sheet_is_exported_filled_in_checked_and_imported(space: Path, pld: Pld, file: Path) -> None:
    type_in(file, R1=APPROVED, R2=REJECTED, R3=("approve", "", ""))
    before = content_of(space)
    checked = pld("review", "import", file, "--check", "--workspace", space)
    assert checked.out.splitlines()[-2:] == [
        "2 decisions can be recorded, 1 row refused, 10 rows without a decision.",
        "Nothing was written.",
    ]
    assert content_of(space) == before
    done = pld("review", "import", file, "--workspace", space).out
    assert "(R1): is approved." in done
    assert "(R2): is rejected." in done
    assert "(R3): there is no reason for the decision “approve”." in done
    assert done.splitlines()[-1] == "2 decisions recorded, 1 row refused, 10 rows without a decision."
    again = pld("review", "import", file, "--workspace", space).out
    assert again.count("decided by you already") == 2
    assert again.splitlines()[-1] == "Nothing was written."
    log = pld("audit", "log", "--kind", "review.imported", "--workspace", space).out
    assert "anna recorded 2 decisions on nda from rules.xlsx; 1 rows refused." in log
    assert pld("audit", "verify", "--workspace", space).code == 0


def test_the_report_for_machines(space: Path, pld: Pld, file: Path) -> None:
    type_in(file, R1=APPROVED, R2=("reject", "", "No."))
    told = pld("review", "import", file, "--check", "--json", "--workspace", space).value
    assert (told["recorded"], told["skipped"]) == (False, 11)
    (decided,) = told["decided"]
    assert (decided["rule"], decided["verdict"], decided["state"], decided["decision"]) == (
        *("R1", "approve", "approved"),
        None,
    )
    done = pld("review", "import", file, "--json", "--workspace", space).value
    assert (done["recorded"], done["decided"][0]["decision"]) == (True, 1)
    (refused,) = done["refused"]
    assert refused["rule"] == "R2"
    assert "rejecting needs a category" in refused["reason"]


def test_a_rule_that_moved_on_is_refused_and_the_rest_is_recorded(space: Path, pld: Pld, file: Path) -> None:
    type_in(file, R1=APPROVED, R2=APPROVED)
    edited = pld("rules", "edit", "R2", "--title", "Another", "--reason", "clearer", "--workspace", space)
    assert edited.code == 0
    done = pld("review", "import", file, "--workspace", space).out
    assert (
        "(R2): the sheet holds revision 1; revision 2 by anna took its place and is in review. Changed: title." in done
    )
    assert "1 decision recorded, 1 row refused, 11 rows without a decision." in done
    assert store_of(space).rules.dossier("R2", SYSTEM).decisions == ()


def test_filters_of_the_export(space: Path, pld: Pld, tmp_path: Path) -> None:
    assert pld("rules", "tag", "R4", "R5", "--tag", "urgent", "--workspace", space).code == 0
    assert pld("rules", "assign", "R5", "R6", "--to", "anna", "--workspace", space).code == 0
    assert pld("rules", "approve", "R6", "--workspace", space).code == 0
    target = tmp_path / "some.xlsx"

    def rules(*filters: str) -> list[str]:
        told = pld("review", "export", "--task", "nda", "--xlsx", target, *filters, "--workspace", space, "--json")
        found: list[str] = sorted(told.value["rules"])
        page = load_workbook(target)[RULES_SHEET]
        assert sorted(str(row[0].value) for row in page.iter_rows(min_row=2)) == found
        return found

    assert rules("--tag", "urgent") == ["R4", "R5"]
    assert rules("--assigned", "anna") == ["R5"]
    assert rules("--assigned", "anna", "--tab", "decided") == ["R6"]
    assert rules("--tab", "all", "--state", "approved") == ["R6"]
    assert len(rules()) == 12


def test_what_cannot_be_exported(space: Path, pld: Pld, tmp_path: Path) -> None:
    def refusal(*arguments: object) -> str:
        return pld("review", "export", *arguments, "--workspace", space).refusal

    assert "has to end in .xlsx" in refusal("--task", "nda", "--xlsx", tmp_path / "rules.csv")
    assert "No rule matches" in refusal("--task", "nda", "--xlsx", tmp_path / "r.xlsx", "--tab", "stale")
    assert "nothing" in refusal("--task", "nothing", "--xlsx", tmp_path / "r.xlsx")
    assert not list(tmp_path.glob("*.xlsx"))


def test_what_cannot_be_imported(space: Path, pld: Pld, tmp_path: Path) -> None:
    text = tmp_path / "posts.csv"
    text.write_text("rule,decision\nR1,approve\n")
    before = content_of(space)
    assert "is not an Excel workbook" in pld("review", "import", text, "--workspace", space).refusal
    assert "cannot be read" in pld("review", "import", tmp_path / "none.xlsx", "--workspace", space).refusal
    assert content_of(space) == before


def test_a_sheet_of_another_workspace_is_refused(space: Path, pld: Pld, file: Path, nowhere: Path) -> None:
    type_in(file, R1=APPROVED)
    assert pld("demo", "--task", "moderation", "--workspace", nowhere).code == 0
    assert "from another workspace" in pld("review", "import", file, "--workspace", nowhere).refusal
