"""Opens a model backend by its name, such as `embedded`, `ollama:gemma3:4b` or `openai:gpt-4.1-mini`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pld_core.backends.embedded import EmbeddedChat
from pld_core.backends.fleet import FleetChat
from pld_core.backends.ollama import OllamaChat
from pld_core.backends.ollama_embeddings import OllamaEmbeddings
from pld_core.backends.openai_batch import OpenAIBatchChat
from pld_core.backends.openai_compatible import OpenAIChat
from pld_core.backends.openai_embeddings import OpenAIEmbeddings
from pld_core.backends.openai_server import CONNECTIONS, KEY_VARIABLE
from pld_core.batches import BatchChat
from pld_core.errors import InvalidInput
from pld_core.model_ports import Chat, EmbeddingModel


@dataclass(frozen=True)
class BackendSettings:
    """Where the servers are and how long to wait.

    Attributes:
        ollama_host: address of the Ollama server, with its scheme.
        ollama_more_hosts: addresses of further Ollama servers with the same models, which share the questions.
        openai_base_url: address of an OpenAI-compatible server, up to and including `/v1`.
        openai_api_key: never shown; may be empty for a server on this machine.
        num_ctx: tokens of the context window that Ollama is told to use.
        timeout_s: longest silence while waiting for the next piece of an answer, in seconds.
        openai_key_variable: the environment variable that holds the key, for messages.
        connections: most connections to an OpenAI-compatible server.
    """

    ollama_host: str = "http://127.0.0.1:11434"
    ollama_more_hosts: tuple[str, ...] = ()
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: str = field(default="", repr=False)
    num_ctx: int = 8192
    timeout_s: float = 120.0
    openai_key_variable: str = KEY_VARIABLE
    connections: int = CONNECTIONS


def open_chat(name: str, settings: BackendSettings) -> Chat:
    """Return the backend of that name; it is not contacted yet, and whoever opened it closes it.

    Args:
        name: the backend, and after a colon what it should use. The model may hold colons itself.
        settings: where the servers are.

    Raises:
        InvalidInput: no backend has that name, or an address in the settings is not one.
    """
    kind, _, rest = name.strip().partition(":")
    factory = FACTORIES.get(kind)
    if factory is None:
        raise InvalidInput(
            f"There is no backend {name!r}. Known are {', '.join(sorted(FACTORIES))}; "
            "a model follows after a colon, such as ollama:gemma3:4b."
        )
    return factory(rest, settings)


def open_embedding_model(name: str, settings: BackendSettings) -> EmbeddingModel:
    """Return the embedding model of that name; it is not contacted yet, and whoever opened it closes it.

    Raises:
        InvalidInput: no embedding model has that name, or an address in the settings is not one.
    """
    check_embedding_model(name)
    kind, _, rest = name.strip().partition(":")
    return EMBEDDING_FACTORIES[kind](rest, settings)


def check_embedding_model(name: str) -> None:
    """Raise `InvalidInput` for a name that no embedding model can have."""
    kind, _, rest = name.strip().partition(":")
    if kind in EMBEDDING_FACTORIES:
        _required(kind, rest, EMBEDDING_EXAMPLES[kind])
    else:
        raise InvalidInput(
            f"There is no embedder {name!r}. Known are tfidf, which needs no server, and "
            f"{' and '.join(sorted(EMBEDDING_FACTORIES))} with a model after a colon, such as ollama:nomic-embed-text."
        )


def _open_ollama_embeddings(model: str, settings: BackendSettings) -> EmbeddingModel:
    return OllamaEmbeddings(
        model.strip(),
        _address(settings.ollama_host, "Ollama server"),
        num_ctx=settings.num_ctx,
        timeout_s=settings.timeout_s,
    )


def _open_openai_embeddings(model: str, settings: BackendSettings) -> EmbeddingModel:
    return OpenAIEmbeddings(
        model.strip(),
        _address(settings.openai_base_url, "OpenAI-compatible server"),
        settings.openai_api_key,
        timeout_s=settings.timeout_s,
        connections=settings.connections,
        key_variable=settings.openai_key_variable,
    )


def open_batch_chat(name: str, settings: BackendSettings) -> BatchChat:
    """Return the backend of that name as one that takes batches; it is not contacted yet.

    Raises:
        InvalidInput: it takes none, or it is no backend at all.
    """
    kind, _, model = name.strip().partition(":")
    if kind != "openai":
        raise InvalidInput(
            f"{name} takes no batches: they need a teacher with OpenAI's Batch API, such as openai:gpt-4.1-mini. "
            "Nothing was sent. Extract without a batch."
        )
    return OpenAIBatchChat(
        _required("openai", model, "gpt-4.1-mini"),
        _address(settings.openai_base_url, "OpenAI-compatible server"),
        settings.openai_api_key,
        timeout_s=settings.timeout_s,
        connections=settings.connections,
        key_variable=settings.openai_key_variable,
    )


def _open_embedded(rest: str, settings: BackendSettings) -> Chat:
    if rest:
        raise InvalidInput(f"The embedded student has one model only. Write embedded, without {rest!r}.")
    return EmbeddedChat(timeout_s=settings.timeout_s)


def _open_ollama(model: str, settings: BackendSettings) -> Chat:
    wanted = _required("ollama", model, "gemma3:4b")
    hosts = [_address(host, "Ollama server") for host in (settings.ollama_host, *settings.ollama_more_hosts)]
    chats = [OllamaChat(wanted, host, num_ctx=settings.num_ctx, timeout_s=settings.timeout_s) for host in hosts]
    return chats[0] if len(chats) == 1 else FleetChat(chats)


def _open_openai(model: str, settings: BackendSettings) -> Chat:
    return OpenAIChat(
        _required("openai", model, "gpt-4.1-mini"),
        _address(settings.openai_base_url, "OpenAI-compatible server"),
        settings.openai_api_key,
        timeout_s=settings.timeout_s,
        connections=settings.connections,
        key_variable=settings.openai_key_variable,
    )


def _required(kind: str, model: str, example: str) -> str:
    if not model.strip():
        raise InvalidInput(f"The backend {kind} needs a model after a colon, such as {kind}:{example}.")
    return model.strip()


def _address(url: str, whose: str) -> str:
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # The address is not quoted: it may carry a password.
        raise InvalidInput(f"The address of the {whose} is not usable. Write it like http://127.0.0.1:11434.")
    return url.strip().rstrip("/")


FACTORIES: dict[str, Callable[[str, BackendSettings], Chat]] = {
    "embedded": _open_embedded,
    "ollama": _open_ollama,
    "openai": _open_openai,
}
EMBEDDING_EXAMPLES = {"ollama": "nomic-embed-text", "openai": "text-embedding-3-small"}
EMBEDDING_FACTORIES: dict[str, Callable[[str, BackendSettings], EmbeddingModel]] = {
    "ollama": _open_ollama_embeddings,
    "openai": _open_openai_embeddings,
}
