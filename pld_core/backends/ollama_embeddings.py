"""Embedding models on an Ollama server, through the client's `embed`."""

from __future__ import annotations

import time

import httpx
from pydantic import ValidationError

from pld_core.backends.embedding_reply import unit_rows
from pld_core.backends.ollama_server import READ_TIMEOUT_S, OllamaServer, connection, quote
from pld_core.errors import BackendRefused, VectorsUnusable
from pld_core.model_ports import BackendStatus, EmbedReply, EmbedRequest

TOO_LONG = (
    "A text does not fit the model's context window ({words}). "
    "Set longest_text under [embedder] so that longer texts are cut, or choose a model with more room."
)


class OllamaEmbeddings:
    """A model on an Ollama server. See `pld_core.model_ports.EmbeddingModel` for what the methods promise.

    Attributes:
        name: `ollama:` and the model, as settings spell it.
    """

    def __init__(
        self, model: str, host: str, num_ctx: int, timeout_s: float = READ_TIMEOUT_S, keep_alive: str = "10m"
    ) -> None:
        """Prepare the client; nothing is sent yet. The arguments are those of `OllamaChat`."""
        # Imported when it is needed: it takes a quarter of a second, which every command would wait for.
        import ollama

        self._server = OllamaServer(model, host, TOO_LONG, timeout_s)
        self._client = ollama.AsyncClient(host, **connection(host, timeout_s))
        self._refusal = ollama.ResponseError
        self._num_ctx, self._keep_alive = num_ctx, keep_alive
        self.name = self._server.name

    async def status(self) -> BackendStatus:
        """Ask the server whether it is there and holds the model. Never raises."""
        return await self._server.status()

    async def complete(self, request: EmbedRequest) -> EmbedReply:
        """Return one vector for each text; for errors see `pld_core.model_ports.EmbeddingModel`."""
        started = time.monotonic()
        try:
            found = await self._client.embed(
                self._server.model,
                list(request.texts),
                # Too long a text is refused with a 400 instead of being cut without a word.
                truncate=False,
                options={"num_ctx": self._num_ctx},
                keep_alive=self._keep_alive,
            )
        except self._refusal as error:
            words = quote(str(error.error))
            raise self._server.for_words(error.status_code, words, "model" in words.lower()) from error
        except ConnectionError as error:
            raise self._server.nobody() from error
        except httpx.RequestError as error:
            raise self._server.for_transport(error, "") from error
        except ValidationError as error:
            raise VectorsUnusable(
                "The Ollama server sent vectors that hold something else than numbers. Check the address and the model."
            ) from error
        except (ValueError, TypeError, AttributeError) as error:
            # How the client fails at JSON of another shape than it expects.
            raise BackendRefused(self._server.not_ollama) from error
        return EmbedReply(
            vectors=unit_rows([list(row) for row in found.embeddings], len(request.texts)),
            model=found.model or self._server.model,
            latency_ms=round((time.monotonic() - started) * 1000),
            prompt_tokens=found.prompt_eval_count,
        )

    async def aclose(self) -> None:
        """Close the connections. The object cannot be used afterwards."""
        await self._client.close()  # type: ignore[no-untyped-call]  # the library's
        await self._server.client.aclose()
