"""The part of a report about the rules of the prompt: which there are, and which is behind the wrong answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.analytics import RuleBar, RuleBars
from pld_core.pack.html_parts import table, tag, text
from pld_core.run_report.ablation_part import ablation_part
from pld_core.run_report.bars import share_cell
from pld_core.run_report.content import PromptRule, RunReport


def rules_part(report: RunReport) -> Iterator[str]:
    """Yield the rules in the order of the prompt, then what each method that was used puts down to them."""
    if not report.rules:
        yield tag("p", "The prompt holds no rules.", "soft") + "\n"
        return
    yield table(
        ["Nr", "Rule", "Title", "Concludes", "Now", "Revision"],
        (_rule_row(rule) for rule in report.rules),
        numbers=(0,),
    )
    for bars in report.bars:
        yield from _behind(bars)
    if not report.bars:
        why = "it drew lots" if report.run.setup.is_trial else "this was not done"
        yield tag("p", text(f"The answers of the run are put down to no rule: {why}."), "soft") + "\n"
    yield from ablation_part(report)


def _rule_row(rule: PromptRule) -> list[str]:
    return [
        f"{rule.number:,}",
        text(rule.rule_id),
        text(rule.title),
        text(" or ".join(rule.labels)),
        tag("span", text("in force" if rule.in_force else rule.state), "green" if rule.in_force else "red"),
        tag("code", text(rule.revision_hash)),
    ]


def _behind(bars: RuleBars) -> Iterator[str]:
    yield tag("h3", f"Which rule is behind the answers, by {text(bars.method.noun)}") + "\n"
    told = f"Put down to rules {bars.method.words}."
    against = f" Harm: wrong here, and right in run {bars.baseline}." if bars.baseline is not None else ""
    yield tag("p", text(told + against), "soft") + "\n"
    columns = ["Rule", "Title", "Covered", "Correct", "Wrong", "Harm", "Wrong of covered"]
    yield tag(
        "div", table(columns, (_bar_row(bar) for bar in (*bars.bars, bars.uncovered)), numbers=(2, 3, 4, 5)), "wide"
    )
    if len(bars.bars) < bars.rules:
        yield tag("p", f"{len(bars.bars):,} of {bars.rules:,} rules are shown, the most harmful first.", "soft") + "\n"
    if bars.note:
        yield tag("p", text(bars.note), "soft") + "\n"


def _bar_row(bar: RuleBar) -> list[str]:
    name = bar.rule_id or "no rule"
    return [
        text(name),
        text(bar.title),
        f"{bar.covered:,}",
        f"{bar.correct:,}",
        f"{bar.wrong:,}",
        "–" if bar.harm is None else f"{bar.harm:,}",
        share_cell(bar.error_rate, f"Wrong answers of what {name} covers") if bar.covered else "nothing covered",
    ]
