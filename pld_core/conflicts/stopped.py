"""Where a loop stopped before its end, and what it had spent by then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoopStop:
    """One start of a loop that came to no end.

    Attributes:
        used: questions to the student that were answered since the loop began, over all its starts.
        cap: the most that this start was allowed; None for no cap.
        reason: in one or two sentences.
    """

    used: int
    cap: int | None
    reason: str
    at: str = ""

    @property
    def spent(self) -> str:
        """Such as `58 of at most 60 questions to the student`."""
        return f"{self.used:,}{'' if self.cap is None else f' of at most {self.cap:,}'} questions to the student"
