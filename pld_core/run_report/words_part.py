"""The part of a report that says in plain words what the words of the field mean. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.pack.html_parts import pairs, text
from pld_core.run_report.content import RunReport

WORDS = (
    ("Student", "The model that answers with the prompt. The digest tells its weights from those of any other."),
    ("Gold label", "The label that people gave an example. An answer is right if it is this one."),
    ("Split", "A part of the examples. Rules are made from train, prompts are chosen by validation, judged by test."),
    ("Accuracy", "How many of all answers are right."),
    ("Recall", "Of the examples of a label, how many were answered with it."),
    ("Precision", "Of the answers that say a label, how many are right."),
    ("F1", "One figure for recall and precision of a label, from 0 to 1."),
    ("Macro F1", "The mean of F1 over the labels: a rare label counts as much as a frequent one."),
    ("Interval", "Where the figure likely lies for other examples of the same kind. The fewer examples, the wider."),
    (
        "Wilson, bootstrap",
        "How intervals are made: by a formula for shares, by drawing the answers again for macro F1.",
    ),
    ("Baseline", "A way to answer without the rules. Rules that do no better than one are not worth their length."),
    ("5-shot", "The baseline of a prompt that holds 5 training examples in place of rules."),
    ("Nearest neighbour", "The baseline that takes the label of the training example with the most similar words."),
    ("Most frequent label", "As a baseline, that of the training examples; at the top, that of the examples asked."),
    ("Better, worse", "The interval of the difference leaves out 0. “No difference shown” does not say there is none."),
    ("Fixed, broken", "Of two that are compared, right only with the second, and right only with the first."),
    ("McNemar p", "How likely chance alone parts two equally good prompts that far in what is fixed and broken."),
    ("Harm", "Answers that are wrong here and right in the run it is told against."),
    ("Ablation", "Leaving one rule out of the prompt and asking again: the only way here that shows a cause."),
    ("Gate", "A condition that a prompt version has to meet before it may be released."),
    ("Hash, sha256", "A fingerprint of contents: equal contents have the same one, and any change gives another."),
)
"""Words of the report and what they mean, in the order in which they come up."""


def words_part(_report: RunReport) -> Iterator[str]:
    """Yield what the words mean; it is the same in every report."""
    yield pairs((word, text(meaning)) for word, meaning in WORDS)
