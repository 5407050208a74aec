"""What the review page notes of a decision, and the figures on the Audit page."""

from __future__ import annotations

from dataclasses import replace

from streamlit.testing.v1 import AppTest

from pld_app.components.oversight_charts import count_chart, time_chart
from pld_app.wiring import App
from pld_core.attention import Attention, Seen
from pld_core.folding import FOLD_OVER
from pld_core.models import Verdict
from pld_core.oversight import time_bands
from tests.factories import ANNA, BERT, fill, make_example, make_rule, rule_in_review, verdict_on
from tests.pages.driving import Visit, links, press, prose, raw, run

LONG = "word " * FOLD_OVER
TWELVE = [f"R{n}" for n in range(1, 13)]


def noted(app: App) -> Attention:
    """Return what was noted of the newest decision."""
    attention = app.store.oversight.facts("posts").decisions[-1].attention
    assert attention is not None
    return attention


def a_rule(app: App, supports: int, contradicts: int = 0, long: int = 0) -> str:
    """Make a rule with so many examples, the last `long` supporting ones with a long text."""
    texts = [f"{n} {LONG if n >= supports - long else 'short'}" for n in range(supports)]
    given = [make_example(text) for text in texts]
    against = [make_example(f"against {n}", "remove") for n in range(contradicts)]
    fill(app.store, examples=[*given, *against])
    return rule_in_review(app.store, make_rule(supports=given, contradicts=against))


def approve(at: AppTest) -> AppTest:
    return press(press(at, "bar_approve"), "sign")


def unfold_and_fold(at: AppTest) -> AppTest:
    """Show the first long text in full, and fold it again."""
    switch = next(str(toggle.key) for toggle in at.toggle if str(toggle.key).startswith("all_"))
    for unfolded in (True, False):
        at.toggle(switch).set_value(unfolded)
        run(at)
    return at


# --- what is noted ----------------------------------------------------------------------------------------------------


def test_cards_on_the_screen_are_noted_with_the_decision(empty: App, visit: Visit) -> None:
    rule_id = a_rule(empty, supports=3, contradicts=2, long=1)
    approve(visit("review", rule=rule_id))
    found = noted(empty)
    assert (found.evidence, found.contradicting, found.unfolded) == (Seen(5, 5, 4), Seen(2, 2, 2), 0)
    assert 0 <= found.active_seconds < 120


def test_a_text_that_was_unfolded_counts_as_seen_in_full_folded_again_or_not(empty: App, visit: Visit) -> None:
    rule_id = a_rule(empty, supports=3, long=2)
    at = unfold_and_fold(visit("review", rule=rule_id))
    approve(at)
    assert (noted(empty).evidence, noted(empty).unfolded) == (Seen(3, 3, 2), 1)


def test_examples_beyond_what_the_list_shows_were_not_on_the_screen(empty: App, visit: Visit) -> None:
    rule_id = a_rule(empty, supports=45, contradicts=1)
    approve(visit("review", rule=rule_id))
    assert (noted(empty).evidence, noted(empty).contradicting) == (Seen(46, 40, 40), Seen(1, 1, 1))


def test_what_was_noted_belongs_to_one_decision(empty: App, visit: Visit) -> None:
    rule_id = a_rule(empty, supports=2, long=1)
    at = approve(unfold_and_fold(visit("review", rule=rule_id)))
    assert noted(empty).unfolded == 1
    seen = empty.store.rules.summary(rule_id)
    empty.store.desk.queue.withdraw(rule_id, seen.head, seen.state, "Too early.", empty.actor)
    approve(run(at))
    assert (noted(empty).evidence, noted(empty).unfolded) == (Seen(2, 2, 1), 0)


def test_a_decision_by_command_is_unknown_and_not_zero(empty: App) -> None:
    rule_id = a_rule(empty, supports=2)
    empty.store.rules.judge(verdict_on(empty.store, rule_id), ANNA)
    (found,) = empty.store.oversight.facts("posts").decisions
    assert found.attention is None


# --- the figures ------------------------------------------------------------------------------------------------------


def test_without_a_decision_the_page_leads_to_the_rules(demo: App, visit: Visit) -> None:
    at = visit("audit", audit_view="Oversight", task="nda")
    assert raw(at, "info") == ["Nobody has decided on a rule of this task yet, so there is nothing to tell."]
    assert links(at) == ["Go to the Review page"]
    assert not at.get("plotly_chart")


def test_an_empty_workspace_has_no_task_to_look_at(empty: App, visit: Visit) -> None:
    assert "This workspace has no task yet." in prose(visit("audit", audit_view="Oversight"))


def test_the_figures_are_told_in_sentences_beside_charts(demo: App, visit: Visit) -> None:
    attention = Attention(30, Seen(4, 4, 4), Seen(0, 0, 0), 0)
    for rule_id in TWELVE:
        demo.store.rules.judge(replace(verdict_on(demo.store, rule_id), attention=attention), ANNA)
    demo.store.rules.judge(verdict_on(demo.store, "R13", Verdict.REJECT), BERT)
    at = visit("audit", audit_view="Oversight", task="nda")
    shown = prose(at)
    assert "13 decisions by 2 people: 12 approvals, 1 rejection, 0 requests for changes." in shown
    assert "Approvals with all evidence on the screen: 12 of 12 (100%, 95 % interval" in shown
    assert "The time at work is known of 12 of 13 decisions." in shown
    assert "Not known yet: no revision has the decisions of two people" in shown
    assert "bert" not in shown
    assert len(at.get("plotly_chart")) == 3


def test_the_figures_follow_the_task_that_is_chosen(demo: App, visit: Visit) -> None:
    demo.store.rules.judge(verdict_on(demo.store, "R1"), ANNA)
    rule_id = a_rule(demo, supports=2)
    demo.store.rules.judge(verdict_on(demo.store, rule_id, Verdict.REJECT), BERT)
    at = visit("audit", audit_view="Oversight", task="posts")
    assert "1 decision by 1 person: 0 approvals, 1 rejection" in prose(at)
    at.selectbox("task").select("nda")
    run(at)
    assert "1 decision by 1 person: 1 approval, 0 rejections" in prose(at)


# --- charts -----------------------------------------------------------------------------------------------------------


def test_few_decisions_are_dots_and_many_a_box_without_outliers() -> None:
    bands = time_bands([(500, float(n)) for n in range(1, 21)] + [(20_000, 400.0), (20_000, 90.0)])
    box, dots = time_chart(bands).data
    assert [name.split("<")[0] for name in box.x] == ["up to 1,000"]
    assert (box.median[0], box.lowerfence[0], box.upperfence[0]) == (10.5, box.q1[0], box.q3[0])
    assert [(name, y) for name, y in zip(dots.x, dots.y, strict=True)] == [
        ("more<br>n = 2", 90.0),
        ("more<br>n = 2", 400.0),
    ]


def test_bars_carry_their_numbers_in_order() -> None:
    (bars,) = count_chart({"approvals": 1200, "rejections": 3}).data
    assert (list(bars.y), list(bars.text)) == (["approvals", "rejections"], ["1,200", "3"])
