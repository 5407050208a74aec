"""What baselines without a model say: the same of the same examples, in whatever order they come."""

from __future__ import annotations

import random

from pld_app.code_baselines import said_of
from pld_core.baselines import Baseline
from pld_core.demo import load_demo
from pld_core.models import Split


def test_the_order_of_the_examples_changes_nothing_that_is_said() -> None:
    demo = load_demo("nda")
    teaching = [example for example in demo.examples if example.split is Split.TRAIN]
    asked = [example for example in demo.examples if example.split is Split.VALIDATION]
    first = said_of(demo.task.label_names, teaching, asked)
    assert len(set(first[Baseline.NEAREST].values())) > 1
    draw = random.Random(7)  # noqa: S311 - an order, no secret
    for _ in range(3):
        draw.shuffle(teaching)
        draw.shuffle(asked)
        assert said_of(demo.task.label_names, teaching, asked) == first
