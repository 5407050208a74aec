"""Progress of long commands where nobody sits at a terminal: in a build's log, a line each minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pld_app.cli_format import progress_line


def test_a_log_gets_a_line_each_minute_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    seconds: Iterator[float] = iter([0.0, 20.0, 59.0, 61.0, 61.0, 90.0, 119.0, 125.0, 125.0])
    with progress_line(lambda: next(seconds)) as report:
        for done in (1_000, 1_001, 1_002, 1_003, 1_004, 1_005):
            report(done, 2_000, "train")
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["train: 1,002 of 2,000", "train: 1,005 of 2,000"]
    assert printed.out == ""


def test_a_quick_command_writes_nothing_into_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_line(lambda: 0.0) as report:
        report(5, 5, "train")
    assert capsys.readouterr() == ("", "")
