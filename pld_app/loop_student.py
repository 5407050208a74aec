"""The student of a loop, for what people try once a round is over; no teacher takes part in that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pld_app import wiring
from pld_app.wiring import App
from pld_core.calls import Limits
from pld_core.conflicts.records import Resolution
from pld_core.model_ports import Chat
from pld_core.resolving import Working


@asynccontextmanager
async def loop_student(app: App, loop: Resolution) -> AsyncIterator[tuple[Chat, Working]]:
    """Open the student that answered for a loop, and close it at the end."""
    name = loop.basis.student.name
    async with wiring.student_backend(app, name) as student:
        yield student, Working(limits=Limits(in_flight=app.settings.in_flight(name)))
