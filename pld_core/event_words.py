"""Events in words: one sentence an event, as a lawyer would tell it. Every kind that the code writes is here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pld_core.canonical import Json
from pld_core.models import Event

WORDS: Mapping[str, str] = {
    "audit.pack_exported": "{who} exported the audit pack of the task {subject}: {rules} rules, {examples} examples.",
    "batch.cancelled": "A batch of {requests} requests of the task {subject} was cancelled at the provider.",
    "batch.cancelling": "{who} had a batch of {requests} requests of the task {subject} cancelled.",
    "batch.completed": "A batch of {requests} requests of the task {subject} was completed by the provider.",
    "batch.expired": "A batch of {requests} requests of the task {subject} was not completed in the provider's time.",
    "batch.failed": "A batch of {requests} requests of the task {subject} failed.",
    "batch.running": "{who} handed a batch of {requests} requests of the task {subject} to the provider.",
    "check.closed": "{subject} was a seeded check ({kind}), made of {made_of}: {outcome}.",
    "clustering.saved": "{who} grouped the instructions of the task {subject}: {clusters} clusters.",
    "columns.remembered": "{who} chose which columns mean what, for files of one shape.",
    "comment.added": "{who} commented on {subject}.",
    "comment.reopened": "{who} reopened a comment on {subject}.",
    "comment.resolved": "{who} settled a comment on {subject}.",
    "conflict.settled": "{who} settled which label of a text of the task {subject} is right.",
    "dataset.archived": "{who} took data set {dataset} ({file}) of the task {subject} out of use.",
    "dataset.deleted": "{who} deleted the examples of data set {dataset} ({file}) of the task {subject}.",
    "dataset.imported": "{who} imported {file} into the task {subject} as data set {dataset}: {rows} rows.",
    "dataset.restored": "{who} took data set {dataset} ({file}) of the task {subject} into use again.",
    "embeddings.forgotten": "{who} dropped the cached vectors of {texts} texts, made with {subject}.",
    "examples.imported": "{who} added {added} examples to the task {subject}, from {source}.",
    "examples.resplit": "{who} divided the examples of the task {subject} anew: {changed} changed their split.",
    "finding.attached": "{who} said that {subject} is about {rule}.",
    "finding.marked": "{who} marked an answer as {mark} ({place}; {subject}): {label} is right.",
    "finding.settled": "{who} settled finding {finding} ({subject}): {outcome}.",
    "job.cancel_requested": "{who} asked to stop {subject} ({kind}).",
    "job.cancelled": "{subject} ({kind}) was stopped.",
    "job.done": "{subject} ({kind}) ended well.",
    "job.failed": "{subject} ({kind}) failed.",
    "job.queued": "{who} ordered {subject} ({kind}).",
    "job.resumed": "{who} let {subject} go on.",
    "job.taken_over": "{subject} was taken over, as its worker had stopped.",
    "guideline.changed": "{who} changed the guideline of the task {subject}: version {version} is in force.",
    "labels.changed": "{who} changed the labels of the task {subject}.",
    "labels.described": "{who} described what labels of the task {subject} mean.",
    "gates.changed": "{who} changed the limits of the release gates of the task {subject}.",
    "pair.judged": "{teacher}, asked by {who}, takes {low} and {high} of the task {subject} for: {verdict}.",
    "policy.changed": "{who} changed the policy of the task {subject}.",
    "proposal.accepted": "{who} accepted a proposal of loop {resolution} on the task {subject}: {action}.",
    "proposal.dismissed": "{who} dismissed a proposal of loop {resolution} on the task {subject}: {action}.",
    "proposal.edited": "{who} edited a proposal of loop {resolution} on the task {subject}: {action}.",
    "proposal.rewritten": "{who} wrote a proposal of loop {resolution} on the task {subject} anew: {action}.",
    "prompt.compiled": "{who} compiled {subject}.",
    "prompt.counted": "{who} had the length of {subject} counted: {tokens} tokens.",
    "prompt.published": "{who} published {subject} as the model {model}, made of {student}.",
    "release.moved": "{who} moved {label} of the task {task} to version {version} ({kind}): {gates_in_words}.",
    "review.imported": "{who} recorded {decided} decisions on {subject} from {file}; {refused} rows refused.",
    "resolution.begun": "{who} let {teacher} propose repairs of the rules of the task {subject} (loop {resolution}).",
    "resolution.ended": "Loop {resolution} of the task {subject} ended after round {rounds}; best is {best_round}.",
    "resolution.added_up": "{who} had round {round} of loop {resolution} on the task {subject} added up.",
    "resolution.stopped": "Loop {resolution} of the task {subject} stopped after {used} questions to the student.",
    "role.granted": "{who} granted {subject} the role {role}.",
    "role.revoked": "{who} revoked the role {role} of {subject}.",
    "rule.assigned": "{who} gave {subject} to {to}.",
    "rule.decision_withdrawn": "{who} withdrew decision {decision} on {subject}.",
    "rule.derived": "{who} made {subject} by a {kind}.",
    "rule.effect_measured": "{who} measured what {subject} does to {student}: fixed {fixed}, broken {broken} of {n}.",
    "rule.evidence_ticked": "{who} ticked an example of {subject} as {role}.",
    "rule.locked": "{who} locked {subject}: no repair may change it.",
    "rule.merged": "{who} merged {subject} into {into}.",
    "rule.second_opinion_asked": "{who} asked for a second opinion on {subject}.",
    "rule.split": "{who} split {subject}.",
    "rule.tagged": "{who} tagged {subject} with {tag}.",
    "rule.unlocked": "{who} unlocked {subject}: repairs may change it again.",
    "rule.untagged": "{who} took the tag {tag} off {subject}.",
    "rule.approved": "{who} approved {subject}.",
    "rule.begun_again": "The review of {subject} began anew.",
    "rule.changes_requested": "{who} asked for changes to {subject}.",
    "rule.edited": "{who} wrote revision {number} of {subject}.",
    "rule.evidence_changed": "The evidence of {subject} changed; this is version {version} of it.",
    "rule.lineage_changed": "{subject} goes on as cluster {cluster} of clustering {clustering}: {examples} examples.",
    "rule.marked_stale": "{subject} went stale: it is out of force until it is reviewed again.",
    "rule.promoted": "{who} made the rule {subject} of a single example of the task {task}.",
    "rule.proposed": "{author} proposed the rule {subject} for the task {task}.",
    "rule.rejected": "{who} rejected {subject}: {category}.",
    "rule.rejection_confirmed": "{who} looked again at {subject}: its rejection stands.",
    "rule.repaired": "{who} brought revision {number} of {subject} into review, as {author} proposed it.",
    "rule.reopened": "{who} looked again at {subject} and reopened it: revision {number} is in review.",
    "rule.retired": "{who} retired {subject}.",
    "rule.second_look_drawn": "The rejection of {subject} was drawn by lot: somebody else looks at it again.",
    "rule.submitted": "{who} brought {subject} into review.",
    "rule.superseded": "An approved revision of {subject} was replaced by a newer approved one.",
    "run.ablated": "{who} left {rule} out of {subject}: the rule fixes {fixed} and breaks {broken} of {n} answers.",
    "run.attributed": "{who} put answers of {subject} down to rules, by {method}, {uncovered} of {answers} to none.",
    "run.finished": "The evaluation {subject} was completed.",
    "run.started": "{who} began the evaluation {subject} of prompt version {prompt} with {student} on {split}.",
    "setting.changed": "{who} changed {label} from {before} to {after}.",
    "student.asked": "{who} asked {student} about one input ({subject}).",
    "student.asked_batch": "{student} answered the {inputs} inputs of {subject}; {unusable} without a label.",
    "student.batch_ordered": "{who} ordered {inputs} inputs to be asked of {student} ({subject}).",
    "task.created": "{who} made the task {subject}.",
}
"""A sentence for each kind. `{who}` and `{subject}` are the event's; other names are read from its payload."""

SHEET_IMPORTED = "review.imported"
"""The one event on decisions about several rules; it stands under the name of their task."""
FIRST_DECISION, AROUND_FIRST_DECISION = "kept.first_decision", "kept.around_first_decision"
"""What an event is to somebody who does not see it yet; no such kind is ever written."""
_KEPT_BACK: Mapping[str, str] = {
    FIRST_DECISION: "A first decision on {subject} was made; it is shown after yours.",
    AROUND_FIRST_DECISION: "A step of the first reviewer on {subject}; it is shown after your decision.",
}

NOT_RECORDED = "(not recorded)"
_IDENTIFIERS = ("kind", "category", "role", "verdict")
"""Payload names whose values are ours, written with underscores; a file's name keeps its own."""
_RULE = re.compile(r"R[0-9]+")


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return NOT_RECORDED


def sentence(event: Event) -> str:
    """Return what happened, in one sentence, with the reason that was given, if any.

    The text holds what people, files and models wrote: show it as plain text. An event of a kind that this version does
    not write is told by its kind.
    """
    known = WORDS.get(event.kind) or _KEPT_BACK.get(event.kind)
    if known is None:
        kind = event.kind.replace(".", " ").replace("_", " ")
        text = f"{event.actor}: {kind}, {event.subject}."
    else:
        values = {name: _word(name, value) for name, value in event.payload.items()}
        text = known.format_map(_Values({**values, "who": event.actor, "subject": event.subject}))
    text = text[:1].upper() + text[1:] if known and known.startswith("{subject}") else text
    notice = _word("notice", event.payload.get("notice", ""))
    text = f"{text} It states: {notice}." if notice else text
    reason = _word("reason", event.payload.get("reason", ""))
    return f"{text} Reason: {reason}" if reason else text


def rule_of(event: Event) -> str:
    """Return the id of the rule that the event is about, empty if it is about something else."""
    return event.subject if _RULE.fullmatch(event.subject) else ""


def _word(name: str, value: Json) -> str:
    """Return a payload's value for a sentence: identifiers as words, numbers with commas, white space folded."""
    if isinstance(value, bool) or value is None:
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    folded = " ".join(str(value).split())
    return folded.replace("_", " ") if name in _IDENTIFIERS else folded
