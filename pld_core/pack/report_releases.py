"""The part of the report that is about releases: where each label is, and how it came there, gate by gate. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pld_core.gate_facts import Gate
from pld_core.pack.html_parts import moment, table, tag, text
from pld_core.releases import BreakGlass, Release, holders_of


def releases_part(moves: Sequence[Release], now: str) -> Iterator[str]:
    """Yield where the labels are at a moment, and every move with its gates as they were.

    Args:
        moves: oldest first.
        now: UTC time, ISO 8601.
    """
    yield tag("h3", "Release labels")
    yield table(
        ["Label", "Prompt version", "Hash of its text", "Since", "By", "Exception"],
        (
            [
                text(held.label.value),
                text(held.version),
                tag("code", text(held.sha256)),
                moment(held.at),
                text(held.by),
                _exception(held.break_glass, now),
            ]
            for held in holders_of(moves)
        ),
    )
    yield tag("h3", "Label moves")
    for move in moves:
        yield tag(
            "p",
            f"{text(move.label.value)} to version {move.version:,} ({text(move.kind.value)}), {moment(move.at)}, by "
            f"{text(move.by)}. Reason: {text(move.reason)}. Exception: {_exception(move.break_glass, now)}.",
        )
        yield table(["Gate", "State", "Figure", "Why"], map(_gate_row, move.gates))
    if not moves:
        yield tag("p", "No label was moved.", "soft")


def _gate_row(gate: Gate) -> list[str]:
    return [text(gate.title), text(gate.state.value), text(gate.figure), text(gate.reason)]


def _exception(exception: BreakGlass | None, now: str) -> str:
    if exception is None:
        return "none"
    return f"{tag('b', text(exception.words(now)))} ({text(exception.reason)})"
