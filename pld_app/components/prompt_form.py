"""Choosing what a prompt version is compiled from, and what to do about one that is too long."""

from __future__ import annotations

import streamlit as st

from pld_app import session, wiring
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, plain, short_hash
from pld_core.compilation import Choices
from pld_core.errors import OverBudget, PldError
from pld_core.models import Task
from pld_core.permissions import Step
from pld_core.prompt_manifest import PromptKind, RuleOrder
from pld_core.prompt_plan import BudgetPlan
from pld_core.prompt_style import Style

ESTIMATE = "estimate"
LISTED = {PromptKind.RULES: "Approved rules", PromptKind.NO_RULES: "Baseline: no rules",
          PromptKind.FEW_SHOT: "Baseline: 5 examples instead"}  # fmt: skip


def _key(task: Task, name: str) -> str:
    """Return the key of a field, which belongs to one task."""
    return f"compile_{name}_{task.name}"


def draw_form(task: Task) -> None:
    """Draw how many rules are approved, the choices, and the button that compiles."""
    store = session.app().store
    approved = store.rules.ids_in_force(task.name)
    total, stale = sum(store.tasks.counts(task.name).rules.values()), wiring.stale_rules(session.app(), task.name)
    with st.container(border=True, key="candidates"):
        st.markdown(f"**{len(approved)} of {count(total, 'rule')} approved**: these would be compiled now.")
        if stale:
            are = "is" if stale == 1 else "are"
            draw_remark("orange", f"{count(stale, 'rule')} {are} stale and left out until reviewed again.")
            _link_to_review("Review what is stale", task, "Stale")
        elif not approved:
            st.caption("Approve a rule on the Review page first.")
            _link_to_review("Go to Review", task, "Mine")
        kind = _draw_choices(task)
        if kind is PromptKind.RULES:
            _draw_rules(task, approved)
        elif kind is PromptKind.FEW_SHOT:
            st.number_input(
                "Seed", 0, value=0, step=1, key=_key(task, "seed"), help="The same seed draws the same examples."
            )
        st.button(
            "Compile a prompt version",
            type="primary",
            key="compile",
            **allowed(Step.COMPILE, kind is not PromptKind.RULES or bool(approved)),
            on_click=_compile,
            args=(task,),
        )
        plan = session.proposal(task.name)
        if plan is not None:
            _draw_plan(task, plan)


def _link_to_review(label: str, task: Task, tab: str) -> None:
    st.page_link("pages/review.py", label=label, icon=":material/rule:", query_params={"task": task.name, "show": tab})


def _draw_choices(task: Task) -> PromptKind:
    settings = session.app().settings
    what, answer, counter, budget = st.columns(4)
    kind = what.selectbox("What", list(PromptKind), format_func=LISTED.__getitem__, key=_key(task, "kind"))
    answer.selectbox(
        "Answer",
        list(Style),
        format_func=lambda style: style.words.capitalize(),
        key=_key(task, "style"),
        help="What the student is told to reply. The label always comes first.",
    )
    names = list(dict.fromkeys([settings.student, *settings.students, ESTIMATE]))
    counter.selectbox(
        "Tokens counted by",
        names,
        format_func=lambda name: "Nobody: estimate from the length" if name == ESTIMATE else name,
        key=_key(task, "student"),
        help="The student counts with its own tokenizer and chat template. If it cannot, the count is an estimate.",
    )
    budget.number_input(
        "Most tokens", 1, value=None, step=100, placeholder="no limit", key=_key(task, "budget"),
        help="A longer prompt is not compiled; you are told which rules are worth least a token.",
    )  # fmt: skip
    return kind or PromptKind.RULES


def _draw_rules(task: Task, approved: tuple[str, ...]) -> None:
    with st.expander("Leave rules out, or order them yourself"):
        left, right = st.columns(2)
        left.multiselect("Leave out", approved, key=_key(task, "leave_out"), placeholder="none")
        right.text_input(
            "Order of your own", key=_key(task, "order"), placeholder=f"by rank; or {', '.join(approved[:3])}"
        )
        st.text_input("Reason", key=_key(task, "reason"), help="Needed for both; it is recorded in the version.")


def _draw_plan(task: Task, plan: BudgetPlan) -> None:
    """Draw what could be left out so that the prompt fits; it only fills the fields above."""
    st.warning(f"{plain(plan.words)} Nothing was compiled.", icon=":material/data_usage:")
    if not plan.fits:
        return
    with st.container(gap="xsmall"):
        for drop in plan.drops:
            st.markdown(f"**{drop.rule_id}** · {drop.tokens:,} tokens · {plain(drop.basis)}")
    st.button("Choose these to leave out", key="take_plan", on_click=_take, args=(task, plan))
    st.caption("Then give a reason and compile. You can also raise the limit.")


def _take(task: Task, plan: BudgetPlan) -> None:
    chosen = (*session.chosen(_key(task, "leave_out")), *(drop.rule_id for drop in plan.drops))
    session.preset(_key(task, "leave_out"), list(chosen))
    session.propose(task.name, None)
    session.notify(f"{', '.join(drop.rule_id for drop in plan.drops)} chosen; give a reason, then compile")


def _choices(task: Task) -> Choices:
    """Read the fields; what was typed for rules does not count for a baseline."""
    kind = PromptKind(session.text_or(_key(task, "kind"), PromptKind.RULES))
    is_rules = kind is PromptKind.RULES
    typed = session.widget(_key(task, "order")).replace(",", " ").upper().split() if is_rules else ()
    reason = session.widget(_key(task, "reason"))
    return Choices(
        style=Style(session.text_or(_key(task, "style"), Style.LABEL)),
        kind=kind,
        order=RuleOrder(tuple(typed), reason if typed else ""),
        leave_out=session.chosen(_key(task, "leave_out")) if is_rules else (),
        reason=reason,
        seed=int(session.number(_key(task, "seed"))),
    )


def _compile(task: Task) -> None:
    counter = session.text_or(_key(task, "student"), session.app().settings.student)
    budget = int(session.number(_key(task, "budget"))) or None
    session.propose(task.name, None)
    try:
        student = "" if counter == ESTIMATE else counter
        version = wiring.compile_task(session.app(), task.name, _choices(task), student, budget)
    except OverBudget as error:
        session.propose(task.name, error.plan)
        return
    except PldError as error:
        session.complain(error)
        return
    session.preset(f"version_{task.name}", version.number)
    rules = count(len(version.prompt.rules), "rule")
    session.notify(f"Version {version.number}: {rules}, {short_hash(version.prompt.sha256)}")
