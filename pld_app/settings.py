"""Settings: read once from the environment and the workspace's `settings.toml`, frozen afterwards."""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import TypeAdapter, ValidationError

from pld_app.embedder_settings import (
    EMBEDDER_ENVIRONMENT,
    EMBEDDER_KEY_VARIABLE,
    EmbedderSettings,
    embedder_backends,
)
from pld_app.teacher_settings import (
    TEACHER_ENVIRONMENT,
    TEACHER_FIELDS,
    TEACHER_KEY_VARIABLE,
    TeacherSettings,
    teacher_backends,
)
from pld_core.backends import BackendSettings
from pld_core.errors import InvalidInput

ENVIRONMENT = {
    "user": "PLD_USER",
    "host": "PLD_HOST",
    "port": "PLD_PORT",
    "student": "PLD_STUDENT",
    "ollama_host": "PLD_OLLAMA_HOST",
    "ollama_model": "PLD_OLLAMA_MODEL",
    "openai_base_url": "PLD_OPENAI_BASE_URL",
    "openai_model": "PLD_OPENAI_MODEL",
    "num_ctx": "PLD_NUM_CTX",
    "timeout_s": "PLD_TIMEOUT_S",
}
KEY_VARIABLE = "PLD_OPENAI_API_KEY"
FILE_NAME = "settings.toml"
TABLES = {"teacher": TEACHER_ENVIRONMENT, "embedder": EMBEDDER_ENVIRONMENT}


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Each has an environment variable; all but `workspace` can stand in the file.

    Attributes:
        workspace: the folder with the database.
        user: the name under which decisions are recorded; there is no sign-in, so it is an attestation.
        host, port: where the app listens; loopback unless set otherwise.
        student: the student that is chosen at first.
        ollama_host: address of the Ollama server.
        ollama_model: the model asked there.
        openai_base_url: address of an OpenAI-compatible server, up to and including `/v1`.
        openai_model: the model asked there; empty leaves this student out.
        num_ctx: context window asked of Ollama, in tokens.
        timeout_s: longest wait for a student's next token, in seconds.
        teacher: the teacher, from the table `[teacher]`.
        embedder: what turns texts into vectors, from the table `[embedder]`.
    """

    workspace: Path
    user: str
    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 8501
    student: str = "embedded"
    ollama_host: str = "http://127.0.0.1:11434"
    ollama_model: str = "gemma3:4b"
    openai_base_url: str = "https://api.openai.com/v1"
    openai_model: str = ""
    num_ctx: Annotated[int, Ge(256)] = 8192
    timeout_s: Annotated[float, Gt(0)] = 120.0
    teacher: TeacherSettings = field(default_factory=TeacherSettings)
    embedder: EmbedderSettings = field(default_factory=EmbedderSettings)

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.workspace / 'pld.db'}"

    @property
    def students(self) -> tuple[str, ...]:
        """The students that can be chosen, as backends name them."""
        openai = (f"openai:{self.openai_model}",) if self.openai_model else ()
        return (f"ollama:{self.ollama_model}", *openai, "embedded")

    def backends(self, environment: Mapping[str, str]) -> BackendSettings:
        """Return what backends need. The key is read from the environment here and kept nowhere else."""
        return BackendSettings(
            ollama_host=self.ollama_host,
            openai_base_url=self.openai_base_url,
            openai_api_key=environment.get(KEY_VARIABLE, ""),
            num_ctx=self.num_ctx,
            timeout_s=self.timeout_s,
        )

    def teacher_backends(self, environment: Mapping[str, str], connections: int) -> BackendSettings:
        """Return what a teacher needs. The key is read from the environment here and kept nowhere else."""
        return teacher_backends(self.teacher, self.backends(environment), environment, connections)

    def embedder_backends(self, name: str, environment: Mapping[str, str]) -> BackendSettings:
        """Return what the embedder of that name needs. The key is read from the environment here."""
        others = (self.teacher_backends(environment, self.embedder.in_flight), self.backends(environment))
        return embedder_backends(self.embedder, name, others, environment)


def load_settings(workspace: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of a workspace: the environment before the file before the defaults.

    Raises:
        InvalidInput: the file is not TOML, names an unknown setting, holds a key, or a value is of the wrong kind.
    """
    given: dict[str, object] = {}
    file = workspace / FILE_NAME
    if file.is_file():
        given.update(_read(file))
    if ollama_host := environment.get("OLLAMA_HOST", "").strip():
        given["ollama_host"] = _with_scheme(ollama_host)
    given.update({name: environment[variable] for name, variable in ENVIRONMENT.items() if environment.get(variable)})
    for table, variables in TABLES.items():
        from_file = given.get(table, {})
        from_outside = {name: environment[v] for name, v in variables.items() if environment.get(v)}
        given[table] = {**from_file, **from_outside} if isinstance(from_file, dict) else from_file
    user = str(given.pop("user", "")).strip() or _login_name()
    try:
        return TypeAdapter(Settings).validate_python({**given, "workspace": workspace, "user": user})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        table, _, inner = name.partition(".")
        variable = ENVIRONMENT.get(name) or TABLES.get(table, {}).get(inner)
        where = f"{variable} or {file}" if variable else str(file)
        raise InvalidInput(f"The setting {name} reads {first['input']!r}: {first['msg']}. Correct {where}.") from error


def _read(file: Path) -> dict[str, object]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"The settings file {file} cannot be read: {error}. Correct or remove it.") from error
    _check_names(file, found, (*ENVIRONMENT, *TABLES), KEY_VARIABLE)
    if isinstance(teacher := found.get("teacher"), dict):
        _check_names(file, teacher, TEACHER_FIELDS, TEACHER_KEY_VARIABLE)
    if isinstance(embedder := found.get("embedder"), dict):
        _check_names(file, embedder, tuple(EMBEDDER_ENVIRONMENT), EMBEDDER_KEY_VARIABLE)
    return dict(found)


def _check_names(file: Path, found: Mapping[str, object], known: tuple[str, ...], key_variable: str) -> None:
    for name in found:
        if "key" in name.lower():
            raise InvalidInput(
                f"The settings file {file} holds {name!r}. Keys belong in the environment: {key_variable}."
            )
        if name not in known:
            raise InvalidInput(f"The settings file {file} has an unknown setting {name!r}. Known: {', '.join(known)}.")


def _with_scheme(host: str) -> str:
    """OLLAMA_HOST may lack the scheme and the port. As Ollama has it, 11434 is meant only where both are missing."""
    if "://" in host:
        return host.rstrip("/")
    host = host.rstrip("/")
    return f"http://{host}" if re.search(r":\d+$", host) else f"http://{host}:11434"


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container without a passwd entry for the user; the name on the record says so.
        return "local user"
