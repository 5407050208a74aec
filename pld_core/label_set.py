"""The label set of a task: what a change of it is, and what may be changed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pld_core.errors import DataInUse, InvalidInput
from pld_core.models import Label

LONGEST_NAME, LONGEST_DESCRIPTION = 80, 1_000
FEWEST = 2


@dataclass(frozen=True)
class LabelChange:
    """What differs between two label sets, by name.

    Attributes:
        described: labels of both whose description differs.
    """

    described: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        return not (self.described or self.added or self.removed)

    @property
    def alters_set(self) -> bool:
        """Whether there are other labels to choose from."""
        return bool(self.added or self.removed)


@dataclass(frozen=True)
class LabelUse:
    """What keeps a label from being removed: examples that take part or may again, and rules that conclude it."""

    examples: int = 0
    rules: tuple[str, ...] = ()


def changed_labels(before: tuple[Label, ...], after: Iterable[Label]) -> tuple[Label, ...]:
    """Return the new label set: white space folded, those that stay in their order, new ones behind them.

    Raises:
        InvalidInput: a name that is empty, too long, or there twice; a description that is too long; fewer than two
            labels.
    """
    cleaned = [Label(" ".join(label.name.split()), " ".join(label.description.split())) for label in after]
    names = [label.name for label in cleaned]
    for label in cleaned:
        if not label.name or len(label.name) > LONGEST_NAME:
            raise InvalidInput(
                f"The name of a label has 1 to {LONGEST_NAME} characters; {label.name[:90]!r} has not. "
                "Nothing was changed."
            )
        if len(label.description) > LONGEST_DESCRIPTION:
            raise InvalidInput(
                f"The description of {label.name} has {len(label.description):,} characters; at most "
                f"{LONGEST_DESCRIPTION:,} are allowed. Nothing was changed; shorten it and save again."
            )
        if names.count(label.name) > 1:
            raise InvalidInput(f"The label {label.name!r} is there twice. Nothing was changed; choose another name.")
    if len(cleaned) < FEWEST:
        raise InvalidInput(f"A task needs at least {FEWEST} labels to choose from. Nothing was changed.")
    there = [label.name for label in before]
    kept = sorted((label for label in cleaned if label.name in there), key=lambda label: there.index(label.name))
    return (*kept, *(label for label in cleaned if label.name not in there))


def edited_labels(
    task: str,
    labels: tuple[Label, ...],
    descriptions: Mapping[str, str],
    added: Mapping[str, str],
    removed: Collection[str],
) -> tuple[Label, ...]:
    """Return a label set with other descriptions, further labels and without some.

    Raises:
        InvalidInput: a label is described or removed that the task does not declare, or added that it does.
    """
    names = [label.name for label in labels]
    for name in (*descriptions, *removed):
        if name not in names:
            raise InvalidInput(
                f"The label {name!r} is not declared for {task}: {', '.join(names)}. Nothing was changed."
            )
    if there := [name for name in added if name in names]:
        raise InvalidInput(f"The label {there[0]!r} is there already. Nothing was changed.")
    kept = [label for label in labels if label.name not in removed]
    return (
        *(Label(label.name, descriptions.get(label.name, label.description)) for label in kept),
        *(Label(name, text) for name, text in added.items()),
    )


def label_change(before: tuple[Label, ...], after: tuple[Label, ...]) -> LabelChange:
    """Return what differs; the order of labels is no difference."""
    old = {label.name: label.description for label in before}
    new = {label.name: label.description for label in after}
    return LabelChange(
        described=tuple(name for name in new if name in old and new[name] != old[name]),
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
    )


def refuse_in_use(name: str, use: LabelUse) -> None:
    """Raise `DataInUse` if something rests on the label that would be removed."""
    if not (use.examples or use.rules):
        return
    parts = []
    if use.rules:
        shown = ", ".join(use.rules[:10]) + (f" and {len(use.rules) - 10:,} more" if len(use.rules) > 10 else "")
        parts.append(f"{'rule' if len(use.rules) == 1 else 'rules'} {shown}")
    if use.examples:
        parts.append(f"{use.examples:,} {'example' if use.examples == 1 else 'examples'}")
    raise DataInUse(
        f"The label {name} cannot be removed: it is used by {' and by '.join(parts)}. Nothing was changed. "
        "Reject or edit the rules and delete the data sets first, or keep the label."
    )
