"""The part of the report that is about rules: what each says, what it rests on, who decided what. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pld_core.attention import Attention, Seen
from pld_core.audit_ports import EvidenceLink, RevisionRecord, RuleRecord
from pld_core.models import Decision, Example, RevisionState, Verdict
from pld_core.pack.dossiers import Shown, evidence_of
from pld_core.pack.html_parts import marked, moment, table, tag, text, words
from pld_core.review import rule_sentences

VERDICTS = {
    Verdict.APPROVE: "approved it",
    Verdict.REJECT: "rejected it",
    Verdict.REQUEST_CHANGES: "asked for changes",
}


def rule_section(record: RuleRecord, shown: Shown) -> Iterator[str]:
    """Yield the section of one rule: every revision in its order, with evidence and decisions."""
    summary = record.summary
    title = f"{text(summary.id)}. {text(summary.title or 'Without a title')}"
    yield f'<section class="rule" id="{text(summary.id)}">\n{tag("h3", f"{title} {state_badge(summary.state)}")}\n'
    before: frozenset[tuple[str, str]] | None = None
    for revision in record.revisions:
        yield from _revision(record, revision)
        links = evidence_of(revision, revision.newest_version)
        now = frozenset((link.example_hash, link.role.value) for link in links)
        title = f"Evidence, version {revision.newest_version}" if revision.versions else "Evidence"
        yield tag("h4", title) + "\n"
        if now == before:
            yield tag("p", "The same examples in the same roles as of the revision before.") + "\n"
        else:
            yield from _evidence(links, record, shown)
        before = now
        yield from _earlier_evidence(record, revision, shown)
        yield from _decisions(record, revision)
    yield "</section>\n"


def state_badge(state: RevisionState) -> str:
    return tag("span", text(state.label), f"state {state.value}")


def _revision(record: RuleRecord, found: RevisionRecord) -> Iterator[str]:
    revision = found.revision
    now = found.moves[-1].state if found.moves else None
    in_force = ", in force" if revision.hash == record.summary.in_force else ""
    badge = f" {state_badge(now)}{in_force}" if now else ""
    yield tag("h4", f"Revision {revision.number}{badge}") + "\n"
    condition, then, exceptions = rule_sentences(revision.text)
    lines = [("IF", condition), ("THEN", then), *(("EXCEPT", e) for e in exceptions)]
    said = "".join(tag("b", name) + tag("span", text(value)) for name, value in lines)
    yield tag("div", said, "says card") + "\n"
    if revision.text.rationale:
        yield tag("p", f"Why: {text(revision.text.rationale)}") + "\n"
    written = f"Written by {text(revision.author)} ({words(revision.author_kind.value)}), {moment(found.at)}."
    reason = f" Reason: {text(revision.note)}" if revision.note else ""
    yield tag("p", written + reason, "soft") + "\n"
    yield tag("p", f"Revision hash {text(revision.hash)}", "hash") + "\n"
    yield table(
        ["When", "Step", "By", "Then it was", "Reason"],
        ([moment(m.at), words(m.action), text(m.actor), text(m.state.label), text(m.reason)] for m in found.moves),
    )


def _evidence(links: tuple[EvidenceLink, ...], record: RuleRecord, shown: Shown) -> Iterator[str]:
    if not links:
        yield tag("p", "None: nobody could approve it.") + "\n"
    for link in links:
        yield _example(link, shown(record.examples[link.example_hash]))


def _earlier_evidence(record: RuleRecord, found: RevisionRecord, shown: Shown) -> Iterator[str]:
    """Yield how the evidence changed, and each earlier version: decisions were made beside it."""
    if not found.versions:
        return
    yield table(
        ["Evidence", "Since", "By", "Then the revision was", "Why it changed"],
        (
            [
                f"version {v.change.number}",
                moment(v.change.at),
                text(v.by),
                text(v.change.state.label),
                text(v.change.reason),
            ]
            for v in found.versions
        ),
    )
    told = {link.example_hash for link in evidence_of(found, found.newest_version)}
    for version in range(found.newest_version - 1, 0, -1):
        links = evidence_of(found, version)
        yield tag("h4", f"Evidence, version {version}, until {moment(found.versions[version - 1].change.at)}") + "\n"
        yield table(
            ["Role", "Example"], ([words(link.role.value), tag("code", text(link.example_hash))] for link in links)
        )
        gone = tuple(link for link in links if link.example_hash not in told)
        if gone:
            yield tag("p", "Of these, no later version holds:") + "\n"
            yield from _evidence(gone, record, shown)
        told |= {link.example_hash for link in links}


def _example(link: EvidenceLink, example: Example) -> str:
    role = tag("b", words(link.role.value), link.role.value)
    notes = [f"label {tag('b', text(example.label))}", text(example.split.value)]
    notes += [text(example.place)] if example.place else []
    notes += [f"personal data marked: {text(', '.join(example.personal))}"] if example.personal else []
    notes += [tag("b", "masked in this pack")] if example.masked else []
    fields = "".join(
        tag("p", text(name), "soft") + tag("pre", marked(name, value, example.spans)) for name, value in example.fields
    )
    foot = tag("p", f"Example {text(link.example_hash)}", "hash")
    return tag("div", tag("p", f"{role} · {' · '.join(notes)}") + fields + foot, "card") + "\n"


def _decisions(record: RuleRecord, found: RevisionRecord) -> Iterator[str]:
    made = [d for d in record.decisions if d.revision_hash == found.revision.hash]
    yield tag("h4", f"Decisions on revision {found.revision.number}") + "\n"
    if not made:
        yield tag("p", "None.", "soft") + "\n"
    for decision in made:
        version = f"version {found.version_at(decision.decided_at)} of the " if found.versions else ""
        yield _decision(decision, version, record.attention.get(decision.id))


def _decision(decision: Decision, version: str, attention: Attention | None) -> str:
    category = f", category {words(decision.category.value)}" if decision.category else ""
    verdict = tag("b", text(VERDICTS[decision.verdict]), decision.verdict.value)
    opened = f" Opened {moment(decision.opened_at)}." if decision.opened_at else ""
    told = f"{tag('b', text(decision.reviewer))} {verdict}{category}, {moment(decision.decided_at)}.{opened}"
    told += _on_screen(attention) if attention else ""
    reason = tag("pre", f"Reason: {text(decision.reason)}" if decision.reason else "No reason was written.")
    bound = (
        f"Decision {decision.id}, bound to revision {text(decision.revision_hash)} "
        f"and {version}evidence set {text(decision.evidence_hash)}"
    )
    bound += f", made under guideline version {decision.guideline_version}" if decision.guideline_version else ""
    return tag("div", tag("p", told) + reason + tag("p", bound, "hash"), "card") + "\n"


def _on_screen(noted: Attention) -> str:
    contradicting = f" Of those that contradict: {_seen(noted.contradicting)}." if noted.contradicting.total else ""
    return f" On the screen before: {_seen(noted.evidence)}.{contradicting}"


def _seen(seen: Seen) -> str:
    return f"{seen.shown:,} of {seen.total:,} examples, {seen.in_full:,} in full"
