"""The length of a trial prompt from counts alone: exact for tidy rules, never too short for others."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from pld_core.compilation import compile_trial, trial_size
from pld_core.models import AuthorKind, CompiledRule, Revision, RuleText
from pld_core.rule_size import TextSize
from tests.factories import make_task

LABEL = st.sampled_from(("keep", "remove"))
TIDY = st.text("abcäß語", min_size=1, max_size=9)
ANY = st.text("aä .,\n\t'“", max_size=12)


def rules_of(words: st.SearchStrategy[str]) -> st.SearchStrategy[list[RuleText]]:
    labels = st.lists(LABEL, min_size=1, max_size=2, unique=True).map(tuple)
    rule = st.builds(RuleText, st.just("title"), words, labels, st.lists(words, max_size=3).map(tuple))
    return st.lists(rule, max_size=12)


def compiled(texts: Sequence[RuleText]) -> int:
    """Return how many bytes the prompt of these rules has."""
    revisions = [Revision(f"R{n}", 1, text, "told", AuthorKind.TEACHER) for n, text in enumerate(texts, 1)]
    candidates = [(one, CompiledRule(0, one.rule_id, one.hash, 1), 1) for one in revisions]
    return len(compile_trial(make_task(), candidates).text.encode("utf-8"))


def told(texts: Sequence[RuleText]) -> int:
    """Return what is told from counts."""
    words = [f"R{n}" for n in range(1, len(texts) + 1)]
    for text in texts:
        words += [text.condition, *text.labels, *text.exceptions]
    size = TextSize(
        rules=len(texts),
        text_bytes=sum(len(word.encode("utf-8")) for word in words),
        labels=sum(len(text.labels) for text in texts),
        exceptions=sum(len(text.exceptions) for text in texts),
    )
    return trial_size(make_task(), size)


@given(rules_of(TIDY))
def test_it_is_exact_for_tidy_rules(texts: list[RuleText]) -> None:
    assert told(texts) == compiled(texts)


@given(rules_of(ANY))
def test_it_is_never_too_short(texts: list[RuleText]) -> None:
    assert told(texts) >= compiled(texts)
