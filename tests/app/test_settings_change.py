"""Changing settings: guarded, checked whole, recorded with the change or not made, and in force at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from pld_app.setting_fields import SECTIONS, all_fields, default_of, type_of
from pld_app.settings import TABLES, LiveSettings, Settings, load_settings
from pld_app.settings_change import CHANGED, change_settings
from pld_app.settings_view import Given, PriceText, Source, read_view, view_of
from pld_app.wiring import App
from pld_app.worker import work
from pld_core.errors import (
    InvalidInput,
    MissingRole,
    NotFound,
    SecretRefused,
    SettingFixed,
    SettingRefused,
    SettingsMovedOn,
    WorkspaceError,
)
from pld_core.event_words import sentence
from pld_core.models import Actor, JobState, Role
from pld_core.records import EventFilter
from storage import create_store
from tests.cli.running import wait_until
from tests.factories import ANNA, fill, make_examples, make_task, url_of
from tests.teacher_stub import KEY, teacher_stub

PASTED = "sk-proj-0123456789abcdefghij"
FILE = '# ours\nuser = "anna"\n\n[teacher]  # the big one\nin_flight = 4\n'


@pytest.fixture
def app(tmp_path: Path) -> App:
    space = tmp_path / "space"
    store = create_store(url_of(space / "pld.db"))
    (space / "settings.toml").write_text(FILE, encoding="utf-8")
    return App(load_settings(space, {}), store, Actor("anna", frozenset(Role)))


def content(app: App) -> str:
    return (app.settings.workspace / "settings.toml").read_text(encoding="utf-8")


def change(app: App, draft: Mapping[str, Given], environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    outside = environment or {}
    return change_settings(app, draft, read_view(app.settings.workspace, outside).content, outside)


def recorded(app: App) -> list[str]:
    return [sentence(event) for event in reversed(app.store.events.page(EventFilter(kind=CHANGED)))]


def test_a_change_is_written_beside_the_remarks_and_recorded_as_a_sentence(app: App) -> None:
    made = change(
        app, {"teacher.in_flight": "16", "teacher.max_cost": "2.50", "teacher.prices.gpt-4.1": PriceText("0.40", "2")}
    )
    assert made == ("teacher.in_flight", "teacher.max_cost", "teacher.prices.gpt-4.1")
    assert content(app).startswith(FILE.replace("4", "16") + "max_cost = 2.50\n")
    assert recorded(app) == [
        "anna changed Calls at a time from 4 to 16.",
        "anna changed Cap of a run, in money from none to 2.50.",
        "anna changed Price of gpt-4.1 from none to 0.40 in, 2 out, batch discount 0.5.",
    ]
    assert app.store.events.verify().intact
    change(app, {"teacher.in_flight": "", "teacher.prices.gpt-4.1": ""})
    assert recorded(app)[3:] == [
        "anna changed Calls at a time from 16 to 8 (default).",
        "anna changed Price of gpt-4.1 from 0.40 in, 2 out, batch discount 0.5 to none.",
    ]


def test_what_is_as_it_was_is_neither_written_nor_recorded(app: App) -> None:
    assert change(app, {"teacher.in_flight": "4", "user": "anna", "num_ctx": ""}) == ()
    assert content(app) == FILE
    assert recorded(app) == []


PRICE = """\
[teacher.prices."big"] # ours
input = 0.40 # as of May
output = 1.6 # dear
batch_discount = 0.30 # by contract
"""


@pytest.mark.parametrize(
    ("price", "written"),
    [
        (PriceText("0.50", "1.6", "0.30"), PRICE.replace("0.40", "0.50")),
        (PriceText("0.40", "1.6", "0.25"), PRICE.replace("0.30", "0.25")),
        (PriceText("0.40", "1.6", ""), PRICE.replace("batch_discount = 0.30 # by contract\n", "")),
        (PriceText("0.40", "", "0.30"), PRICE.replace("output = 1.6 # dear\n", "")),
    ],
)
def test_of_a_price_only_what_was_changed_is_written(app: App, price: PriceText, written: str) -> None:
    file = app.settings.workspace / "settings.toml"
    file.write_text(PRICE, encoding="utf-8")
    assert change(app, {"teacher.prices.big": price}) == ("teacher.prices.big",)
    assert content(app) == written
    assert change(app, {"teacher.prices.big": price}) == ()


def test_a_price_of_input_alone_is_shown_with_the_defaults_and_written_without_them(app: App) -> None:
    change(app, {"teacher.prices.embedding": PriceText("0.02")})
    shown = view_of(content(app).encode(), app.settings.workspace).prices["embedding"]
    assert shown == PriceText("0.02", "0", "0.5")
    change(app, {"teacher.prices.embedding": shown._replace(input="0.03")})
    assert content(app).endswith("input = 0.03\n")
    assert app.store.events.verify().intact


@pytest.mark.parametrize("discount", ["1.5", "-0.1"])
def test_a_discount_is_a_share(app: App, discount: str) -> None:
    with pytest.raises(SettingRefused, match="share from 0 to 1"):
        change(app, {"teacher.prices.big": PriceText("1", "1", discount)})


def test_only_an_admin_may_change_settings(app: App) -> None:
    other = replace(app, actor=Actor("rita", frozenset(Role) - {Role.ADMIN}))
    with pytest.raises(MissingRole, match="rita may not change settings"):
        change(other, {"num_ctx": "4096"})
    assert content(app) == FILE


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(app: App) -> None:
    with pytest.raises(SettingRefused) as refused:
        change(
            app,
            {
                "num_ctx": "12",
                "timeout_s": "2,5",
                "port": "70000",
                "teacher.in_flight": "many",
                "teacher.max_cost": "0",
                "teacher.extraction": "gpt-4.1-mini",
                "ollama_host": "127.0.0.1",
                "teacher.prices.big": PriceText("-1", "1"),
                "teacher.currency": "EUR",
            },
        )
    assert refused.value.problems == {
        "num_ctx": "It has to be at least 256.",
        "port": "It may be at most 65535.",
        "teacher.max_cost": "It has to be more than 0.",
        "timeout_s": "It has to be a number with a dot, such as 2.5.",
        "teacher.in_flight": "It has to be a whole number, such as 8.",
        "teacher.extraction": (
            "It has to be a kind of server and a model, such as openai:gpt-4.1-mini or ollama:gemma3:4b, "
            "or embedded alone."
        ),
        "ollama_host": "It has to be an address, such as http://127.0.0.1:11434.",
        "teacher.prices.big": "A price cannot be below 0.",
    }
    assert content(app) == FILE
    assert recorded(app) == []


@pytest.mark.parametrize(
    "draft",
    [
        {"ollama_model": PASTED},
        {"teacher.in_flight": f"Bearer {PASTED}"},
        {"teacher.base_url": f"https://anna:{PASTED}@teacher.example/v1"},
        {f"teacher.prices.{PASTED}": PriceText("1", "2")},
        {"teacher.prices.big": PriceText("1", PASTED)},
        {PASTED: "1"},
        {"teacher.api_key": PASTED},
    ],
)
def test_a_pasted_key_appears_nowhere(app: App, draft: dict[str, Given], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SecretRefused) as refused:
        change(app, draft)
    written = b"".join(file.read_bytes() for file in app.settings.workspace.iterdir())
    printed = capfd.readouterr()
    said = [str(refused.value), repr(refused.value.problems), printed.out, printed.err, written.decode("latin-1")]
    assert not any(PASTED in text for text in said)
    assert "Keys belong in the environment only" in str(refused.value)
    assert content(app) == FILE


def test_a_file_with_a_key_in_a_value_is_not_read_and_not_quoted(app: App) -> None:
    for text in (f'ollama_model = "{PASTED}"', f'[teacher.prices."{PASTED}"]\ninput = 1\noutput = 1'):
        (app.settings.workspace / "settings.toml").write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput, match="holds what looks like a key") as refused:
            load_settings(app.settings.workspace, {})
        assert PASTED not in str(refused.value)


def test_what_the_environment_sets_is_shown_so_and_cannot_be_changed(app: App) -> None:
    outside = {"PLD_TEACHER_IN_FLIGHT": "2", "OLLAMA_HOST": "http://anna:geheim@models.example"}
    view = read_view(app.settings.workspace, outside)
    assert (view.entries["teacher.in_flight"].value, view.entries["teacher.in_flight"].source) == ("2", "environment")
    assert view.entries["ollama_host"].variable == "OLLAMA_HOST"
    assert view.entries["ollama_host"].value == "http://(hidden)@models.example"
    assert view.entries["user"].source is Source.FILE
    for name in ("teacher.in_flight", "ollama_host"):
        with pytest.raises(SettingFixed, match=f"{name} is set by .* in the environment"):
            change(app, {name: "9"}, outside)
    assert content(app) == FILE


def test_a_file_that_somebody_changed_meanwhile_is_left_alone(app: App) -> None:
    seen = read_view(app.settings.workspace, {}).content
    change(app, {"num_ctx": "4096"})
    after = content(app)
    with pytest.raises(SettingsMovedOn, match="Nothing was saved, and what you typed is kept"):
        change_settings(app, {"teacher.in_flight": "9"}, seen, {})
    assert content(app) == after
    assert len(recorded(app)) == 1


def test_an_unknown_setting_is_named(app: App) -> None:
    with pytest.raises(NotFound, match=r"no setting 'teacher\.model'"):
        change(app, {"teacher.model": "x"})


def test_a_change_that_cannot_be_recorded_is_taken_back(app: App) -> None:
    with app.store.database.raw() as tables:
        tables.execute("CREATE TRIGGER no_room BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(WorkspaceError, match="no room"):
        change(app, {"num_ctx": "4096"})
    assert content(app) == FILE
    (app.settings.workspace / "settings.toml").unlink()
    with pytest.raises(WorkspaceError, match="no room"):
        change(app, {"num_ctx": "4096"})
    assert not (app.settings.workspace / "settings.toml").exists()


def test_a_change_stays_when_only_the_note_beside_the_database_fails(app: App) -> None:
    change(app, {"num_ctx": "2048"})
    app.store.database.head_path.unlink()
    app.store.database.head_path.mkdir()
    with pytest.raises(WorkspaceError, match="The change was saved"):
        change(app, {"num_ctx": "4096"})
    assert "num_ctx = 4096" in content(app)
    assert len(recorded(app)) == 2


# --- words and fields -------------------------------------------------------------------------------------------------


def test_every_setting_has_its_words_and_its_section() -> None:
    # Sign-in is configured in files: whoever changes it by a page could open the door to themselves.
    in_files = {"sign_in"}
    names = {field.name for field in fields(Settings)} - {"workspace", "secrets_file", *TABLES}
    for table in TABLES.keys() - in_files:
        inner = type(getattr(Settings(Path(), "u"), table))
        assert is_dataclass(inner)
        names |= {f"{table}.{field.name}" for field in fields(inner) if field.name != "prices"}
    assert set(all_fields()) == names
    assert sum(len(section.fields) for section in SECTIONS) == len(names)


def test_types_and_defaults_are_those_of_the_settings() -> None:
    found = Settings(Path(), "u")
    assert (type_of("port"), type_of("teacher.in_flight"), type_of("teacher.currency")) == (int, int, str)
    assert type_of("timeout_s") is float
    assert (default_of("port"), default_of("teacher.in_flight"), default_of("user")) == (8501, 8, None)
    entries = view_of(b"", Path(), {"PLD_USER": "u"}).entries
    assert {entry.source for name, entry in entries.items() if name != "user"} == {Source.DEFAULT}
    assert entries["timeout_s"].value == f"{found.timeout_s:.0f}"


# --- in force at once -------------------------------------------------------------------------------------------------


def test_a_changed_file_is_read_again_but_what_the_start_used_stays(app: App) -> None:
    live = LiveSettings(app.settings, {})
    before = live.now()
    assert live.now() is before, "an unchanged file is not read again"
    change(app, {"teacher.in_flight": "16", "user": "grace", "port": "9000"})
    after = live.now()
    assert (after.teacher.in_flight, after.user, after.port) == (16, "anna", 8501)
    assert before.teacher.in_flight == 4, "whoever has the old settings keeps them"
    (app.settings.workspace / "settings.toml").unlink()
    assert live.now().teacher.in_flight == 8


def test_a_file_that_was_broken_is_said_until_it_is_mended(app: App) -> None:
    live = LiveSettings(app.settings, {})
    file = app.settings.workspace / "settings.toml"
    file.write_text("num_ctx = \n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InvalidInput, match="cannot be read"):
            live.now()
    file.write_text("num_ctx = 512\n", encoding="utf-8")
    assert live.now().num_ctx == 512


@pytest.fixture
def own_environment(no_settings_from_outside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)


def test_a_running_worker_takes_the_changed_settings_for_its_next_job(
    app: App, own_environment: None, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(app.store, replace(make_task(), teacher="openai:big"), make_examples(2))
    file = app.settings.workspace / "settings.toml"
    stop = threading.Event()
    running = threading.Thread(target=work, args=(app, stop))
    running.start()
    try:
        with teacher_stub() as stub:
            file.write_text("num_ctx = \n", encoding="utf-8")
            wait_until(lambda: "Jobs wait until then" in capfd.readouterr().err, "the worker to notice the broken file")
            first = app.store.jobs.enqueue("extract", "posts", {}, ANNA)
            assert app.store.jobs.get(first.id).state is JobState.QUEUED
            file.write_text(FILE, encoding="utf-8")
            change(app, {"teacher.base_url": stub.url})
            wait_until(lambda: app.store.jobs.get(first.id).state.is_final, "the job")
            assert app.store.jobs.get(first.id).state is JobState.DONE
            assert sum(stub.seen.values()) == 2
    finally:
        stop.set()
        running.join()
