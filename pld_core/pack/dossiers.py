"""A rule's whole history as JSON, and the facts of it that figures and the table of contents need. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from pld_core.audit_ports import EvidenceLink, RevisionRecord, RuleRecord
from pld_core.canonical import Json
from pld_core.models import AuthorKind, Decision, EvidenceRole, Example, RevisionState
from pld_core.oversight import DecisionFacts, RuleFacts
from pld_core.personal import find_personal, mask_personal

Shown = Callable[[Example], Example]
"""How an example is put into the pack: as it is, or masked."""


def in_full(example: Example) -> Example:
    """Return the example as it is."""
    return replace(example, masked=False)


def masked(example: Example) -> Example:
    """Return the example with personal data replaced by their kinds, as far as they are found; `masked` says whether.

    Marked spans are dropped from a masked text, as it has other positions.
    """
    texts = [*(text for _, text in example.fields), example.source, example.ref, example.group]
    if not any(find_personal(text) for text in texts):
        return in_full(example)
    return replace(
        example,
        fields=tuple((name, mask_personal(text)) for name, text in example.fields),
        source=mask_personal(example.source),
        ref=mask_personal(example.ref),
        group=mask_personal(example.group),
        spans=(),
        masked=True,
    )


def dossier_json(record: RuleRecord, shown: Shown) -> dict[str, Json]:
    """Return the dossier of a rule; `verify.py` recomputes its hashes."""
    summary = record.summary
    return {
        "rule": {
            "id": summary.id,
            "task": summary.task,
            "state": summary.state.value,
            "newest_revision": summary.head,
            "revision_in_force": summary.in_force,
            "clustering": record.clustering_id,
            "cluster": record.cluster,
        },
        "lineage": [
            {
                "clustering": found.lineage.clustering_id,
                "cluster": found.lineage.cluster,
                "members": list(found.lineage.members),
                "labels_without_a_rule": list(found.lineage.uncovered),
                "shown_to_the_teacher": list(found.lineage.shown),
                "named_by_the_teacher_but_not_shown": list(found.lineage.ignored),
                "at": found.at,
            }
            for found in record.lineages
        ],
        "revisions": [_revision_json(revision) for revision in record.revisions],
        "decisions": [decision_json(decision) for decision in record.decisions],
        "examples": {key: example_json(example, shown(example)) for key, example in record.examples.items()},
    }


def _revision_json(record: RevisionRecord) -> dict[str, Json]:
    revision = record.revision
    return {
        "hash": revision.hash,
        "number": revision.number,
        "text": revision.text.as_json(),
        "author": revision.author,
        "author_kind": revision.author_kind.value,
        "parent": revision.parent,
        "reason": revision.note,
        "at": record.at,
        "transitions": [
            {"state": m.state.value, "action": m.action, "actor": m.actor, "reason": m.reason, "at": m.at}
            for m in record.moves
        ],
        "evidence": [
            {
                "version": link.version,
                "example": link.example_hash,
                "role": link.role.value,
                "closeness": link.closeness,
                "note": link.note,
                "by": link.by,
                "at": link.at,
            }
            for link in record.links
        ],
        "evidence_versions": [
            {
                "number": found.change.number,
                "evidence": found.change.evidence_hash,
                "reason": found.change.reason,
                "state": found.change.state.value,
                "by": found.by,
                "at": found.change.at,
            }
            for found in record.versions
        ],
    }


def decision_json(decision: Decision) -> dict[str, Json]:
    return {
        "id": decision.id,
        "verdict": decision.verdict.value,
        "category": decision.category.value if decision.category else "",
        "reason": decision.reason,
        "reviewer": decision.reviewer,
        "opened_at": decision.opened_at,
        "decided_at": decision.decided_at,
        "revision": decision.revision_hash,
        "evidence": decision.evidence_hash,
        "guideline": decision.guideline_version,
        "overlaps": list(decision.overlaps),
    }


def example_json(original: Example, example: Example) -> dict[str, Json]:
    """Return an example as it is shown, under the hash of its original."""
    return {
        "hash": original.hash,
        "masked_in_pack": example.masked,
        "masked_for_teacher": original.masked,
        "fields": [list(pair) for pair in example.fields],
        "label": example.label,
        "split": example.split.value,
        "state": example.state.value,
        "source": example.source,
        "group": example.group,
        "ref": example.ref,
        "copies": example.copies,
        "origin": asdict(example.origin) if example.origin else None,
        "personal_data": list(example.personal),
        "spans": [[span.field, span.start, span.end] for span in example.spans],
    }


# --- facts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleLine:
    """A rule in the table of contents of the report."""

    id: str
    title: str
    labels: tuple[str, ...]
    state: RevisionState
    revisions: int
    decisions: int


def rule_line(record: RuleRecord) -> RuleLine:
    summary = record.summary
    return RuleLine(
        summary.id, summary.title, summary.labels, summary.state, len(record.revisions), len(record.decisions)
    )


def rule_facts(record: RuleRecord) -> RuleFacts:
    edited = any(r.revision.author_kind is AuthorKind.PERSON and r.revision.parent for r in record.revisions)
    return RuleFacts(edited, bool(record.decisions))


def decision_facts(record: RuleRecord) -> tuple[DecisionFacts, ...]:
    """Return what the figures need of each decision on the rule."""
    revisions = {r.revision.hash: r for r in record.revisions}
    return tuple(
        DecisionFacts(
            revision_hash=d.revision_hash,
            author_kind=revisions[d.revision_hash].revision.author_kind,
            verdict=d.verdict,
            category=d.category,
            reviewer=d.reviewer,
            seconds=_seconds(d.opened_at, d.decided_at),
            text_length=_length(revisions[d.revision_hash], record, d.decided_at),
        )
        for d in record.decisions
    )


def evidence_of(record: RevisionRecord, version: int) -> tuple[EvidenceLink, ...]:
    """Return a version of a revision's evidence: contradicting first, then near misses, then the rest."""
    order = list(EvidenceRole)
    last = {link.example_hash: link for link in record.links if link.version == version}
    return tuple(sorted(last.values(), key=lambda link: (order.index(link.role), -link.closeness, link.example_hash)))


def _length(revision: RevisionRecord, record: RuleRecord, decided_at: str) -> int:
    """Return the characters of the rule and of its evidence as it was when it was decided on."""
    text = revision.revision.text
    own = sum(map(len, (text.title, text.condition, text.rationale, *text.labels, *text.exceptions)))
    links = evidence_of(revision, revision.version_at(decided_at))
    return own + sum(len(record.examples[link.example_hash].text) for link in links)


def _seconds(opened_at: str, decided_at: str) -> float | None:
    if not opened_at:
        return None
    try:
        seconds = (datetime.fromisoformat(decided_at) - datetime.fromisoformat(opened_at)).total_seconds()
    except (ValueError, TypeError):
        # A command may be given any text as the time of opening; what is no time tells nothing.
        return None
    return seconds if seconds >= 0 else None
