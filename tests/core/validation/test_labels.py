"""A label set is proposed from the data; other spellings are reported with a merge, never merged in silence."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_core.errors import InvalidInput
from pld_core.validation.labels import LabelPlan, Variant, plan_labels


def plan(
    counts: dict[str, int],
    declared: tuple[str, ...] = (),
    merges: dict[str, str] | None = None,
    accept: bool = False,
) -> LabelPlan:
    return plan_labels(Counter(counts), declared, merges or {}, accept)


def test_a_new_task_declares_what_the_file_has_the_most_frequent_first() -> None:
    made = plan({"remove": 2, "keep": 5})
    assert made.declared == ("keep", "remove")
    assert made.meaning == {"keep": "keep", "remove": "remove"}
    assert made.variants == ()


@pytest.mark.parametrize("written", ["Keep", "KEEP", " keep", "keep ", "\tkeep\n"])
def test_another_case_or_white_space_is_a_variant_with_a_proposal_and_not_merged(written: str) -> None:
    made = plan({"keep": 5, "remove": 5, written: 1})
    assert made.declared == ("keep", "remove")
    assert made.variants == (Variant(written, "keep"),)
    assert written not in made.meaning


def test_blanks_inside_a_label_count_once() -> None:
    assert plan({"not sure": 2, "yes": 2, "not  sure": 1}).variants == (Variant("not  sure", "not sure"),)


def test_a_proposal_is_merged_once_it_is_accepted() -> None:
    made = plan({"keep": 5, "remove": 5, "Keep": 1}, accept=True)
    assert made.meaning["Keep"] == "keep"
    assert made.variants == (Variant("Keep", "keep"),)


def test_the_most_frequent_spelling_is_declared_and_the_alphabet_settles_a_tie() -> None:
    assert plan({"keep": 1, "Keep": 4, "remove": 2}).declared == ("Keep", "remove")
    assert plan({"keep": 2, "Keep": 2, "remove": 9}).declared == plan({"Keep": 2, "keep": 2, "remove": 9}).declared


def test_a_label_that_always_has_white_space_around_is_declared_without() -> None:
    made = plan({" keep ": 5, "remove": 5})
    assert set(made.declared) == {"keep", "remove"}
    assert made.variants == (Variant(" keep ", "keep"),)


def test_a_misspelt_label_of_an_existing_task_is_proposed_for_the_nearest() -> None:
    made = plan({"refnd": 1, "refund": 3, "xyz": 1}, declared=("refund", "delay"))
    assert made.variants == (Variant("refnd", "refund"), Variant("xyz", ""))
    assert made.meaning == {"refund": "refund"}
    assert made.declared == ("refund", "delay")


def test_what_has_no_proposal_is_not_merged_even_if_all_proposals_are_accepted() -> None:
    assert "xyz" not in plan({"xyz": 1}, declared=("refund", "delay"), accept=True).meaning


def test_what_a_person_decided_stands_before_what_is_proposed() -> None:
    made = plan({"keep": 5, "Keep": 2, "remove": 4}, merges={"Keep": "remove"}, accept=True)
    assert made.meaning["Keep"] == "remove"


def test_a_spelling_that_is_merged_with_itself_is_a_label_of_its_own() -> None:
    made = plan({"may": 5, "May": 2, "x": 1}, merges={"May": "May"})
    assert made.meaning["May"] == "May"
    assert "May" in made.declared


def test_labels_of_a_new_task_can_be_renamed() -> None:
    made = plan({"0": 5, "1": 2}, merges={"0": "harmless", "1": "harmful"})
    assert made.declared == ("harmless", "harmful")
    assert made.meaning == {"0": "harmless", "1": "harmful"}


def test_merging_two_labels_of_a_new_task_declares_one() -> None:
    made = plan({"spam": 3, "junk": 4, "fine": 1}, merges={"junk": "spam"})
    assert made.declared == ("spam", "fine")
    assert made.meaning == {"spam": "spam", "junk": "spam", "fine": "fine"}


def test_a_merge_of_a_label_that_the_file_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no label 'kep' to merge\. Its labels are: keep, remove\."):
        plan({"keep": 1, "remove": 1}, merges={"kep": "keep"})


def test_a_merge_with_a_label_that_the_task_does_not_declare_is_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be merged with 'other': the task declares keep, remove"):
        plan({"keep": 1, "Keep": 1}, declared=("keep", "remove"), merges={"Keep": "other"})


WRITTEN = st.dictionaries(st.text("aAbB c", min_size=1).filter(str.strip), st.integers(1, 9), min_size=1, max_size=8)


@given(WRITTEN, st.booleans())
def test_every_label_is_declared_merged_or_reported(counts: dict[str, int], accept: bool) -> None:
    made = plan(counts, accept=accept)
    assert set(made.meaning.values()) <= set(made.declared)
    for written in counts:
        reported = written in {variant.written for variant in made.variants}
        assert reported == (written not in made.declared)
        if not accept:
            assert (written in made.meaning) == (written in made.declared)


@given(WRITTEN)
def test_the_label_set_does_not_depend_on_the_order_of_the_rows(counts: dict[str, int]) -> None:
    assert plan(dict(reversed(counts.items()))).declared == plan(counts).declared


@pytest.mark.parametrize("label", ["", " ", "keep ", "\tkeep"])
def test_a_label_is_never_empty_nor_surrounded_by_white_space(label: str) -> None:
    with pytest.raises(InvalidInput, match="surrounded by white space"):
        plan({"Keep": 1, "remove": 1}, merges={"Keep": label})


def test_a_spelling_that_is_declared_as_it_is_leaves_the_others_declared() -> None:
    found = plan_labels(Counter({"keep": 10, "remove": 9, "Keep": 1}), (), {"Keep": "Keep"}, accept_proposals=False)
    assert found.declared == ("keep", "remove", "Keep")
    assert found.meaning == {"keep": "keep", "remove": "remove", "Keep": "Keep"}
    assert found.variants == ()


def test_declaring_the_usual_spelling_as_it_is_declares_no_other_one() -> None:
    found = plan_labels(Counter({"keep": 10, "remove": 9, "Keep": 1}), (), {"keep": "keep"}, accept_proposals=False)
    assert found.declared == ("keep", "remove")
    assert [(v.written, v.proposed) for v in found.variants] == [("Keep", "keep")]


def test_merged_rows_count_with_the_label_they_are_merged_with() -> None:
    found = plan_labels(Counter({"keep": 10, "remove": 11, "Keep": 2}), (), {"Keep": "keep"}, accept_proposals=False)
    assert found.declared == ("keep", "remove")


def test_a_merge_with_a_new_name_takes_the_family_with_it() -> None:
    found = plan_labels(Counter({"keep": 3, "KEEP": 2, "remove": 4}), (), {"keep": "Keep"}, accept_proposals=False)
    assert found.declared == ("Keep", "remove")
    assert found.meaning == {"keep": "Keep", "remove": "remove"}
    assert [(v.written, v.proposed) for v in found.variants] == [("keep", "Keep"), ("KEEP", "Keep")]
