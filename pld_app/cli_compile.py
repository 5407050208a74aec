"""`pld compile`: a prompt version of the approved rules, or a baseline, within a budget of tokens."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, SectionedCommand, options
from pld_app.prompting import length_of, version_json
from pld_core.compilation import Choices
from pld_core.compiling import PromptDraft
from pld_core.count_words import count
from pld_core.errors import OverBudget
from pld_core.prompt_manifest import PromptKind, RuleOrder
from pld_core.prompt_plan import BudgetPlan
from pld_core.prompt_style import Style

STYLES = [style.value for style in Style]
BASELINES = [kind.value for kind in PromptKind if kind is not PromptKind.RULES]
SECTIONS = {"What is compiled": 7, "How long it may be": 2, "What is done": 2}


@click.command(name="compile", cls=SectionedCommand, sections=SECTIONS)
@click.option("--task", "task_name", required=True, help="Task whose approved rules are compiled.")
@click.option("--style", type=click.Choice(STYLES), default="label", show_default=True, help="What an answer holds.")
@click.option("--order", default="", metavar="R2,R1,...", help="An order of your own, all rules; needs --reason.")
@click.option("--leave-out", multiple=True, metavar="RULE", help="Leave a rule out (repeatable); needs --reason.")
@click.option("--reason", default="", help="Why this order, or why rules are left out; it is recorded.")
@click.option("--baseline", type=click.Choice(BASELINES), help="Without rules, or 5 training examples in their place.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which examples the baseline draws.")
@click.option("--budget", type=click.IntRange(1), metavar="TOKENS", help="Refuse a longer prompt, with a proposal.")
@click.option("--student", default="", help="Who counts; the settings' student if there is a budget, else an estimate.")
@click.option("--dry-run", is_flag=True, help="Compile and count; store nothing.")
@click.option("--show", is_flag=True, help="Print the prompt's text.")
@options
def compile_(
    workspace: Path,
    out: Output,
    task_name: str,
    style: str,
    order: str,
    leave_out: tuple[str, ...],
    reason: str,
    baseline: str | None,
    seed: int,
    budget: int | None,
    student: str,
    dry_run: bool,
    show: bool,
) -> None:
    """Compile the approved rules of a task into a prompt version."""
    app = wiring.open_app(workspace)
    manual = tuple(part.strip().upper() for part in order.split(",") if part.strip())
    choices = Choices(
        style=Style(style),
        kind=PromptKind(baseline or PromptKind.RULES),
        order=RuleOrder(manual, reason if manual else ""),
        leave_out=tuple(rule_id.upper() for rule_id in leave_out),
        reason=reason,
        seed=seed,
    )
    counter = student or (app.settings.student if budget is not None else "")
    draft = wiring.draft_prompt(app, task_name, choices, counter, budget)
    if draft.plan is not None:
        out.emit(draft.plan.as_json(), plan_lines(draft.plan))
        raise OverBudget(draft.plan)
    if dry_run:
        _tell_draft(out, draft, show)
    else:
        _keep(app, out, draft, show)


def plan_lines(plan: BudgetPlan) -> str:
    """Return a proposal as lines, one a rule; none where it would not help."""
    if not plan.fits:
        return ""
    lines = [f"Proposed to leave out: {drop.rule_id}, {drop.tokens:,} tokens, {drop.basis}" for drop in plan.drops]
    return "\n".join(lines)


def _tell_draft(out: Output, draft: PromptDraft, show: bool) -> None:
    prompt = draft.prompt
    words = f"{count(len(prompt.rules), 'rule')}, {prompt.sha256}\n{draft.tokens.words}\nNothing was stored."
    value = {"number": None, **prompt.manifest(), "tokens": draft.tokens.as_json(), "text": prompt.text}
    out.emit(value, prompt.text if show else words)


def _keep(app: wiring.App, out: Output, draft: PromptDraft, show: bool) -> None:
    version = wiring.keep_draft(app, draft)
    prompt = version.prompt
    stale = wiring.stale_rules(app, prompt.task)
    left = f"; stale rules left out: {stale}" if stale else ""
    words = (
        f"Prompt version {version.number} of {prompt.task}: {count(len(prompt.rules), 'rule')}, {prompt.sha256}{left}"
    )
    value = {**version_json(version), "text": prompt.text}
    out.emit(value, prompt.text if show else f"{words}\n{length_of(version).words}")
