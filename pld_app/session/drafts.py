"""What the fields of the Settings page and of a policy began with."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from pld_app.settings_view import SettingsView
from pld_core.policy import Policy

SETTINGS, POLICY = "_settings", "_policy"


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


def policy_seen(task: str) -> Policy | None:
    """Return the policy that the fields for a task began with, None before they were drawn."""
    found = st.session_state.get(f"{POLICY}_{task}")
    return found if isinstance(found, Policy) else None


def see_policy(task: str, policy: Policy) -> None:
    """Note which policy somebody looks at; a change is made to it or refused."""
    st.session_state[f"{POLICY}_{task}"] = policy
