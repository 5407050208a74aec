"""The only reader and writer of Streamlit's session state and address: the open app, drafts, the open panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from pld_app import wiring
from pld_app.acting import signed_in_actor
from pld_app.importing import Checked
from pld_app.settings import LiveSettings
from pld_app.settings_view import SettingsView
from pld_app.wiring import App, LiveTest
from pld_core.decision_check import SheetOutcome
from pld_core.errors import InvalidInput, NotSignedIn, PldError, RevisionMovedOn, SignInUnusable
from pld_core.models import Actor, Identity, RevisionState, RuleDossier, evidence_set_hash
from pld_core.prompt_plan import BudgetPlan
from pld_core.records import ChainReport

PANEL, NOTICE, MOVED_ON, OPENED, PROBLEM = "_panel", "_notice", "_moved_on", "_opened", "_problem"
COMPLAINT = "_complaint"
LAST_TEST, CHAIN, TASK_IN_ADDRESS = "_last_test", "_chain", "_task_in_address"
SETTINGS, CHECKS = "_settings", "_checks"
NOBODY = "nobody"
CHECKED, UPLOADED, IMPORTS = "_checked", "_uploaded", "_imports"
SHEET = "_sheet"


@st.cache_resource(show_spinner=False)
def _opened_app(workspace: str) -> tuple[App, LiveSettings]:
    """Open a workspace once per process: its schema is brought up to date and its guards asserted here."""
    del workspace  # the cache key
    opened = wiring.open_app(wiring.workspace_from_environment())
    return opened, LiveSettings(opened.settings)


def app() -> App:
    """Return the open app, with the settings, the person of this session and the roles of this moment.

    Somebody who is not signed in although it takes that is an actor without roles, who is refused every step.

    Raises:
        PldError: the workspace or its settings cannot be used; nothing is cached, so the next run tries again.
    """
    found, live = _opened_app(str(wiring.workspace_from_environment()))
    opened = replace(found, settings=live.now())
    claims = st.user.to_dict()
    if not opened.settings.sign_in.is_on:
        if "is_logged_in" in claims:
            raise InvalidInput(
                "Streamlit found sign-in in other secrets than pld-review, so nobody can be let in. Nothing was "
                f"changed. Put them into {opened.settings.secrets_file}, and start the app with `pld serve`."
            )
        return opened
    try:
        actor = signed_in_actor(opened.settings, opened.store.roles, claims, datetime.now(UTC))
    except (NotSignedIn, SignInUnusable):
        actor = Actor("somebody who is not signed in", frozenset())
    return replace(opened, actor=actor)


def sign_in_refusal() -> str:
    """Return why nobody is signed in here although it takes that, empty if somebody is, or if it does not."""
    opened = app()
    if not opened.settings.sign_in.is_on or opened.actor.identity is not None:
        return ""
    claims = st.user.to_dict()
    if claims.get("is_logged_in") is not True:
        return NOBODY
    try:
        signed_in_actor(opened.settings, opened.store.roles, claims, datetime.now(UTC))
    except (NotSignedIn, SignInUnusable) as error:
        return str(error)
    return ""


def may_enter() -> bool:
    """Return whether this session may see pages: the local user, or somebody signed in who holds a role.

    A workspace that cannot be used lets everybody in: its pages hold nothing but the reason.
    """
    try:
        opened = app()
    except PldError:
        return True
    return not opened.settings.sign_in.is_on or bool(opened.actor.roles)


def identity() -> Identity | None:
    """Return who signed in, with the time at which the provider says they proved it; None for the local user."""
    return app().actor.identity


# --- address ----------------------------------------------------------------------------------------------------------


def address(name: str) -> str:
    """Return a value of the page's address, empty if it is not there."""
    return str(st.query_params.get(name, ""))


def set_address(name: str, value: str) -> None:
    """Put a value into the page's address, so that the page can be linked to and survives F5."""
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def task_linked_to() -> str:
    """Return the task in the address if a link put it there, empty if it is the one that we wrote ourselves."""
    named = address("task")
    return named if named != st.session_state.get(TASK_IN_ADDRESS) else ""


def note_task_in_address(task: str) -> None:
    """Write the chosen task into the address, and remember that we did."""
    if address("task") != task:
        set_address("task", task)
    st.session_state[TASK_IN_ADDRESS] = task


def widget(key: str) -> str:
    """Return the text that a keyed widget holds, empty if it holds none."""
    return str(st.session_state.get(key) or "")


def text_or(key: str, otherwise: str) -> str:
    """Return the text that a keyed widget holds, `otherwise` if it is not on the screen yet."""
    return str(st.session_state.get(key, otherwise))


def ticked(key: str) -> bool:
    """Return whether a keyed checkbox is ticked."""
    return bool(st.session_state.get(key))


def number(key: str, otherwise: float = 0.0) -> float:
    """Return the number that a keyed widget holds."""
    found = st.session_state.get(key)
    return float(found) if isinstance(found, int | float) else otherwise


def preset(key: str, value: object) -> None:
    """Give a keyed widget its value before it is drawn."""
    st.session_state[key] = value


def preset_once(key: str, value: object) -> None:
    """Give a keyed widget its first value; what somebody chose or typed stays."""
    st.session_state.setdefault(key, value)


def changed(key: str, value: object) -> bool:
    """Return whether a choice is another one than on the run before: what was chosen once is not applied for ever."""
    before = st.session_state.get(f"_seen_{key}")
    st.session_state[f"_seen_{key}"] = value
    return bool(before != value)


def forget(*keys: str) -> None:
    """Drop what keyed widgets hold, such as a draft that was saved."""
    for key in keys:
        st.session_state.pop(key, None)


# --- the open panel ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """A decision in progress: which step, on exactly which revision in which state, beside which evidence."""

    kind: str
    rule_id: str
    revision_hash: str
    state: RevisionState
    opened_at: str
    evidence_hash: str = ""


def open_panel(kind: str, dossier: RuleDossier) -> None:
    """Open the panel of a step for the revision that is on the screen."""
    head = dossier.head
    opened_at = first_seen(dossier)
    evidence = evidence_set_hash(dossier.evidence)
    st.session_state[PANEL] = Panel(kind, dossier.summary.id, head.hash, dossier.summary.state, opened_at, evidence)
    st.session_state.pop(PROBLEM, None)


def panel() -> Panel | None:
    found = st.session_state.get(PANEL)
    return found if isinstance(found, Panel) else None


def close_panel() -> None:
    st.session_state.pop(PANEL, None)
    st.session_state.pop(PROBLEM, None)


def first_seen(dossier: RuleDossier) -> str:
    """Return the UTC time at which this session first showed the revision; it is part of the decision."""
    seen: dict[str, str] = st.session_state.setdefault(OPENED, {})
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return seen.setdefault(dossier.head.hash, now)


# --- messages that outlive one rerun ----------------------------------------------------------------------------------


def notify(text: str) -> None:
    """Show a short message on the next run."""
    st.session_state[NOTICE] = text


def take_notice() -> str:
    return str(st.session_state.pop(NOTICE, ""))


def complain(error: PldError) -> None:
    """Show on the next run what went wrong with a step that has no panel."""
    st.session_state[COMPLAINT] = str(error)


def take_complaint() -> str:
    return str(st.session_state.pop(COMPLAINT, ""))


def problem() -> str:
    """Return what went wrong with the step in the open panel, empty if nothing did."""
    return str(st.session_state.get(PROBLEM, ""))


def moved_on() -> RevisionMovedOn | None:
    """Return the refused decision on a revision that had moved on, until somebody dismisses it."""
    found = st.session_state.get(MOVED_ON)
    return found if isinstance(found, RevisionMovedOn) else None


def dismiss_moved_on() -> None:
    st.session_state.pop(MOVED_ON, None)


def carry_draft(*keys: str) -> None:
    """After a refusal, put what was typed for the revision that was seen into the fields of the one that is there now.

    The keys of such fields hold the hash of their revision.
    """
    refused = moved_on()
    if refused is None or refused.seen.hash == refused.current.hash:
        return
    for key in keys:
        if key in st.session_state:
            st.session_state[key.replace(refused.seen.hash, refused.current.hash)] = st.session_state[key]


def attempt(action: Callable[[], str]) -> bool:
    """Run a step of the open panel; keep the panel and what was typed if it is refused.

    `action` returns the message for the person. Returns whether it succeeded.
    """
    try:
        message = action()
    except RevisionMovedOn as error:
        st.session_state[MOVED_ON] = error
        close_panel()
        return True
    except PldError as error:
        st.session_state[PROBLEM] = str(error)
        return False
    close_panel()
    dismiss_moved_on()
    notify(message)
    return True


# --- settings that are being changed ----------------------------------------------------------------------------------


@dataclass
class SettingsDraft:
    """What the fields of the Settings page started from.

    Attributes:
        seen: the settings that the person looked at; a change is made to these or refused.
        bases: by section, what its fields were filled from; what differs from it is the draft.
        rounds: by section, how often its fields began anew; part of their keys.
        problems: by setting, what is wrong with what was typed.
    """

    seen: SettingsView
    bases: dict[str, SettingsView] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def base(self, section: str) -> SettingsView:
        return self.bases.setdefault(section, self.seen)

    def prefix(self, section: str) -> str:
        return f"set_{section}_{self.rounds.get(section, 0)}_"

    def begin_anew(self, section: str) -> None:
        """Fill the fields of a section from the settings that are seen now."""
        self.rounds[section] = self.rounds.get(section, 0) + 1
        self.bases[section] = self.seen


def settings_draft(now: SettingsView) -> SettingsDraft:
    """Return the draft of this session, or begin one from `now` where no field of it is left on the screen."""
    found: SettingsDraft | None = st.session_state.get(SETTINGS)
    if found is not None and any(str(key).startswith("set_") for key in st.session_state):
        return found
    begun = SettingsDraft(now)
    st.session_state[SETTINGS] = begun
    return begun


def edits(key: str) -> Mapping[str, Any]:
    """Return what was edited in a table: `edited_rows`, `added_rows`, `deleted_rows`."""
    found = st.session_state.get(key)
    return found if isinstance(found, Mapping) else {}


def remember_check(key: str, result: object) -> None:
    """Keep the result of a connection test of this session."""
    st.session_state.setdefault(CHECKS, {})[key] = result


def last_check(key: str) -> object:
    return st.session_state.get(CHECKS, {}).get(key)


# --- steps outside a panel, and taking them back ----------------------------------------------------------------------

UNDO, UNDO_DEPTH = "_undo", 20


def step(action: Callable[[], str], *, undo: Callable[[], str] | None = None) -> None:
    """Run a step that needs no panel, as a widget's callback: say what it did, or why it was refused.

    `undo` takes it back and returns the message for the person; steps without it cannot be taken back.
    """
    try:
        message = action()
    except PldError as error:
        complain(error)
        return
    if undo is not None:
        remember_undo(undo)
    if message:
        notify(message)


def remember_undo(undo: Callable[[], str]) -> None:
    steps: list[Callable[[], str]] = st.session_state.setdefault(UNDO, [])
    steps.append(undo)
    del steps[:-UNDO_DEPTH]


def can_undo() -> bool:
    return bool(st.session_state.get(UNDO))


def undo_last() -> None:
    """Take back the last step of this session that is not signed; what cannot be taken back any more is left out."""
    steps: list[Callable[[], str]] = st.session_state.get(UNDO, [])
    if steps:
        step(steps.pop())


def flag(key: str) -> bool:
    """Return whether a switch of this session is on."""
    return bool(st.session_state.get(key))


def flip(key: str) -> None:
    st.session_state[key] = not flag(key)


def holds(*keys: str) -> bool:
    """Return whether each of these keyed widgets has a value in this session."""
    return all(key in st.session_state for key in keys)


def forget_edit(revision_hash: str) -> None:
    """Drop what the fields of an edit of this revision hold."""
    for key in [k for k in st.session_state if str(k).startswith("edit_") and str(k).endswith(revision_hash)]:
        del st.session_state[key]


def chosen(key: str) -> tuple[str, ...]:
    """Return the texts that a keyed widget for several holds."""
    return tuple(str(value) for value in st.session_state.get(key) or ())


# --- the decision sheet that was handed in ----------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetReport:
    """What became of a sheet that was uploaded, or what would if it were recorded."""

    outcome: SheetOutcome
    recorded: bool


def remember_sheet(file_id: str, report: SheetReport) -> None:
    """Keep the report on one upload, so that a rerun does not read the file again."""
    st.session_state[SHEET] = (file_id, report)


def sheet_report(file_id: str) -> SheetReport | None:
    seen, found = st.session_state.get(SHEET, ("", None))
    return found if seen == file_id else None


# --- a prompt over its budget -----------------------------------------------------------------------------------------

BUDGET_PLAN = "_budget_plan"


def propose(task: str, plan: BudgetPlan | None) -> None:
    """Keep what a person could leave out so that the prompt of a task fits; None drops it."""
    st.session_state.setdefault(BUDGET_PLAN, {})[task] = plan


def proposal(task: str) -> BudgetPlan | None:
    found: BudgetPlan | None = st.session_state.get(BUDGET_PLAN, {}).get(task)
    return found


# --- the last live test of this session -------------------------------------------------------------------------------

TestRecord = tuple[LiveTest, str, int, str]
"""Outcome, gold label (empty if none), prompt version, student."""


def remember_test(record: TestRecord) -> None:
    st.session_state[LAST_TEST] = record


def last_test() -> TestRecord | None:
    found: TestRecord | None = st.session_state.get(LAST_TEST)
    return found


def remember_chain(report: ChainReport) -> None:
    """Keep the result of the last verification of this session."""
    st.session_state[CHAIN] = report


def last_chain() -> ChainReport | None:
    found: ChainReport | None = st.session_state.get(CHAIN)
    return found


# --- the file that is being imported ----------------------------------------------------------------------------------


def remember_upload(file_id: str, key: str) -> None:
    """Note where the upload is kept, so that a rerun does not keep it again."""
    st.session_state[UPLOADED] = (file_id, key)


def upload_key(file_id: str) -> str:
    """Return where the upload is kept, empty if it is not yet."""
    seen, key = st.session_state.get(UPLOADED, ("", ""))
    return str(key) if seen == file_id else ""


def remember_checked(key: str, checked: Checked) -> None:
    """Keep what was found in a file, for the file and columns that `key` stands for; one at a time, as it is large."""
    st.session_state[CHECKED] = (key, checked)


def checked(key: str) -> Checked | None:
    seen, found = st.session_state.get(CHECKED, ("", None))
    return found if seen == key else None


def import_number() -> int:
    """Return how many imports this session has ordered: the fields of the next one begin empty."""
    return int(st.session_state.get(IMPORTS, 0))


def begin_next_import() -> None:
    st.session_state[IMPORTS] = import_number() + 1
    forget(CHECKED, "import_into", "import_name", "import_title", "import_guideline", "import_resplit", "import_mask")
