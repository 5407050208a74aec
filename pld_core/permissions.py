"""Which role each step takes: the one table that pages, command line and store ask."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from pld_core.errors import InvalidInput, LastAdmin, MissingRole
from pld_core.models import Actor, Role


class Step(StrEnum):
    """What somebody can do to a workspace. Reading takes no step, moving a workspace's own machinery neither."""

    IMPORT_DATA = "import data"
    ARCHIVE_DATA = "archive data"
    RESTORE_DATA = "restore data"
    DELETE_DATA = "delete data"
    SETTLE_LABELS = "settle which label is right"
    RESPLIT = "divide examples anew"
    CHANGE_GUIDELINE = "change the guideline"
    CHANGE_LABELS = "change labels"
    EXTRACT = "let a teacher extract instructions"
    EMBED = "embed texts"
    CLUSTER = "keep a clustering"
    SYNTHESISE = "synthesise rules"
    COMPARE = "compare rules with each other"
    SUBMIT = "bring a rule into review"
    PROMOTE = "promote noise to a rule"
    JUDGE = "decide on a rule"
    SECOND_LOOK = "take a second look at a rejection"
    EDIT = "edit a rule"
    RETIRE = "retire a rule"
    TICK = "say what an example says of a rule"
    WITHDRAW = "withdraw a decision"
    SPLIT = "split a rule"
    MERGE = "merge rules"
    EXPORT_SHEET = "export rules for deciding"
    COMMENT = "comment on a rule"
    ASK_OPINION = "ask for a second opinion"
    TAG = "tag rules"
    ASSIGN = "assign rules"
    ASSIGN_OTHERS = "assign rules to others"
    COMPILE = "compile a prompt"
    RELEASE = "release a prompt version"
    EVALUATE = "evaluate a prompt"
    ASK = "ask a student"
    MARK = "mark an answer of the student"
    PULL_MODEL = "get a model onto a server"
    PUBLISH = "publish a prompt as a model"
    MEASURE_EFFECT = "measure what a rule does to the student"
    JUDGE_PAIRS = "let a teacher judge overlapping rules"
    RESOLVE = "let a teacher propose repairs of rules"
    ACCEPT_PROPOSAL = "accept a proposed repair for review"
    DISMISS_PROPOSAL = "dismiss a proposed repair"
    LOCK = "lock a rule against repairs"
    EXPORT = "export an audit pack"
    CHANGE_SETTINGS = "change settings"
    CHANGE_POLICY = "change the policy of a task"
    GRANT = "grant and revoke roles"


_R = Role
_REVIEWING = frozenset({_R.REVIEWER, _R.LEAD})
_LEADING = frozenset({_R.LEAD})
_TRYING = frozenset({_R.REVIEWER, _R.LEAD, _R.RELEASE_MANAGER})
PERMITTED: dict[Step, frozenset[Role]] = {
    Step.IMPORT_DATA: _LEADING,
    Step.ARCHIVE_DATA: _LEADING,
    Step.RESTORE_DATA: _LEADING,
    Step.DELETE_DATA: _LEADING,
    Step.SETTLE_LABELS: _REVIEWING,
    Step.RESPLIT: _LEADING,
    Step.CHANGE_GUIDELINE: _LEADING,
    Step.CHANGE_LABELS: _LEADING,
    Step.EXTRACT: _LEADING,
    Step.EMBED: _LEADING,
    Step.CLUSTER: _LEADING,
    Step.SYNTHESISE: _LEADING,
    Step.COMPARE: _REVIEWING,
    Step.SUBMIT: _REVIEWING,
    Step.PROMOTE: _REVIEWING,
    Step.JUDGE: _REVIEWING,
    Step.SECOND_LOOK: _REVIEWING,
    Step.EDIT: _REVIEWING,
    Step.RETIRE: frozenset({_R.LEAD, _R.RELEASE_MANAGER}),
    Step.TICK: _REVIEWING,
    Step.WITHDRAW: _REVIEWING,
    Step.SPLIT: _REVIEWING,
    Step.MERGE: _REVIEWING,
    Step.EXPORT_SHEET: _REVIEWING,
    Step.COMMENT: frozenset({_R.REVIEWER, _R.LEAD, _R.RELEASE_MANAGER, _R.ANALYST, _R.AUDITOR}),
    Step.ASK_OPINION: _REVIEWING,
    Step.TAG: _REVIEWING,
    Step.ASSIGN: _REVIEWING,
    Step.ASSIGN_OTHERS: _LEADING,
    Step.COMPILE: frozenset({_R.LEAD, _R.RELEASE_MANAGER}),
    Step.RELEASE: frozenset({_R.RELEASE_MANAGER}),
    Step.EVALUATE: _TRYING,
    Step.ASK: _TRYING,
    # It changes no rule: whoever looks at answers can say what is wrong with them.
    Step.MARK: _TRYING | {_R.ANALYST},
    # It takes room on a server that others may use too.
    Step.PULL_MODEL: frozenset({_R.LEAD, _R.RELEASE_MANAGER}),
    Step.PUBLISH: frozenset({_R.RELEASE_MANAGER}),
    Step.MEASURE_EFFECT: _TRYING,
    Step.JUDGE_PAIRS: _LEADING,
    Step.RESOLVE: _LEADING,
    Step.ACCEPT_PROPOSAL: _REVIEWING,
    Step.DISMISS_PROPOSAL: _REVIEWING,
    Step.LOCK: _REVIEWING,
    # It holds every text that the rules rest on, and who decided what; reviewing alone does not ask for that.
    Step.EXPORT: frozenset({_R.AUDITOR, _R.LEAD, _R.ADMIN}),
    Step.CHANGE_SETTINGS: frozenset({_R.ADMIN}),
    # Who decides on rules does not loosen what the decisions have to follow.
    Step.CHANGE_POLICY: frozenset({_R.ADMIN}),
    Step.GRANT: frozenset({_R.ADMIN}),
}
"""Any one of the roles is enough. An analyst reads and comments, an auditor exports too."""

JOBS: dict[str, Step] = {
    "evaluate": Step.EVALUATE,
    "synthesise": Step.SYNTHESISE,
    "judge_pairs": Step.JUDGE_PAIRS,
    "resolve": Step.RESOLVE,
    "try_edited": Step.ACCEPT_PROPOSAL,
    "greedy": Step.RESOLVE,
    "demo": Step.IMPORT_DATA,
    "import": Step.IMPORT_DATA,
    "extract": Step.EXTRACT,
    "embed": Step.EMBED,
    "audit_pack": Step.EXPORT,
    "effect": Step.MEASURE_EFFECT,
    "live_batch": Step.ASK,
    "attribute": Step.EVALUATE,
    "ablate": Step.EVALUATE,
}
"""The step that a job of each kind takes: to order it, to cancel it, and to continue it."""


def permits(actor: Actor, step: Step) -> bool:
    """Return whether the actor holds one of the roles that the step takes."""
    return bool(PERMITTED[step] & actor.roles)


def require(actor: Actor, step: Step) -> None:
    """Raise `MissingRole` unless the actor holds one of the roles that the step takes."""
    if not permits(actor, step):
        raise MissingRole(
            f"{actor.name} may not {step.value}: that takes the role {role_words(PERMITTED[step])}. "
            "Nothing was changed. An admin grants roles."
        )


def require_job(actor: Actor, kind: str) -> None:
    """Raise `MissingRole` unless the actor may order, cancel and continue jobs of this kind.

    Raises:
        InvalidInput: there is no such kind.
    """
    if kind not in JOBS:
        raise InvalidInput(f"There is no kind of job {kind!r}. Nothing was changed.")
    require(actor, JOBS[kind])


def require_grant(actor: Actor, role: Role, admins: Collection[str]) -> bool:
    """Return whether this grant is the first of an admin, made by the local user because nobody else could.

    Somebody who signed in cannot make it: otherwise whoever comes first would own the workspace.

    Raises:
        MissingRole: the actor is no admin, and this is not that first grant.
    """
    is_first = role is Role.ADMIN and not admins
    if not (is_first and actor.identity is None):
        require(actor, Step.GRANT)
    return is_first


def require_admin_left(person: str, role: Role, admins: Collection[str]) -> None:
    """Raise `LastAdmin` if revoking this role would leave nobody who could grant roles."""
    if role is Role.ADMIN and set(admins) <= {person}:
        raise LastAdmin(
            f"{person} is the last admin; without one nobody could grant roles any more. Nothing was changed. "
            "Grant admin to somebody else first, then revoke this one."
        )


def role_words(roles: Collection[Role]) -> str:
    """Return roles in words, such as `lead or release manager`."""
    return " or ".join(sorted(role.label for role in roles))


Given = ParamSpec("Given")
Result = TypeVar("Result")


class Acting(Protocol):
    """What carries the person who acts, such as an open app."""

    @property
    def actor(self) -> Actor: ...


Holder = TypeVar("Holder", bound=Acting)


def guarded(step: Step) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let a function with a parameter `actor` run only for actors who may take the step; nothing runs before it."""

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        place = list(inspect.signature(function).parameters).index("actor")

        @functools.wraps(function)
        def checked(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            actor = kwargs["actor"] if "actor" in kwargs else args[place]
            if not isinstance(actor, Actor):
                raise TypeError(f"{function.__qualname__} needs an actor, not {actor!r}.")
            require(actor, step)
            return function(*args, **kwargs)

        return checked

    return decorate


def guarded_app(
    step: Step,
) -> Callable[[Callable[Concatenate[Holder, Given], Result]], Callable[Concatenate[Holder, Given], Result]]:
    """Let a function whose first argument carries the actor run only for actors who may take the step."""

    def decorate(
        function: Callable[Concatenate[Holder, Given], Result],
    ) -> Callable[Concatenate[Holder, Given], Result]:
        @functools.wraps(function)
        def checked(app: Holder, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
            require(app.actor, step)
            return function(app, *args, **kwargs)

        return checked

    return decorate
