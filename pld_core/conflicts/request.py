"""The teacher call about one group of failures: what is drawn for it, and its words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from pld_core.compilation import input_of, rule_line
from pld_core.conflicts.groups import Group, Observed
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.extraction import teacher_system
from pld_core.model_ports import ChatRequest
from pld_core.models import Example, Task
from pld_core.personal import shown_to_teacher
from pld_core.pricing import likely_tokens
from pld_core.sampling import stratified
from pld_core.synthesis import short_id
from pld_core.templates import material
from pld_core.wire import ConflictReply, schema_of

TEMPLATE = "conflict.txt"
SAMPLE = 20
"""So many failures, and as many successes, are shown at most: beyond that repairs get no better."""
CONTRAST = 6
"""So many other rules of the two labels are shown at most, those with most support."""
REQUEST_TOKENS = 6_000
"""Estimated; with the reply it fits a context window of 8,192. See `synthesis.REQUEST_TOKENS`."""
REPLY_TOKENS = 2_048


@dataclass(frozen=True)
class Shown:
    """What the teacher is shown of a group: a sample of it, the rules concerned, and others for contrast."""

    group: Group
    rules: tuple[TrialRule, ...]
    contrast: tuple[TrialRule, ...]
    failures: tuple[Observed, ...] = ()
    successes: tuple[Observed, ...] = ()
    matching: tuple[Example, ...] = ()

    @property
    def examples(self) -> tuple[Example, ...]:
        """Every input that is shown: the only ones that an action can rest on."""
        return (*(one.example for one in (*self.failures, *self.successes)), *self.matching)


def drawn(task: Task, group: Group, rules: RuleSet, seed: int) -> Shown:
    """Draw what is shown of a group: about 20 failures and 20 successes, by label and seed, within the token budget.

    At least one failure is shown, whatever it takes: a repair of unseen failures would be a guess.
    """
    concerned = tuple(rules.rule(rule_id) for rule_id in group.rules)
    confused = {group.gold, group.said, *(one.example.label for one in group.failures)}
    labels = confused.union(*(rule.text.labels for rule in concerned))
    others = [
        rule
        for label in task.label_names
        if label in labels
        for rule in rules.concluding(label)
        if rule.id not in group.rules
    ]
    shown = Shown(group, concerned, tuple(dict.fromkeys(others))[:CONTRAST])
    for item in _lots(task, group, seed):
        wider = _with(shown, item)
        if not shown.examples or likely_tokens(conflict_request(task, wider))[0] <= REQUEST_TOKENS:
            shown = wider
    return shown


def _lots(task: Task, group: Group, seed: int) -> Iterator[Observed | Example]:
    """Yield failures, successes and matching examples in turn, each kind in its drawn order."""

    def draw(observed: Sequence[Observed]) -> list[Observed]:
        by_hash = {one.example.hash: one for one in observed}
        examples = stratified([one.example for one in by_hash.values()], task.label_names, SAMPLE, seed)
        return [by_hash[example.hash] for example in examples]

    matching = stratified(group.matching, task.label_names, SAMPLE, seed)
    for one_each in zip_longest(draw(group.failures), draw(group.successes), matching):
        yield from (item for item in one_each if item is not None)


def _with(shown: Shown, item: Observed | Example) -> Shown:
    if isinstance(item, Example):
        return replace(shown, matching=(*shown.matching, item))
    if item.is_right:
        return replace(shown, successes=(*shown.successes, item))
    return replace(shown, failures=(*shown.failures, item))


def conflict_request(task: Task, shown: Shown) -> ChatRequest:
    """Return the call about what is shown; personal data masked where the import asked for that."""
    wrong = [_observed(task, one) for one in shown.failures]
    right = [_observed(task, one) for one in shown.successes]
    parts = [
        material("RULES", "\n".join(rule_words(rule) for rule in shown.rules) or "(no rule comes near)"),
        material("CONTRAST", "\n".join(rule_words(rule) for rule in shown.contrast) or "(none)"),
        material("WRONG", "\n\n".join(wrong) or "(none)", size_words(len(wrong), len(shown.group.failures))),
        material("RIGHT", "\n\n".join(right) or "(none)", size_words(len(right), len(shown.group.successes))),
    ]
    if shown.group.voices:
        parts.append(material("PEOPLE", "\n".join(shown.group.voices)))
    if shown.group.matching:
        both = [example_words(task, example) for example in shown.matching]
        parts.append(material("MATCHES_BOTH", "\n\n".join(both), size_words(len(both), len(shown.group.matching))))
    return ChatRequest(
        system=teacher_system(task, TEMPLATE),
        user="\n\n".join(parts),
        purpose="conflict",
        subjects=tuple(one.example.hash for one in shown.failures) or tuple(e.hash for e in shown.matching),
        nearby=tuple(one.example.hash for one in shown.successes),
        rules=tuple((rule.id, rule.text) for rule in shown.rules),
        schema=schema_of(ConflictReply),
        max_tokens=REPLY_TOKENS,
    )


def size_words(shown: int, there: int) -> str:
    """Return how many of how many are shown, for a marker; empty if all are."""
    return f" ({shown:,} of {there:,})" if shown < there else ""


def rule_words(rule: TrialRule) -> str:
    """Return a rule on one line: its id, what it says, its priority, what it rests on, and how it stands."""
    standing = " LOCKED" if rule.locked else ""
    standing += "" if rule.in_force else " OUT OF FORCE, as somebody holds an example against it"
    line = rule_line(0, rule.revision).removeprefix("0. ")
    return f"{line} (priority {rule.text.priority}; rests on {len(rule.supports):,} examples){standing}"


def _observed(task: Task, one: Observed) -> str:
    said = one.said if one.said is not None else "(no usable answer)"
    cited = f" NAMED: {', '.join(one.cited)}" if one.cited else ""
    who = "ANSWERED" if one.asked else "THE RULE SAYS"
    return f"{example_words(task, one.example)}\n{who}: {said}{cited}"


def example_words(task: Task, example: Example) -> str:
    """Return an input with its id and its correct label; personal data masked where the import asked for that."""
    return f"[{short_id(example.hash)}]\n{input_of(task, shown_to_teacher(example))}\nCORRECT: {example.label}"
