"""Which role each step takes, and that nobody is locked out or lets himself in."""

from __future__ import annotations

import pytest

from pld_app.worker import HANDLERS
from pld_core.errors import InvalidInput, LastAdmin, MissingRole
from pld_core.models import Actor, Identity, Role
from pld_core.permissions import (
    JOBS,
    PERMITTED,
    Step,
    guarded,
    require,
    require_admin_left,
    require_grant,
    require_job,
)

NOBODY = Actor("nora", frozenset())
LOCAL = Actor("local", frozenset())
SIGNED_IN = Actor("eve@example.org", frozenset(), Identity("https://login.example.org", "7"))
ADMIN = Actor("ada@example.org", frozenset({Role.ADMIN}), Identity("https://login.example.org", "1"))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("step", Step)
def test_a_role_alone_gives_exactly_the_steps_of_the_table(step: Step, role: Role) -> None:
    actor = Actor("olga", frozenset({role}))
    if role in PERMITTED[step]:
        require(actor, step)
    else:
        with pytest.raises(MissingRole, match=f"olga may not {step.value}: that takes the role .*An admin grants"):
            require(actor, step)


def test_every_step_takes_a_role_analysts_comment_and_mark_and_auditors_comment() -> None:
    assert set(PERMITTED) == set(Step)
    assert all(PERMITTED.values())
    assert [step for step in Step if Role.ANALYST in PERMITTED[step]] == [Step.COMMENT, Step.MARK]
    assert [step for step in Step if Role.AUDITOR in PERMITTED[step]] == [Step.COMMENT, Step.EXPORT]
    assert [step for step in Step if Role.ADMIN in PERMITTED[step]] == [
        Step.EXPORT,
        Step.CHANGE_SETTINGS,
        Step.CHANGE_POLICY,
        Step.GRANT,
    ]


def test_every_kind_of_job_takes_a_step() -> None:
    assert set(JOBS) == set(HANDLERS)
    with pytest.raises(InvalidInput, match="no kind of job 'nonsense'"):
        require_job(ADMIN, "nonsense")
    with pytest.raises(MissingRole, match="extract"):
        require_job(ADMIN, "extract")


def test_the_local_user_makes_the_first_admin_and_only_that() -> None:
    assert require_grant(LOCAL, Role.ADMIN, ()) is True
    for role in set(Role) - {Role.ADMIN}:
        with pytest.raises(MissingRole):
            require_grant(LOCAL, role, ())
    with pytest.raises(MissingRole):
        require_grant(LOCAL, Role.ADMIN, ("ada@example.org",))


def test_nobody_who_signs_in_makes_himself_the_first_admin() -> None:
    with pytest.raises(MissingRole, match=r"eve@example.org may not grant"):
        require_grant(SIGNED_IN, Role.ADMIN, ())


def test_an_admin_grants_every_role() -> None:
    assert [require_grant(ADMIN, role, ("ada@example.org",)) for role in Role] == [False] * len(Role)


def test_the_last_admin_stays() -> None:
    with pytest.raises(LastAdmin, match="Grant admin to somebody else first"):
        require_admin_left("ada", Role.ADMIN, {"ada"})
    require_admin_left("ada", Role.ADMIN, {"ada", "bert"})
    require_admin_left("ada", Role.LEAD, {"ada"})


def test_a_guarded_function_does_nothing_before_it_asked() -> None:
    done: list[str] = []

    @guarded(Step.COMPILE)
    def act(what: str, actor: Actor) -> str:
        done.append(what)
        return actor.name

    with pytest.raises(MissingRole):
        act("first", NOBODY)
    with pytest.raises(MissingRole):
        act("second", actor=NOBODY)
    with pytest.raises(TypeError, match="needs an actor"):
        act("third", None)  # type: ignore[arg-type]  # as somebody careless may call it
    assert act("fourth", Actor("lea", frozenset({Role.LEAD}))) == "lea"
    assert done == ["fourth"]
