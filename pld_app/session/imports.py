"""The file that is being imported."""

from __future__ import annotations

import streamlit as st

from pld_app.importing import Checked
from pld_app.session.fields import forget

CHECKED, UPLOADED, IMPORTS = "_checked", "_uploaded", "_imports"


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
