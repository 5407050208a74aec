"""The policy of a task: how many people an approval takes, what they see of each other, and what is looked at twice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from pld_core.canonical import Json
from pld_core.errors import InvalidInput, MissingReason

MOST_KNOWN_BAD = 20
"""Percent: with more known-bad variants in the queue, reviewing becomes a quiz."""
LONGEST_FRESH = 24 * 60


@dataclass(frozen=True)
class Policy:
    """What a task's reviews have to follow. As made, one person decides and nothing is added.

    Attributes:
        four_eyes: an approval takes two people, and who wrote a revision cannot give the deciding one.
        blind: whoever decides second does not see the first decision before; takes four eyes.
        second_look: of 100 rejections, how many somebody else looks at again, 0 to 100.
        known_bad: known-bad variants mixed into the queue for each 100 rules that enter review, 0 to `MOST_KNOWN_BAD`.
        fresh_sign_in: most minutes since the identity provider saw the person, for a signature; 0 for any time.
    """

    four_eyes: bool = False
    blind: bool = False
    second_look: int = 0
    known_bad: int = 0
    fresh_sign_in: int = 0

    def as_json(self) -> dict[str, Json]:
        return asdict(self)


PLAIN = Policy()


@dataclass(frozen=True)
class PolicyChange:
    """A policy as it was set. `number` counts all changes of a workspace; 0 is the policy that nobody set."""

    number: int
    policy: Policy
    reason: str
    by: str
    at: str


def check_policy(policy: Policy) -> None:
    """Raise `InvalidInput` for a policy that cannot be."""
    for name, value, most in (
        ("share of rejections looked at again", policy.second_look, 100),
        ("share of known-bad variants", policy.known_bad, MOST_KNOWN_BAD),
        ("time since the sign-in, in minutes,", policy.fresh_sign_in, LONGEST_FRESH),
    ):
        if not 0 <= value <= most:
            raise InvalidInput(f"The {name} has to lie between 0 and {most:,}, not {value:,}. Nothing was changed.")
    if policy.blind and not policy.four_eyes:
        raise InvalidInput(
            "A blind second review takes four eyes: without a second person there is nobody to keep the first decision "
            "from. Nothing was changed; turn four eyes on too."
        )


def check_change(before: Policy, after: Policy, reason: str) -> None:
    """Raise `InvalidInput` for a policy that cannot be or that changes nothing, `MissingReason` without a reason."""
    check_policy(after)
    if after == before:
        raise InvalidInput("Nothing was changed: this is the policy in force.")
    if not reason.strip():
        raise MissingReason("A change of policy needs a reason, which is kept. Nothing was changed; say why.")


def differences(before: Policy, after: Policy) -> dict[str, tuple[Json, Json]]:
    """Return (before, after) of each part that differs, by its name."""
    old, new = before.as_json(), after.as_json()
    return {part.name: (old[part.name], new[part.name]) for part in fields(Policy) if old[part.name] != new[part.name]}
