"""Prompts on screen: the approved rules that would be compiled, and a version with its traceable rules."""

from __future__ import annotations

import streamlit as st

from pld_app import session, wiring
from pld_app.components.permitted import allowed
from pld_app.components.remark import draw_remark
from pld_app.components.text import count, moment, plain, short_hash
from pld_core.canonical import canonical_json
from pld_core.errors import PldError
from pld_core.models import PromptVersion, Task
from pld_core.permissions import Step
from pld_core.review import rule_sentences

COMPILED = "_compiled"


def draw_candidates(task: Task) -> None:
    """Draw how many rules are approved, and the button that compiles them."""
    store = session.app().store
    approved = store.rules.in_force(task.name)
    total, stale = sum(store.tasks.counts(task.name).rules.values()), wiring.stale_rules(session.app(), task.name)
    with st.container(border=True, key="candidates"):
        st.markdown(f"**{len(approved)} of {count(total, 'rule')} approved**: these would be compiled now.")
        if stale:
            are = "is" if stale == 1 else "are"
            draw_remark("orange", f"{count(stale, 'rule')} {are} stale and left out until reviewed again.")
            _link_to_review("Review what is stale", task, "Stale")
        elif not approved:
            st.caption("Approve a rule on the Review page first.")
            _link_to_review("Go to Review", task, "Mine")
        st.button(
            "Compile a prompt version",
            type="primary",
            key="compile",
            **allowed(Step.COMPILE, bool(approved)),
            on_click=_compile,
            args=(task,),
        )


def _link_to_review(label: str, task: Task, tab: str) -> None:
    st.page_link("pages/review.py", label=label, icon=":material/rule:", query_params={"task": task.name, "show": tab})


def _compile(task: Task) -> None:
    try:
        version = wiring.compile_task(session.app(), task.name)
    except PldError as error:
        session.complain(error)
        return
    session.preset(f"version_{task.name}", version.number)
    session.notify(
        f"Version {version.number}: {count(len(version.prompt.rules), 'rule')}, {short_hash(version.prompt.sha256)}"
    )


def draw_version(version: PromptVersion) -> None:
    """Draw one version: its hash, its text, and each numbered rule with its revision and decision."""
    prompt = version.prompt
    st.caption(
        f"Compiled by {plain(version.created_by)}, {moment(version.created_at)} · guideline version "
        f"{prompt.guideline_version} · about {len(prompt.text) // 4:,} tokens (estimated from its length)"
    )
    st.code(prompt.sha256, language=None)
    text, rules = st.columns([55, 45], gap="medium")
    with text:
        st.markdown("**What the student is told, word for word**")
        st.code(prompt.text, language=None, wrap_lines=True, height=460)
        with st.container(horizontal=True):
            name = f"{prompt.task}-v{version.number}"
            st.download_button("Download the text", prompt.text.encode("utf-8"), f"{name}.txt", "text/plain")
            manifest = canonical_json(prompt.manifest())
            st.download_button("Download the manifest", manifest.encode("utf-8"), f"{name}.json", "application/json")
    with rules:
        st.markdown("**Where each rule comes from**")
        _draw_rules(version)


def _draw_rules(version: PromptVersion) -> None:
    app = session.app()
    with st.container(height=460, border=False, key="prompt_rules"):
        for entry in version.prompt.rules:
            dossier = app.store.rules.dossier(entry.rule_id, app.actor)
            revision = next(r for r in dossier.revisions if r.hash == entry.revision_hash)
            decision = next(d for d in dossier.decisions if d.id == entry.decision_id)
            _, then, _ = rule_sentences(revision.text)
            with st.container(border=True, gap="xsmall"):
                st.page_link(
                    "pages/review.py",
                    label=f"{entry.number}. {entry.rule_id} {plain(revision.text.title)}",
                    query_params={"task": version.prompt.task, "rule": entry.rule_id, "show": "All"},
                )
                st.caption(
                    f"THEN {plain(then)} · revision {revision.number}, {short_hash(revision.hash)} · approved by "
                    f"{plain(decision.reviewer)}, {moment(decision.decided_at)} (decision {decision.id})"
                )
                if dossier.summary.in_force != entry.revision_hash:
                    draw_remark("orange", "This revision is no longer in force; a new version would not contain it.")
