"""What a loop keeps, as JSON and back. Examples are named by hash: no text of data is copied into it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pld_core.canonical import Json, canonical_json
from pld_core.conflicts.acceptance import Result, Verdict
from pld_core.conflicts.groups import Source
from pld_core.conflicts.proposal import Proposal, ProposedRule, Refusal
from pld_core.conflicts.records import AskedGroup, MadeProposal, ShownAnswer, Stage, Tried
from pld_core.conflicts.rounds import Figure
from pld_core.conflicts.rule_set import RuleSet, TrialRule
from pld_core.models import AuthorKind, Evidence, EvidenceRole, Revision, RuleText
from pld_core.paired import Comparison, LabelPair
from storage.rows import Row, Value


def text_from(value: Mapping[str, Any]) -> RuleText:
    return RuleText(**{**value, "labels": tuple(value["labels"]), "exceptions": tuple(value["exceptions"])})


def evidence_json(evidence: Sequence[Evidence]) -> list[Json]:
    return [[e.example_hash, e.role.value, e.closeness, e.note, e.ticked_by] for e in evidence]


def evidence_from(value: Sequence[Sequence[Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(content, EvidenceRole(role), *rest) for content, role, *rest in value)


def rules_text(rules: RuleSet) -> str:
    """Return the revisions of a set with what they rest on, as they are stored."""
    return canonical_json(
        [
            {
                "rule": rule.id,
                "number": rule.revision.number,
                "text": rule.text.as_json(),
                "author": rule.revision.author,
                "author_kind": rule.revision.author_kind.value,
                "parent": rule.revision.parent,
                "note": rule.revision.note,
                "evidence": evidence_json(rule.evidence),
                "decision": rule.decision_id,
                "locked": rule.locked,
                # What most rules are is left out, as it was before there were others.
                **({} if rule.in_force else {"in_force": False}),
            }
            for rule in rules.rules
        ]
    )


def rules_from(text: str) -> RuleSet:
    return RuleSet(tuple(_rule_from(value) for value in json.loads(text)))


def _rule_from(value: Mapping[str, Any]) -> TrialRule:
    revision = Revision(
        value["rule"],
        value["number"],
        text_from(value["text"]),
        value["author"],
        AuthorKind(value["author_kind"]),
        value["parent"],
        value["note"],
    )
    evidence, in_force = evidence_from(value["evidence"]), value.get("in_force", True)
    return TrialRule(revision, evidence, value["decision"], value["locked"], in_force)


def figure_text(figure: Figure | None) -> str:
    return canonical_json(asdict(figure) if figure else None)


def figure_from(text: str) -> Figure | None:
    value = json.loads(text)
    return None if value is None else Figure(**value)


def groups_text(groups: Sequence[AskedGroup]) -> str:
    return canonical_json([asdict(group) for group in groups])


def groups_from(text: str) -> tuple[AskedGroup, ...]:
    return tuple(_group_from(value) for value in json.loads(text))


def _group_from(value: Mapping[str, Any]) -> AskedGroup:
    def answers(name: str) -> tuple[ShownAnswer, ...]:
        return tuple(ShownAnswer(**{**one, "cited": tuple(one["cited"])}) for one in value[name])

    changed = {
        "source": Source(value["source"]),
        "rules": tuple(value["rules"]),
        "failures": answers("failures"),
        "successes": answers("successes"),
        "matching": tuple(value["matching"]),
        # Groups of a time before people's words were shown have none.
        "voices": tuple(value.get("voices", ())),
    }
    return AskedGroup(**{**value, **changed})


def proposal_row(made: MadeProposal) -> dict[str, Value]:
    proposal = made.proposal
    return {
        "round": proposal.round,
        "hash": proposal.hash,
        "action": proposal.action,
        "refusal": proposal.refusal.value if proposal.refusal else "",
        "content": canonical_json(asdict(proposal)),
        "evidence": canonical_json([evidence_json(one) for one in made.evidence]),
    }


def proposal_from(row: Row) -> MadeProposal:
    value = json.loads(row["content"])
    texts = tuple(ProposedRule(text_from(one["text"]), tuple(one["examples"])) for one in value["texts"])
    listed = {name: tuple(value[name]) for name in ("rules", "parents", "examples", "ignored", "makes", "flags")}
    refusal = Refusal(value["refusal"]) if value["refusal"] else None
    proposal = Proposal(**{**value, **listed, "texts": texts, "refusal": refusal})
    return MadeProposal(proposal, tuple(evidence_from(one) for one in json.loads(row["evidence"])))


def trial_row(tried: Tried) -> dict[str, Value]:
    result = tried.result
    return {
        "stage": tried.stage.value,
        "proposals": canonical_json(list(tried.proposals)),
        "base_sha256": tried.base_sha256,
        "prompt_sha256": tried.prompt_sha256,
        "tokens": tried.tokens,
        "base_tokens": tried.base_tokens,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "comparison": canonical_json(asdict(result.comparison) if result.comparison else None),
        "labels": canonical_json([line.as_json() for line in result.labels]),
        "examples": canonical_json(list(tried.examples)),
        "texts": tried.texts,
    }


def trial_from(row: Row) -> Tried:
    comparison = json.loads(row["comparison"])
    result = Result(
        Verdict(row["verdict"]),
        row["reason"],
        Comparison(**comparison) if comparison else None,
        tuple(LabelPair(**line) for line in json.loads(row["labels"])),
    )
    return Tried(
        Stage(row["stage"]),
        tuple(json.loads(row["proposals"])),
        row["base_sha256"],
        row["prompt_sha256"],
        result,
        row["tokens"],
        row["base_tokens"],
        tuple(json.loads(row["examples"])),
        row["texts"],
    )
