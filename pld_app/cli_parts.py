"""`pld rules split` and `pld rules merge`: one rule to two, two rules to one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pld_app import synthesis_work, wiring
from pld_app.cli_desk import REASON, example_of, seen_rule
from pld_app.cli_format import Output, options
from pld_core.desk import Half, SeenRule
from pld_core.models import PRIORITIES, RuleText
from pld_core.parts import default_halves, supporting

_IF = click.option("--if", "conditions", multiple=True, required=True, help="The condition after IF.")
_THEN = click.option("--then", "labels", multiple=True, help="Label after THEN.")
_PRIORITY = click.option(
    "--priority",
    "priorities",
    type=click.IntRange(min(PRIORITIES), max(PRIORITIES)),
    multiple=True,
    help="1 first, 2 ordinary, 3 fallback; as it was if not given.",
)
_TITLE = click.option("--title", "titles", multiple=True, help="A few words for lists.")


@click.command()
@options
@click.argument("rule_id")
@_IF
@_THEN
@_TITLE
@_PRIORITY
@click.option("--except-first", multiple=True, help="Exception of the first half (repeatable).")
@click.option("--except-second", multiple=True, help="Exception of the second half (repeatable).")
@click.option("--to-first", multiple=True, metavar="HASH", help="Supporting example of the first half only.")
@click.option("--to-second", multiple=True, metavar="HASH", help="Supporting example of the second half only.")
@REASON
def split(
    workspace: Path,
    out: Output,
    rule_id: str,
    conditions: tuple[str, ...],
    labels: tuple[str, ...],
    titles: tuple[str, ...],
    priorities: tuple[int, ...],
    except_first: tuple[str, ...],
    except_second: tuple[str, ...],
    to_first: tuple[str, ...],
    to_second: tuple[str, ...],
    reason: str,
) -> None:
    """Split a rule in two: give --if twice, and --then, --title and --priority once for both or twice.

    Supporting examples go by their label, else to both; --to-first and --to-second say otherwise. Exceptions that are
    not given stay as they are.
    """
    if len(conditions) != 2:
        raise click.UsageError("Give --if twice, once for each half.")
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
    one, other = _texts(dossier.head.text, conditions, labels, titles, priorities, (except_first, except_second))
    golds = {example_hash: example.label for example_hash, example in dossier.examples.items()}
    first, second = default_halves(supporting(dossier.evidence), golds, one.labels, other.labels)
    only_first = {example_of(dossier, prefix) for prefix in to_first}
    only_second = {example_of(dossier, prefix) for prefix in to_second}
    halves = (
        Half(one, (first | only_first) - only_second),
        Half(other, (second | only_second) - only_first),
    )
    seen = SeenRule(dossier.summary.id, dossier.head.hash, dossier.summary.state)
    made, problem = synthesis_work.split(app, seen, halves, reason)
    out.emit(
        {"rule": seen.rule_id, "into": list(made)},
        f"{seen.rule_id} is split into {made[0]} and {made[1]}, both in review. {problem}".strip(),
    )


@click.command()
@options
@click.argument("rule_id")
@click.argument("other_id")
@_IF
@_THEN
@_TITLE
@_PRIORITY
@click.option("--except", "exceptions", multiple=True, help="Exception (repeatable); those of the first rule if none.")
@REASON
def merge(
    workspace: Path,
    out: Output,
    rule_id: str,
    other_id: str,
    conditions: tuple[str, ...],
    labels: tuple[str, ...],
    titles: tuple[str, ...],
    priorities: tuple[int, ...],
    exceptions: tuple[str, ...],
    reason: str,
) -> None:
    """Merge two rules into one, with the evidence of both."""
    if len(conditions) != 1 or len(titles) > 1 or len(priorities) > 1:
        raise click.UsageError("Give --if once, and --title and --priority at most once.")
    app = wiring.open_app(workspace)
    begin = app.store.rules.dossier(rule_id.upper(), app.actor).head.text
    text = RuleText(
        titles[0] if titles else begin.title,
        conditions[0],
        labels or begin.labels,
        exceptions or begin.exceptions,
        begin.rationale,
        priorities[0] if priorities else begin.priority,
    )
    pair = seen_rule(app, rule_id), seen_rule(app, other_id)
    made, problem = synthesis_work.merge(app, pair, text, reason)
    out.emit(
        {"rules": [pair[0].rule_id, pair[1].rule_id], "into": made},
        f"{pair[0].rule_id} and {pair[1].rule_id} are merged into {made}, in review. {problem}".strip(),
    )


def _texts(
    begin: RuleText,
    conditions: Sequence[str],
    labels: Sequence[str],
    titles: Sequence[str],
    priorities: Sequence[int],
    exceptions: Sequence[Sequence[str]],
) -> list[RuleText]:
    """Return a rule a condition; what is given once or not at all holds for each, or stays as it was."""

    def nth(given: Sequence[str], at: int, otherwise: str) -> str:
        return given[at] if at < len(given) else given[0] if given else otherwise

    return [
        RuleText(
            nth(titles, at, begin.title),
            condition,
            (nth(labels, at, ""),) if labels else begin.labels,
            tuple(exceptions[at]) if exceptions[at] else begin.exceptions,
            begin.rationale,
            priorities[min(at, len(priorities) - 1)] if priorities else begin.priority,
        )
        for at, condition in enumerate(conditions)
    ]
