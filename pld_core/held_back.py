"""Questions that got no answer wait until another one shows that the student is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from pld_core.calls import Settled, Subject
from pld_core.errors import BackendUnreachable, CallsStopped
from pld_core.model_ports import Chat


class HeldBack(Generic[Subject]):
    """Keeps answers as they come. A question without one, after all attempts, is held back.

    As soon as another is answered it is kept as failed, since the student is there; if the work stops before, whoever
    goes on asks again.
    """

    def __init__(
        self, student: Chat, keep: Callable[[Sequence[Settled[Subject]]], Awaitable[None]], *, has_answers: bool
    ) -> None:
        """Begin with nothing held back.

        Args:
            keep: stores what it is given.
            has_answers: an earlier start of the same work got some.
        """
        self._student, self._keep, self._has_answers = student, keep, has_answers
        self._held: list[Settled[Subject]] = []

    async def record(self, batch: Sequence[Settled[Subject]]) -> None:
        """Keep what was answered; of what was not, find out whether the student is gone.

        Raises:
            BackendUnreachable: it is.
        """
        answered = [settled for settled in batch if not settled.has_no_answer]
        self._held += [settled for settled in batch if settled.has_no_answer]
        if answered:
            await self._release(answered)
        else:
            await refuse_gone(self._student)

    async def close(self) -> None:
        """Keep what is held back at the end: the student is there, and gave these no answer.

        Raises:
            CallsStopped: it never answered anything.
        """
        if self._held and not self._has_answers:
            raise CallsStopped(f"{self._held[-1].problem} Nothing was answered. Start again to go on.")
        if self._held:
            await self._release([])

    async def _release(self, answered: Sequence[Settled[Subject]]) -> None:
        await self._keep([*answered, *self._held])
        self._held, self._has_answers = [], True


async def refuse_gone(student: Chat) -> None:
    """Raise `BackendUnreachable` where a student that gave no answer is not ready any more."""
    status = await student.status()
    if not status.ready:
        raise BackendUnreachable(
            f"{status.problem} {status.fix} What was answered is kept. Start again to go on.".replace("  ", " ")
        )
