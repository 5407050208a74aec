"""What makes decisions obsolete: guideline, labels, overlapping rules; and that this comes to an end."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.label_set import LabelChange
from pld_core.models import RevisionState
from pld_core.review import Action
from pld_core.staleness import NOTHING, Decided, guideline_effects, label_effects, named, overlap_cause

S = RevisionState
KEEP = Decided("R1", "sha256:1", ("keep",), S.APPROVED)
REMOVE = Decided("R2", "sha256:2", ("remove",), S.APPROVED)
HALF = Decided("R3", "sha256:3", ("remove",), S.FIRST_APPROVED)
TORN = Decided("R4", "sha256:4", ("keep", "remove"), S.DISPUTED)
ALL = (KEEP, REMOVE, HALF, TORN)


def test_another_guideline_concerns_every_decision_and_says_so() -> None:
    effects = guideline_effects(2, 3, ALL)
    assert (effects.stale, effects.begun_again) == (("R1", "R2"), ("R3", "R4"))
    assert {c.cause for c in effects.consequences} == {"The guideline changed: version 3 took the place of version 2"}
    assert [c.step for c in effects.consequences] == [Action.MARK_STALE] * 2 + [Action.BEGIN_AGAIN] * 2
    assert effects.words == "makes 2 approved rules stale: R1, R2, and begins 2 reviews anew: R3, R4"


@pytest.mark.parametrize(
    ("change", "stale", "anew"),
    [
        (LabelChange(), (), ()),
        (LabelChange(described=("keep",)), ("R1",), ("R4",)),
        (LabelChange(described=("remove",)), ("R2",), ("R3", "R4")),
        (LabelChange(described=("other",)), (), ()),
        (LabelChange(added=("ask",)), ("R1", "R2"), ("R3", "R4")),
        (LabelChange(removed=("ask",)), ("R1", "R2"), ("R3", "R4")),
    ],
)
def test_other_labels_concern_what_concludes_them_or_everything(
    change: LabelChange, stale: tuple[str, ...], anew: tuple[str, ...]
) -> None:
    effects = label_effects(change, ALL)
    assert (effects.stale, effects.begun_again) == (stale, anew)


def test_the_reason_names_the_labels_that_concern_the_rule() -> None:
    change = LabelChange(described=("keep", "remove"), added=("ask",), removed=("hide", "mask"))
    causes = {c.decided.rule_id: c.cause for c in label_effects(change, ALL).consequences}
    assert causes["R1"] == "The labels changed: ask was added, hide, mask was removed, keep is described otherwise"
    assert causes["R4"].endswith("keep, remove is described otherwise")


def test_a_change_without_consequences_says_so() -> None:
    assert NOTHING.words == "makes no rule stale"
    assert guideline_effects(1, 2, (KEEP,)).words == "makes 1 approved rule stale: R1"
    assert guideline_effects(1, 2, (HALF,)).words == "begins 1 review anew: R3"
    assert named([f"R{n}" for n in range(1, 15)]).endswith("R11, R12 and 2 more")


def test_two_revisions_of_one_rule_are_one_rule() -> None:
    both = (KEEP, Decided("R1", "sha256:newer", ("keep",), S.FIRST_APPROVED))
    effects = guideline_effects(1, 2, both)
    assert (effects.stale, effects.begun_again, len(effects.consequences)) == (("R1",), ("R1",), 2)


@pytest.mark.parametrize(
    ("shown", "then", "now", "cause"),
    [
        ((), "", "", ""),
        ((), "a", "a", ""),
        (("a",), "", "a", ""),
        (("b",), "a", "b", ""),
        ((), "", "a", "R7, which overlaps it, came into force"),
        (("b",), "", "a", "R7, which overlaps it, now reads differently"),
        (("a",), "a", "b", "R7, which overlaps it, now reads differently"),
        (("a",), "a", "", "R7, which overlaps it, is no longer in force"),
        (("a",), "", "", ""),
    ],
)
def test_a_decision_stands_as_long_as_it_knew_the_overlapping_text(
    shown: tuple[str, ...], then: str, now: str, cause: str
) -> None:
    assert overlap_cause("R7", shown, then, now) == cause


class Workspace:
    """Rules that all overlap each other, as the store keeps them: whose text is in force, what each decision knew."""

    def __init__(self, rules: int, shows_overlaps: bool) -> None:
        self.text = dict.fromkeys(range(rules), "")
        self.stale: set[int] = set()
        self.then: dict[int, dict[int, str]] = {}
        self.shown: dict[int, frozenset[str]] = {}
        self.shows_overlaps = shows_overlaps

    def approve(self, rule: int, text: str) -> None:
        others = {other: held for other, held in self.text.items() if other != rule}
        self.then[rule] = others
        self.shown[rule] = frozenset(others.values()) - {""} if self.shows_overlaps else frozenset()
        self.text[rule] = text
        self.stale.discard(rule)
        self.settle(rule)

    def leave(self, rule: int) -> None:
        self.text[rule] = ""
        self.stale.discard(rule)
        self.settle(rule)

    def settle(self, changed: int) -> None:
        for rule, held in self.text.items():
            if rule != changed and held and rule not in self.stale:
                cause = overlap_cause("R", self.shown[rule], self.then[rule][changed], self.text[changed])
                self.stale |= {rule} if cause else set()


STEPS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "a", "b", "c"])), max_size=25)


@given(steps=STEPS, shows_overlaps=st.booleans(), order=st.permutations(range(5)))
def test_approving_what_went_stale_once_each_is_the_end(
    steps: list[tuple[int, str]], shows_overlaps: bool, order: list[int]
) -> None:
    made = Workspace(5, shows_overlaps)
    for rule, text in steps:
        if text:
            made.approve(rule, f"{text}{rule}")
        elif made.text[rule]:
            made.leave(rule)
    waiting = [rule for rule in order if rule in made.stale]
    for rule in waiting:
        made.approve(rule, made.text[rule])
    assert made.stale == set()


@given(steps=STEPS)
def test_of_two_texts_in_force_at_least_the_later_decision_knew_the_other(steps: list[tuple[int, str]]) -> None:
    made = Workspace(5, shows_overlaps=False)
    for rule, text in steps:
        if text:
            made.approve(rule, f"{text}{rule}")
    standing = [rule for rule, held in made.text.items() if held and rule not in made.stale]
    for one, other in combinations(standing, 2):
        assert made.then[one][other] == made.text[other]
        assert made.then[other][one] == made.text[one]
