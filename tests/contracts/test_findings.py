"""Findings in the store: marking changes no rule; settling has the consequences of a tick, in one transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pld_core.errors import IllegalTransition, InvalidInput, MissingReason, MissingRole, NotFound, RevisionMovedOn
from pld_core.finding import AnswerPlace, Finding, Mark, Marking, Settlement
from pld_core.models import (
    Actor,
    Answer,
    AnswerStatus,
    EvidenceRole,
    Example,
    Prediction,
    RevisionState,
    Role,
    RuleDossier,
    Run,
    Split,
    Verdict,
)
from pld_core.records import ExampleFilter
from storage import SqliteStore
from tests.factories import (
    ANNA,
    BERT,
    READER,
    approved_rule,
    fill,
    make_example,
    make_examples,
    make_rule,
    rule_in_review,
    verdict_on,
)
from tests.releasing import compiled

KEEP = Answer("keep", '{"label":"keep"}', AnswerStatus.OK, 120)
CUT = Answer(None, "{", AnswerStatus.CUT, 90, problem="The answer was cut before it ended.")
AUDITOR = Actor("audrey", frozenset({Role.AUDITOR}))


@pytest.fixture
def store(sqlite_store: SqliteStore) -> SqliteStore:
    """R1 approved and in prompt version 1; six training, two validation examples."""
    fill(sqlite_store, examples=(*make_examples(6), *make_examples(2, Split.VALIDATION)))
    approved_rule(sqlite_store)
    compiled(sqlite_store)
    return sqlite_store


def asked(store: SqliteStore, text: str = "a post nobody has seen", answer: Answer = KEEP) -> AnswerPlace:
    prompt = store.prompts.get("posts", 1).prompt
    sent = {"fields": [["post", text]], "user": f"POST:\n{text}", "digest": "sha256:w"}
    return AnswerPlace(live_test=store.runs.record_live_test("posts", prompt.sha256, "told", sent, answer, ANNA))


def marked(store: SqliteStore, place: AnswerPlace | None = None, rules: tuple[str, ...] = ("R1",)) -> Finding:
    where = asked(store) if place is None else place
    return store.findings.mark(Marking("posts", where, Mark.WRONG, "remove", "It is a threat.", rules), ANNA)


def state_of_everything(store: SqliteStore) -> list[RuleDossier]:
    return [store.rules.dossier(row.id, ANNA) for row in store.rules.queue("posts")]


def taken(store: SqliteStore, finding: Finding, role: EvidenceRole = EvidenceRole.CONTRADICTS) -> Finding:
    head = store.rules.summary("R1").head
    return store.findings.settle(Settlement(finding.id, "R1", head, role, ""), BERT)


# --- marking ----------------------------------------------------------------------------------------------------------


def test_a_mark_is_kept_beside_what_was_asked_and_answered(store: SqliteStore) -> None:
    finding = marked(store)
    assert finding.fields == (("post", "a post nobody has seen"),)
    assert (finding.answer, finding.student, finding.digest, finding.prompt_number) == (KEEP, "told", "sha256:w", 1)
    assert (finding.by, finding.waits_at, finding.is_open) == ("anna", ("R1",), True)
    assert store.findings.get(finding.id) == finding
    assert store.findings.all("posts") == store.findings.of_rule("r1") == (finding,)
    assert store.findings.count_open("posts") == 1
    event = next(event for event in store.events.page() if event.kind == "finding.marked")
    assert (event.payload["mark"], event.payload["said"], event.payload["reason"]) == (
        "wrong",
        "keep",
        "It is a threat.",
    )


@pytest.mark.parametrize("rules", [(), ("R1",)])
@pytest.mark.parametrize("answer", [KEEP, CUT])
def test_marking_changes_no_rule_no_evidence_and_no_example(
    store: SqliteStore, rules: tuple[str, ...], answer: Answer
) -> None:
    rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="origin-2"))
    before, examples = state_of_everything(store), store.tasks.examples("posts")
    marked(store, asked(store, answer=answer), rules)
    assert state_of_everything(store) == before
    assert store.tasks.examples("posts") == examples


def test_a_right_answer_waits_for_nobody(store: SqliteStore) -> None:
    right = store.findings.mark(Marking("posts", asked(store), Mark.RIGHT, "keep"), ANNA)
    assert (right.is_open, right.waits_at) == (False, ())


def test_the_newest_mark_of_a_person_counts(store: SqliteStore) -> None:
    place = asked(store)
    first = marked(store, place)
    other = store.findings.mark(Marking("posts", place, Mark.WRONG, "remove", "I think so too."), BERT)
    store.findings.mark(Marking("posts", place, Mark.RIGHT, "keep"), ANNA)
    assert store.findings.get(first.id).replaced
    assert not store.findings.get(other.id).replaced
    assert store.findings.of_rule("R1") == ()


def test_an_answer_of_a_run_is_marked_by_its_example(store: SqliteStore) -> None:
    run, example = answered_run(store, Split.TRAIN)
    place = AnswerPlace(run=run, example_hash=example.hash)
    finding = store.findings.mark(Marking("posts", place, Mark.WRONG, "remove", "No.", ("R1",)), ANNA)
    assert finding.fields == example.fields


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "maybe"}, "is not one of keep, remove"),
        ({"label": "keep"}, "keep is what the student said"),
        ({"mark": Mark.RIGHT}, "did not say remove"),
        ({"note": "x" * 2_001}, "at most 2,000 are kept"),
        ({"rules": ("R9",)}, "There is no rule 'R9'"),
        ({"place": AnswerPlace(live_test=99)}, "There is no live test 99"),
        ({"place": AnswerPlace(run=9, example_hash="sha256:x")}, "Run 9 has no answer"),
    ],
)
def test_what_cannot_be_is_refused_in_words(store: SqliteStore, change: dict[str, object], words: str) -> None:
    wanted = replace(Marking("posts", asked(store), Mark.WRONG, "remove", "No."), **change)  # type: ignore[arg-type]
    with pytest.raises((InvalidInput, NotFound), match=words):
        store.findings.mark(wanted, ANNA)
    assert store.findings.all("posts") == ()


def test_a_wrong_answer_needs_a_note(store: SqliteStore) -> None:
    with pytest.raises(MissingReason):
        store.findings.mark(Marking("posts", asked(store), Mark.WRONG, "remove", "  "), ANNA)


def test_an_analyst_marks_and_does_not_settle(store: SqliteStore) -> None:
    finding = store.findings.mark(Marking("posts", asked(store), Mark.WRONG, "remove", "No.", ("R1",)), READER)
    with pytest.raises(MissingRole):
        store.findings.settle(Settlement(finding.id, "R1", reason="x"), READER)
    with pytest.raises(MissingRole):
        store.findings.mark(Marking("posts", asked(store), Mark.RIGHT, "keep"), AUDITOR)


# --- settling ---------------------------------------------------------------------------------------------------------


def answered_run(store: SqliteStore, split: Split) -> tuple[int, Example]:
    example = store.tasks.examples("posts", ExampleFilter(split=split))[0]
    sha256 = store.prompts.get("posts", 1).prompt.sha256
    run = store.runs.start(Run(0, "posts", 1, sha256, "told", "sha256:w", split, "", "", 1, None), ANNA)
    answer = Answer("keep" if example.label == "remove" else "remove", "", AnswerStatus.OK, 1)
    said = KEEP if split is Split.TRAIN else answer
    store.runs.add_predictions(run.id, [Prediction(example.hash, example.label, said)])
    return run.id, example


def test_taking_it_makes_a_training_example_and_sends_the_approved_rule_back(store: SqliteStore) -> None:
    done = taken(store, marked(store))
    dossier = store.rules.dossier("R1", ANNA)
    assert (dossier.summary.state, dossier.summary.in_force) == (RevisionState.STALE, "")
    (link,) = [e for e in dossier.evidence if e.role is EvidenceRole.CONTRADICTS]
    example = dossier.examples[link.example_hash]
    assert (example.label, example.split, example.source) == ("remove", Split.TRAIN, "finding 1")
    assert (link.ticked_by, link.note) == ("bert", "It is a threat.")
    assert dossier.summary.contradictions == 1
    assert [(o.rule_id, o.role, o.by) for o in done.outcomes] == [("R1", EvidenceRole.CONTRADICTS, "bert")]
    assert not done.is_open
    assert store.events.verify().intact


def test_it_can_be_taken_once_only(store: SqliteStore) -> None:
    finding = marked(store)
    taken(store, finding)
    with pytest.raises(InvalidInput, match="waits for nothing any more"):
        taken(store, finding)


def test_dismissing_needs_a_reason_and_changes_nothing_else(store: SqliteStore) -> None:
    finding, before = marked(store), state_of_everything(store)
    with pytest.raises(MissingReason):
        store.findings.settle(Settlement(finding.id, "R1"), BERT)
    done = store.findings.settle(Settlement(finding.id, "R1", reason="It is no post."), BERT)
    assert [(o.role, o.reason) for o in done.outcomes] == [(None, "It is no post.")]
    assert state_of_everything(store) == before


def test_one_about_no_rule_is_given_one_or_dismissed(store: SqliteStore) -> None:
    first, second = marked(store, rules=()), marked(store, rules=())
    assert first.is_open
    with pytest.raises(InvalidInput, match="does not wait at R1"):
        taken(store, first)
    assert store.findings.attach(first.id, "R1", BERT).waits_at == ("R1",)
    taken(store, first)
    assert not store.findings.settle(Settlement(second.id, "", reason="Noise."), BERT).is_open
    assert store.findings.count_open("posts") == sum(one.is_open for one in store.findings.all("posts")) == 0


def test_a_text_of_the_validation_split_never_becomes_evidence(store: SqliteStore) -> None:
    run, example = answered_run(store, Split.VALIDATION)
    place = AnswerPlace(run=run, example_hash=example.hash)
    label = example.label
    finding = store.findings.mark(Marking("posts", place, Mark.WRONG, label, "No.", ("R1",)), ANNA)
    before = state_of_everything(store)
    with pytest.raises(InvalidInput, match="example of the validation split"):
        taken(store, finding)
    typed = marked(store, asked(store, example.text))
    with pytest.raises(InvalidInput, match="example of the validation split"):
        taken(store, typed)
    assert state_of_everything(store) == before


def test_a_training_text_is_used_as_it_is_and_another_label_is_refused(store: SqliteStore) -> None:
    remove = next(e for e in store.tasks.examples("posts") if e.label == "remove" and e.split is Split.TRAIN)
    keep = next(e for e in store.tasks.examples("posts") if e.label == "keep" and e.split is Split.TRAIN)
    count = store.tasks.count_examples("posts")
    taken(store, marked(store, asked(store, remove.text)), EvidenceRole.NEAR_MISS)
    assert store.tasks.count_examples("posts") == count
    with pytest.raises(InvalidInput, match="training example with the label keep, not remove"):
        taken(store, marked(store, asked(store, keep.text)))


def test_a_revision_that_moved_on_is_noticed(store: SqliteStore) -> None:
    finding, seen = marked(store), store.rules.dossier("R1", ANNA)
    store.rules.edit("R1", seen.head.hash, seen.summary.state, replace(seen.head.text, title="Other"), "better", BERT)
    with pytest.raises(RevisionMovedOn):
        store.findings.settle(Settlement(finding.id, "R1", seen.head.hash, EvidenceRole.CONTRADICTS), BERT)
    assert store.findings.get(finding.id).is_open


def test_a_rejected_rule_takes_no_evidence(store: SqliteStore) -> None:
    rule = rule_in_review(store, make_rule(supports=store.tasks.examples("posts")[2:4], origin="origin-2"))
    finding = marked(store, rules=(rule,))
    store.rules.judge(verdict_on(store, rule, Verdict.REJECT), ANNA)
    head = store.rules.summary(rule).head
    with pytest.raises(IllegalTransition):
        store.findings.settle(Settlement(finding.id, rule, head, EvidenceRole.CONTRADICTS), BERT)
    assert store.tasks.count_examples("posts", ExampleFilter(search="nobody has seen")) == 0


def test_two_findings_on_one_text_rest_on_one_example(store: SqliteStore) -> None:
    one, two = marked(store), marked(store)
    taken(store, one)
    done = taken(store, two)
    assert done.outcomes[0].example_hash == store.findings.get(one.id).outcomes[0].example_hash
    assert make_example("a post nobody has seen", "remove").hash == done.outcomes[0].example_hash
