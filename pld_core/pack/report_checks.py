"""The part of the report that is about seeded checks: the catch rate, and which rules were checks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pld_core.checks import CatchRate, SeededCheck
from pld_core.pack.html_parts import moment, table, tag, text


def checks_part(rate: CatchRate, named: Sequence[SeededCheck]) -> Iterator[str]:
    """Yield what became of the checks, and each that is named; nothing for a task that never had one."""
    if not (rate.open or rate.share.n):
        return
    yield tag("h3", "Seeded checks") + "\n"
    yield tag(
        "p",
        "Known-bad variants of rules, among those to review because the task's policy says so. They count in no other "
        f"figure, and none can be in a prompt. Caught: {text(rate.words)}. Open: {rate.open:,}.",
    )
    yield table(
        ["What was made wrong", "Caught", "Missed"],
        ([text(kind.kind.label), f"{kind.caught:,}", f"{kind.missed:,}"] for kind in rate.kinds),
        numbers=(1, 2),
    )
    yield table(
        ["Check", "Made of", "What was made wrong", "Drawn", "What became of it"],
        (
            [
                text(check.rule_id),
                text(check.parent),
                text(check.kind.label),
                f"{moment(check.at)}, under change of policy {check.policy:,}",
                _outcome(check),
            ]
            for check in named
        ),
    )
    if hidden := rate.open - sum(check.outcome is None for check in named):
        yield tag("p", f"Open checks that are not named, as whoever made this pack may decide on rules: {hidden:,}.")


def _outcome(check: SeededCheck) -> str:
    closed = check.outcome
    if closed is None:
        return "open"
    verdict = "caught" if closed.how.is_caught else "missed"
    return f"{verdict}: {text(closed.how.label)} by {text(closed.by)}, {moment(closed.at)}"
