"""The prompt as a page to read: where it comes from, its words, and the revision and decision behind each rule."""

from __future__ import annotations

import re

from pld_core.prompt_export.source import ExportSource
from pld_core.token_count import estimated

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|$~&])")


def markdown(source: ExportSource) -> str:
    version, prompt = source.version, source.version.prompt
    tokens = version.tokens or estimated(prompt.text)
    facts = {
        "sha256": prompt.sha256,
        "Manifest": prompt.manifest_hash,
        "Kind": prompt.build.kind.words,
        "Answer": prompt.style.words,
        "Order": ", ".join(prompt.build.order.manual) or "by rank",
        "Guideline version": str(prompt.guideline_version),
        "Labels": ", ".join(prompt.labels),
        "Length": tokens.words,
        "Compiled": f"{version.created_at} by {version.created_by}",
    }
    lines = [f"# {_plain(source.title)}", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {_plain(value)} |" for name, value in facts.items()]
    fence = _fence(prompt.text)
    lines += ["", "## Prompt", "", fence, prompt.text.rstrip("\n"), fence]
    if prompt.rules:
        lines += ["", "## Rules", "", "| no. | rule | title | revision | decision |", "| --- | --- | --- | --- | --- |"]
    for rule in prompt.rules:
        title = source.revisions[rule.revision_hash].text.title
        lines.append(
            f"| {rule.number} | {rule.rule_id} | {_plain(title)} | {rule.revision_hash} | {rule.decision_id} |"
        )
    if prompt.build.left_out:
        lines += ["", "## Left out", ""]
    lines += [f"- {one.rule_id}: {_plain(one.reason)}" for one in prompt.build.left_out]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return a text on one line that a Markdown reader shows letter by letter."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _fence(text: str) -> str:
    """Return a fence that no run of backticks in the text closes."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
