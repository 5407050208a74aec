"""When a trial passes and when a loop stops: each known way in which such loops go wrong has a test here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pld_core.conflicts.acceptance import Bar, Result, Verdict, early, judged
from pld_core.conflicts.rounds import Attempt, Figure, Loop, Standing, Stop, advanced, begun, chosen
from pld_core.paired import Comparison, Pair, by_label
from pld_core.proportion import SMALL_SAMPLE

LABELS = ("keep", "remove")


def pairs(n: int, fixed: int = 0, broken: int = 0, gold: str = "keep", other: str = "remove") -> list[Pair]:
    """Return n examples of a label: `fixed` of them wrong before, `broken` wrong after, the rest right both times."""
    same = n - fixed - broken
    return [Pair(gold, other, gold)] * fixed + [Pair(gold, gold, other)] * broken + [Pair(gold, gold, gold)] * same


def both(keep: Sequence[Pair], remove: Sequence[Pair]) -> list[Pair]:
    return [*keep, *remove]


def removed(n: int, fixed: int = 0, broken: int = 0) -> list[Pair]:
    return pairs(n, fixed, broken, "remove", "keep")


# --- acceptance -------------------------------------------------------------------------------------------------------


def test_a_gain_passes_and_zero_gain_is_no_gain() -> None:
    assert judged(LABELS, both(pairs(50, fixed=5), removed(50)), Bar()).verdict is Verdict.PASSES
    unchanged = judged(LABELS, both(pairs(50), removed(50)), Bar())
    assert (unchanged.verdict, unchanged.passes) == (Verdict.NO_GAIN, False)
    assert judged(LABELS, both(pairs(50), removed(50)), Bar(gain=0.0)).verdict is Verdict.NO_GAIN


def test_a_gain_below_the_bar_is_none() -> None:
    found = judged(LABELS, both(pairs(500, fixed=1), removed(500)), Bar())
    assert found.verdict is Verdict.NO_GAIN
    assert "at least 0.005" in found.reason
    assert judged(LABELS, both(pairs(500, fixed=1), removed(500)), Bar(gain=0.0005)).passes


def test_a_gain_of_exactly_the_bar_passes() -> None:
    given = both(pairs(50, fixed=5), removed(50))
    exact = judged(LABELS, given, Bar()).gain
    assert judged(LABELS, given, Bar(gain=exact)).passes


def test_a_loss_is_worse() -> None:
    assert judged(LABELS, both(pairs(50, broken=5), removed(50)), Bar()).verdict is Verdict.WORSE


def test_no_label_may_pay_for_the_gain_of_another() -> None:
    found = judged(LABELS, both(pairs(100, fixed=20), removed(100, broken=5)), Bar())
    assert (found.verdict, found.reason) == (Verdict.LABEL_WORSE, "Worse than the margin allows: remove.")
    assert judged(LABELS, both(pairs(100, fixed=20), removed(100, broken=3)), Bar()).passes
    few = judged(LABELS, both(pairs(100, fixed=20), removed(9, broken=1)), Bar(label_margin=0.5))
    assert few.verdict is Verdict.LABEL_WORSE


def test_nothing_passes_on_no_example() -> None:
    found = judged(LABELS, [], Bar())
    assert (found.verdict, found.comparison) == (Verdict.NO_EXAMPLES, None)


def test_few_examples_are_decided_on_counts_and_it_says_so() -> None:
    assert SMALL_SAMPLE == 10
    for given, verdict in [
        (both(pairs(4, fixed=1), removed(4)), Verdict.PASSES),
        (both(pairs(4), removed(4)), Verdict.NO_GAIN),
        (both(pairs(4, broken=1), removed(4)), Verdict.WORSE),
        (both(pairs(4, fixed=2), removed(4, broken=1)), Verdict.LABEL_WORSE),
    ]:
        found = judged(LABELS, given, Bar())
        assert found.verdict is verdict
        assert "Decided on counts: 8 examples are too few" in found.reason


def test_malformed_answers_are_wrong_and_not_left_out() -> None:
    broken = [Pair("keep", "keep", None)] * 10 + pairs(40)
    found = judged(LABELS, both(broken, removed(50)), Bar())
    assert (found.verdict, found.comparison and found.comparison.n) == (Verdict.WORSE, 100)


def test_a_trial_that_loses_on_the_affected_examples_ends_there() -> None:
    lost = early(LABELS, pairs(12, fixed=1, broken=2))
    assert lost is not None
    assert lost.verdict is Verdict.LOSES_EARLY
    assert lost.labels == by_label(LABELS, Counter(pairs(12, fixed=1, broken=2)))
    assert [line.after - line.before for line in lost.labels if line.n] == [-1]
    assert early(LABELS, pairs(12, fixed=2, broken=2)) is None
    assert early(LABELS, []) is None


# --- rounds -----------------------------------------------------------------------------------------------------------


def attempt(
    prompt: str, after: float, verdict: Verdict = Verdict.PASSES, before: float = 0.5, may: bool = True
) -> Attempt:
    comparison = Comparison(100, before, after, -0.1, 0.1, 3, 1, 0.6)
    return Attempt(prompt, Result(verdict, "told", comparison), may)


def loop(limit: int = 3) -> Loop:
    return begun(Standing("base", 0.5), limit)


def test_a_round_with_a_gain_is_taken_up_and_the_loop_goes_on() -> None:
    after = advanced(loop(), [attempt("a", 0.6), attempt("b", 0.7)])
    assert (after.best, after.stop, after.rounds) == (Standing("b", 0.7), None, 1)
    assert after.seen == {"base", "a", "b"}


@pytest.mark.parametrize(
    ("verdicts", "stop"),
    [
        ([], Stop.NO_PROPOSALS),
        ([Verdict.NO_GAIN], Stop.NO_GAIN),
        ([Verdict.WORSE, Verdict.NO_GAIN], Stop.NO_GAIN),
        ([Verdict.WORSE, Verdict.LOSES_EARLY], Stop.REGRESSION),
        ([Verdict.LABEL_WORSE], Stop.REGRESSION),
        ([Verdict.SEEN_BEFORE, Verdict.SEEN_BEFORE], Stop.OSCILLATION),
        ([Verdict.SEEN_BEFORE, Verdict.NO_GAIN], Stop.NO_GAIN),
        ([Verdict.NO_CHANGE], Stop.NO_GAIN),
        ([Verdict.NO_CHANGE, Verdict.WORSE], Stop.NO_GAIN),
    ],
)
def test_a_round_without_a_gain_stops_the_loop_and_the_best_stands(verdicts: list[Verdict], stop: Stop) -> None:
    taken = advanced(loop(), [attempt("a", 0.6)])
    after = advanced(taken, [attempt(f"p{n}", 0.55, verdict) for n, verdict in enumerate(verdicts)])
    assert (after.stop, after.best) == (stop, Standing("a", 0.6))
    assert Stop(stop).words.endswith(".")


def test_the_limit_of_rounds_stops_it_with_the_last_rewrite_scored() -> None:
    after = advanced(advanced(loop(2), [attempt("a", 0.6)]), [attempt("b", 0.65)])
    assert (after.stop, after.best.prompt_sha256, after.best.validation) == (Stop.LIMIT, "b", 0.65)


def test_the_best_round_is_kept_not_the_last() -> None:
    standings = (Standing("base", 0.5), Standing("a", 0.7), Standing("b", 0.6))
    assert Loop(3, standings, frozenset()).best == Standing("a", 0.7)
    assert Loop(3, (Standing("a", 0.7), Standing("b", 0.7)), frozenset()).best == Standing("a", 0.7)


def test_what_a_reviewer_has_to_look_at_first_is_not_taken_up() -> None:
    assert chosen([attempt("a", 0.9, may=False), attempt("b", 0.6)]) == attempt("b", 0.6)
    assert advanced(loop(), [attempt("a", 0.9, may=False)]).stop is Stop.NO_GAIN


# --- figures ----------------------------------------------------------------------------------------------------------


def test_a_figure_has_its_interval_and_nothing_has_none() -> None:
    figure = Figure.of(LABELS, [("keep", "keep")] * 40 + [("remove", "remove")] * 30 + [("remove", None)] * 10)
    assert figure is not None
    assert (figure.n, figure.right) == (80, 70)
    assert figure.macro_f1 == pytest.approx((1 + 2 * 30 / 70) / 2)
    assert figure.low < figure.macro_f1 < figure.high
    assert Figure.of(LABELS, []) is None
