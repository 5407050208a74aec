"""What is shared between splits, and the division that keeps together what is alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pld_core.models import Split
from pld_core.splitting import draw_splits, join_units
from pld_core.validation.facts import ImportChoices
from pld_core.validation.near_duplicates import NearPair
from pld_core.validation.report import Leak
from pld_core.validation.taken import Taken

SHOWN = 20


def _links(pairs: Sequence[NearPair], taken: Taken) -> Iterator[tuple[int, int]]:
    """Yield pairs of entries that belong together: one group, one text, nearly one text.

    Entries that are not taken count as well: what is alike to one of them may be alike to each other.
    """
    first_of_group: dict[str, int] = {}
    first_of_text: dict[bytes, int] = {}
    for index, (group, key) in enumerate(zip(taken.facts.groups, taken.facts.keys, strict=True)):
        first = first_of_text.setdefault(key, index)
        if first != index:
            yield index, first
        if group and (first := first_of_group.setdefault(group, index)) != index:
            yield index, first
    for pair in pairs:
        yield pair.first, pair.second


def assign_splits(pairs: Sequence[NearPair], taken: Taken, choices: ImportChoices) -> bool:
    """Divide the rows if no column says how, or if that is wished; return whether this was done."""
    if choices.columns.split and not choices.resplit:
        return False
    standing = taken.standing
    units = join_units(len(taken.facts.keys), list(_links(pairs, taken)))
    fixed: dict[int, Split] = {}
    for index in standing:
        if not taken.is_row(index) and (split := taken.splits[index]) is not None:
            fixed.setdefault(units[index], split)
    keys = [taken.facts.keys[i].hex() + taken.label(i) for i in standing]
    drawn = draw_splits(keys, [taken.label(i) for i in standing], [units[i] for i in standing], fixed, choices.seed)
    for index, split in zip(standing, drawn, strict=True):
        if taken.is_row(index):
            taken.splits[index] = split
    for index, first in taken.merged.items():
        taken.splits[index] = taken.splits[first]
    return True


def find_leaks(pairs: Sequence[NearPair], taken: Taken) -> Iterator[Leak]:
    """Yield what is shared between splits: groups, texts, nearly equal texts."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index in taken.entries:
        if taken.facts.groups[index]:
            groups[taken.facts.groups[index]].append(index)
    for group, members in groups.items():
        yield from _leak("same group", group, members, taken)
    texts = taken.by_text(taken.entries, pairs)
    for members in texts.values():
        if len(members) > 1 and not _grouped(taken, members):
            yield from _leak("same text", "", members, taken)
    for pair in pairs:
        ones, twos = texts.get(taken.facts.keys[pair.first]), texts.get(taken.facts.keys[pair.second])
        if ones and twos and not _grouped(taken, [*ones, *twos]):
            yield from _leak("nearly the same text", "", [*ones, *twos], taken)


def _grouped(taken: Taken, members: Sequence[int]) -> bool:
    """Whether the entries are of one group, which is then told of as a whole."""
    names = {taken.facts.groups[i] for i in members}
    return len(names) == 1 and names != {""}


def _leak(kind: str, group: str, members: Sequence[int], taken: Taken) -> Iterator[Leak]:
    splits = {split for i in members if (split := taken.split(i)) is not None}
    # Two splits of examples that were there before are no matter of this import.
    if len(splits) > 1 and any(taken.is_row(i) for i in members):
        first_of_split = {taken.split(i): i for i in reversed(members)}
        shown = sorted(set(first_of_split.values()) | set(members[:SHOWN]))
        yield Leak.model_validate(
            {
                "kind": kind,
                "group": group,
                "rows": tuple(taken.facts.numbers[i] for i in shown),
                "splits": tuple(split.value for split in Split if split in splits),
            }
        )
