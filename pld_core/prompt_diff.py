"""What is different between two prompt versions: rules, wording, and what they were compiled from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pld_core.canonical import Json
from pld_core.compilation import rule_line
from pld_core.models import CompiledPrompt, CompiledRule, PromptVersion, Revision
from pld_core.prompt_manifest import Build
from pld_core.word_diff import Piece, line_pieces, marked, unmoved, word_pieces

Revisions = Mapping[str, Revision]
"""By hash."""
FindRevisions = Callable[[Sequence[str]], Revisions]
"""Returns revisions by hash; of thousands of rules only those are asked for that are not the same in both versions."""


class Change(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class RuleChange:
    """One rule that is not the same in both versions.

    Attributes:
        before, after: its number in each version; 0 where it is not in it.
        pieces: its words, without its number.
    """

    rule_id: str
    change: Change
    before: int
    after: int
    pieces: tuple[Piece, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "rule": self.rule_id,
            "change": self.change.value,
            "before": self.before or None,
            "after": self.after or None,
            "words": marked(self.pieces),
        }


@dataclass(frozen=True)
class FactChange:
    """Something else that a version records, such as its style, in both versions."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class PromptDiff:
    """The difference from one version to another.

    Attributes:
        rules: added, changed, moved and removed ones; in the order of the newer version, removed ones last.
        facts: template, guideline version, labels, style, kind, order, rules left out, where they differ.
        text: the whole text, in stretches of lines that stayed or changed.
    """

    before: int
    after: int
    rules: tuple[RuleChange, ...]
    facts: tuple[FactChange, ...]
    text: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        return not self.rules and not self.facts and all(piece.is_same for piece in self.text)

    def as_json(self) -> dict[str, Json]:
        return {
            "before": self.before,
            "after": self.after,
            "rules": [rule.as_json() for rule in self.rules],
            "facts": [{"name": f.name, "before": f.before, "after": f.after} for f in self.facts],
            "text": [
                {"before": piece.before, "after": piece.after, "words": marked(word_pieces(piece.before, piece.after))}
                for piece in self.text
                if not piece.is_same
            ],
        }


def compare(before: PromptVersion, after: PromptVersion, find: FindRevisions) -> PromptDiff:
    """Return what is different from one version to the other.

    A rule has moved if it stands elsewhere among the rules that both versions hold; of two that swapped, one has.
    """
    differing = _differing(before.prompt, after.prompt)
    found = find([rule.revision_hash for _, *sides in differing for rule in sides if rule is not None])
    return PromptDiff(
        before.number,
        after.number,
        tuple(_change(*one, found) for one in differing),
        _facts(before.prompt, after.prompt),
        line_pieces(before.prompt.text, after.prompt.text),
    )


_Differing = tuple[Change, CompiledRule | None, CompiledRule | None]


def _differing(before: CompiledPrompt, after: CompiledPrompt) -> list[_Differing]:
    """Return the rules that are not the same, as they stand in the older version and in the newer one."""
    old, new = ({rule.rule_id: rule for rule in prompt.rules} for prompt in (before, after))
    stayed = set(unmoved([key for key in old if key in new], [key for key in new if key in old]))
    found: list[_Differing] = []
    for rule_id, rule in new.items():
        earlier = old.get(rule_id)
        if earlier is None:
            found.append((Change.ADDED, None, rule))
        elif earlier.revision_hash != rule.revision_hash:
            found.append((Change.CHANGED, earlier, rule))
        elif rule_id not in stayed:
            found.append((Change.MOVED, earlier, rule))
    return found + [(Change.REMOVED, rule, None) for key, rule in old.items() if key not in new]


def _change(
    change: Change, before: CompiledRule | None, after: CompiledRule | None, revisions: Revisions
) -> RuleChange:
    words = [_words(rule, revisions) for rule in (before, after)]
    rule_id = after.rule_id if after else before.rule_id if before else ""
    numbers = [rule.number if rule else 0 for rule in (before, after)]
    return RuleChange(rule_id, change, numbers[0], numbers[1], word_pieces(words[0], words[1]))


def _words(rule: CompiledRule | None, revisions: Revisions) -> str:
    return rule_line(0, revisions[rule.revision_hash]).partition("] ")[2] if rule else ""


def _facts(before: CompiledPrompt, after: CompiledPrompt) -> tuple[FactChange, ...]:
    old, new = _told(before), _told(after)
    return tuple(FactChange(name, old[name], new[name]) for name in old if old[name] != new[name])


def _told(prompt: CompiledPrompt) -> dict[str, str]:
    build = prompt.build
    return {
        "kind": build.kind.words,
        "style": prompt.style.words,
        "order": ", ".join(build.order.manual) or "by rank",
        "rules left out": ", ".join(one.rule_id for one in build.left_out) or "none",
        "examples": _shots(build),
        "guideline version": str(prompt.guideline_version),
        "labels": ", ".join(prompt.labels),
        "template": prompt.template_hash,
    }


def _shots(build: Build) -> str:
    return "none" if build.shots is None else f"{len(build.shots.examples)}, drawn with seed {build.shots.seed}"
