"""Overlapping pairs on the Conflicts page: asked about once their cost is told, listed by verdict, with examples."""

from __future__ import annotations

import asyncio
from itertools import combinations

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import JobState, Role
from pld_core.overlaps import Overlap
from pld_core.synthesising import compare_rules
from storage import SqliteStore
from tests.core.conflict_parts import rule_text
from tests.factories import ANNA, FirstWordEmbedder, ToldChat
from tests.overlapping import close_rules, judge, judging, pair_reply
from tests.pages.driving import NASTY, Visit, press, press_at_once, prose, run, takes_literally
from tests.pages.test_sign_in import RITA, as_person
from tests.signing_in import signed_in, write_secrets

FIVE = tuple(f"{word} is said" for word in ("insult", "praise", "spam", "threat", "quote"))
VERDICTS = dict(
    zip(
        ("insult", "praise", "spam", "threat", "quote"),
        ("duplicate", "contradiction", "different_scope", "exception", "unclear"),
        strict=True,
    )
)
MEANING = "Both rules fit the same inputs and cannot both be right about them."


@pytest.fixture
def store(empty: App) -> SqliteStore:
    assert isinstance(empty.store, SqliteStore)
    return empty.store


def opened(at: AppTest, key: str) -> AppTest:
    """Open an expander that draws its content only then."""
    at.session_state[key] = True
    return run(at)


def raw_markdown(at: AppTest) -> str:
    return "\n".join(str(element.value) for element in at.markdown)


def shown_pairs(at: AppTest) -> list[str]:
    """Return the pairs on the page by the links to their rules, in their order."""
    labels = [str(link.proto.label) for link in at.get("page_link")]
    ids = [label.removeprefix("Open ") for label in labels if label.startswith("Open R")]
    return [f"{low} {high}" for low, high in zip(ids[::2], ids[1::2], strict=True)]


def test_pairs_are_listed_worst_first_and_by_the_verdict_that_somebody_chose(store: SqliteStore, visit: Visit) -> None:
    close_rules(store, FIVE)
    judge(store, judging(VERDICTS))
    at = visit("conflicts")
    assert shown_pairs(at) == ["R3 R4", "R7 R8", "R1 R2", "R9 R10", "R5 R6"]
    assert MEANING in prose(at)
    at.pills("pair_verdicts").set_value(["duplicate", "unclear"])
    assert shown_pairs(run(at)) == ["R1 R2", "R9 R10"]
    at.pills("pair_verdicts").set_value([])
    assert len(shown_pairs(run(at))) == 5


def test_of_one_verdict_alone_nothing_is_to_be_chosen(store: SqliteStore, visit: Visit) -> None:
    close_rules(store, FIVE[:2])
    at = opened(visit("conflicts"), "pairs_list_open")
    assert shown_pairs(at) == ["R1 R2", "R3 R4"]
    assert not at.pills
    assert "Not judged" in raw_markdown(at)


def test_the_examples_of_a_verdict_are_read_once_somebody_wants_them(store: SqliteStore, visit: Visit) -> None:
    close_rules(store, FIVE[:2])
    judge(store, judging(VERDICTS))
    at = visit("conflicts")
    assert "1 example that this rests on" in [expander.label for expander in at.expander]
    assert not [text for text in at.text if text.value.startswith("praise plain train")]
    opened(at, "pair_examples_R3_R4")
    assert len([text for text in at.text if text.value.startswith("praise plain train")]) == 1
    assert "gold label: remove" in raw_markdown(at)


def test_a_verdict_on_an_earlier_text_is_shown_as_none(store: SqliteStore, visit: Visit) -> None:
    ((low, _), _) = close_rules(store, FIVE[:2])
    judge(store, judging(VERDICTS))
    seen = store.rules.summary(low)
    store.rules.edit(low, seen.head, seen.state, rule_text("insult or slur is said"), "wider", ANNA)
    assert "1 rule not compared with the others yet" in prose(visit("conflicts"))
    asyncio.run(compare_rules(store, FirstWordEmbedder(), "posts"))
    at = visit("conflicts")
    assert "A rule was changed since the teacher judged this pair." in prose(at)
    assert at.button("pairs_open").label == "Let the teacher judge 1 pair…"


def test_what_a_teacher_says_is_shown_as_text(store: SqliteStore, visit: Visit) -> None:
    close_rules(store, FIVE[:1])
    judge(store, ToldChat(lambda _: pair_reply(reason=f"They clash. {NASTY}"), "teacher"))
    assert takes_literally(raw_markdown(visit("conflicts")).split("\n"), NASTY)


def test_while_pairs_are_judged_nobody_orders_it_again(empty: App, store: SqliteStore, visit: Visit) -> None:
    close_rules(store, FIVE[:2])
    at = press(visit("conflicts"), "pairs_open")
    press(at, "pairs_start")
    (job,) = store.jobs.recent("posts")
    assert (job.kind, job.state) == ("judge_pairs", JobState.QUEUED)
    assert not {"pairs_open", "pairs_start"} & {button.key for button in at.button}


def test_of_many_pairs_somebody_says_how_many_are_judged(store: SqliteStore, visit: Visit) -> None:
    close_rules(
        store, [f"{word} is said" for word in ("ad", "boast", "curse", "dare", "excuse", "fib", "gossip", "hint")]
    )
    heads = [rule.head for rule in store.rules.queue("posts")]
    store.lineage.note_overlaps("posts", heads, [Overlap(low, high, 0.9) for low, high in combinations(heads, 2)])
    at = press(visit("conflicts"), "pairs_open")
    assert "100 calls to the teacher" in prose(at)
    at.number_input("pairs_limit").set_value(5)
    assert press_at_once(at, "pairs_start").button("pairs_start").label == "Let the teacher judge 5 pairs"
    assert "5 calls to the teacher" in prose(at)
    assert store.jobs.recent("posts") == ()
    press(at, "pairs_start")
    (job,) = store.jobs.recent("posts")
    assert job.params["limit"] == 5


def test_who_only_reads_sees_the_verdicts_and_orders_none(empty: App, store: SqliteStore, visit: Visit) -> None:
    write_secrets(empty.settings.workspace)
    close_rules(store, FIVE[:2])
    judge(store, judging({"insult": "duplicate", "praise": "contradiction"}))
    store.roles.grant(RITA, Role.ANALYST, "", empty.actor)
    at = as_person(visit("home", task="posts"), "conflicts", signed_in(RITA))
    assert MEANING in prose(at)
    ((low, _), _) = (pair.split() for pair in shown_pairs(at))
    seen = store.rules.summary(low)
    store.rules.edit(low, seen.head, seen.state, rule_text("praise or thanks is said"), "wider", ANNA)
    asyncio.run(compare_rules(store, FirstWordEmbedder(), "posts"))
    button = run(at).button("pairs_open")
    assert (button.disabled, button.help) == (True, "That takes the role lead.")
