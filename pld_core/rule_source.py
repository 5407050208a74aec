"""What a rule of a prompt was compiled from."""

from __future__ import annotations

from dataclasses import dataclass

from pld_core.models import Revision


@dataclass(frozen=True)
class RuleSource:
    """The revision of a rule of a prompt, and the decision that let it in.

    Attributes:
        reviewer: who gave the deciding approval; nobody is kept from it, as a second decision is what made it count.
        decided_at: UTC time, ISO 8601.
        is_in_force: whether a prompt that is compiled now would hold this revision.
    """

    revision: Revision
    reviewer: str
    decided_at: str
    is_in_force: bool
