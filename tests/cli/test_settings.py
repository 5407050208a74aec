"""`pld settings`: what is set and where it comes from, and changing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Pld, content_of

PASTED = "sk-proj-0123456789abcdefghij"


def test_show_says_value_and_source_of_each_and_of_keys_only_whether_they_are_set(
    pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_TEACHER", "ollama:big")
    monkeypatch.setenv("PLD_TEACHER_API_KEY", PASTED)
    shown = pld("settings", "show", "--workspace", space).out
    assert "  user = anna  (file)" in shown
    assert "  num_ctx = not set  (default)" in shown
    assert "  teacher.extraction = ollama:big  (set by PLD_TEACHER)" in shown
    assert "  PLD_TEACHER_API_KEY: set" in shown
    assert "  PLD_OPENAI_API_KEY: not set" in shown
    value = pld("settings", "show", "--workspace", space, "--json").value
    assert value["settings"]["user"] == {"value": "anna", "source": "file", "variable": "PLD_USER"}
    assert value["keys"] == {"PLD_OPENAI_API_KEY": False, "PLD_TEACHER_API_KEY": True, "PLD_EMBEDDER_API_KEY": False}
    assert PASTED not in shown + str(value)


def test_set_and_unset_change_the_file_and_what_other_commands_see(pld: Pld, space: Path) -> None:
    done = pld("settings", "set", "teacher.in_flight", "16", "--workspace", space)
    assert done.out == "teacher.in_flight is 16.\n"
    price = pld("settings", "set", "teacher.prices.gpt-4.1", "0.40", "1.6", "--workspace", space, "--json").value
    expected = {"input": "0.40", "output": "1.6", "batch_discount": "0.5"}
    assert price == {"name": "teacher.prices.gpt-4.1", "value": expected, "changed": True}
    assert (space / "settings.toml").read_text().startswith('user = "anna"\n')
    assert pld("settings", "show", "--workspace", space, "--json").value["prices"] == {"gpt-4.1": expected}
    again = pld("settings", "set", "teacher.in_flight", "16", "--workspace", space)
    assert again.out == "teacher.in_flight is 16 already; nothing was changed.\n"
    assert pld("settings", "unset", "teacher.in_flight", "--workspace", space).out == "teacher.in_flight is 8.\n"
    assert pld("settings", "unset", "teacher.prices.gpt-4.1", "--workspace", space).code == 0
    assert (space / "settings.toml").read_text().split() == ["user", "=", '"anna"', "[teacher]"]
    assert pld("audit", "verify", "--workspace", space).code == 0


def test_a_price_keeps_what_was_left_out(pld: Pld, space: Path) -> None:
    def price(*amounts: str) -> str:
        return pld("settings", "set", "teacher.prices.big", *amounts, "--workspace", space).out

    assert price("0.40") == "teacher.prices.big is 0.40 in, 0 out, batch discount 0.5.\n"
    assert price("0.40", "1.60", "0.3") == "teacher.prices.big is 0.40 in, 1.60 out, batch discount 0.3.\n"
    assert price("0.50") == "teacher.prices.big is 0.50 in, 1.60 out, batch discount 0.3.\n"
    assert price("0.50", "1.60", "") == "teacher.prices.big is 0.50 in, 1.60 out, batch discount 0.5.\n"
    assert "batch_discount" not in (space / "settings.toml").read_text()
    assert pld("settings", "set", "teacher.prices.big", "1", "1", "1", "1", "--workspace", space).code == 2


def test_what_is_read_at_the_start_says_so(pld: Pld, space: Path) -> None:
    assert "started again" in pld("settings", "set", "port", "9000", "--workspace", space).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("teacher.in_flight", "0"), "Calls at a time: It has to be at least 1."),
        (("teacher.max_cost", "2,5"), "It has to be a number with a dot"),
        (("teacher.prices.big", "1", "1", "50"), "A batch discount is a share from 0 to 1"),
        (("teacher.prices.big", "", "1"), "It needs an amount for a million tokens of input"),
        (("prot", "1"), "no setting 'prot'"),
        (("teacher.extraction", PASTED), "Keys belong in the environment only"),
        (("teacher.api_key", PASTED), "Keys belong in the environment only"),
        (("ollama_host", "http://anna:geheim@host"), "looks like a password"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    pld: Pld, space: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = content_of(space)
    refused = pld("settings", "set", *arguments, "--workspace", space).refusal
    assert words in refused
    assert PASTED not in refused
    assert content_of(space)["settings.toml"] == before["settings.toml"]


def test_a_setting_of_the_environment_is_refused_with_its_variable(
    pld: Pld, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLD_NUM_CTX", "4096")
    refused = pld("settings", "set", "num_ctx", "8192", "--workspace", space).refusal
    assert "num_ctx is set by PLD_NUM_CTX in the environment" in refused


def test_two_values_for_one_setting_are_wrong_usage(pld: Pld, space: Path) -> None:
    assert pld("settings", "set", "user", "Ada", "Lovelace", "--workspace", space).code == 2


def test_without_a_workspace_nothing_is_made(pld: Pld, nowhere: Path) -> None:
    assert "There is no workspace" in pld("settings", "set", "num_ctx", "4096", "--workspace", nowhere).refusal
    assert not nowhere.exists()
