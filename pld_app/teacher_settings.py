"""The teacher's settings: the table `[teacher]` of `settings.toml`, with environment variables before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated

from annotated_types import Ge, Gt, Le

from pld_core.backends import BackendSettings
from pld_core.calls import Limits
from pld_core.errors import InvalidInput
from pld_core.pricing import FREE, Price, micro
from pld_core.teaching import Teaching

TEACHER_ENVIRONMENT = {
    "base_url": "PLD_TEACHER_BASE_URL",
    "extraction": "PLD_TEACHER",
    "synthesis": "PLD_TEACHER_SYNTHESIS",
    "conflicts": "PLD_TEACHER_CONFLICTS",
    "in_flight": "PLD_TEACHER_IN_FLIGHT",
    "requests_per_minute": "PLD_TEACHER_REQUESTS_PER_MINUTE",
    "tokens_per_minute": "PLD_TEACHER_TOKENS_PER_MINUTE",
    "max_calls": "PLD_TEACHER_MAX_CALLS",
    "max_cost": "PLD_TEACHER_MAX_COST",
    "currency": "PLD_TEACHER_CURRENCY",
    "batch_tokens": "PLD_TEACHER_BATCH_TOKENS",
}
TEACHER_KEY_VARIABLE = "PLD_TEACHER_API_KEY"
TEACHER_FIELDS = (*TEACHER_ENVIRONMENT, "prices")
PAID = "openai"
"""The kind of backend whose calls cost money; the others run on machines of one's own."""


@dataclass(frozen=True)
class TokenPrice:
    """What a million tokens cost, an embedding having no output; in a batch they cost less by this share."""

    input: Annotated[Decimal, Ge(0)]
    output: Annotated[Decimal, Ge(0)] = Decimal(0)
    batch_discount: Annotated[Decimal, Ge(0), Le(1)] = Decimal("0.5")


@dataclass(frozen=True)
class TeacherSettings:
    """The teacher and how hard it may be worked.

    Attributes:
        base_url: address of its OpenAI-compatible server; empty for that of the students.
        extraction: which teacher extracts, as `backends` names it; used where a task names none of its own.
        synthesis, conflicts: which one merges clusters and repairs rules; empty for the same.
        in_flight: most calls under way at the same time.
        requests_per_minute, tokens_per_minute: as the provider allows; None for no limit.
        max_calls, max_cost: cap of a run, in calls and in units of `currency`; None for none.
        batch_tokens: most tokens in batches under way at the same time, as the provider allows; None for no limit.
        prices: by model, as the server spells it.
    """

    base_url: str = ""
    extraction: str = ""
    synthesis: str = ""
    conflicts: str = ""
    in_flight: Annotated[int, Ge(1)] = 8
    requests_per_minute: Annotated[int, Ge(1)] | None = None
    tokens_per_minute: Annotated[int, Ge(1)] | None = None
    max_calls: Annotated[int, Ge(1)] | None = None
    max_cost: Annotated[Decimal, Gt(0)] | None = None
    currency: str = "USD"
    batch_tokens: Annotated[int, Ge(1)] | None = None
    prices: Mapping[str, TokenPrice] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        return Limits(
            in_flight=self.in_flight,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
        )

    def price(self, name: str) -> Price | None:
        """Return the price of a teacher's tokens, or None if it costs money and no price is set."""
        found = self._price_set(name)
        if found is not None:
            return Price(found.input, found.output)
        return None if name.partition(":")[0] == PAID else FREE

    def batch_price(self, name: str) -> Price | None:
        """Return the price of a teacher's tokens in a batch, or None if none is set."""
        found = self._price_set(name)
        if found is None:
            return None
        part = 1 - found.batch_discount
        return Price(found.input * part, found.output * part)

    def batch_discount(self, name: str) -> Decimal:
        """Return by which share a teacher's tokens cost less in a batch."""
        found = self._price_set(name)
        return TokenPrice.batch_discount if found is None else found.batch_discount

    def _price_set(self, name: str) -> TokenPrice | None:
        return self.prices.get(name.partition(":")[2]) or self.prices.get(name)


def within(teaching: Teaching, calls: int | None) -> Teaching:
    """Return a teaching that makes at most so many calls in its run; its own cap holds as well, alone for None."""
    if calls is None:
        return teaching
    return replace(teaching, max_calls=calls if teaching.max_calls is None else min(calls, teaching.max_calls))


def teaching_of(settings: TeacherSettings, name: str, run: str, limits: Limits | None = None) -> Teaching:
    """Return how a model is worked in a run.

    Args:
        limits: where they are not the teacher's.

    Raises:
        InvalidInput: a cap in money for a model without a price.
    """
    price = settings.price(name)
    if price is None and settings.max_cost is not None:
        raise InvalidInput(
            f"There is a cap in money, but no price for {name}. Nothing was sent. Add its price on the "
            f"Settings page, or with `pld settings set teacher.prices.{name.partition(':')[2]} INPUT OUTPUT` (for a "
            "million tokens)."
        )
    return Teaching(
        limits=limits or settings.limits,
        price=price or FREE,
        max_calls=settings.max_calls,
        max_cost=None if settings.max_cost is None else micro(settings.max_cost),
        currency=settings.currency,
        run=run,
    )


def teacher_backends(
    teacher: TeacherSettings, students: BackendSettings, environment: Mapping[str, str], connections: int
) -> BackendSettings:
    """Return what opens a teacher: its own address and key before those of the students.

    The students' key serves for their own server only: another one must not learn it.
    """
    own_key = environment.get(TEACHER_KEY_VARIABLE, "")
    same_server = teacher.base_url.rstrip("/") in ("", students.openai_base_url.rstrip("/"))
    key = own_key or (students.openai_api_key if same_server else "")
    return BackendSettings(
        ollama_host=students.ollama_host,
        openai_base_url=teacher.base_url or students.openai_base_url,
        openai_api_key=key,
        num_ctx=students.num_ctx,
        timeout_s=students.timeout_s,
        openai_key_variable=TEACHER_KEY_VARIABLE if own_key or not key else students.openai_key_variable,
        connections=connections,
    )
