"""What the figures on the Errors page are made of: the run, the baseline, the method; or what is missing for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pld_app import run_figures, session
from pld_app.components.errors_missing import (
    draw_no_attribution,
    draw_no_citations,
    draw_no_run,
    draw_only_other_splits,
)
from pld_app.components.text import count, moment
from pld_app.components.unusable_answers import are_all_unusable, draw_all_unusable
from pld_core.analytics import ComparableRun, baseline_of
from pld_core.attribution import Method
from pld_core.models import Run, Split, Task
from pld_core.prompt_style import Style

METHODS = {"By evidence": Method.EVIDENCE, "Cited": Method.CITED, "By ablation": Method.ABLATION}
MEANINGS = {
    Method.EVIDENCE: "An answer is put down to the rule whose evidence the example belongs to, or lies nearest to. "
    "This says what a rule is about, not what the student did.",
    Method.CITED: "An answer is put down to the first rule that the student says it went by. This is a report of the "
    "student on itself and may be made up.",
    Method.ABLATION: "The rule is left out of the prompt, the student is asked again, and what changes is counted. "
    "The only method that shows a cause.",
}


@dataclass(frozen=True)
class Ground:
    """What the charts are about.

    Attributes:
        baseline: the run that harm is told against; None if there is none.
    """

    run: Run
    method: Method
    baseline: int | None


def draw_ground(task: Task) -> Ground | None:
    """Draw the choice of run, baseline and method; return it, or None with what is missing on screen."""
    store = session.app().store
    runs = {one.run.id: one for one in store.analytics.complete(task.name)}
    if not runs:
        draw_no_run(task)
        return None
    left, right, how = st.columns([9, 6, 7], gap="small", vertical_alignment="bottom")
    with left:
        chosen = runs[_draw_run(task, runs)]
    comparable = {one.run.id: one for one in store.analytics.comparable(chosen.run.id)}
    with right:
        baseline = _draw_baseline(chosen.run, comparable)
    with how:
        method = METHODS[_draw_method()]
    st.caption(MEANINGS[method])
    if all(one.run.split is not Split.VALIDATION for one in runs.values()):
        draw_only_other_splits(task)
    if are_all_unusable(run_figures.figures_of(session.app(), chosen.run)):
        draw_all_unusable(
            "no rule is behind these errors. Read what it said on Evaluate, under “Confusion and wrong answers”, and "
            "try the prompt on Live test."
        )
    needed = Method.EVIDENCE if method is Method.ABLATION else method
    if needed not in chosen.methods:
        cites = store.prompts.get(task.name, chosen.run.prompt_number).prompt.style is Style.CITED
        if method is Method.CITED and not cites:
            draw_no_citations(chosen.run)
        else:
            draw_no_attribution(chosen.run)
        return None
    return Ground(chosen.run, method, baseline)


def default_run(runs: Sequence[ComparableRun]) -> int:
    """Return the newest run over validation whose prompt has rules, else the newest over validation, else the newest.

    Args:
        runs: newest first, at least one.
    """
    validation = [one for one in runs if one.run.split is Split.VALIDATION]
    ranked = [*(one for one in validation if one.rules), *validation, *runs]
    return ranked[0].run.id


def _draw_run(task: Task, runs: dict[int, ComparableRun]) -> int:
    key, named = f"errors_run_{task.name}", session.address("run")
    wanted = int(named) if named.isdecimal() and int(named) in runs else default_run(list(runs.values()))
    session.preset(key, wanted)
    st.selectbox(
        "Run",
        list(runs),
        format_func=lambda number: run_words(runs[number]) if number in runs else str(number),
        key=key,
        on_change=_picked,
        args=(key, "run"),
    )
    return wanted


def _draw_baseline(run: Run, comparable: dict[int, ComparableRun]) -> int | None:
    if not comparable:
        st.selectbox(
            "Harm is told against",
            ["no other run of this student"],
            key="errors_no_baseline",
            disabled=True,
            help="Evaluate a baseline without rules, or another version, with the same student on the same split.",
        )
        return None
    key, named = f"errors_baseline_{run.id}", session.address("baseline")
    usual = baseline_of(tuple(comparable.values()), run.id) or next(iter(comparable))
    wanted = int(named) if named.isdecimal() and int(named) in comparable else usual
    session.preset(key, wanted)
    st.selectbox(
        "Harm is told against",
        list(comparable),
        format_func=lambda number: version_of(comparable[number]) if number in comparable else str(number),
        key=key,
        on_change=_picked,
        args=(key, "baseline"),
        help="An answer harms if it is wrong now and right in that run.",
    )
    return wanted


def _draw_method() -> str:
    chosen = st.segmented_control(
        "An answer is put down to a rule",
        list(METHODS),
        default=next(iter(METHODS)),
        required=True,
        key="errors_method",
        bind="query-params",
    )
    return str(chosen)


def _picked(key: str, name: str) -> None:
    session.set_address(name, session.widget(key))
    if name == "run":
        session.set_address("baseline", "")


def run_words(one: ComparableRun) -> str:
    """Return a run for lists."""
    run = one.run
    parts = (version_of(one), run.split.value, run.student, moment(run.created_at))
    return " ".join(" · ".join(parts).split())


def version_of(one: ComparableRun) -> str:
    """Return a run with its version, such as `Run 3 · version 2, 12 rules`."""
    rules = count(one.rules, "rule") if one.rules else "no rules"
    return f"Run {one.run.id} · version {one.run.prompt_number}, {rules}"
