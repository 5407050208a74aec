"""The settings one by one: what each is called for people, what it is for, and what kind of value it takes.

A further table is a field of `Settings`, an entry of `TABLES` and a `Section` here; form, commands and checks follow.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pld_app.settings import Settings
from pld_core.backends import FACTORIES

PRICES = "teacher.prices"
"""A table of its own in the file; each model in it counts as one setting, `teacher.prices.MODEL`."""
SCRIPTED = "scripted"


class Kind(StrEnum):
    """What a text stands for, beyond its type."""

    TEXT = "text"
    ADDRESS = "address"
    ADDRESSES = "addresses"
    BACKEND = "backend"


@dataclass(frozen=True)
class FieldWords:
    """A setting for people: its label, one or two sentences, and what its text stands for."""

    label: str
    help: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True)
class Section:
    """Settings that belong together; `fields` by their full names, in the order of the form."""

    key: str
    title: str
    intro: str
    fields: Mapping[str, FieldWords]


_MODEL = "Server and model, such as openai:gpt-4.1-mini or ollama:gemma3:4b."
STUDENTS = Section(
    "students",
    "Students",
    "The small models that prompts are tested and evaluated on.",
    {
        "student": FieldWords(
            "Student chosen at first", "embedded, or server and model, such as ollama:gemma3:4b.", Kind.BACKEND
        ),
        "ollama_host": FieldWords("Ollama server", "Its address, such as http://127.0.0.1:11434.", Kind.ADDRESS),
        "ollama_more_hosts": FieldWords(
            "Further Ollama servers",
            "With the same model; they share the questions. Addresses parted by commas. Empty for none.",
            Kind.ADDRESSES,
        ),
        "ollama_model": FieldWords("Model on Ollama", "As Ollama lists it, such as gemma3:4b."),
        "openai_base_url": FieldWords(
            "OpenAI-compatible server",
            "Its address up to and including /v1, such as http://127.0.0.1:8000/v1.",
            Kind.ADDRESS,
        ),
        "openai_model": FieldWords("Model there", "Empty leaves this student out."),
        "ollama_in_flight": FieldWords(
            "Questions at a time, Ollama", "For each server, as many as its OLLAMA_NUM_PARALLEL; more wait."
        ),
        "openai_in_flight": FieldWords("Questions at a time, other server", "Most questions under way at once."),
        "num_ctx": FieldWords(
            "Context window (tokens)",
            "Asked of Ollama. Empty: what the longest prompt and example need, rounded up, one size for all tasks. "
            "A larger one needs more memory; a change loads the model anew.",
        ),
        "timeout_s": FieldWords("Longest silence (seconds)", "After this long without a further word, a call fails."),
    },
)
TEACHER = Section(
    "teacher",
    "Teacher",
    "The large model that writes instructions and rules. Extraction, synthesis and repair may use different ones.",
    {
        "teacher.extraction": FieldWords("Teacher for extraction", f"{_MODEL} A task may name its own.", Kind.BACKEND),
        "teacher.synthesis": FieldWords("Teacher for synthesis", "Empty for the same as extraction.", Kind.BACKEND),
        "teacher.conflicts": FieldWords("Teacher for conflicts", "Empty for the same as extraction.", Kind.BACKEND),
        "teacher.base_url": FieldWords(
            "Teacher's server",
            "Address of its OpenAI-compatible server, up to and including /v1. Empty for that of the students.",
            Kind.ADDRESS,
        ),
        "teacher.in_flight": FieldWords("Calls at a time", "Most calls under way at the same time."),
        "teacher.requests_per_minute": FieldWords("Requests a minute", "As the provider allows. Empty for no limit."),
        "teacher.tokens_per_minute": FieldWords("Tokens a minute", "As the provider allows. Empty for no limit."),
        "teacher.max_calls": FieldWords("Cap of a run, in calls", "A run stops before it makes more. Empty for none."),
        "teacher.max_cost": FieldWords(
            "Cap of a run, in money",
            "A run stops before it could cost more. It needs the model's price. Empty for none.",
        ),
        "teacher.batch_tokens": FieldWords(
            "Tokens in batches", "Most tokens in batches under way at once, as the provider allows. Empty for no limit."
        ),
        "teacher.currency": FieldWords("Currency", "Of prices and caps, such as USD or EUR."),
    },
)
EMBEDDER = Section(
    "embedder",
    "Embedder",
    "What turns texts into numbers, so that clusters can be found. The built-in one needs no server.",
    {
        "embedder.name": FieldWords(
            "Embedder",
            "tfidf (built in), or server and model, such as openai:text-embedding-3-small or ollama:nomic-embed-text.",
        ),
        "embedder.base_url": FieldWords(
            "Embedder's server", "Empty for the teacher's, or for the Ollama server.", Kind.ADDRESS
        ),
        "embedder.batch_size": FieldWords("Texts in a request", "Most texts that are sent at once."),
        "embedder.longest_text": FieldWords("Longest text", "Characters after which a text is cut. Empty for never."),
        "embedder.in_flight": FieldWords("Requests at a time", "Most requests under way at the same time."),
        "embedder.requests_per_minute": FieldWords("Requests a minute", "As the provider allows. Empty for no limit."),
        "embedder.tokens_per_minute": FieldWords("Tokens a minute", "As the provider allows. Empty for no limit."),
    },
)
START = Section(
    "start",
    "App",
    "These are read when the app starts: a change takes effect after a restart.",
    {
        "user": FieldWords("Your name", "Decisions are recorded under it. Empty for the login name."),
        "host": FieldWords("Address to listen on", "127.0.0.1 keeps the app to this machine."),
        "port": FieldWords("Port to listen on", "Between 1 and 65535."),
    },
)
SECTIONS = (STUDENTS, TEACHER, EMBEDDER, START)
PRICE_HELP = "Price of a million tokens, by model as its server spells it. A cap in money needs it."
DISCOUNT_HELP = "The batch discount is the share by which a batch costs less, from 0 to 1."


def words_of(name: str) -> FieldWords:
    """Return the words of a setting; prices of a model included. Raises `KeyError` for one that is not there."""
    if is_price(name):
        return FieldWords(f"Price of {price_model(name)}", PRICE_HELP)
    return all_fields()[name]


@functools.cache
def all_fields() -> Mapping[str, FieldWords]:
    """Return every setting but prices, by its full name."""
    return {name: words for section in SECTIONS for name, words in section.fields.items()}


def is_price(name: str) -> bool:
    return name.startswith(f"{PRICES}.")


def price_model(name: str) -> str:
    return name.removeprefix(f"{PRICES}.")


def price_name(model: str) -> str:
    return f"{PRICES}.{model}"


def is_known(name: str) -> bool:
    return name in all_fields() or (is_price(name) and bool(price_model(name)))


def parts_of(name: str) -> tuple[str, ...]:
    """Return the keys under which a setting stands in the file. A model may hold dots itself."""
    return (*PRICES.split("."), price_model(name)) if is_price(name) else tuple(name.split("."))


def type_of(name: str) -> type[int] | type[float] | type[Decimal] | type[str]:
    """Return the type of a setting's value, without its limits and without None."""
    owner, attribute = _place(name)
    found: type[int] | type[float] | type[Decimal] | type[str] = _bare(get_type_hints(owner)[attribute])
    return found


def default_of(name: str) -> object:
    """Return the default of a setting; None for one that is found out at the start, such as the login name."""
    owner, attribute = _place(name)
    default = next(field.default for field in fields(owner) if field.name == attribute)
    return None if default is MISSING else default


def value_of(settings: Settings, name: str) -> object:
    """Return the value of a setting that is no price."""
    return functools.reduce(getattr, name.split("."), settings)


def is_backend_name(text: str) -> bool:
    """Return whether a text names a kind of server that there is, and a model where one is needed."""
    kind, _, model = text.partition(":")
    return (kind in FACTORIES or kind == SCRIPTED) and bool(model.strip()) == (kind != "embedded")


def _place(name: str) -> tuple[Any, str]:
    """Return the dataclass that holds a setting, and the attribute there."""
    table, dot, attribute = name.partition(".")
    return (_bare(get_type_hints(Settings)[table]), attribute) if dot else (Settings, name)


def _bare(hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    rest = [argument for argument in get_args(hint) if argument is not NoneType]
    return _bare(rest[0]) if rest else hint
