"""What calls cost. Amounts are whole micro-units (millionths) of one currency, so that sums are exact."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from pld_core.canonical import canonical_json
from pld_core.model_ports import ChatRequest, EmbedRequest

MICRO = 1_000_000
TOKENS_AROUND = 64
"""Room for what a chat template puts around the two messages."""
TOKENS_AROUND_TEXT = 2
"""What a tokenizer puts before and after a text that is embedded."""
BYTES_A_TOKEN = 4
"""A rule of thumb for Western languages; the first replies give the real figure."""


@dataclass(frozen=True)
class Price:
    """Units of currency for a million tokens, which is the same number as micro-units for one token."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Return the price in micro-units, rounded up.

        >>> Price(Decimal("0.15"), Decimal("0.6")).cost(1000, 100)
        210
        """
        exact = self.input * input_tokens + self.output * output_tokens
        return int(exact.to_integral_value(ROUND_CEILING))


FREE = Price()


def most_tokens(request: ChatRequest | EmbedRequest) -> tuple[int, int]:
    """Return the most (input, output) tokens that the call can be billed: no token is shorter than a byte."""
    if isinstance(request, EmbedRequest):
        return sum(len(text.encode("utf-8")) + TOKENS_AROUND_TEXT for text in request.texts), 0
    schema = canonical_json(dict(request.schema)) if request.schema else ""
    size = sum(len(text.encode("utf-8")) for text in (request.system, request.user, schema))
    return size + TOKENS_AROUND, request.max_tokens


def likely_tokens(request: ChatRequest | EmbedRequest) -> tuple[int, int]:
    """Return a guess of the (input, output) tokens before anything was measured; the output is taken as half full."""
    most, output = most_tokens(request)
    return most // BYTES_A_TOKEN, output // 2


def micro(amount: Decimal) -> int:
    """Return an amount of currency in micro-units, rounded down: a cap is never widened by rounding.

    >>> micro(Decimal("1.5"))
    1500000
    """
    return int(amount * MICRO)


def money(amount: int, currency: str) -> str:
    """Return micro-units for people, with enough digits that a small sum is not shown as nothing.

    >>> money(1_234_567, "USD"), money(420, "USD"), money(0, "USD")
    ('1.23 USD', '0.00042 USD', '0.00 USD')
    """
    value = Decimal(amount) / MICRO
    digits = 2 if amount == 0 or amount >= MICRO // 100 else 6
    text = f"{value:,.{digits}f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')} {currency}"
