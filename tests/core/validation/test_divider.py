"""Dividing a whole task anew: what is alike stays together, and what was used for a rule stays in train."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pld_core.models import Example, Split
from pld_core.validation.divider import Divider
from tests.core.validation.planning import sentence
from tests.factories import make_example

EXAMPLES = [make_example(sentence(i), ("keep", "remove")[i % 2]) for i in range(100)]


def divide(examples: Iterable[Example], seed: int = 0, fixed: dict[str, Split] | None = None) -> dict[str, Split]:
    divider = Divider()
    for example in examples:
        divider.add(example, (fixed or {}).get(example.hash))
    return divider.splits(seed)


def test_every_example_gets_a_split_in_the_usual_shares() -> None:
    splits = divide(EXAMPLES)
    assert set(splits) == {example.hash for example in EXAMPLES}
    assert Counter((e.label, splits[e.hash]) for e in EXAMPLES) == {
        (label, split): n
        for label in ("keep", "remove")
        for split, n in ((Split.TRAIN, 30), (Split.VALIDATION, 10), (Split.TEST, 10))
    }


def test_the_same_text_nearly_the_same_text_and_the_same_group_stay_together() -> None:
    alike = [make_example(sentence(1), "keep"), make_example(sentence(1), "remove"), make_example(sentence(1) + "!")]
    grouped = [replace(make_example(f"unlike {i}"), group="g") for i in range(3)]
    splits = divide([*EXAMPLES[10:], *alike, *grouped])
    assert len({splits[e.hash] for e in alike}) == 1
    assert len({splits[e.hash] for e in grouped}) == 1


@given(st.permutations(range(20)), st.integers(0, 3))
def test_the_division_depends_on_the_seed_and_not_on_the_order(order: list[int], seed: int) -> None:
    assert divide([EXAMPLES[i] for i in order], seed) == divide(EXAMPLES[:20], seed)


def test_what_is_fixed_stays_with_all_that_belongs_to_it() -> None:
    near = make_example(sentence(3) + "!", "keep")
    for split in Split:
        splits = divide([*EXAMPLES, near], fixed={EXAMPLES[3].hash: split})
        assert splits[EXAMPLES[3].hash] is splits[near.hash] is split


def test_no_example_is_divided_into_nothing() -> None:
    assert divide([]) == {}
