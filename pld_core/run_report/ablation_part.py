"""The part of a report about what changed when a rule was left out of the prompt: the one that shows a cause. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.ablation import AblationVerdict, ShownAblation, confirmed_in_all
from pld_core.attribution import Method
from pld_core.pack.html_parts import moment, sentence, table, tag, text
from pld_core.run_report.bars import share_cell
from pld_core.run_report.content import RunReport

METHOD = (
    "One rule at a time is left out of the prompt, and the same student is asked again. Fixed is what is right only "
    "with the rule, broken what is right only without it. Gained is macro F1 over the whole run, with the rule "
    "less without it, and its 95 % interval; what was not asked again counts as unchanged. Fewer than 5 changed "
    "answers are inconclusive."
)


def ablation_part(report: RunReport) -> Iterator[str]:
    """Yield what each rule that was left out changes, and how many citations of rules that confirms."""
    yield tag("h3", "What changes when a rule is left out, by ablation") + "\n"
    if not report.ablations:
        yield tag("p", sentence(_not_run(report))) + "\n"
        return
    yield tag("p", text(METHOD), "soft") + "\n"
    columns = ["Rule", "Asked again", "Fixed", "Broken", "Net", "Macro F1 gained", "Shown", "When"]
    rows = (_row(one) for one in report.ablations)
    yield tag("div", table(columns, rows, numbers=(2, 3, 4)), "wide") + "\n"
    if left := report.not_left_out:
        yield tag("p", text(f"Rules of the prompt that were not left out: {left:,}."), "soft") + "\n"
    confirmed = confirmed_in_all(report.ablations)
    if confirmed.n:
        yield tag("h3", "Citations that ablation confirms") + "\n"
        told = "Of the answers that cite a rule which was left out, so many say another label without it. An answer "
        yield tag("p", text(f"{told}that cites two rules counts twice."), "soft") + "\n"
        yield tag("p", share_cell(confirmed, "Citations that ablation confirms")) + "\n"


def _not_run(report: RunReport) -> str:
    run = report.run
    if run.setup.is_trial:
        return "No rule is left out of a run that drew lots: the rule would not be all that is different."
    return f"No rule was left out of this run. How it is done: pld ablate --task {run.task} --run {run.id}"


def _row(one: ShownAblation) -> list[str]:
    measured, found = one.stored.ablation, one.figures.comparison
    is_shown = one.figures.verdict is not AblationVerdict.INCONCLUSIVE
    difference = f"{found.difference:+.3f}<br>{tag('span', f'{found.low:+.3f} to {found.high:+.3f}', 'soft')}"
    looks = {AblationVerdict.HELPS: "green", AblationVerdict.HARMS: "red"}
    return [
        text(measured.of.rule_id),
        text(one.asked_words),
        f"{measured.fixed:,}",
        f"{measured.broken:,}",
        f"{measured.net:+,}",
        difference if is_shown else "–",
        tag("span", text(one.figures.verdict.value), looks.get(one.figures.verdict, "not")),
        f"{moment(one.stored.at)}, {text(one.stored.by)}",
    ]


def citation_words(report: RunReport) -> str:
    """Say what citations are worth here; empty for a prompt whose answers cite no rule."""
    if not any(bars.method is Method.CITED for bars in report.bars):
        return ""
    confirmed = confirmed_in_all(report.ablations)
    if not confirmed.n:
        return (
            "Which rules the student cites is a report on itself. No ablation tells how many of its citations hold: "
            f"pld ablate --task {report.run.task} --run {report.run.id}"
        )
    return (
        "Which rules the student cites is a report on itself. Of the citations that ablation tested, it confirms "
        f"{confirmed.words}."
    )
