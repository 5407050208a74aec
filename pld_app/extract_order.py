"""What somebody ordered of an extraction: which examples, within which caps, at once or as a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from pld_app.teacher_settings import TeacherSettings
from pld_core.canonical import Json
from pld_core.errors import Failure


class Cap(StrEnum):
    """What stands in place of an amount: this run has no cap, whatever the settings say."""

    NONE = "none"


class Delivery(StrEnum):
    """How calls are made: each at once, or all together as a batch, for less money and within a day."""

    NOW = "now"
    BATCH = "batch"


@dataclass(frozen=True)
class ExtractOrder:
    """What to extract, and what it may take.

    Attributes:
        limit: make at most so many calls, in the order of import.
        retry: only examples whose newest reply failed in one of these ways.
        examples: only the examples with these content hashes, beside those of `retry`; with neither, all that were not
            asked yet.
        max_calls, max_cost: the cap of the run, `Cap.NONE` for none, None for that of the settings. Money in units of
            the settings' currency.
        in_flight: calls at a time; None for that of the settings.
    """

    task: str
    limit: int | None = None
    retry: tuple[Failure, ...] = ()
    examples: tuple[str, ...] = ()
    max_calls: int | Cap | None = None
    max_cost: Decimal | Cap | None = None
    in_flight: int | None = None
    delivery: Delivery = Delivery.NOW

    @property
    def is_choice(self) -> bool:
        """Whether only some examples are to be asked about, by name or as failures."""
        return bool(self.retry or self.examples)

    def settings(self, own: TeacherSettings) -> TeacherSettings:
        """Return the teacher's settings with what the order says otherwise."""
        calls, cost = self.max_calls, self.max_cost
        return replace(
            own,
            max_calls=own.max_calls if calls is None else None if isinstance(calls, Cap) else calls,
            max_cost=own.max_cost if cost is None else None if isinstance(cost, Cap) else cost,
            in_flight=self.in_flight or own.in_flight,
        )

    def as_json(self) -> dict[str, Json]:
        """Return the order as a job keeps it; the task stands beside it."""
        return {
            "limit": self.limit,
            "retry": [kind.value for kind in self.retry],
            "examples": list(self.examples),
            "max_calls": self.max_calls,
            "max_cost": None if self.max_cost is None else str(self.max_cost),
            "in_flight": self.in_flight,
            "delivery": self.delivery.value,
        }

    @classmethod
    def from_json(cls, task: str, value: Mapping[str, Json]) -> ExtractOrder:
        def whole(name: str) -> int | None:
            return None if value.get(name) is None else int(str(value[name]))

        def several(name: str) -> tuple[str, ...]:
            found = value.get(name)
            return tuple(str(item) for item in found) if isinstance(found, Collection) else ()

        calls, cost = value.get("max_calls"), value.get("max_cost")
        return cls(
            task,
            whole("limit"),
            tuple(Failure(kind) for kind in several("retry")),
            several("examples"),
            Cap.NONE if calls == Cap.NONE else whole("max_calls"),
            Cap.NONE if cost == Cap.NONE else None if cost is None else Decimal(str(cost)),
            whole("in_flight"),
            Delivery(str(value.get("delivery", Delivery.NOW))),
        )
