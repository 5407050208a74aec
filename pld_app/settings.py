"""Settings: from the environment and the workspace's `settings.toml`; frozen, and read again when the file changes."""

from __future__ import annotations

import functools
import getpass
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from pld_app.pasted_keys import secret_in, without_secrets
from pld_app.setting_problems import problems_of
from pld_app.sign_in_settings import (
    SECRETS_FILE,
    SECRETS_VARIABLE,
    SIGN_IN_FIELDS,
    SignInSettings,
    configured_providers,
    role_mapping,
    secrets_file,
)
from pld_app.teacher_settings import (
    TEACHER_ENVIRONMENT,
    TEACHER_FIELDS,
    TEACHER_KEY_VARIABLE,
    TeacherSettings,
    teacher_backends,
)
from pld_core.backends import BackendSettings
from pld_core.errors import InvalidInput, SettingRefused, WorkspaceUnreadable

ENVIRONMENT = {
    "user": "PLD_USER",
    "host": "PLD_HOST",
    "port": "PLD_PORT",
    "student": "PLD_STUDENT",
    "ollama_host": "PLD_OLLAMA_HOST",
    "ollama_more_hosts": "PLD_OLLAMA_MORE_HOSTS",
    "ollama_model": "PLD_OLLAMA_MODEL",
    "ollama_in_flight": "PLD_OLLAMA_IN_FLIGHT",
    "openai_base_url": "PLD_OPENAI_BASE_URL",
    "openai_model": "PLD_OPENAI_MODEL",
    "openai_in_flight": "PLD_OPENAI_IN_FLIGHT",
    "num_ctx": "PLD_NUM_CTX",
    "timeout_s": "PLD_TIMEOUT_S",
}
KEY_VARIABLE = "PLD_OPENAI_API_KEY"
OLLAMA_VARIABLE = "OLLAMA_HOST"
"""Ollama's own variable; it goes before the file and after ours."""
DEFAULT_NUM_CTX = 8192
"""For models that are asked about no task's prompts, such as teachers."""
FILE_NAME = "settings.toml"
AT_START = ("user", "host", "port")
"""What a running app keeps until it is started again."""


@dataclass(frozen=True)
class SettingsTable:
    """A table of `settings.toml`, or what stands above all tables.

    Attributes:
        environment: by the setting's name in the table, the variable that goes before it.
        names: everything that may stand in the table.
        keys: where keys belong that somebody may have written into the table.
    """

    environment: Mapping[str, str]
    names: tuple[str, ...]
    keys: str


TABLES: Mapping[str, SettingsTable] = {
    "teacher": SettingsTable(TEACHER_ENVIRONMENT, TEACHER_FIELDS, f"the environment: {TEACHER_KEY_VARIABLE}"),
    "embedder": SettingsTable(
        EMBEDDER_ENVIRONMENT, tuple(EMBEDDER_ENVIRONMENT), f"the environment: {EMBEDDER_KEY_VARIABLE}"
    ),
    "sign_in": SettingsTable({}, SIGN_IN_FIELDS, "the secrets, as docs/sign-in.md shows"),
}
"""Each is a field of `Settings` of the same name, with a dataclass of its own."""
TOP = SettingsTable(ENVIRONMENT, (*ENVIRONMENT, *TABLES), f"the environment: {KEY_VARIABLE}")


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Each has an environment variable; all but `workspace` can stand in the file.

    Attributes:
        workspace: the folder with the database.
        user: the name under which decisions are recorded while no sign-in is configured: an attestation.
        host, port: where the app listens; loopback unless set otherwise.
        student: the student that is chosen at first.
        ollama_host: address of the Ollama server.
        ollama_more_hosts: addresses of further Ollama servers with the same model, parted by commas or blanks.
        ollama_model: the model asked there.
        ollama_in_flight: questions of a run that each of them gets at a time; more than its OLLAMA_NUM_PARALLEL queue.
        openai_base_url: address of an OpenAI-compatible server, up to and including `/v1`.
        openai_model: the model asked there; empty leaves this student out.
        openai_in_flight: how many questions of a run it gets at a time.
        num_ctx: context window asked of Ollama, in tokens; None for one that is sized by prompts and examples.
        timeout_s: longest wait for a student's next token, in seconds.
        teacher: the teacher, from the table `[teacher]`.
        embedder: what turns texts into vectors, from the table `[embedder]`.
        sign_in: sign-in, from the table `[sign_in]` and the secrets.
        secrets_file: where Streamlit is told to look for secrets.
    """

    workspace: Path
    user: str
    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 8501
    student: str = "embedded"
    ollama_host: str = "http://127.0.0.1:11434"
    ollama_more_hosts: str = ""
    ollama_model: str = "gemma3:4b"
    ollama_in_flight: Annotated[int, Ge(1)] = 1
    openai_base_url: str = "https://api.openai.com/v1"
    openai_model: str = ""
    openai_in_flight: Annotated[int, Ge(1)] = 8
    num_ctx: Annotated[int, Ge(256)] | None = None
    timeout_s: Annotated[float, Gt(0)] = 120.0
    teacher: TeacherSettings = field(default_factory=TeacherSettings)
    embedder: EmbedderSettings = field(default_factory=EmbedderSettings)
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    secrets_file: Path = Path(SECRETS_FILE)

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.workspace / 'pld.db'}"

    @property
    def students(self) -> tuple[str, ...]:
        """The students that can be chosen, as backends name them."""
        openai = (f"openai:{self.openai_model}",) if self.openai_model else ()
        return (self.ollama_student, *openai, "embedded")

    @property
    def ollama_student(self) -> str:
        """The student on Ollama, as backends name it."""
        return f"ollama:{self.ollama_model}"

    def in_flight(self, student: str) -> int:
        """Return how many questions a student gets at a time; those that run on this machine alone get one."""
        kind = student.partition(":")[0]
        fleet = self.ollama_in_flight * len(self.ollama_hosts)
        return {"ollama": fleet, "openai": self.openai_in_flight}.get(kind, 1)

    @property
    def ollama_hosts(self) -> tuple[str, ...]:
        """The Ollama servers that share the questions, each once."""
        return tuple(dict.fromkeys((self.ollama_host, *addresses_in(self.ollama_more_hosts))))

    def backends(self, environment: Mapping[str, str]) -> BackendSettings:
        """Return what backends need. The key is read from the environment here and kept nowhere else."""
        return BackendSettings(
            ollama_host=self.ollama_host,
            ollama_more_hosts=self.ollama_hosts[1:],
            openai_base_url=self.openai_base_url,
            openai_api_key=environment.get(KEY_VARIABLE, ""),
            num_ctx=self.num_ctx or DEFAULT_NUM_CTX,
            timeout_s=self.timeout_s,
            # One more: whether the student is still there is asked while all of them wait.
            connections=self.openai_in_flight + 1,
        )

    def teacher_backends(self, environment: Mapping[str, str], connections: int) -> BackendSettings:
        """Return what a teacher needs. The key is read from the environment here and kept nowhere else."""
        return teacher_backends(self.teacher, self.backends(environment), environment, connections)

    def embedder_backends(self, name: str, environment: Mapping[str, str]) -> BackendSettings:
        """Return what the embedder of that name needs. The key is read from the environment here."""
        others = (self.teacher_backends(environment, self.embedder.in_flight), self.backends(environment))
        return embedder_backends(self.embedder, name, others, environment)


def variable_of(name: str) -> str:
    """Return the environment variable of a setting such as `teacher.in_flight`, empty if it has none."""
    table, dot, rest = name.partition(".")
    return (TABLES[table].environment.get(rest, "") if table in TABLES else "") if dot else ENVIRONMENT.get(name, "")


def settings_path(workspace: Path) -> Path:
    return workspace / FILE_NAME


def load_settings(workspace: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of a workspace: the environment before the file before the defaults.

    Raises:
        InvalidInput: the file is not TOML, names an unknown setting, holds a key, or a value is of the wrong kind.
    """
    return settings_from(read_settings_file(workspace), workspace, environment)


def read_settings_file(workspace: Path) -> bytes:
    """Return what stands in the file, nothing if there is none."""
    file = settings_path(workspace)
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise InvalidInput(
            f"The settings file {file} cannot be read: {error.strerror or error}. Correct or remove it."
        ) from error


def settings_from(content: bytes, workspace: Path, environment: Mapping[str, str]) -> Settings:
    """Return the settings that result from the content of a settings file; for errors see `load_settings`.

    Raises:
        SettingRefused: values are of the wrong kind or out of their range; it names each.
    """
    file = settings_path(workspace)
    given = parse_settings(content, file, environment)
    if ollama_host := environment.get(OLLAMA_VARIABLE, "").strip():
        given["ollama_host"] = with_scheme(ollama_host)
    given.update(_from_outside(ENVIRONMENT, environment))
    for name, table in TABLES.items():
        from_file = given.get(name, {})
        outside = _from_outside(table.environment, environment)
        given[name] = {**from_file, **outside} if isinstance(from_file, dict) else from_file
    secrets = secrets_file(workspace, environment)
    given["secrets_file"] = secrets
    given["sign_in"] = _sign_in(file, given.get("sign_in", {}), secrets, bool(environment.get(SECRETS_VARIABLE)))
    user = str(given.pop("user", "")).strip() or login_name()
    try:
        return _adapter().validate_python({**given, "workspace": workspace, "user": user})
    except ValidationError as error:
        raise _refused(error, file, environment) from None


def parse_settings(content: bytes, file: Path, environment: Mapping[str, str]) -> dict[str, object]:
    """Return the file's settings as they stand there, tables as dicts; `file` is for messages.

    Raises:
        InvalidInput: it is not TOML, names an unknown setting, or holds a key or a password.
    """
    try:
        found = tomllib.loads(content.decode("utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise InvalidInput(f"The settings file {file} cannot be read: {error}. Correct or remove it.") from error
    _check_names(file, found, TOP)
    for name, table in TABLES.items():
        if isinstance(inner := found.get(name), dict):
            _check_names(file, inner, table)
            _check_texts(file, inner, table, environment)
    _check_texts(file, {n: v for n, v in found.items() if n not in TABLES}, TOP, environment)
    return dict(found)


class LiveSettings:
    """The settings of an open workspace as they are now: read again when the file changed, and only then."""

    def __init__(self, opened: Settings, environment: Mapping[str, str] = os.environ) -> None:
        """`opened` are the settings that the workspace was opened with; what is used at the start stays as it was."""
        self._opened = opened
        self._environment = environment
        # One value, put in place at once: threads that look at the same time see the one or the other whole.
        self._known: tuple[tuple[int, ...], Settings] | None = None

    def now(self) -> Settings:
        """Return the settings of this moment.

        Raises:
            InvalidInput: the file was changed to one that cannot be used; it is looked at again at the next call.
        """
        # Looked at before it is read: a change in between is then noticed at the next call.
        stamp = _stamp(settings_path(self._opened.workspace))
        if self._known is not None and self._known[0] == stamp:
            return self._known[1]
        read = load_settings(self._opened.workspace, self._environment)
        kept = {name: getattr(self._opened, name) for name in AT_START}
        # Whether people have to sign in is settled at the start: no change of a file opens a running app.
        sign_in = replace(read.sign_in, providers=self._opened.sign_in.providers)
        settings = replace(read, **kept, sign_in=sign_in, secrets_file=self._opened.secrets_file)
        self._known = (stamp, settings)
        return settings


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise WorkspaceUnreadable(
            f"The settings file {file} cannot be looked at: {error.strerror or error}. Check its folder's permissions."
        ) from error
    return (found.st_mtime_ns, found.st_size, found.st_ino)


@functools.cache
def _adapter() -> TypeAdapter[Settings]:
    return TypeAdapter(Settings)


def _from_outside(variables: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, object]:
    return {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}


def _refused(error: ValidationError, file: Path, environment: Mapping[str, str]) -> SettingRefused:
    problems = problems_of(error)
    name, (words, found) = next(iter(problems.items()))
    variable = variable_of(name)
    where = f"{variable} or {file}" if variable else str(file)
    reads = without_secrets(repr(found), environment)
    return SettingRefused(
        f"The setting {name} reads {reads}: {words}. Correct {where}.",
        {name: f"{words[:1].upper()}{words[1:]}." for name, (words, _) in problems.items()},
    )


def _sign_in(file: Path, found: object, secrets: Path, is_named: bool) -> dict[str, object]:
    """Return the settings of sign-in from the table `[sign_in]`, with the providers that the secrets name."""
    if not isinstance(found, dict):
        raise InvalidInput(f"In {file}, sign_in has to be a table: [sign_in]. Correct it.")
    roles = role_mapping(file, found.get("roles", {}))
    return {**found, "roles": roles, "providers": configured_providers(secrets, is_named)}


def _check_names(file: Path, found: Mapping[str, object], table: SettingsTable) -> None:
    for name in found:
        if "key" in name.lower():
            raise InvalidInput(f"The settings file {file} holds {name!r}. Keys belong in {table.keys}.")
        if name not in table.names:
            known = ", ".join(table.names)
            raise InvalidInput(
                f"The settings file {file} has an unknown setting {name!r}. Known: {known}. "
                f"Keys and secrets belong in {table.keys}."
            )


def _check_texts(file: Path, value: object, table: SettingsTable, environment: Mapping[str, str]) -> None:
    """Refuse a key or a password anywhere in a table, names of models included, without quoting it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(file, name, table, environment)
            _check_texts(file, inner, table, environment)
    elif isinstance(value, str) and (what := secret_in(value, environment)):
        raise InvalidInput(
            f"The settings file {file} holds what looks like {what}. Take it out of there: keys belong in {table.keys}."
        )


def addresses_in(text: str) -> tuple[str, ...]:
    """Return addresses that are parted by commas or blanks, without a slash at the end.

    >>> addresses_in("http://one:11434/, http://two:11434")
    ('http://one:11434', 'http://two:11434')
    """
    return tuple(address.rstrip("/") for address in text.replace(",", " ").split())


def with_scheme(host: str) -> str:
    """Return the address that OLLAMA_HOST gives, which may lack the scheme and the port.

    As Ollama has it, 11434 is meant only where both are missing.
    """
    if "://" in host:
        return host.rstrip("/")
    host = host.rstrip("/")
    return f"http://{host}" if re.search(r":\d+$", host) else f"http://{host}:11434"


def login_name() -> str:
    """Return the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container without a passwd entry for the user; the name on the record says so.
        return "local user"
