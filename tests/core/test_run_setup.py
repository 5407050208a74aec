"""How repeats are set up: seeds count up, and equal repeats are refused."""

from __future__ import annotations

import pytest

from pld_core.errors import InvalidInput
from pld_core.run_setup import Repeats, RunSetup


def test_one_plain_run_is_no_trial_and_belongs_to_no_group() -> None:
    (setup,) = Repeats().setups("g")
    assert setup == RunSetup()
    assert (setup.is_trial, setup.words) == (False, "")


def test_repeats_share_their_group_and_have_seeds_that_count_up() -> None:
    setups = Repeats(3, temperature=0.7, seed=5).setups("g", "why")
    assert [setup.seed for setup in setups] == [5, 6, 7]
    assert {(setup.group, setup.temperature, setup.reason) for setup in setups} == {("g", 0.7, "why")}
    assert all(setup.is_trial for setup in setups)


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        (RunSetup(0.7, 3), "temperature 0.7, seed 3"),
        (RunSetup(seed=2, shuffled=True), "rules in another order, seed 2"),
        (RunSetup(seed=4), "seed 4"),
    ],
)
def test_a_setup_is_told_in_words(setup: RunSetup, words: str) -> None:
    assert setup.words == words


def test_a_seed_alone_makes_no_trial() -> None:
    assert not RunSetup(seed=4).is_trial
    assert RunSetup(shuffled=True).is_trial


def test_repeats_that_would_ask_the_same_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"ask the same again\. Nothing was asked"):
        Repeats(2).setups("g")


@pytest.mark.parametrize("wrong", [Repeats(0), Repeats(21, 0.5), Repeats(2, 2.1), Repeats(2, -0.1), Repeats(seed=-1)])
def test_numbers_out_of_range_are_refused(wrong: Repeats) -> None:
    with pytest.raises(InvalidInput, match="1 to 20 repeats"):
        wrong.setups("g")
