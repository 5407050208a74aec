"""The figures in sentences: n and an interval with each rate, no rate below ten, unknowns named."""

from __future__ import annotations

import re
from dataclasses import replace

from pld_core.attention import Attention
from pld_core.models import Verdict
from pld_core.oversight import DecisionFacts, OversightFacts, oversight
from pld_core.oversight_words import Told, seconds_words, told
from tests.core.test_oversight import NOTHING, made, noted


def said(*decisions: DecisionFacts, asked: int = 0, answered: int = 0) -> dict[str, Told]:
    found = told(oversight(OversightFacts(decisions, (), asked, answered)))
    return {subject.title: subject for subject in found}


def twice(n: int, second: Verdict = Verdict.APPROVE, first: Verdict = Verdict.APPROVE) -> list[DecisionFacts]:
    """Return the decisions of two people on n revisions."""
    return [
        made(f"{first} {second} {i}", who, verdict)
        for i in range(n)
        for who, verdict in (("anna", first), ("bert", second))
    ]


def test_decisions_are_counted_and_so_are_people() -> None:
    decisions = (made("v1"), made("v2", "bert", Verdict.REJECT), replace(made("v3"), withdrawn=True))
    assert said(*decisions)["Decisions"].says == (
        "3 decisions by 2 people: 2 approvals, 1 rejection, 0 requests for changes.",
        "1 of them was taken back by whoever made them.",
    )


def test_agreement_has_its_interval_its_kappa_and_its_prevalence() -> None:
    decisions = [*twice(28), *twice(3, Verdict.REJECT, Verdict.REJECT), *twice(7, Verdict.REJECT)]
    first, kappa, prevalence = said(*decisions)["Agreement"].says
    assert first == (
        "On 38 revisions two people decided beside the same evidence; they agreed on 31 of 38 (82%, 95 % interval 67 "
        "to 91%)."
    )
    assert kappa.startswith("Cohen's kappa 0.39 (95 % interval 0.06 to 0.71; 1 is full agreement")
    assert kappa.endswith("Adjusted for prevalence (PABAK) it is 0.72.")
    assert prevalence == "How often each verdict was given by these two: 63 approvals, 13 rejections, of 76."


def test_kappa_is_not_given_below_ten_and_not_where_all_is_alike() -> None:
    few = said(*twice(9))["Agreement"].says
    assert "9 of 9 (too few for a rate)" in few[0]
    assert few[1] == "Cohen's kappa is not given below 10 such revisions."
    alike = said(*twice(12))["Agreement"].says[1]
    assert alike.startswith("Cohen's kappa cannot be given, as only one verdict occurs.")
    certain = said(*twice(31), *twice(7, Verdict.REJECT))["Agreement"].says[1]
    assert certain.startswith("Cohen's kappa is 0.00 and tells nothing here, as one of the two always gave the same")
    never = said(*twice(15), *twice(5, Verdict.REJECT, Verdict.REJECT))["Agreement"].says[1]
    assert never.startswith("Cohen's kappa is 1.00, as they never disagreed; no interval can be given.")
    assert said()["Agreement"].says == (
        "Not known yet: no revision has the decisions of two people on the same evidence.",
    )


def test_time_is_told_by_length_with_dots_below_ten() -> None:
    many = [made(f"v{n}", attention=noted(5, 5, seconds=10 * n)) for n in range(1, 12)]
    long = replace(made("v20", attention=noted(5, 5, seconds=150)), text_length=20_000)
    assert said(*many, long, made("v21"))["Time at work beside the length of the text"].says == (
        "The time at work is known of 12 of 13 decisions.",
        "Up to 1,000 characters: 11 decisions, median 60 s; half of them took 35 s to 85 s.",
        "More than 10,000 characters: 1 decision (2 min), too few for a median.",
    )


def test_evidence_names_what_is_unknown() -> None:
    known: Attention = noted(5, 4, (2, 2, 1))
    says = said(*(made(f"v{n}", attention=known) for n in range(10)), made("v10"))["Evidence before approval"].says
    assert says[0] == (
        "What was on the screen was noted for 10 of 11 approvals; the rest (1) is unknown, and in no share below."
    )
    assert (
        "every contradicting example on the screen, where there were any: 10 of 10 (100%, 95 % interval 72" in says[1]
    )
    assert "With the whole text of each: 0 of 10 (0%" in says[1]
    assert says[2].startswith("Approvals with all evidence on the screen: 10 of 10 (100%")
    assert said(made())["Evidence before approval"].says == (
        "What was on the screen was noted for 0 of 1 approval; the rest (1) is unknown, and in no share below.",
    )
    assert said()["Evidence before approval"].says == ("Nothing was approved yet.",)


def test_second_opinions_are_told() -> None:
    assert said()["Second opinions"].says == ("Nobody asked for one yet.",)
    assert said(asked=3, answered=2)["Second opinions"].says == (
        "Asked for, and followed by somebody else's decision: 2 of 3 (too few for a rate).",
    )


def test_no_sentence_has_a_rate_without_an_interval() -> None:
    decisions = [*twice(31), *twice(7, Verdict.REJECT), *(made(f"x{n}", attention=noted(5, 5)) for n in range(20))]
    for subject in said(*decisions, asked=12, answered=3).values():
        for sentence in subject.says:
            assert len(re.findall(r"\d%, 95 % interval", sentence)) == len(re.findall(r"\(\d+%", sentence))


def test_nobody_is_named() -> None:
    words = " ".join(sentence for subject in said(*twice(20)).values() for sentence in subject.says)
    assert "anna" not in words
    assert "bert" not in words


def test_every_subject_says_what_it_cannot_tell_even_where_there_is_nothing() -> None:
    for subject in told(oversight(NOTHING)):
        assert subject.says
        assert subject.limits.endswith(".")


def test_seconds_in_words() -> None:
    assert [seconds_words(s) for s in (0.4, 119, 120, 601)] == ["0 s", "119 s", "2 min", "10 min"]
