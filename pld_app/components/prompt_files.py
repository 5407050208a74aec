"""Files of a prompt version: the format to download, and a check of one that came from elsewhere."""

from __future__ import annotations

import streamlit as st

from pld_app import prompting, session
from pld_app.components.remark import draw_remark
from pld_app.components.text import moment, plain, short_hash
from pld_core.errors import PldError
from pld_core.models import PromptVersion
from pld_core.prompt_export import FORMATS
from pld_core.prompt_export.verification import LARGEST, verify


def draw_download(version: PromptVersion) -> None:
    """Draw the choice of a format with its download."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        form = st.selectbox(
            "Format", list(FORMATS), format_func=lambda name: FORMATS[name].title, key="export_format", width=330
        )
        try:
            made = prompting.export_version(session.app(), version.prompt.task, version.number, form)
        except PldError as error:
            st.warning(plain(str(error)), icon=":material/error:")
            return
        if made.caution:
            draw_remark("red", plain(made.caution))
        st.download_button(
            "Download",
            made.content,
            made.name,
            FORMATS[form].media_type,
            key="export_download",
            icon=":material/download:",
            on_click="ignore",
        )


def draw_verify() -> None:
    """Draw the upload of a JSON file, from here or from another workspace, and what of it matches."""
    with st.expander("Verify an exported file"):
        st.caption("Every hash in it is computed anew. Nothing is stored.")
        upload = st.file_uploader(
            "A prompt exported as JSON", type=["json"], max_upload_size=LARGEST // 2**20, key="verify_upload"
        )
        if upload is None:
            return
        try:
            found = verify(upload.getvalue())
        except PldError as error:
            st.error(plain(str(error)), icon=":material/error:")
            return
        file = found.file
        what = f"{plain(file.manifest.task)}, version {file.built.number}, built by {plain(file.built.by)}"
        if found.passed:
            st.success(f"{what}: as it was exported. {short_hash(file.manifest.sha256)}", icon=":material/check:")
        else:
            st.error(f"{what}: not as it was exported. Do not use it.", icon=":material/error:")
        for check in found.checks:
            st.caption(f"{':green[matches]' if check.passed else ':red[differs]'}: {plain(check.name)}")
        same = prompting.same_version(session.app(), found)
        here = (
            f"version {same.number} of this workspace, {moment(same.created_at)}" if same else "not in this workspace"
        )
        st.caption(f"The same text and manifest in this workspace: {here}.")
