"""Settings: the environment before the file before the defaults, wrong values named, keys kept out of sight."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pld_app.embedder_settings import EMBEDDER_KEY_VARIABLE, EmbedderSettings
from pld_app.settings import ENVIRONMENT, KEY_VARIABLE, Settings, load_settings
from pld_app.teacher_settings import TEACHER_KEY_VARIABLE, TeacherSettings
from pld_core.embedding import Batching
from pld_core.errors import InvalidInput
from pld_core.pricing import FREE, Price

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


@pytest.mark.parametrize(
    ("student", "slots"),
    [("embedded", 1), ("ollama:gemma3:4b", 4), ("openai:gpt-x", 16), ("scripted:nda", 1)],
)
def test_a_student_gets_as_many_questions_at_a_time_as_its_server_is_set_to(
    tmp_path: Path, student: str, slots: int
) -> None:
    settings = given(tmp_path, "ollama_in_flight = 4\n", PLD_OPENAI_IN_FLIGHT="16")
    assert settings.in_flight(student) == slots
    assert settings.backends({}).connections > 16, "whether it is there is asked while all of them wait"


def test_without_a_setting_ollama_gets_one_question_at_a_time(tmp_path: Path) -> None:
    assert given(tmp_path).in_flight("ollama:gemma3:4b") == 1


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


# --- the teacher ------------------------------------------------------------------------------------------------------

TEACHER = """
[teacher]
extraction = "openai:big"
base_url = "https://teacher.example/v1"
in_flight = 64
requests_per_minute = 500
max_cost = 2.5
currency = "EUR"
[teacher.prices.big]
input = 0.4
output = 1.6
"""


def test_the_teachers_table_is_read_exactly(tmp_path: Path) -> None:
    teacher = given(tmp_path, TEACHER).teacher
    assert (teacher.extraction, teacher.in_flight, teacher.currency) == ("openai:big", 64, "EUR")
    assert teacher.max_cost == Decimal("2.5")
    assert teacher.price("openai:big") == Price(Decimal("0.4"), Decimal("1.6"))
    assert teacher.price("openai:other") is None, "it costs money, and nobody said how much"
    assert teacher.price("ollama:gemma3:4b") == FREE
    assert (teacher.limits.in_flight, teacher.limits.requests_per_minute) == (64, 500)
    assert given(tmp_path, "port = 9000\n").teacher == TeacherSettings()


def test_the_environment_goes_before_the_teachers_table(tmp_path: Path) -> None:
    settings = given(tmp_path, TEACHER, PLD_TEACHER="ollama:g", PLD_TEACHER_MAX_COST="0.1", PLD_TEACHER_IN_FLIGHT="2")
    teacher = settings.teacher
    assert (teacher.extraction, teacher.max_cost, teacher.in_flight) == ("ollama:g", Decimal("0.1"), 2)
    assert teacher.currency == "EUR"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("[teacher]\nin_flight = 0\n", ("teacher.in_flight", "PLD_TEACHER_IN_FLIGHT")),
        ("[teacher]\nmax_cost = -1\n", ("teacher.max_cost", "PLD_TEACHER_MAX_COST")),
        ("[teacher.prices.big]\noutput = 1\n", ("teacher.prices.big.input",)),
        ("[teacher]\nmodel = 'x'\n", ("unknown setting 'model'", "extraction")),
        ("teacher = 'big'\n", ("teacher",)),
    ],
)
def test_what_is_wrong_in_the_teachers_table_is_named(tmp_path: Path, file: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, file)
    assert all(word in str(refused.value) for word in words)


def test_a_key_in_the_teachers_table_is_refused_without_being_shown(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, f'[teacher]\napi_key = "{KEY}"\n')
    assert TEACHER_KEY_VARIABLE in str(refused.value)
    assert KEY not in str(refused.value)


def test_the_teacher_has_its_own_key_and_address_and_falls_back_to_the_students(tmp_path: Path) -> None:
    settings = given(tmp_path, TEACHER)
    both = settings.teacher_backends({KEY_VARIABLE: "sk-student", TEACHER_KEY_VARIABLE: KEY}, 64)
    assert (both.openai_api_key, both.openai_base_url) == (KEY, "https://teacher.example/v1")
    assert (both.connections, both.openai_key_variable) == (64, TEACHER_KEY_VARIABLE)
    assert KEY not in repr(both)
    one = given(tmp_path, "port = 9000\n").teacher_backends({KEY_VARIABLE: "sk-student"}, 8)
    assert (one.openai_api_key, one.openai_base_url) == ("sk-student", "https://api.openai.com/v1")
    assert one.openai_key_variable == KEY_VARIABLE


def test_the_students_key_is_never_sent_to_another_server_than_theirs(tmp_path: Path) -> None:
    elsewhere = given(tmp_path, TEACHER).teacher_backends({KEY_VARIABLE: "sk-student"}, 8)
    assert (elsewhere.openai_api_key, elsewhere.openai_key_variable) == ("", TEACHER_KEY_VARIABLE)
    same = '[teacher]\nbase_url = "https://api.openai.com/v1/"\n'
    assert given(tmp_path, same).teacher_backends({KEY_VARIABLE: "sk-student"}, 8).openai_api_key == "sk-student"


def test_the_key_reaches_the_backends_and_shows_in_no_repr(tmp_path: Path) -> None:
    environment = {KEY_VARIABLE: KEY}
    settings = load_settings(tmp_path, environment)
    backends = settings.backends(environment)
    assert backends.openai_api_key == KEY
    assert KEY not in repr(settings) + str(settings) + repr(backends) + str(backends)


# --- the embedder -----------------------------------------------------------------------------------------------------

EMBEDDER = """
[embedder]
name = "openai:text-embedding-3-small"
base_url = "https://embedder.example/v1"
batch_size = 16
longest_text = 8000
"""


def test_the_embedders_table_is_read_and_tfidf_is_the_default(tmp_path: Path) -> None:
    assert given(tmp_path).embedder == EmbedderSettings("tfidf")
    found = given(tmp_path, EMBEDDER, PLD_EMBEDDER_IN_FLIGHT="2").embedder
    assert (found.name, found.base_url) == ("openai:text-embedding-3-small", "https://embedder.example/v1")
    assert found.batching == Batching(16, 8000)
    assert found.limits.in_flight == 2
    assert given(tmp_path, EMBEDDER, PLD_EMBEDDER="ollama:bge-m3").embedder.name == "ollama:bge-m3"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("[embedder]\nbatch_size = 0\n", ("embedder.batch_size", "PLD_EMBEDDER_BATCH_SIZE")),
        ("[embedder]\nmodel = 'x'\n", ("unknown setting 'model'", "batch_size")),
        (f"[embedder]\napi_key = '{KEY}'\n", (EMBEDDER_KEY_VARIABLE,)),
        ("embedder = 'tfidf'\n", ("embedder",)),
    ],
)
def test_what_is_wrong_in_the_embedders_table_is_named(tmp_path: Path, file: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        given(tmp_path, file)
    assert all(word in str(refused.value) for word in words)
    assert KEY not in str(refused.value)


def test_the_embedders_own_key_goes_first_and_no_other_servers_key_is_sent_to_it(tmp_path: Path) -> None:
    keys = {TEACHER_KEY_VARIABLE: "sk-teacher", KEY_VARIABLE: "sk-student"}
    name = "openai:e"
    own = given(tmp_path, EMBEDDER).embedder_backends(name, {**keys, EMBEDDER_KEY_VARIABLE: KEY})
    assert (own.openai_api_key, own.openai_base_url) == (KEY, "https://embedder.example/v1")
    assert own.openai_key_variable == EMBEDDER_KEY_VARIABLE
    assert own.connections == 4
    elsewhere = given(tmp_path, EMBEDDER).embedder_backends(name, keys)
    assert (elsewhere.openai_api_key, elsewhere.openai_key_variable) == ("", EMBEDDER_KEY_VARIABLE)


def test_without_an_address_the_embedder_is_at_the_teachers_with_that_key(tmp_path: Path) -> None:
    keys = {TEACHER_KEY_VARIABLE: "sk-teacher", KEY_VARIABLE: "sk-student"}
    there = given(tmp_path, TEACHER).embedder_backends("openai:e", keys)
    assert (there.openai_base_url, there.openai_api_key) == ("https://teacher.example/v1", "sk-teacher")
    assert there.openai_key_variable == TEACHER_KEY_VARIABLE
    file = TEACHER + '[embedder]\nbase_url = "https://api.openai.com/v1/"\n'
    with_students = given(tmp_path, file).embedder_backends("openai:e", keys)
    assert (with_students.openai_api_key, with_students.openai_key_variable) == ("sk-student", KEY_VARIABLE)


def test_an_address_is_not_used_for_the_other_kind_of_server(tmp_path: Path) -> None:
    settings = given(tmp_path, EMBEDDER, PLD_OLLAMA_HOST="http://own:3")
    assert settings.embedder_backends("ollama:bge-m3", {}).ollama_host == "http://own:3"
    local = '[embedder]\nname = "ollama:bge-m3"\nbase_url = "http://gpu:11434"\n'
    assert given(tmp_path, local).embedder_backends("ollama:bge-m3", {}).ollama_host == "http://gpu:11434"
