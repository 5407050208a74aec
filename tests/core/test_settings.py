"""Settings: the environment before the file before the defaults, wrong values named, keys kept out of sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from pld_app.settings import ENVIRONMENT, KEY_VARIABLE, Settings, load_settings
from pld_core.errors import InvalidInput

KEY = "sk-never-to-be-shown"


def given(tmp_path: Path, file: str = "", **environment: str) -> Settings:
    if file:
        (tmp_path / "settings.toml").write_text(file, encoding="utf-8")
    return load_settings(tmp_path, environment)


def test_defaults_listen_on_loopback_and_need_no_file(tmp_path: Path) -> None:
    settings = given(tmp_path)
    assert (settings.host, settings.port, settings.student) == ("127.0.0.1", 8501, "embedded")
    assert settings.ollama_host == "http://127.0.0.1:11434"
    assert settings.students == ("ollama:gemma3:4b", "embedded")
    assert settings.store_url == f"sqlite:///{tmp_path / 'pld.db'}"


def test_the_file_goes_before_the_defaults(tmp_path: Path) -> None:
    settings = given(tmp_path, 'port = 9000\nuser = "Ada"\nnum_ctx = 4096\ntimeout_s = 7\n')
    assert (settings.port, settings.user, settings.num_ctx, settings.timeout_s) == (9000, "Ada", 4096, 7.0)


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    settings = given(tmp_path, 'port = 9000\nuser = "Ada"\n', PLD_PORT="9001", PLD_USER="Grace")
    assert (settings.port, settings.user) == (9001, "Grace")


def test_every_setting_can_come_from_the_environment(tmp_path: Path) -> None:
    values = dict.fromkeys(ENVIRONMENT, "7000")
    settings = given(tmp_path, "", **{ENVIRONMENT[name]: value for name, value in values.items()})
    assert {name: str(getattr(settings, name)).removesuffix(".0") for name in ENVIRONMENT} == values


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    empty = dict.fromkeys((*ENVIRONMENT.values(), "OLLAMA_HOST"), "")
    assert given(tmp_path, "port = 9000\n", **empty) == given(tmp_path)


def test_an_openai_model_adds_a_student(tmp_path: Path) -> None:
    assert "openai:gpt-x" in given(tmp_path, 'openai_model = "gpt-x"\n').students


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("10.0.0.7", "http://10.0.0.7:11434"),
        ("10.0.0.7:99", "http://10.0.0.7:99"),
        ("models.example", "http://models.example:11434"),
        ("models.example/", "http://models.example:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:99", "http://[::1]:99"),
        ("http://10.0.0.7:99", "http://10.0.0.7:99"),
        ("http://10.0.0.7:11434/", "http://10.0.0.7:11434"),
        ("https://models.example", "https://models.example"),
    ],
)
def test_ollama_host_may_lack_scheme_and_port(tmp_path: Path, host: str, address: str) -> None:
    assert given(tmp_path, OLLAMA_HOST=host).ollama_host == address


def test_our_own_variable_goes_before_ollama_host_and_both_before_the_file(tmp_path: Path) -> None:
    file = 'ollama_host = "http://file:1"\n'
    assert given(tmp_path, file, OLLAMA_HOST="other:2").ollama_host == "http://other:2"
    assert given(tmp_path, file, OLLAMA_HOST="o:2", PLD_OLLAMA_HOST="http://own:3").ollama_host == "http://own:3"


def test_without_a_user_name_the_login_name_signs(tmp_path: Path) -> None:
    assert given(tmp_path).user.strip()
    assert given(tmp_path, PLD_USER="  ").user == given(tmp_path).user


def test_an_unknown_name_is_refused_and_the_known_ones_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, "prot = 9000\n")
    assert "unknown setting 'prot'" in str(refused.value)
    assert ", ".join(ENVIRONMENT) in str(refused.value)


@pytest.mark.parametrize(
    ("file", "environment", "names"),
    [
        ('port = "many"\n', {}, ("port", "'many'", "PLD_PORT")),
        ("port = 0\n", {}, ("port", "0", "PLD_PORT")),
        ("", {"PLD_PORT": "65536"}, ("port", "'65536'", "PLD_PORT")),
        ("", {"PLD_TIMEOUT_S": "0"}, ("timeout_s", "'0'", "PLD_TIMEOUT_S")),
        ("", {"PLD_TIMEOUT_S": "nan"}, ("timeout_s", "'nan'", "PLD_TIMEOUT_S")),
        ("num_ctx = 8.5\n", {}, ("num_ctx", "8.5", "PLD_NUM_CTX")),
        ("host = 5\n", {}, ("host", "5", "PLD_HOST")),
        ("student = [1]\n", {}, ("student", "[1]", "PLD_STUDENT")),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_variable(
    tmp_path: Path, file: str, environment: dict[str, str], names: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, file, **environment)
    assert all(name in str(refused.value) for name in names)


@pytest.mark.parametrize("data", [b"port = \n", b"port = 1\nport = 2\n", b'user = "\xff"\n'])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "settings.toml").write_bytes(data)
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize("name", ["openai_api_key", "key", "apikey", "OPENAI_API_KEY"])
def test_a_key_in_the_file_is_refused_without_being_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, f'{name} = "{KEY}"\n')
    assert KEY_VARIABLE in str(refused.value)
    assert KEY not in str(refused.value)


def test_the_key_reaches_the_backends_and_shows_in_no_repr(tmp_path: Path) -> None:
    environment = {KEY_VARIABLE: KEY}
    settings = load_settings(tmp_path, environment)
    backends = settings.backends(environment)
    assert backends.openai_api_key == KEY
    assert KEY not in repr(settings) + str(settings) + repr(backends) + str(backends)
