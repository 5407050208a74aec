"""Prompt: what would be compiled, the exact text with its hash, and each numbered rule with its decision."""

from __future__ import annotations

import asyncio

import pytest
from streamlit.testing.v1 import AppTest

from pld_app import prompting, wiring
from pld_app.wiring import App
from pld_core.asking import Evaluation, answer_run, start_run
from pld_core.canonical import hash_text
from pld_core.compilation import Choices
from pld_core.model_ports import ChatReply
from pld_core.models import SYSTEM, RuleText, Split, Verdict
from pld_core.prompt_export import FORMATS
from pld_core.prompt_manifest import CountMethod, PromptKind
from pld_core.prompt_style import Style
from tests.cli.fake_ollama import FakeOllama
from tests.factories import ANNA, BERT, ToldChat, fill, make_examples, make_rule, no_report, rule_in_review, verdict_on
from tests.pages.driving import NASTY, Visit, links, press, prose, raw, run, takes_literally

TOLD = ToldChat(lambda _request: ChatReply('{"label": "Entailment"}', "told", "stop", 1))


def approve(app: App, *rules: str) -> None:
    for rule_id in rules:
        app.store.rules.judge(verdict_on(app.store, rule_id), BERT)


def prompt_text(at: AppTest) -> str:
    """Return the text of the version on screen."""
    _, text = raw(at, "code")
    return text


def rule_links(at: AppTest) -> list[str]:
    return [link for link in links(at) if link[:1].isdigit()]


def test_without_an_approved_rule_nothing_can_be_compiled(demo: App, visit: Visit) -> None:
    at = visit("prompt")
    assert "**0 of 13 rules approved**" in prose(at)
    assert "Approve a rule on the Review page first." in prose(at)
    assert links(at) == ["Go to Review"]
    assert at.button("compile").disabled
    assert raw(at, "info") == ["Nothing is compiled yet."]


def test_a_task_without_rules_has_nothing_to_compile(empty: App, visit: Visit) -> None:
    fill(empty.store)
    at = visit("prompt")
    assert "**0 of 0 rules approved**" in prose(at)
    assert at.button("compile").disabled


def test_compiling_shows_the_hash_the_text_and_the_numbered_rules(demo: App, visit: Visit) -> None:
    approve(demo, "R2", "R1")
    at = visit("prompt")
    assert "**2 of 13 rules approved**" in prose(at)
    press(at, "compile")
    (version,) = demo.store.prompts.all("nda")
    sha256, text = raw(at, "code")
    assert sha256 == version.prompt.sha256
    # The element cuts the last line break; the download has it.
    assert text + "\n" == version.prompt.text
    assert hash_text(text + "\n") == sha256
    assert version.created_by == "anna"
    expected = [
        f"{rule.number}. {rule.rule_id} {demo.store.rules.summary(rule.rule_id).title}" for rule in version.prompt.rules
    ]
    assert [link.split(".")[0] for link in expected] == ["1", "2"]
    assert rule_links(at) == expected
    for rule in version.prompt.rules:
        condition = demo.store.rules.dossier(rule.rule_id, SYSTEM).head.text.condition.rstrip(" .")
        assert f"{rule.number}. [{rule.rule_id}] IF {condition}, THEN " in text
        assert "approved by bert" in prose(at)
        assert f"(decision {rule.decision_id})" in prose(at)
    assert f"Version 1: 2 rules, {sha256.removeprefix('sha256:')[:12]}" in prose(at)
    assert [button.label for button in at.download_button] == ["Download"]


def test_only_approved_rules_are_compiled(demo: App, visit: Visit) -> None:
    approve(demo, "R1")
    demo.store.rules.judge(verdict_on(demo.store, "R2", Verdict.REJECT), ANNA)
    at = press(visit("prompt"), "compile")
    assert "[R1]" in prompt_text(at)
    for other in demo.store.rules.queue("nda"):
        assert other.id == "R1" or f"[{other.id}]" not in prompt_text(at)


def test_the_same_rules_compile_to_the_version_that_is_there(compiled: App, visit: Visit) -> None:
    press(visit("prompt"), "compile")
    assert [version.number for version in compiled.store.prompts.all("nda")] == [1]


def test_an_older_version_can_be_read_as_it_was(compiled: App, visit: Visit) -> None:
    approve(compiled, "R2")
    at = press(visit("prompt"), "compile")
    box = at.selectbox("version_nda")
    assert (box.value, len(rule_links(at))) == (2, 2)
    assert [option.split(" · ")[:2] for option in box.options] == [["Version 2", "2 rules"], ["Version 1", "1 rule"]]
    box.select(1)
    run(at)
    assert prompt_text(at) == compiled.store.prompts.get("nda", 1).prompt.text.rstrip()
    assert len(rule_links(at)) == 1


def test_a_revision_that_was_replaced_since_is_marked(compiled: App, visit: Visit) -> None:
    dossier = compiled.store.rules.dossier("R1", SYSTEM)
    text = RuleText("Another", "it says so", dossier.head.text.labels)
    compiled.store.rules.edit("R1", dossier.head.hash, dossier.summary.state, text, "Sharper.", BERT)
    at = visit("prompt")
    assert "no longer in force" not in prose(at), "the approved revision stays in force while the edit is in review"
    approve(compiled, "R1")
    run(at)
    assert "This revision is no longer in force; a new version would not contain it." in prose(at)
    assert f"1. R1 {dossier.head.text.title}" in rule_links(at)
    press(at, "compile")
    assert rule_links(at) == ["1. R1 Another"]


def test_what_is_approved_at_the_press_is_compiled(demo: App, visit: Visit) -> None:
    approve(demo, "R1")
    at = visit("prompt")
    assert not at.button("compile").disabled
    approve(demo, "R3")
    press(at, "compile")
    assert "Version 1: 2 rules" in prose(at)


def test_the_text_of_a_rule_is_plain(empty: App, visit: Visit) -> None:
    examples = fill(empty.store, examples=make_examples(2))
    rule_in_review(empty.store, make_rule(RuleText(NASTY, NASTY, ("keep",)), supports=examples))
    approve(empty, "R1")
    wiring.compile_task(empty, "posts")
    at = visit("prompt")
    assert takes_literally(raw(at, "page_link"), NASTY)
    assert f"IF {NASTY}, THEN keep." in prompt_text(at)


def fill_in(at: AppTest, **values: str) -> AppTest:
    for name, value in values.items():
        at.text_input(f"compile_{name}_nda").set_value(value)
    return run(at)


def test_a_style_and_an_order_of_ones_own_are_compiled(demo: App, visit: Visit) -> None:
    approve(demo, "R1", "R2")
    at = visit("prompt")
    at.selectbox("compile_style_nda").select(Style.CITED)
    press(fill_in(at, order="r2 R1", reason="as agreed"), "compile")
    (version,) = demo.store.prompts.all("nda")
    assert (version.prompt.style, version.prompt.build.order.manual) == (Style.CITED, ("R2", "R1"))
    assert "Order of somebody's own: as agreed" in prose(at)
    assert [link[:5] for link in rule_links(at)] == ["1. R2", "2. R1"]


def test_the_student_counts_and_without_it_the_estimate_says_why(demo: App, visit: Visit) -> None:
    approve(demo, "R1")
    press(visit("prompt"), "compile")
    (version,) = demo.store.prompts.all("nda")
    assert version.tokens is not None
    assert version.tokens.method is CountMethod.ESTIMATE
    assert "ollama:fake could not count: No Ollama server answers" in version.tokens.note


def test_the_count_of_the_student_is_shown(demo: App, ollama: FakeOllama, visit: Visit) -> None:
    approve(demo, "R1")
    at = press(visit("prompt"), "compile")
    assert "123 tokens, counted by ollama:fake in a call of one token" in prose(at)


def test_over_the_limit_rules_are_proposed_and_a_person_decides(demo: App, visit: Visit) -> None:
    approve(demo, "R1", "R2", "R3")
    at = visit("prompt")
    at.selectbox("compile_student_nda").select("estimate")
    at.number_input("compile_budget_nda").set_value(700)
    press(run(at), "compile")
    assert demo.store.prompts.all("nda") == ()
    assert "over 700. Without R" in prose(at)
    press(at, "take_plan")
    chosen = at.multiselect("compile_leave_out_nda").value
    assert len(chosen) >= 1
    assert demo.store.prompts.all("nda") == (), "taking the proposal only fills the field"
    press(at, "compile")
    assert "Leaving out an approved rule needs a reason" in prose(at)
    press(fill_in(at, reason="No room."), "compile")
    (version,) = demo.store.prompts.all("nda")
    assert [one.rule_id for one in version.prompt.build.left_out] == sorted(chosen)
    assert f"Left out: {chosen[0]}." in prose(at)
    assert "No room." in prose(at)


@pytest.mark.parametrize("kind", [PromptKind.NO_RULES, PromptKind.FEW_SHOT])
def test_a_baseline_needs_no_approved_rule(demo: App, visit: Visit, kind: PromptKind) -> None:
    at = visit("prompt")
    at.selectbox("compile_kind_nda").select(kind)
    press(run(at), "compile")
    (version,) = demo.store.prompts.all("nda")
    assert version.prompt.build.kind is kind
    assert "A baseline holds no rule" in prose(at)
    assert prose(at).count("Training example") == (5 if kind is PromptKind.FEW_SHOT else 0)


def test_two_versions_are_compared_word_for_word(compiled: App, visit: Visit) -> None:
    dossier = compiled.store.rules.dossier("R1", SYSTEM)
    text = RuleText(dossier.head.text.title, f"{NASTY} it says so", dossier.head.text.labels)
    compiled.store.rules.edit("R1", dossier.head.hash, dossier.summary.state, text, "Sharper.", BERT)
    approve(compiled, "R1", "R2")
    wiring.compile_task(compiled, "nda")
    at = visit("prompt")
    assert [at.selectbox(f"compare_{end}_nda").value for end in ("from", "to")] == [1, 2]
    assert takes_literally(raw(at, "markdown"), NASTY)
    assert "Neither version was evaluated yet." in prose(at)
    at.selectbox("compare_from_nda").select(2)
    run(at)
    assert "Both are the same." in prose(at)


def test_each_choice_of_versions_has_its_own_difference(compiled: App, visit: Visit) -> None:
    for words in ("it is sharper", "it is kinder"):
        dossier = compiled.store.rules.dossier("R1", SYSTEM)
        text = RuleText(dossier.head.text.title, words, dossier.head.text.labels)
        compiled.store.rules.edit("R1", dossier.head.hash, dossier.summary.state, text, "Other words.", BERT)
        approve(compiled, "R1")
        wiring.compile_task(compiled, "nda")
    at = visit("prompt")
    sharper, kinder = (True, False), (False, True)
    for before, after, told in ((1, 2, sharper), (2, 3, (True, True)), (1, 3, kinder), (1, 2, sharper)):
        at.selectbox("compare_from_nda").select(before)
        at.selectbox("compare_to_nda").select(after)
        words = " ".join(raw(run(at), "markdown"))
        assert ("sharper" in words, "kinder" in words) == told


def evaluate(app: App, number: int) -> None:
    run = asyncio.run(start_run(app.store, TOLD, Evaluation("nda", number, Split.VALIDATION), ANNA))
    asyncio.run(answer_run(app.store, TOLD, run, no_report))


def test_the_figures_of_two_versions_stand_side_by_side(compiled: App, visit: Visit) -> None:
    wiring.compile_task(compiled, "nda", Choices(kind=PromptKind.NO_RULES))
    evaluate(compiled, 1)
    at = visit("prompt")
    assert "Version 2 was not evaluated with these weights on validation." in prose(at)
    evaluate(compiled, 2)
    at = visit("prompt")
    (table,) = [t.value for t in at.dataframe if "Figure" in t.value.columns]
    assert list(table["Figure"][:2]) == ["Macro F1", "Right answers"]
    assert "95 % interval" in table["Difference"][0]
    assert "fixed 0, broken 0 of 33 examples" in prose(at)


def test_every_format_can_be_downloaded(compiled: App, visit: Visit) -> None:
    at = visit("prompt")
    for form in FORMATS:
        at.selectbox("export_format").select(form)
        run(at)
        assert len(at.download_button) == 1


@pytest.mark.parametrize("changed", [False, True])
def test_an_exported_file_is_verified(compiled: App, visit: Visit, changed: bool) -> None:
    content = prompting.export_version(compiled, "nda", 1, "json").content
    at = visit("prompt")
    given = content.replace(b"careful", b"careless") if changed else content
    at.file_uploader("verify_upload").set_value(("p.json", given, "application/json"))
    run(at)
    assert ("not as it was exported" in prose(at)) == changed
    assert ("in this workspace: version 1" in prose(at)) or changed
    at.file_uploader("verify_upload").set_value(("p.json", b"[]", "application/json"))
    assert "no exported prompt" in prose(run(at))
