"""The policy of a task in words: what each part means and costs, what changes, what becomes of open reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pld_core.canonical import Json
from pld_core.policy import Policy, differences


@dataclass(frozen=True)
class PartWords:
    """A part of the policy for people: its name, what it asks for, and what that takes."""

    label: str
    meaning: str
    cost: str


PARTS: Mapping[str, PartWords] = {
    "four_eyes": PartWords(
        "Four eyes",
        "An approval takes two people, and whoever wrote a revision cannot give the deciding one.",
        "Every rule takes the time of a second reviewer.",
    ),
    "blind": PartWords(
        "Blind second review",
        "Whoever decides second does not see the first decision before deciding. Takes four eyes.",
        "The second reviewer cannot build on what the first one wrote.",
    ),
    "second_look": PartWords(
        "Rejections looked at again, of 100",
        "So many of 100 rejections are looked at again by somebody else.",
        "Each takes the time of another reviewer.",
    ),
    "known_bad": PartWords(
        "Known-bad rules mixed in, for each 100",
        "For each 100 rules that enter review, so many that are made wrong on purpose are mixed in, to see whether "
        "reviewers notice.",
        "Reviewers spend time on rules that are there to be rejected.",
    ),
    "fresh_sign_in": PartWords(
        "Fresh sign-in, minutes",
        "Whoever signs must have signed in at the identity provider at most so many minutes before; 0 for any time.",
        "People sign in more often, and nobody decides at the command line. Without sign-in it has no effect.",
    ),
}
"""By the part's name in `Policy`, in its order."""


def value_words(name: str, value: Json) -> str:
    """Return the value of a part: `on`, `20 of 100`, `15 minutes`, `any time`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "fresh_sign_in":
        return f"{value:,} minutes" if value else "any time"
    return f"{value} of 100" if value else "none"


def policy_lines(policy: Policy) -> tuple[str, ...]:
    """Return a line for each part: `Four eyes: on`."""
    values = policy.as_json()
    return tuple(f"{words.label}: {value_words(name, values[name])}" for name, words in PARTS.items())


def change_lines(before: Policy, after: Policy) -> tuple[str, ...]:
    """Return a line for each part that differs: `Four eyes: off → on`."""
    return tuple(
        f"{PARTS[name].label}: {value_words(name, old)} → {value_words(name, new)}"
        for name, (old, new) in differences(before, after).items()
    )


def open_reviews(before: Policy, after: Policy, first_approved: int, disputed: int) -> str:
    """Return what becomes of half-done reviews when four eyes are turned on or off; empty if nothing does.

    Args:
        first_approved, disputed: how many rules of the task are in these states.
    """
    if before.four_eyes == after.four_eyes:
        return ""
    if after.four_eyes:
        return "Rules in review take two approvals from now on. Approved rules stay approved."
    if not first_approved + disputed:
        return "No review is half done, so the change concerns later decisions only."
    return (
        f"Half done: {first_approved:,} first approved, {disputed:,} disputed. They stay where they are; the change "
        "approves none. For a first approved one, one more approval is enough, also by the person who gave the first. "
        "For a disputed one, the next decision settles it."
    )
