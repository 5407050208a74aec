"""Settings: fields with what is wrong beside them, prices, connection tests; keys never; the file's other editor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.settings import load_settings
from pld_app.settings_change import CHANGED
from pld_app.wiring import App
from pld_core.records import EventFilter
from tests.cli.fake_ollama import FakeOllama
from tests.pages.driving import Visit, choose_row, go, press, prose, raw, run
from tests.teacher_stub import KEY, TeacherStub, teacher_stub

PASTED = "sk-proj-0123456789abcdefghij"
FILE = '# ours\nopenai_model = "small"\n\n[teacher]\nextraction = "openai:big"\nbase_url = "{url}"\n'


@pytest.fixture
def stub() -> Iterator[TeacherStub]:
    with teacher_stub() as running:
        yield running


@pytest.fixture
def file(empty: App, workspace_folder: Path, stub: TeacherStub, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file whose teacher is the stub; the key is set."""
    path = workspace_folder / "settings.toml"
    path.write_text(FILE.format(url=stub.url), encoding="utf-8")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", KEY)
    return path


def fill_in(at: AppTest, section: str, number: int = 0, **values: str) -> AppTest:
    """Type into fields of a section whose fields began anew `number` times; `__` stands for a dot."""
    for name, value in values.items():
        at.text_input(f"set_{section}_{number}_{name.replace('__', '.')}").set_value(value)
    return at


def field(at: AppTest, section: str, name: str, number: int = 0) -> str:
    return str(at.text_input(f"set_{section}_{number}_{name}").value)


def events(app: App) -> list[str]:
    return [event.subject for event in app.store.events.page(EventFilter(kind=CHANGED))]


def test_an_empty_workspace_shows_defaults_and_what_is_not_set(empty: App, visit: Visit) -> None:
    at = visit("settings")
    assert field(at, "students", "num_ctx") == ""
    assert field(at, "teacher", "teacher.extraction") == ""
    assert "No teacher is set." in prose(at)
    assert "No price is set yet" in prose(at)
    assert "PLD_OPENAI_API_KEY is not set." in prose(at)
    assert "a change takes effect after a restart" in prose(at)


def test_a_saved_setting_is_in_the_file_on_the_record_and_in_force_at_once(
    empty: App, file: Path, visit: Visit
) -> None:
    at = visit("settings")
    fill_in(at, "students", num_ctx="4096", openai_model="other")
    press(at, "save_students")
    assert "Saved, in force from now on: Model there, Context window (tokens)" in prose(at)
    assert file.read_text().startswith('# ours\nopenai_model = "other"\nnum_ctx = 4096\n')
    assert field(at, "students", "num_ctx", 1) == "4096"
    assert "openai:other" in prose(at), "the tests are those of the new settings"
    assert events(empty) == ["num_ctx", "openai_model"]
    go(at, "audit")
    assert "anna changed Context window (tokens) from none to 4096." in at.dataframe[0].value["what happened"][0]
    choose_row(at, "event_rows", 1)
    assert "anna changed Model there from small to other." in prose(at)


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(empty: App, file: Path, visit: Visit) -> None:
    before = file.read_bytes()
    at = visit("settings")
    fill_in(at, "teacher", teacher__in_flight="0", teacher__max_cost="2,5", teacher__currency="EUR")
    press(at, "save_teacher")
    assert "It has to be at least 1." in prose(at)
    assert "It has to be a number with a dot, such as 2.5." in prose(at)
    assert (field(at, "teacher", "teacher.max_cost"), field(at, "teacher", "teacher.currency")) == ("2,5", "EUR")
    assert file.read_bytes() == before
    assert events(empty) == []
    fill_in(at, "teacher", teacher__in_flight="16", teacher__max_cost="2.50")
    press(at, "save_teacher")
    assert "It has to be" not in prose(at)
    assert load_settings(file.parent, {}).teacher.in_flight == 16


def test_what_the_environment_sets_cannot_be_changed_here(
    empty: App, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER", "ollama:big")
    at = visit("settings")
    assert at.text_input("set_teacher_0_teacher.extraction").disabled
    assert "Set by PLD_TEACHER in the environment, so it cannot be changed here." in prose(at)


@pytest.mark.parametrize("pasted", [PASTED, f"Bearer {PASTED}", f"https://anna:{PASTED}@teacher.example/v1"])
def test_a_pasted_key_is_refused_and_appears_nowhere(
    empty: App, file: Path, visit: Visit, pasted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    at = visit("settings")
    fill_in(at, "students", openai_model=pasted)
    press(at, "save_students")
    assert "so it was neither stored nor shown. Keys belong in the environment only" in prose(at)
    assert field(at, "students", "openai_model") == "small"
    shown = prose(at) + "".join(str(text.value) for text in at.text_input)
    printed = capfd.readouterr()
    kept = b"".join(found.read_bytes() for found in file.parent.iterdir()).decode("latin-1")
    assert not any(PASTED in text for text in (shown, printed.out, printed.err, kept))
    assert PASTED not in repr(at.session_state)


def test_a_key_that_is_set_is_not_shown(empty: App, file: Path, visit: Visit) -> None:
    at = visit("settings")
    assert "PLD_TEACHER_API_KEY is set." in prose(at)
    assert KEY not in prose(at)


def test_a_file_that_was_changed_meanwhile_shows_both_and_keeps_the_draft(empty: App, file: Path, visit: Visit) -> None:
    at = visit("settings")
    fill_in(at, "students", num_ctx="4096")
    file.write_text(file.read_text().replace("small", "middling"), encoding="utf-8")
    press(at, "save_students")
    assert "The settings file was changed since you opened this page." in prose(at)
    rows = at.dataframe[0].value.to_dict("records")
    assert [tuple(row.values()) for row in rows] == [
        ("Model there", "small", "middling", "not touched"),
        ("Context window (tokens)", "none", "none", "4096"),
    ]
    assert "num_ctx" not in file.read_text()
    press(at, "settings_go_on")
    assert "changed since" not in prose(at)
    assert (field(at, "students", "num_ctx"), field(at, "students", "openai_model")) == ("4096", "middling")
    press(at, "save_students")
    assert load_settings(file.parent, {}).num_ctx == 4096
    assert load_settings(file.parent, {}).openai_model == "middling"


def test_a_draft_can_be_dropped_for_what_the_file_has(empty: App, file: Path, visit: Visit) -> None:
    at = visit("settings")
    fill_in(at, "students", num_ctx="4096")
    file.write_text(file.read_text() + "\n[teacher.prices.big]\ninput = 1\noutput = 2.50\n", encoding="utf-8")
    press(at, "save_students")
    assert at.dataframe[0].value.to_dict("records")[0]["in the file now"] == "1 in, 2.50 out, batch discount 0.5"
    press(at, "settings_drop")
    assert field(at, "students", "num_ctx", 1) == ""
    assert "changed since" not in prose(at)
    assert "No price is set yet" not in prose(at)


def test_leaving_the_page_begins_with_the_file_as_it_is_then(empty: App, file: Path, visit: Visit) -> None:
    at = visit("settings")
    file.write_text("num_ctx = 2048\n", encoding="utf-8")
    go(at, "audit")
    go(at, "settings")
    assert "changed since" not in prose(at)
    assert field(at, "students", "num_ctx") == "2048"


def test_a_settings_file_that_breaks_is_one_sentence(empty: App, file: Path, visit: Visit) -> None:
    at = visit("settings")
    file.write_text("num_ctx = \n", encoding="utf-8")
    run(at)
    assert len(at.error) == 1
    assert "cannot be read" in prose(at)


# --- connection tests -------------------------------------------------------------------------------------------------


def test_a_teacher_that_can_be_asked_says_so_with_the_time_and_was_sent_no_text(
    empty: App, file: Path, visit: Visit, stub: TeacherStub
) -> None:
    at = visit("settings")
    assert "It sends no text and costs nothing." in prose(at)
    assert "Not tested yet." in prose(at)
    press(at, "test_teacher_0")
    assert "It can be asked." in prose(at)
    assert "Tested " in prose(at)
    assert not stub.seen
    fill_in(at, "teacher", teacher__in_flight="2")
    press(at, "save_teacher")
    assert "Settings were changed since the last test." in prose(at)


@pytest.mark.parametrize(
    ("url", "model", "key", "words"),
    [
        ("{url}", "big", "sk-wr0ng-0123456789", "refused the key"),
        ("{url}", "tiny", KEY, "does not offer the model tiny. It offers: big."),
        ("nobody", "big", KEY, "No server answers at"),
    ],
)
def test_what_is_wrong_with_a_connection_is_said(
    empty: App,
    file: Path,
    visit: Visit,
    stub: TeacherStub,
    monkeypatch: pytest.MonkeyPatch,
    nobody: str,
    url: str,
    model: str,
    key: str,
    words: str,
) -> None:
    monkeypatch.setenv("PLD_TEACHER_API_KEY", key)
    address = nobody if url == "nobody" else url.format(url=stub.url)
    file.write_text(f'[teacher]\nextraction = "openai:{model}"\nbase_url = "{address}"\n', encoding="utf-8")
    at = visit("settings")
    press(at, "test_teacher_0")
    (warning,) = raw(at, "warning")
    assert words in prose(at), warning
    assert key not in prose(at)


def test_a_student_whose_model_is_missing_lists_what_the_server_has(
    empty: App, visit: Visit, ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_OLLAMA_MODEL", "other:1b")
    at = visit("settings")
    press(at, "test_student_0")
    assert "The model other:1b is not on the Ollama server. It has: fake:latest." in prose(at)
    assert "ollama pull other:1b" in raw(at, "code")
