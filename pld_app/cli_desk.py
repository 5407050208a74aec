"""`pld rules` beyond decisions: ticks, comments, drafts, the queue's bulk steps, withdrawing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pld_app import wiring
from pld_app.checking import closed_check_json, told_after_check
from pld_app.cli_format import Output, options
from pld_app.wiring import App
from pld_core.analytics import harm_ground
from pld_core.canonical import Json
from pld_core.comments import mention_words
from pld_core.desk import NO_HARM, Comment, DeskFilter, QueueOrder, QueueRow, SeenRule, Tab, Tick
from pld_core.errors import InvalidInput
from pld_core.models import (
    EvidenceRole,
    Judgement,
    RejectCategory,
    RuleDossier,
    Verdict,
    evidence_set_hash,
)
from pld_core.records import Page, RuleFilter

REASON = click.option("--reason", default="", help="Why, in your own words.")
_RULES = click.argument("rule_ids", nargs=-1, required=True)
TABS = {tab.value.lower().replace(" ", "-"): tab for tab in Tab}


def example_of(dossier: RuleDossier, prefix: str) -> str:
    """Return the hash of the one example of the evidence that begins with these digits."""
    wanted = prefix.removeprefix("sha256:")
    found = [e.example_hash for e in dossier.evidence if e.example_hash.removeprefix("sha256:").startswith(wanted)]
    if len(found) != 1:
        raise InvalidInput(
            f"{len(found)} examples of {dossier.summary.id} begin with {prefix!r}. Nothing was changed; `pld rules "
            f"show {dossier.summary.id}` lists them."
        )
    return found[0]


def seen_rule(app: App, rule_id: str) -> SeenRule:
    summary = app.store.rules.summary(rule_id.upper())
    return SeenRule(summary.id, summary.head, summary.state)


# --- the queue --------------------------------------------------------------------------------------------------------


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose queue is shown.")
@click.option("--tab", type=click.Choice(list(TABS)), default="mine", show_default=True)
@click.option("--tag", default="", help="Only rules with this tag.")
@click.option("--search", default="", help="Only rules with this text in them.")
@click.option(
    "--order",
    type=click.Choice([order.value for order in QueueOrder]),
    default=QueueOrder.USUAL.value,
    show_default=True,
    help="By harm: rules first with most answers that are wrong now and right at baseline.",
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most rules shown.")
def queue(
    workspace: Path, out: Output, task_name: str, tab: str, tag: str, search: str, order: str, limit: int
) -> None:
    """Show the queue as the review page does, for the person who asks."""
    app = wiring.open_app(workspace)
    where = DeskFilter(TABS[tab], RuleFilter(search=search), tag, QueueOrder(order))
    rows = app.store.desk.queue.rows(task_name, where, Page(0, limit), app.actor)
    total = app.store.desk.queue.count(task_name, where, app.actor)
    lines = [_row_line(row) for row in rows]
    if where.order is QueueOrder.HARM and harm_ground(app.store.analytics.complete(task_name)) is None:
        lines.insert(0, NO_HARM)
    if total > len(rows):
        lines.append(f"{len(rows)} of {total} rules; --limit shows more.")
    out.emit([_row_json(row) for row in rows], "\n".join(lines) or "Nothing is in this tab.")


def _row_line(row: QueueRow) -> str:
    parts = [f"{row.open_comments} open comments"] if row.open_comments else []
    parts += [f"for {row.assignee}"] if row.assignee else []
    parts += [f"open at {row.opened_by}"] if row.opened_by else []
    parts += [f"{row.open_findings} open findings"] if row.open_findings else []
    parts += ["second opinion asked"] if row.second_opinion else []
    parts += [f"#{tag}" for tag in row.tags]
    return f"{row.summary.id:>5}  {row.summary.state.label:<18} {row.summary.title}  {' · '.join(parts)}".rstrip()


def _row_json(row: QueueRow) -> dict[str, Json]:
    return {
        "id": row.summary.id,
        "state": row.summary.state.value,
        "title": row.summary.title,
        "assignee": row.assignee or None,
        "tags": list(row.tags),
        "open_comments": row.open_comments,
        "opened_by": row.opened_by or None,
        "open_findings": row.open_findings,
        "second_opinion": row.second_opinion,
        "draft": row.has_draft,
    }


@click.command()
@options
@_RULES
@click.option("--to", "person", required=True, help="Who gets the rules; `nobody` takes them back.")
def assign(workspace: Path, out: Output, rule_ids: tuple[str, ...], person: str) -> None:
    """Give rules to a person. A lead assigns to anybody, a reviewer to himself."""
    app, name = wiring.open_app(workspace), "" if person == "nobody" else person
    app.store.desk.queue.assign(rule_ids, name, app.actor)
    out.emit({"rules": list(rule_ids), "to": name or None}, f"{', '.join(rule_ids)}: for {person}.")


@click.command()
@options
@_RULES
@click.option("--tag", "tags", multiple=True, help="Tag to put on (repeatable).")
@click.option("--remove", "removed", multiple=True, help="Tag to take off (repeatable).")
def tag(
    workspace: Path, out: Output, rule_ids: tuple[str, ...], tags: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    """Put tags on rules, or take them off."""
    if not tags and not removed:
        raise click.UsageError("Give --tag or --remove.")
    app = wiring.open_app(workspace)
    for name in tags:
        app.store.desk.queue.tag(rule_ids, name, app.actor)
    for name in removed:
        app.store.desk.queue.untag(rule_ids, name, app.actor)
    rows = [app.store.desk.queue.row(rule_id, app.actor) for rule_id in rule_ids]
    out.emit(
        {row.summary.id: list(row.tags) for row in rows},
        "\n".join(f"{row.summary.id}: {', '.join(row.tags) or 'no tag'}" for row in rows),
    )


@click.command(name="reject-duplicates")
@options
@_RULES
@click.option("--of", "kept", required=True, help="The rule that says the same.")
@REASON
def reject_duplicates(workspace: Path, out: Output, rule_ids: tuple[str, ...], kept: str, reason: str) -> None:
    """Reject rules as duplicates of another one: a decision each, all or none."""
    app = wiring.open_app(workspace)
    said = f"Says the same as {kept.upper()}. {reason.strip()}" if reason.strip() else ""
    seen = [seen_rule(app, rule_id) for rule_id in dict.fromkeys(rule_ids)]
    judgements = [
        Judgement(s.rule_id, s.revision, s.state, Verdict.REJECT, said, RejectCategory.DUPLICATE) for s in seen
    ]
    made = app.store.desk.queue.reject_duplicates(judgements, kept, app.actor)
    same = f"is rejected as a duplicate of {kept.upper()}"
    lines = [f"{d.rule_id} {same} (decision {d.id}). {told_after_check(app, d.rule_id)}" for d in made]
    out.emit(
        [{"rule": d.rule_id, "decision": d.id, "seeded_check": closed_check_json(app, d.rule_id)} for d in made],
        "\n".join(line.strip() for line in lines),
    )


@click.command(name="second-opinion")
@options
@click.argument("rule_id")
@click.option("--note", default="", help="What to look at.")
def second_opinion(workspace: Path, out: Output, rule_id: str, note: str) -> None:
    """Ask somebody else to look at a rule's newest revision."""
    app = wiring.open_app(workspace)
    seen = seen_rule(app, rule_id)
    app.store.desk.queue.ask_second_opinion(seen.rule_id, seen.revision, note, app.actor)
    out.emit({"rule": seen.rule_id, "revision": seen.revision}, f"{seen.rule_id} waits for a second opinion.")


@click.command()
@options
@click.argument("rule_id")
@REASON
def withdraw(workspace: Path, out: Output, rule_id: str, reason: str) -> None:
    """Withdraw your own decision on a rule's newest revision, which goes back to review. It stays on record."""
    app = wiring.open_app(workspace)
    seen = seen_rule(app, rule_id)
    number = app.store.desk.queue.withdraw(seen.rule_id, seen.revision, seen.state, reason, app.actor)
    out.emit(
        {"rule": seen.rule_id, "decision": number}, f"Decision {number} is withdrawn; {seen.rule_id} is in review."
    )


# --- evidence, drafts, comments ---------------------------------------------------------------------------------------


@click.command()
@options
@click.argument("rule_id")
@click.argument("example")
@click.argument("role", type=click.Choice([role.value for role in EvidenceRole]))
def tick(workspace: Path, out: Output, rule_id: str, example: str, role: str) -> None:
    """Say what an example says of a rule. EXAMPLE is the beginning of its hash, as `pld rules show` prints it."""
    app = wiring.open_app(workspace)
    dossier = app.store.rules.dossier(rule_id.upper(), app.actor)
    wanted = Tick(
        dossier.summary.id,
        dossier.head.hash,
        evidence_set_hash(dossier.evidence),
        example_of(dossier, example),
        EvidenceRole(role),
    )
    done = app.store.desk.ticks.tick(wanted, app.actor)
    out.emit(
        {
            "rule": wanted.rule_id,
            "example": wanted.example_hash,
            "before": done.before.value,
            "role": role,
            "state": done.state.value,
            "evidence_hash": done.evidence_hash,
        },
        f"{wanted.rule_id}: {wanted.example_hash[:19]} was {done.before.value}, is {role}; the rule is "
        f"{done.state.label}.",
    )


@click.command()
@options
@click.option("--task", "task_name", required=True, help="Task whose rules are edited.")
@click.option("--discard", default="", metavar="RULE", help="Drop your drafts on this rule.")
def drafts(workspace: Path, out: Output, task_name: str, discard: str) -> None:
    """List your unsaved edits of a task's rules, with what they say; nobody else sees them."""
    app = wiring.open_app(workspace)
    app.store.tasks.get(task_name)
    for draft in app.store.desk.drafts.of_rule(discard, app.actor) if discard else ():
        app.store.desk.drafts.discard(draft.rule_id, draft.base, app.actor)
    found = app.store.desk.drafts.mine(task_name, app.actor)
    lines = []
    for draft in found:
        lines += [
            f"{draft.rule_id} from {draft.at}, based on revision {draft.base_number}",
            f"    IF {draft.text.condition}",
            f"    THEN {' or '.join(draft.text.labels)}",
            *(f"    EXCEPT {line}" for line in draft.text.exceptions.splitlines() if line.strip()),
        ]
    values: list[dict[str, Json]] = [
        {
            "rule": draft.rule_id,
            "base": draft.base,
            "base_revision": draft.base_number,
            "at": draft.at,
            "title": draft.text.title,
            "condition": draft.text.condition,
            "labels": list(draft.text.labels),
            "exceptions": draft.text.exceptions,
            "priority": draft.text.priority,
            "note": draft.text.note,
        }
        for draft in found
    ]
    out.emit(values, "\n".join(lines) or "You have no draft.")


@click.command()
@options
@click.argument("rule_id")
@click.argument("text")
@click.option("--example", default="", help="The example that it is about: the beginning of its hash.")
@click.option("--reply-to", type=int, help="The comment that it answers.")
def comment(workspace: Path, out: Output, rule_id: str, text: str, example: str, reply_to: int | None) -> None:
    """Comment on a rule or on an example of its evidence; @name names somebody. TEXT `-` reads standard input."""
    app = wiring.open_app(workspace)
    said = sys.stdin.read() if text == "-" else text
    about = example_of(app.store.rules.dossier(rule_id.upper(), app.actor), example) if example else ""
    made = app.store.desk.comments.add(rule_id, said, app.actor, about, reply_to)
    out.emit(_comment_json(made), f"Comment {made.id} on {made.rule_id}.")


@click.command()
@options
@click.argument("rule_id", required=False)
@click.option("--open", "only_open", is_flag=True, help="Leave out resolved threads.")
@click.option("--mentions", "mine", is_flag=True, help="Open comments of all rules that name you, unanswered ones.")
def comments(workspace: Path, out: Output, rule_id: str | None, only_open: bool, mine: bool) -> None:
    """List the comments of a rule, thread by thread, or those that mention you."""
    if (rule_id is None) is not mine:
        raise click.UsageError("Give a rule, or --mentions.")
    app = wiring.open_app(workspace)
    if rule_id is None:
        named = app.store.desk.comments.mentioning(app.actor)
        lines = [f"{c.rule_id} #{c.id} {c.by}, {c.at}: {' '.join(c.text.split())}" for c in named]
        out.emit(
            [_comment_json(c) for c in named], "\n".join([mention_words(named), *lines]) or "Nothing mentions you."
        )
        return
    rule = app.store.rules.summary(rule_id.upper())
    found = [c for c in app.store.desk.comments.of_rule(rule.id, app.actor) if not (only_open and c.resolved)]
    lines = []
    for made in found:
        indent = "    " if made.parent else ""
        about = f" on {made.example_hash[:19]}" if made.example_hash and not made.parent else ""
        state = f" (resolved by {made.resolved_by})" if made.resolved and not made.parent else ""
        lines.append(f"{indent}#{made.id} {made.by}, {made.at}{about}{state}")
        lines += [f"{indent}    {line}" for line in made.text.splitlines()]
    out.emit([_comment_json(made) for made in found], "\n".join(lines) or "No comment.")


@click.command()
@options
@click.argument("comment_id", type=int)
@click.option("--reopen", is_flag=True, help="Open the thread again.")
def resolve(workspace: Path, out: Output, comment_id: int, reopen: bool) -> None:
    """Settle a comment's thread, or open it again."""
    app = wiring.open_app(workspace)
    change = app.store.desk.comments.reopen if reopen else app.store.desk.comments.resolve
    made = change(comment_id, app.actor)
    out.emit(_comment_json(made), f"Comment {made.id} is {'resolved' if made.resolved else 'open'}.")


def _comment_json(made: Comment) -> dict[str, Json]:
    return {
        "comment": made.id,
        "rule": made.rule_id,
        "revision": made.revision,
        "example": made.example_hash or None,
        "reply_to": made.parent,
        "text": made.text,
        "mentions": list(made.mentions),
        "by": made.by,
        "at": made.at,
        "resolved": made.resolved,
    }


COMMANDS = (
    queue,
    assign,
    tag,
    reject_duplicates,
    second_opinion,
    withdraw,
    tick,
    drafts,
    comment,
    comments,
    resolve,
)
