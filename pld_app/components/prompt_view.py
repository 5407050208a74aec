"""A prompt version on screen: how it came about, its text, and its traceable rules."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pld_app import prompting, session
from pld_app.components.prompt_files import draw_download
from pld_app.components.remark import draw_remark
from pld_app.components.text import moment, plain, short_hash
from pld_core.models import CompiledRule, PromptVersion
from pld_core.review import rule_sentences
from pld_core.rule_source import RuleSource

PAGE_SIZE = 50


def draw_table(versions: Sequence[PromptVersion]) -> None:
    """Draw all versions as a table, newest first; there is at least one."""
    held = prompting.released_as(session.app(), versions[0].prompt.task)
    rows = [
        {
            "Version": version.number,
            "Released as": held.get(version.number, ""),
            "What": version.prompt.build.kind.words,
            "Rules": len(version.prompt.rules),
            "Answer": version.prompt.style.words,
            "Tokens": prompting.length_of(version).tokens,
            "How counted": prompting.length_of(version).how,
            "Compiled": moment(version.created_at),
            "By": version.created_by,
            "sha256": short_hash(version.prompt.sha256),
        }
        for version in versions
    ]
    st.dataframe(rows, hide_index=True, width="stretch", key="prompt_versions")


def draw_version(version: PromptVersion) -> None:
    """Draw one version: its hash, its text, and each numbered rule with its revision and decision."""
    prompt, build = version.prompt, version.prompt.build
    st.caption(
        f"Compiled by {plain(version.created_by)}, {moment(version.created_at)} · {build.kind.words} · "
        f"answer: {prompt.style.words} · guideline version {prompt.guideline_version} · "
        f"{plain(prompting.length_of(version).words)}"
    )
    if build.order.manual:
        st.caption(f"Order of somebody's own: {plain(build.order.reason)}")
    for one in build.left_out:
        draw_remark("orange", f"Left out: {one.rule_id}. {plain(one.reason)}")
    st.code(prompt.sha256, language=None)
    text, rules = st.columns([55, 45], gap="medium")
    with text:
        st.markdown("**What the student is told, word for word**")
        st.code(prompt.text, language=None, wrap_lines=True, height=460)
        draw_download(version)
    with rules:
        st.markdown("**Where each rule comes from**")
        _draw_rules(version)


def _part_of(version: PromptVersion) -> Sequence[CompiledRule]:
    """Draw the choice of a page where the prompt holds many rules, and return its part of them."""
    rules = version.prompt.rules
    pages = -(-len(rules) // PAGE_SIZE)
    page = st.pagination(pages, key=f"prompt_rules_{version.number}") if pages > 1 else 1
    return rules[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]


def _draw_rules(version: PromptVersion) -> None:
    app, shots = session.app(), version.prompt.build.shots
    with st.container(height=460, border=False, key="prompt_rules"):
        if not version.prompt.rules:
            st.caption("A baseline holds no rule: it is there to hold the rules against.")
        for example in shots.examples if shots else ():
            st.caption(f"Training example {short_hash(example)}")
        part = _part_of(version)
        for entry, source in zip(part, app.store.rules.sources(part), strict=True):
            _draw_rule(version, entry, source)


def _draw_rule(version: PromptVersion, entry: CompiledRule, source: RuleSource) -> None:
    revision = source.revision
    _, then, _ = rule_sentences(revision.text)
    with st.container(border=True, gap="xsmall"):
        st.page_link(
            "pages/review.py",
            label=f"{entry.number}. {entry.rule_id} {plain(revision.text.title)}",
            query_params={"task": version.prompt.task, "rule": entry.rule_id, "show": "All"},
        )
        st.caption(
            f"THEN {plain(then)} · revision {revision.number}, {short_hash(revision.hash)} · approved by "
            f"{plain(source.reviewer)}, {moment(source.decided_at)} (decision {entry.decision_id})"
        )
        if not source.is_in_force:
            draw_remark("orange", "This revision is no longer in force; a new version would not contain it.")
