"""Words on overlapping pairs in the store: each is kept once with its event, and holds for the two revisions judged."""

from __future__ import annotations

import pytest

from pld_core.conflicts.pairs import PairJudgement, PairVerdict
from pld_core.errors import MissingRole, NotFound
from pld_core.models import Verdict
from storage import SqliteStore
from tests.core.conflict_parts import rule_text
from tests.factories import ANNA, BERT, READER, verdict_on
from tests.overlapping import RulePair, close_rules

TWO = ("insult is said", "praise is said")


@pytest.fixture
def pairs(sqlite_store: SqliteStore) -> tuple[RulePair, ...]:
    """Two pairs of rules that overlap: R1 and R2, R3 and R4."""
    return close_rules(sqlite_store, TWO)


def word_on(
    store: SqliteStore, rules: RulePair, verdict: PairVerdict = PairVerdict.CONTRADICTION, request: str = "sha256:r"
) -> PairJudgement:
    """Return a word on two rules as they stand now."""
    low, high = (store.rules.summary(rule_id).head for rule_id in rules)
    (shown, *_) = store.tasks.examples("posts")
    return PairJudgement(low, high, rules, verdict, "Both fit.", (shown.hash,), "teacher", request)


def edit(store: SqliteStore, rule_id: str, condition: str) -> None:
    seen = store.rules.summary(rule_id)
    store.rules.edit(rule_id, seen.head, seen.state, rule_text(condition), "wider", ANNA)


def judged_events(store: SqliteStore) -> list[str]:
    return [event.kind for event in store.events.page() if event.kind == "pair.judged"]


def test_a_word_is_kept_with_an_event_that_holds_all_of_it(
    sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]
) -> None:
    word = word_on(sqlite_store, pairs[0])
    sqlite_store.pairs.keep(word, BERT)
    assert sqlite_store.pairs.judged("posts") == (word,)
    event = sqlite_store.events.page()[0]
    assert (event.kind, event.actor, event.subject) == ("pair.judged", BERT.name, "posts")
    assert event.payload == {
        "low": "R1",
        "high": "R2",
        "revisions": [word.low, word.high],
        "verdict": "contradiction",
        "reason": "Both fit.",
        "examples": list(word.examples),
        "teacher": "teacher",
        "request_hash": "sha256:r",
    }


def test_the_same_word_kept_twice_stands_once(sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]) -> None:
    for actor in (ANNA, BERT):
        sqlite_store.pairs.keep(word_on(sqlite_store, pairs[0]), actor)
    assert len(sqlite_store.pairs.judged("posts")) == len(judged_events(sqlite_store)) == 1


def test_of_two_words_on_a_pair_the_newer_counts(sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]) -> None:
    sqlite_store.pairs.keep(word_on(sqlite_store, pairs[0]), ANNA)
    later = word_on(sqlite_store, pairs[0], PairVerdict.DUPLICATE, "sha256:later")
    sqlite_store.pairs.keep(later, ANNA)
    assert sqlite_store.pairs.judged("posts") == (later,)
    assert len(judged_events(sqlite_store)) == 2


def test_a_word_is_out_of_date_once_either_rule_has_a_new_revision(
    sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]
) -> None:
    words = [word_on(sqlite_store, rules) for rules in pairs]
    for word in words:
        sqlite_store.pairs.keep(word, ANNA)
    edit(sqlite_store, pairs[0][1], "insult or slur is said")
    assert sqlite_store.pairs.judged("posts") == (words[1],)
    assert sqlite_store.pairs.judged_earlier("posts") == {pairs[0]}


def test_a_pair_of_which_one_rule_is_rejected_is_none_any_more(
    sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]
) -> None:
    sqlite_store.pairs.keep(word_on(sqlite_store, pairs[0]), ANNA)
    sqlite_store.rules.judge(verdict_on(sqlite_store, pairs[0][0], Verdict.REJECT), ANNA)
    assert sqlite_store.pairs.judged("posts") == ()
    assert {rule.id for rule in sqlite_store.pairs.overlapping("posts")} == set(pairs[1])


def test_rules_that_overlap_come_with_what_they_rest_on(sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]) -> None:
    found = sqlite_store.pairs.overlapping("posts")
    assert [rule.id for rule in found] == [rule_id for pair in pairs for rule_id in pair]
    assert all(rule.supports and rule.revision.rule_id == rule.id for rule in found)


def test_who_only_reads_keeps_no_word(sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]) -> None:
    before = sqlite_store.events.count()
    with pytest.raises(MissingRole, match="let a teacher judge overlapping rules"):
        sqlite_store.pairs.keep(word_on(sqlite_store, pairs[0]), READER)
    assert (sqlite_store.pairs.judged("posts"), sqlite_store.events.count()) == ((), before)


def test_a_word_on_a_revision_that_is_not_there_is_refused(
    sqlite_store: SqliteStore, pairs: tuple[RulePair, ...]
) -> None:
    word = word_on(sqlite_store, pairs[0])
    strange = PairJudgement("sha256:0", word.high, word.rules, word.verdict, word.reason, (), "teacher", "sha256:r")
    with pytest.raises(NotFound):
        sqlite_store.pairs.keep(strange, ANNA)
    assert (sqlite_store.pairs.judged("posts"), judged_events(sqlite_store)) == ((), [])
    with pytest.raises(NotFound):
        sqlite_store.pairs.judged("nothing")
