"""Jobs on a page: while one goes on it is drawn by itself again and again; once all have ended it is no longer."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import local_script_runner
from streamlit.testing.v1.element_tree import ElementTree, parse_tree_from_messages

from pld_app.wiring import App
from tests.cli.fake_ollama import FakeOllama
from tests.pages.driving import Visit, Worker, metrics, press, run


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[ForwardMsg]:
    """What the newest run of a page sent to the browser."""
    found: list[ForwardMsg] = []

    def note(messages: list[ForwardMsg]) -> ElementTree:
        found[:] = messages
        return parse_tree_from_messages(messages)

    monkeypatch.setattr(local_script_runner, "parse_tree_from_messages", note)
    return found


def pauses(sent: list[ForwardMsg]) -> dict[str, float]:
    """Return the parts that the browser asks for again and again, each with the seconds between."""
    return {m.auto_rerun.fragment_id: m.auto_rerun.interval for m in sent if m.WhichOneof("type") == "auto_rerun"}


def parts(sent: list[ForwardMsg]) -> set[str]:
    """Return the parts of the page that can be drawn by themselves."""
    return {m.delta.fragment_id for m in sent if m.WhichOneof("type") == "delta" and m.delta.fragment_id}


def test_what_has_ended_is_drawn_with_its_page_alone(
    compiled: App, visit: Visit, ollama: FakeOllama, worker: Worker, sent: list[ForwardMsg]
) -> None:
    at = press(visit("evaluate"), "start_run")
    assert list(pauses(sent).values()) == [1.0]
    assert set(pauses(sent)) == parts(sent)
    worker()
    run(at)
    assert metrics(at)["Answered"] == "33 of 33"
    # A browser that asks once more for the part that is gone gets no answer, which could cost it the rest of the page.
    assert (pauses(sent), parts(sent)) == ({}, set())
