"""Prompt versions in the store: what makes two the same, their lengths, and those made before styles."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from pld_core.canonical import canonical_json, hash_json
from pld_core.compilation import Choices, compile_baseline, compile_prompt
from pld_core.event_words import sentence
from pld_core.models import Answer, AnswerStatus, CompiledPrompt, ListedPrompt, Prediction, Run, Split
from pld_core.prompt_manifest import CountMethod, PromptKind, RuleOrder, TokenCount
from pld_core.prompt_style import Style
from pld_core.token_count import estimated
from storage import SqliteStore
from tests.factories import ANNA, BERT, approved_rule, fill, make_rule, make_text

EMBEDDED = TokenCount(321, CountMethod.TOKENIZER, "embedded")
OLLAMA = TokenCount(333, CountMethod.PROBE, "ollama:gemma3:4b")


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    given = fill(sqlite_store)
    approved_rule(sqlite_store)
    approved_rule(sqlite_store, make_rule(make_text("it is warm"), given[:1], origin="o2"))
    return sqlite_store


def compiled(store: SqliteStore, choices: Choices | None = None) -> CompiledPrompt:
    return compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"), choices or Choices())


def kinds(store: SqliteStore) -> list[str]:
    return [event.kind for event in store.events.page() if event.kind.startswith("prompt.")]


CHOSEN = Choices(Style.CITED, order=RuleOrder(("R2",), "it reads better"), leave_out=("R1",), reason="no room")


def test_every_choice_comes_back_as_it_was(store: SqliteStore) -> None:
    prompt = compiled(store, CHOSEN)
    version = store.prompts.save(prompt, ANNA, EMBEDDED)
    assert (version.prompt, version.tokens) == (prompt, EMBEDDED)
    assert store.prompts.get("posts", 1) == version
    assert store.prompts.all("posts") == (version,)


def test_lists_tell_of_a_version_what_its_whole_prompt_tells(store: SqliteStore) -> None:
    made = [store.prompts.save(compiled(store, CHOSEN), ANNA), store.prompts.save(compiled(store), BERT)]
    bare = compile_baseline(store.tasks.get("posts"), (), Choices(Style.LETTER, PromptKind.NO_RULES))
    made.append(store.prompts.save(bare, ANNA))
    assert store.prompts.listed("posts") == tuple(
        ListedPrompt(
            version.number,
            version.prompt.build.kind,
            version.prompt.style,
            len(version.prompt.rules),
            len(version.prompt.text.encode()),
            version.prompt.sha256,
            version.created_at,
            version.created_by,
        )
        for version in reversed(made)
    )
    assert store.prompts.listed("nothing") == ()


def test_titles_and_revisions_of_a_prompt_are_read_at_once(store: SqliteStore) -> None:
    rules = compiled(store).rules
    ids = [rule.rule_id for rule in rules]
    assert list(store.rules.titles([*ids, "R99"])) == ids
    assert store.rules.titles(ids)["R1"] == store.rules.summary("R1").title
    found = store.rules.revisions([*(rule.revision_hash for rule in rules), "sha256:none"])
    assert {one.rule_id: revision_hash for revision_hash, one in found.items()} == {
        rule.rule_id: rule.revision_hash for rule in rules
    }


def test_the_event_holds_reason_and_signature(store: SqliteStore) -> None:
    store.prompts.save(compiled(store, CHOSEN), ANNA, EMBEDDED)
    (event,) = [e for e in store.events.page() if e.kind == "prompt.compiled"]
    assert event.payload["left_out"] == ["R1"]
    assert event.payload["signed_as"] == {"kind": "attestation"}
    assert sentence(event) == "anna compiled posts v1. Reason: it reads better; no room"


def test_another_style_order_or_choice_is_another_version_even_of_the_same_text(store: SqliteStore) -> None:
    by_rank = store.prompts.save(compiled(store), ANNA)
    same_order = tuple(rule.rule_id for rule in by_rank.prompt.rules)
    manual = store.prompts.save(compiled(store, Choices(order=RuleOrder(same_order, "as it is"))), ANNA)
    assert (manual.number, manual.prompt.sha256) == (2, by_rank.prompt.sha256)
    assert store.prompts.save(compiled(store, Choices(Style.LETTER)), ANNA).number == 3


def test_a_count_makes_no_other_version_and_the_newest_is_told(store: SqliteStore) -> None:
    assert store.prompts.save(compiled(store), ANNA).tokens is None
    assert store.prompts.save(compiled(store), BERT, EMBEDDED).tokens == EMBEDDED
    again = store.prompts.save(compiled(store), BERT, OLLAMA)
    assert (again.number, again.tokens, again.created_by) == (1, OLLAMA, "anna")
    before = store.events.count()
    assert store.prompts.save(compiled(store), BERT, OLLAMA) == again
    assert store.prompts.save(compiled(store), BERT) == again
    assert store.prompts.save(compiled(store), BERT, estimated("four")) == again, "an estimate replaces no count"
    assert store.events.count() == before
    assert kinds(store) == ["prompt.counted", "prompt.counted", "prompt.compiled"]
    assert "333 tokens" in sentence(store.events.page()[0])


def test_a_version_made_before_styles_reads_as_label_only_by_rank_with_the_hash_it_had(store: SqliteStore) -> None:
    prompt = compiled(store)
    later = ("format", "kind", "left_out", "letters", "order", "shots", "style")
    old = {name: value for name, value in prompt.manifest().items() if name not in later}
    with closing(sqlite3.connect(store.database.path)) as conn, conn:
        values = ("posts", 1, prompt.sha256, hash_json(old), prompt.text, canonical_json(old), "2025-01-01", "anna")
        conn.execute("INSERT INTO prompt_version VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    version = store.prompts.get("posts", 1)
    assert (version.prompt.style, version.prompt.build.order, version.tokens) == (Style.LABEL, RuleOrder(), None)
    assert json.loads(canonical_json(version.prompt.manifest())) == old
    assert version.prompt.manifest_hash == hash_json(old)
    (listed,) = store.prompts.listed("posts")
    assert (listed.kind, listed.style, listed.rules) == (PromptKind.RULES, Style.LABEL, 2)


def test_cited_rules_of_an_answer_come_back(store: SqliteStore) -> None:
    version = store.prompts.save(compiled(store, CHOSEN), ANNA)
    sha256 = version.prompt.sha256
    run = store.runs.start(Run(0, "posts", 1, sha256, "told", "", Split.TRAIN, "", "", 1, None), ANNA)
    answer = Answer("keep", "raw", AnswerStatus.OK, 1, cited=("R2", "unknown"))
    store.runs.add_predictions(run.id, [Prediction("sha256:x", "keep", answer)])
    assert store.runs.predictions(run.id)[0].answer == answer
