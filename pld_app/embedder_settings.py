"""The embedder's settings: the table `[embedder]` of `settings.toml`, with environment variables before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Ge

from pld_core.backends import BackendSettings
from pld_core.backends.tfidf import TfidfEmbedder
from pld_core.calls import Limits
from pld_core.embedding import Batching, CachedEmbedder
from pld_core.model_ports import Embedder
from pld_core.ports import Store

EMBEDDER_ENVIRONMENT = {
    "name": "PLD_EMBEDDER",
    "base_url": "PLD_EMBEDDER_BASE_URL",
    "batch_size": "PLD_EMBEDDER_BATCH_SIZE",
    "longest_text": "PLD_EMBEDDER_LONGEST_TEXT",
    "in_flight": "PLD_EMBEDDER_IN_FLIGHT",
    "requests_per_minute": "PLD_EMBEDDER_REQUESTS_PER_MINUTE",
    "tokens_per_minute": "PLD_EMBEDDER_TOKENS_PER_MINUTE",
}
EMBEDDER_KEY_VARIABLE = "PLD_EMBEDDER_API_KEY"
BUILT_IN = "tfidf"


@dataclass(frozen=True)
class EmbedderSettings:
    """The embedder and how hard it may be worked. Prices and caps are those of `[teacher]`.

    Attributes:
        name: `tfidf`, which needs no server, or `openai:` or `ollama:` and a model.
        base_url: address of its server; empty for the teacher's, or for the Ollama server.
        batch_size: most texts in one request.
        longest_text: characters after which a text is cut before it is sent; None for never.
        in_flight: most requests under way at the same time.
        requests_per_minute, tokens_per_minute: as the provider allows; None for no limit.
    """

    name: str = BUILT_IN
    base_url: str = ""
    batch_size: Annotated[int, Ge(1)] = 64
    longest_text: Annotated[int, Ge(1)] | None = None
    in_flight: Annotated[int, Ge(1)] = 4
    requests_per_minute: Annotated[int, Ge(1)] | None = None
    tokens_per_minute: Annotated[int, Ge(1)] | None = None

    @property
    def limits(self) -> Limits:
        return Limits(
            in_flight=self.in_flight,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
        )

    @property
    def batching(self) -> Batching:
        return Batching(self.batch_size, self.longest_text)

    def base_url_for(self, name: str) -> str:
        """Return the address set for an embedder; one that is set for the other kind of server is not its own."""
        own, wanted = (text.partition(":")[0] for text in (self.name, name))
        return self.base_url if own in (BUILT_IN, wanted) else ""


def embedder_backends(
    own: EmbedderSettings,
    name: str,
    others: tuple[BackendSettings, ...],
    environment: Mapping[str, str],
) -> BackendSettings:
    """Return what opens an embedder: its own address and key, else those of the first of `others`.

    The key of another serves for that one's own server only: a different server must not learn it.

    Args:
        others: whose addresses and keys may serve: the teacher's, then the students'.
    """
    base_url = own.base_url_for(name)
    first = others[0]
    found = replace(
        first,
        ollama_host=base_url or first.ollama_host,
        openai_base_url=base_url or first.openai_base_url,
        openai_api_key=environment.get(EMBEDDER_KEY_VARIABLE, ""),
        openai_key_variable=EMBEDDER_KEY_VARIABLE,
        connections=own.in_flight,
    )
    if found.openai_api_key:
        return found
    for other in others:
        if other.openai_api_key and _same(other.openai_base_url, found.openai_base_url):
            return replace(found, openai_api_key=other.openai_api_key, openai_key_variable=other.openai_key_variable)
    return found


def _same(one: str, other: str) -> bool:
    return one.strip().rstrip("/") == other.strip().rstrip("/")


def embedders_at_hand(own: EmbedderSettings, store: Store) -> tuple[Embedder, ...]:
    """Return the embedders that need no server: what is cached of the one in the settings, then the built-in one."""
    built_in = TfidfEmbedder()
    if own.name in (BUILT_IN, built_in.name):
        return (built_in,)
    return CachedEmbedder(own.name, store.embeddings, own.batching), built_in
