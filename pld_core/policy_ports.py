"""What is needed of a store for what reviews have to follow, and for who may do what."""

from __future__ import annotations

from typing import Protocol

from pld_core.guideline import GuidelineVersion
from pld_core.models import Actor, Label, Role, RoleChange
from pld_core.policy import Policy, PolicyChange
from pld_core.staleness import Effects


class PolicyStore(Protocol):
    """What each task's reviews have to follow; every change is kept."""

    def of(self, task: str) -> Policy:
        """Return the policy in force."""
        ...

    def history(self, task: str) -> tuple[PolicyChange, ...]:
        """Return every change, newest first."""
        ...

    def change(self, task: str, seen: Policy, policy: Policy, reason: str, actor: Actor) -> PolicyChange:
        """Set another policy; `seen` is the one that the person looked at.

        Raises:
            MissingRole: the actor is no admin.
            PolicyMovedOn: somebody changed it meanwhile.
            InvalidInput: a policy that cannot be, or the one in force.
            MissingReason: no reason.
        """
        ...


class GuidelineStore(Protocol):
    """The guideline of each task; every version is kept."""

    def current(self, task: str) -> GuidelineVersion: ...
    def history(self, task: str) -> tuple[GuidelineVersion, ...]:
        """Return every version, newest first."""
        ...

    def effects(self, task: str, text: str) -> Effects:
        """Return what another text would make of the decisions of the task; nothing is changed."""
        ...

    def change(
        self, task: str, seen_version: int, text: str, reason: str, actor: Actor
    ) -> tuple[GuidelineVersion, Effects]:
        """Set another guideline and mark stale what was decided under the old one, in one transaction.

        Raises:
            GuidelineMovedOn: `seen_version` is not in force any more.
            InvalidInput: no text, one that is too long, or the one in force.
            MissingReason: no reason.
        """
        ...


class LabelStore(Protocol):
    """The label set of each task."""

    def effects(self, task: str, labels: tuple[Label, ...]) -> Effects:
        """Return what another label set would make of the decisions of the task; nothing is changed.

        Raises:
            InvalidInput: the label set cannot be.
            DataInUse: rules or examples use a label that is not in it.
        """
        ...

    def change(
        self, task: str, seen: tuple[Label, ...], labels: tuple[Label, ...], reason: str, actor: Actor
    ) -> Effects:
        """Set another label set and mark stale what was decided with the old one, in one transaction.

        Raises:
            LabelsMovedOn: `seen` is not in force any more.
            InvalidInput: a label set that cannot be, or the one in force.
            DataInUse: rules or examples use a label that would be removed.
            MissingReason: no reason.
        """
        ...


class RoleStore(Protocol):
    """Who holds which role: granted and revoked, never overwritten."""

    def held(self, person: str) -> frozenset[Role]:
        """Return the roles that a person holds now."""
        ...

    def holders(self) -> tuple[RoleChange, ...]:
        """Return the grants in force, by person and role."""
        ...

    def history(self) -> tuple[RoleChange, ...]:
        """Return every grant and revocation, newest first."""
        ...

    def grant(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        """Grant a role. While there is no admin, the local user may grant the first; it is recorded as such.

        Raises:
            MissingRole: the actor is no admin.
            InvalidInput: not a name, or the person holds the role already.
        """
        ...

    def revoke(self, person: str, role: Role, reason: str, actor: Actor) -> RoleChange:
        """Revoke a role.

        Raises:
            MissingRole: the actor is no admin.
            MissingReason: the reason is empty.
            LastAdmin: nobody could grant roles any more.
            NotFound: the person does not hold the role by a grant.
        """
        ...
