"""Release labels: which prompt version is `candidate` or `production`, who moved the label there, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from pld_core.canonical import Json
from pld_core.errors import GatesRed, IllegalTransition, InvalidInput, MissingReason
from pld_core.gate_facts import Gate, red_gates
from pld_core.models import Actor, PromptVersion

LONGEST_EXCEPTION = 30
"""Days: what needs longer is no exception any more."""


class ReleaseLabel(StrEnum):
    """`candidate`: meant to become production. `production`: what is in use."""

    CANDIDATE = "candidate"
    PRODUCTION = "production"


class MoveKind(StrEnum):
    """How a label came to a version: `move` by the gates, `rollback` to what it was on before."""

    MOVE = "move"
    ROLLBACK = "rollback"


MEANINGS = {
    MoveKind.MOVE: "I have looked at the gates of this prompt version and at what it changes, and release it under "
    "this label. The label stands for exactly this text, by its hash.",
    MoveKind.ROLLBACK: "I take this label back to the prompt version that it was on before, by its hash.",
}
"""What somebody states by signing a move; recorded word for word."""


@dataclass(frozen=True)
class BreakGlass:
    """An exception: a release in spite of red gates, until a day.

    Attributes:
        reason: in the release manager's words.
        until: the last day of it, UTC, such as `2026-12-24`.
    """

    reason: str
    until: str

    def is_expired(self, now: str) -> bool:
        """Whether it has ended at a moment (UTC, ISO 8601)."""
        return now[:10] > self.until

    def words(self, now: str) -> str:
        """Return what stands wherever the label is shown: `expired exception` is what it is called from then on."""
        if self.is_expired(now):
            return f"expired exception: released with red gates, allowed until {self.until}"
        return f"exception until {self.until}: released with red gates"

    @property
    def notice(self) -> str:
        """What a copy says that nobody can call back, such as a published model: as true after the day as before."""
        return f"Released with red gates, by an exception until {self.until}. Reason: {self.reason}"

    def as_json(self, now: str) -> dict[str, Json]:
        return {"reason": self.reason, "until": self.until, "status": self.words(now)}


@dataclass(frozen=True)
class Release:
    """A move of a label, as it was recorded.

    Attributes:
        number: counts all moves of a workspace.
        version, sha256: the prompt version, and the hash of its text.
        run: the evaluation that the gates were judged by; None without one.
        gates: as they were at that moment.
        break_glass: None where no gate was red, or where none has to be green.
    """

    number: int
    task: str
    label: ReleaseLabel
    version: int
    sha256: str
    kind: MoveKind
    reason: str
    by: str
    at: str
    run: int | None
    gates: tuple[Gate, ...]
    break_glass: BreakGlass | None = None

    def as_json(self, now: str) -> dict[str, Json]:
        return {
            "number": self.number,
            "label": self.label.value,
            "version": self.version,
            "sha256": self.sha256,
            "kind": self.kind.value,
            "reason": self.reason,
            "by": self.by,
            "at": self.at,
            "run": self.run,
            "gates": [gate.as_json() for gate in self.gates],
            "exception": self.break_glass.as_json(now) if self.break_glass else None,
        }


@dataclass(frozen=True)
class ReleaseOrder:
    """What a release manager sends.

    Attributes:
        version: the prompt version that the label is to move to.
        seen: number of the move that the label stood on when it was looked at; 0 for none.
    """

    task: str
    label: ReleaseLabel
    version: int
    seen: int
    reason: str
    break_glass: BreakGlass | None = None


class ReleaseStore(Protocol):
    def gates(self, task: str, version: int) -> tuple[Gate, ...]:
        """Return the gates of a prompt version as they are now."""
        ...

    def holder(self, task: str, label: ReleaseLabel) -> Release | None:
        """Return the move that the label stands on, None while it is on no version."""
        ...

    def history(self, task: str) -> tuple[Release, ...]:
        """Return every move of both labels, newest first."""
        ...

    def move(self, order: ReleaseOrder, actor: Actor) -> Release:
        """Move a label to a version.

        Raises:
            MissingRole, StaleSignIn, IllegalTransition, MissingReason, InvalidInput: see `check_move`.
            ReleaseMovedOn: the label is not where it was when it was looked at.
            GatesRed: a gate is red, and no exception was made.
        """
        ...

    def roll_back(self, task: str, label: ReleaseLabel, seen: int, reason: str, actor: Actor) -> Release:
        """Move a label back to the version that it was on before; gates are recorded and keep nobody from it.

        Raises:
            IllegalTransition: it was on none before.
            ReleaseMovedOn, MissingReason: as with `move`.
        """
        ...


def check_move(
    order: ReleaseOrder,
    version: PromptVersion,
    holder: Release | None,
    gates: Sequence[Gate],
    four_eyes: bool,
    actor: Actor,
    now: str,
) -> str:
    """Return the reason with white space folded, if the label may move.

    Args:
        holder: the move that the label stands on.
        now: UTC time, ISO 8601.

    Raises:
        IllegalTransition: the label is on the version already by no exception, or with four eyes the actor built it.
        MissingReason: no reason, or none for the exception.
        InvalidInput: an exception that nothing needs, or one that ends too late or before today.
        GatesRed: a gate is red, and no exception was made.
    """
    name = f"version {version.number} of {order.task}"
    if is_settled(holder, version):
        raise IllegalTransition(f"{order.label.value} is on {name} already. Nothing was changed.")
    if four_eyes and version.created_by == actor.name:
        raise IllegalTransition(
            f"{actor.name} built {name} and cannot release it: the policy asks for four eyes. Nothing was changed. "
            "Another release manager has to."
        )
    said = folded_reason(order.reason)
    bad = red_gates(gates)
    if order.break_glass is not None:
        _check_exception(order.break_glass, bool(bad), now)
    elif bad:
        raise GatesRed(
            f"{name[0].upper()}{name[1:]} was not released as {order.label.value}: {len(bad)} of {len(gates)} gates "
            f"are red ({'; '.join(gate.title for gate in bad)}). Nothing was changed. Put them right, or make an "
            "exception with a reason and a day on which it ends."
        )
    return said


def is_settled(holder: Release | None, version: PromptVersion) -> bool:
    """Return whether the label is on the version to stay; one by an exception is released again once gates are green.

    Args:
        holder: the move that the label stands on.
    """
    return holder is not None and holder.version == version.number and holder.break_glass is None


def folded_reason(reason: str) -> str:
    """Return a reason with white space folded.

    Raises:
        MissingReason: there is none.
    """
    if not reason.strip():
        raise MissingReason("Moving a release label needs a reason, which is kept. Nothing was changed; say why.")
    return " ".join(reason.split())


def _check_exception(exception: BreakGlass, is_needed: bool, now: str) -> None:
    if not is_needed:
        raise InvalidInput("No gate is red, so there is nothing to make an exception from. Nothing was changed.")
    if not exception.reason.strip():
        raise MissingReason("An exception needs a reason of its own, which is kept. Nothing was changed; say why.")
    try:
        days = (date.fromisoformat(exception.until) - date.fromisoformat(now[:10])).days
    except ValueError as error:
        raise InvalidInput(
            f"{exception.until!r} is no day such as 2026-12-24. Nothing was changed; say when the exception ends."
        ) from error
    if not 0 <= days <= LONGEST_EXCEPTION:
        raise InvalidInput(
            f"An exception ends today or within {LONGEST_EXCEPTION} days, not on {exception.until}. Nothing was "
            "changed; choose an earlier day, or fix the gates."
        )


def holders_of(moves: Sequence[Release]) -> tuple[Release, ...]:
    """Return the move that each label stands on, `production` first; labels that are on no version are left out.

    Args:
        moves: of both labels, oldest first.
    """
    newest = {move.label: move for move in moves}
    return tuple(newest[label] for label in (ReleaseLabel.PRODUCTION, ReleaseLabel.CANDIDATE) if label in newest)


def marks(moves: Sequence[Release], version: int, now: str) -> tuple[str, ...]:
    """Return what stands beside a version wherever it is shown or exported: the labels on it, each with its exception.

    Such as `production` or `production (exception until 2026-12-24: released with red gates)`.

    Args:
        moves: of both labels, oldest first.
        now: UTC time, ISO 8601.
    """
    return tuple(
        f"{held.label.value} ({held.break_glass.words(now)})" if held.break_glass else held.label.value
        for held in holders_of(moves)
        if held.version == version
    )


def exception_on(moves: Sequence[Release], version: int) -> BreakGlass | None:
    """Return the exception by which a version holds a label, production's first; None if it holds none, or needs none.

    Args:
        moves: of both labels, oldest first.
    """
    found = (held.break_glass for held in holders_of(moves) if held.version == version and held.break_glass)
    return next(found, None)


def before_holder(moves: Sequence[Release]) -> Release | None:
    """Return the move that a roll back of the label restores, None if there is none.

    A roll back takes the label one step back, also after another one: after 1, 2, 3 and a roll back it leads to 1.

    Args:
        moves: of one label, oldest first.
    """
    stack: list[Release] = []
    for move in moves:
        if move.kind is MoveKind.ROLLBACK or (stack and stack[-1].version == move.version):
            stack.pop()
        if move.kind is MoveKind.MOVE:
            stack.append(move)
    return stack[-2] if len(stack) > 1 else None
