"""A rule's whole history as JSON, and its line in the table of contents. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from pld_core.attention import Attention
from pld_core.audit_ports import EvidenceLink, RevisionRecord, RuleRecord
from pld_core.canonical import Json
from pld_core.models import Decision, EvidenceRole, Example, RevisionState
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
        "decisions": [decision_json(decision, record.attention.get(decision.id)) for decision in record.decisions],
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


def decision_json(decision: Decision, attention: Attention | None) -> dict[str, Json]:
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
        "attention": attention.as_json() if attention else None,
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


# --- the table of contents -------------------------------------------------------------------------------------------


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


def evidence_of(record: RevisionRecord, version: int) -> tuple[EvidenceLink, ...]:
    """Return a version of a revision's evidence: contradicting first, then near misses, then the rest."""
    order = list(EvidenceRole)
    last = {link.example_hash: link for link in record.links if link.version == version}
    return tuple(sorted(last.values(), key=lambda link: (order.index(link.role), -link.closeness, link.example_hash)))
