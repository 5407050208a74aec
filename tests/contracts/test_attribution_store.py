"""Attributions are stored once, for complete runs only, and every count of them is what the rows themselves say."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import combinations

import pytest

from pld_core.attribution import UNCOVERED, Attribution, Claim, Method
from pld_core.compilation import compile_prompt
from pld_core.errors import InvalidInput, MissingRole, NotFound, WorkspaceError
from pld_core.models import CompiledPrompt, EvidenceRole, Run, Split, evidence_set_hash
from pld_core.run_setup import RunSetup
from storage import SqliteStore as Store
from tests.answering import answer_of, answered_run
from tests.factories import ANNA, READER, approved_rule, fill, make_examples, make_rule, make_text

EXAMPLES = make_examples(8, Split.VALIDATION)
"""Labels take turns: keep, remove, keep, remove, ..."""


def prompt_of(store: Store) -> CompiledPrompt:
    """Fill the store and return a prompt of two approved rules."""
    fill(store, examples=[*make_examples(6), *EXAMPLES])
    train = store.tasks.examples("posts")[:6]
    approved_rule(store, make_rule(make_text(), train[:2]))
    approved_rule(store, make_rule(make_text("the post is rude", "remove"), train[2:4], train[4:5], origin="other"))
    return compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts"))


def run_of(store: Store, finished: bool = True) -> Run:
    """Two of the answers are wrong: the first says remove instead of keep, the second nothing usable."""
    wrong = {EXAMPLES[0].hash: answer_of("remove"), EXAMPLES[1].hash: answer_of(None)}
    return answered_run(store, prompt_of(store), EXAMPLES, wrong, finished=finished)


def claims(*owners: str, also: tuple[Claim, ...] = ()) -> Attribution:
    """Give each of the examples an owner, in their order."""
    own = (Claim(e.hash, rule, True, closeness=0.5) for e, rule in zip(EXAMPLES, owners, strict=True))
    return Attribution(Method.EVIDENCE, "circle", "sha256:b", ("R1", "R2"), (*own, *also))


FOUND = claims(
    *("R1", "R2", "R1", "R2", "R1", UNCOVERED, UNCOVERED),
    "R2",
    also=(
        Claim(EXAMPLES[0].hash, "R2", False),
        Claim(EXAMPLES[2].hash, "R2", False),
        Claim(EXAMPLES[1].hash, "R1", False),
    ),
)


def rows_of(store: Store, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(store.database.path)) as conn:
        return conn.execute(sql).fetchall()


# --- runs that drew lots ----------------------------------------------------------------------------------------------


def test_a_run_that_drew_lots_is_put_down_to_no_rule_and_counts_in_no_figure(sqlite_store: Store) -> None:
    """Earlier versions attributed such runs, too: what they left behind is not read."""
    prompt = prompt_of(sqlite_store)
    plain = answered_run(sqlite_store, prompt, EXAMPLES, {})
    sqlite_store.attributions.record(plain.id, FOUND, ANNA)
    trial = answered_run(sqlite_store, prompt, EXAMPLES, {}, setup=RunSetup(temperature=0.7, seed=3))
    with pytest.raises(InvalidInput, match=r"drew lots \(temperature 0.7, seed 3\)"):
        sqlite_store.attributions.record(trial.id, FOUND, ANNA)
    with closing(sqlite3.connect(sqlite_store.database.path)) as conn, conn:
        made = "method, embedder, basis, by, at FROM attribution_made"
        counted = "method, rule_id, covered, wrong, own_sources, own_wrong, claims FROM rule_figure"
        conn.execute(f"INSERT INTO attribution_made SELECT ?, {made}", (trial.id,))
        conn.execute(f"INSERT INTO rule_figure SELECT ?, {counted}", (trial.id,))
    with pytest.raises(InvalidInput, match="drew lots"):
        sqlite_store.analytics.rule_bars(trial.id, Method.EVIDENCE)
    assert [point.run_id for point in sqlite_store.analytics.trend("R1", plain.id, Method.EVIDENCE)] == [plain.id]
    assert [one.run.id for one in sqlite_store.analytics.complete("posts")] == [plain.id]


# --- what it rests on -------------------------------------------------------------------------------------------------


def test_the_sources_of_a_rule_are_the_examples_that_support_it_as_they_are_now(sqlite_store: Store) -> None:
    prompt = prompt_of(sqlite_store)
    found = sqlite_store.attributions.sources(prompt.rules)
    assert [rule.rule_id for rule in found] == [rule.rule_id for rule in prompt.rules]
    for rule in found:
        evidence = sqlite_store.rules.dossier(rule.rule_id, ANNA).evidence
        supporting = {e.example_hash for e in evidence if e.role is EvidenceRole.SUPPORTS}
        assert (set(rule.examples), rule.evidence_hash) == (supporting, evidence_set_hash(evidence))
    assert sqlite_store.attributions.sources(()) == ()


def test_the_texts_of_examples_are_found_by_hash(sqlite_store: Store) -> None:
    fill(sqlite_store, examples=EXAMPLES)
    wanted = [EXAMPLES[3].hash, "sha256:none"]
    assert sqlite_store.attributions.texts("posts", wanted) == {EXAMPLES[3].hash: EXAMPLES[3].text}
    assert sqlite_store.attributions.texts("other", wanted) == {}


# --- storing ----------------------------------------------------------------------------------------------------------


def test_an_attribution_is_kept_with_who_and_when_and_told_in_the_event_log(sqlite_store: Store) -> None:
    run = run_of(sqlite_store)
    made = sqlite_store.attributions.record(run.id, FOUND, ANNA)
    assert sqlite_store.attributions.made(run.id) == (made,)
    assert (made.method, made.embedder, made.basis, made.by) == (Method.EVIDENCE, "circle", "sha256:b", "anna")
    assert made.at
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.subject, event.actor) == ("run.attributed", f"posts run {run.id}", "anna")
    assert {
        "method": "evidence",
        "answers": 8,
        "uncovered": 2,
        "rules": 2,
        "sources": 0,
    }.items() <= event.payload.items()
    assert sqlite_store.events.verify().intact


def test_the_first_attribution_stays(sqlite_store: Store) -> None:
    run = run_of(sqlite_store)
    first = sqlite_store.attributions.record(run.id, FOUND, ANNA)
    before = sqlite_store.events.count()
    assert sqlite_store.attributions.record(run.id, claims(*["R1"] * 8), ANNA) == first
    assert sqlite_store.events.count() == before
    assert rows_of(sqlite_store, "SELECT count(*) FROM attribution") == [(len(FOUND.claims),)]


def test_a_run_that_is_not_complete_is_not_attributed(sqlite_store: Store) -> None:
    run = run_of(sqlite_store, finished=False)
    with pytest.raises(
        InvalidInput, match=rf"Run {run.id} is not complete.*pld evaluate --task posts --resume {run.id}"
    ):
        sqlite_store.attributions.record(run.id, FOUND, ANNA)
    assert sqlite_store.attributions.made(run.id) == ()


@pytest.mark.parametrize(
    "found",
    [
        claims(*["R1"] * 8, also=(Claim("sha256:x", "R1", True),)),
        claims(*["R1"] * 8, also=(Claim(EXAMPLES[0].hash, "R2", True),)),
    ],
)
def test_claims_on_something_else_than_the_answers_are_refused(sqlite_store: Store, found: Attribution) -> None:
    run = run_of(sqlite_store)
    with pytest.raises(InvalidInput, match="each answer has to have one owner"):
        sqlite_store.attributions.record(run.id, found, ANNA)
    assert rows_of(sqlite_store, "SELECT count(*) FROM attribution_made") == [(0,)]


def test_there_has_to_be_such_a_run(sqlite_store: Store) -> None:
    fill(sqlite_store)
    with pytest.raises(NotFound, match="no run 7"):
        sqlite_store.attributions.record(7, FOUND, ANNA)


def test_who_only_reads_records_nothing(sqlite_store: Store) -> None:
    run = run_of(sqlite_store)
    with pytest.raises(MissingRole, match="evaluate a prompt"):
        sqlite_store.attributions.record(run.id, FOUND, READER)


@pytest.mark.parametrize(
    "table",
    [
        "attribution_made",
        "attribution",
        "rule_figure",
        "rule_confusion",
        "label_figure",
        "claim_overlap",
        "answer_confusion",
    ],
)
def test_nothing_of_it_is_ever_changed(sqlite_store: Store, table: str) -> None:
    run = run_of(sqlite_store)
    sqlite_store.attributions.record(run.id, FOUND, ANNA)
    before = rows_of(sqlite_store, f"SELECT * FROM {table}")  # noqa: S608 - names from the list above
    assert before
    for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET run_id = 9"):  # noqa: S608 - as above
        with pytest.raises(WorkspaceError, match=f"{table} is append-only"), sqlite_store.database.write() as write:
            write.conn.execute(sql)
    assert rows_of(sqlite_store, f"SELECT * FROM {table}") == before  # noqa: S608 - as above


# --- counts -----------------------------------------------------------------------------------------------------------


def own_source(example: int, rule: str) -> Attribution:
    """Return `FOUND` with one example as a source of its owner."""
    changed = [
        Claim(c.example_hash, c.rule_id, c.is_owner, True, c.closeness)
        if (c.example_hash, c.rule_id) == (EXAMPLES[example].hash, rule)
        else c
        for c in FOUND.claims
    ]
    return Attribution(FOUND.method, FOUND.embedder, FOUND.basis, ("R1", "R2", "R3"), tuple(changed))


@pytest.mark.parametrize("found", [FOUND, own_source(0, "R1"), own_source(7, "R2")])
def test_every_count_is_what_the_answers_and_claims_say(sqlite_store: Store, found: Attribution) -> None:
    run = run_of(sqlite_store)
    sqlite_store.attributions.record(run.id, found, ANNA)
    answers = {p.example_hash: p for p in sqlite_store.runs.predictions(run.id)}

    def wrong(claim: Claim) -> bool:
        return answers[claim.example_hash].answer.label != answers[claim.example_hash].gold

    figures: dict[str, list[int]] = {rule: [0] * 5 for rule in ("", *found.rule_ids)}
    confusion: Counter[tuple[str, str, str]] = Counter()
    for claim in found.claims:
        figures[claim.rule_id][4] += 1
        if claim.is_owner:
            first = 2 if claim.is_source else 0
            figures[claim.rule_id][first] += 1
            figures[claim.rule_id][first + 1] += wrong(claim)
            if not claim.is_source:
                prediction = answers[claim.example_hash]
                confusion[claim.rule_id, prediction.gold, prediction.answer.label or ""] += 1
    labels: dict[str, list[int]] = {"keep": [0] * 5, "remove": [0] * 5}
    for claim in (c for c in found.claims if c.is_owner):
        counts = labels[answers[claim.example_hash].gold]
        kind = 4 if claim.is_source else 2 if claim.rule_id == UNCOVERED else 0
        counts[kind] += 1
        if not claim.is_source:
            counts[kind + 1] += wrong(claim)
    pairs: Counter[tuple[str, str]] = Counter()
    spoilt: Counter[tuple[str, str]] = Counter()
    for example in answers:
        for low, high in combinations(
            sorted((c for c in found.claims if c.example_hash == example), key=lambda c: c.rule_id), 2
        ):
            pairs[low.rule_id, high.rule_id] += 1
            spoilt[low.rule_id, high.rule_id] += wrong(low)

    columns = "rule_id, covered, wrong, own_sources, own_wrong, claims"
    assert rows_of(sqlite_store, f"SELECT {columns} FROM rule_figure ORDER BY 1") == [  # noqa: S608 - a literal
        (rule, *figures[rule]) for rule in sorted(figures)
    ]
    assert rows_of(sqlite_store, "SELECT rule_id, gold, said, n FROM rule_confusion ORDER BY 1, 2, 3") == [
        (*key, n) for key, n in sorted(confusion.items())
    ]
    columns = "label, covered, wrong, uncovered, uncovered_wrong, own_sources"
    assert rows_of(sqlite_store, f"SELECT {columns} FROM label_figure ORDER BY 1") == [  # noqa: S608 - a literal
        (label, *counts) for label, counts in sorted(labels.items())
    ]
    assert rows_of(sqlite_store, "SELECT low, high, n, wrong FROM claim_overlap ORDER BY 1, 2") == [
        (*key, n, spoilt[key]) for key, n in sorted(pairs.items())
    ]


def test_the_columns_of_an_answer_are_what_it_holds(sqlite_store: Store) -> None:
    run = run_of(sqlite_store)
    columns = "example_hash, said, status, latency_ms, prompt_tokens, output_tokens"
    assert sorted(rows_of(sqlite_store, f"SELECT {columns} FROM prediction")) == sorted(  # noqa: S608 - a literal
        (
            p.example_hash,
            p.answer.label,
            p.answer.status.value,
            p.answer.latency_ms,
            p.answer.prompt_tokens,
            p.answer.output_tokens,
        )
        for p in sqlite_store.runs.predictions(run.id)
    )


def test_a_rule_without_sources_takes_part_with_nothing(sqlite_store: Store) -> None:
    run = run_of(sqlite_store)
    found = Attribution(Method.CITED, "", "b", ("R1",), tuple(Claim(e.hash, UNCOVERED, True) for e in EXAMPLES))
    sqlite_store.attributions.record(run.id, found, ANNA)
    assert rows_of(sqlite_store, "SELECT rule_id, covered FROM rule_figure ORDER BY 1") == [("", 8), ("R1", 0)]
