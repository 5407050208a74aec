"""Which file is imported, and how it is read."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pld_app import session, uploads
from pld_app.components.import_words import on_page
from pld_app.components.text import plain
from pld_app.uploads import MAX_UPLOAD_MB, Waiting
from pld_core.importers import FORMATS, open_source
from pld_core.importers.rows import Context, ReadOptions, SentenceKind, Source

ENDINGS = ["csv", "tsv", "txt", "jsonl", "ndjson", "json", "parquet", "xlsx"]
FIND_OUT = "find out"
ENCODINGS = ["utf-8", "utf-16", "cp1252"]
CONTEXTS = {
    Context.FULL: "all of it",
    Context.WINDOW: "evidence spans with their neighbours",
    Context.EVIDENCE: "evidence spans only",
}


def draw_file() -> tuple[Waiting, Source] | None:
    """Draw the choice of a file; return where it waits and the opened file, or None while there is none.

    Raises:
        InvalidInput: the file cannot be read.
    """
    found = _choose()
    if found is None:
        return None
    waiting, name = found
    options = ReadOptions()
    path = waiting.path(session.app().settings)
    with st.expander("How it is read", expanded=False, icon=":material/tune:"):
        options = _draw_options(options)
        source = open_source(path, options, name)
        options = _draw_special(source, options)
        source = open_source(path, options, name)
    st.caption(" ".join([f"{plain(name)} is read as {source.options.file_format}.", *map(on_page, source.notes)]))
    return waiting, source


def _choose() -> tuple[Waiting, str] | None:
    settings = session.app().settings
    waiting_there = uploads.inbox_files(settings)
    left, right = st.columns([6, 4], gap="medium")
    upload = left.file_uploader(
        "Upload a file (CSV, TSV, JSONL, JSON, Parquet, XLSX; ContractNLI, StereoSet and LogiQA as published)",
        type=ENDINGS,
        max_upload_size=MAX_UPLOAD_MB,
        key=f"upload_{session.import_number()}",
    )
    picked = right.selectbox(
        "or pick one from the workspace's folder “inbox”",
        waiting_there,
        index=None,
        key=f"inbox_{session.import_number()}",
        placeholder="Choose a file" if waiting_there else "The folder is empty",
        help=f"For files over {MAX_UPLOAD_MB} MiB: put them into {settings.workspace / uploads.INBOX}.",
        disabled=not waiting_there,
    )
    if upload is not None:
        key = session.upload_key(upload.file_id)
        if not key:
            jobs = session.app().store.jobs.recent(limit=50)
            uploads.forget_old_uploads(settings, {str(j.params.get("upload", "")) for j in jobs})
            key = uploads.keep_upload(settings, upload.name, upload)
            session.remember_upload(upload.file_id, key)
        return Waiting(upload=key), upload.name
    return (Waiting(inbox=picked), picked) if picked else None


def _draw_options(options: ReadOptions) -> ReadOptions:
    left, middle, right = st.columns(3)
    file_format = left.selectbox("Format", [FIND_OUT, *FORMATS], key="read_format")
    encoding = middle.selectbox("Encoding of a text file", [FIND_OUT, *ENCODINGS], key="read_encoding")
    delimiters = {FIND_OUT: "", "comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
    delimiter = right.selectbox("Between the cells of a CSV", list(delimiters), key="read_delimiter")
    return replace(
        options,
        file_format="" if file_format == FIND_OUT else file_format,
        encoding="" if encoding == FIND_OUT else encoding,
        delimiter=delimiters[delimiter],
    )


def _draw_special(source: Source, options: ReadOptions) -> ReadOptions:
    """Draw what only some formats ask."""
    if source.sheets:
        current = source.sheets.index(source.options.sheet) if source.options.sheet in source.sheets else 0
        options = replace(options, sheet=st.selectbox("Sheet", source.sheets, index=current, key="read_sheet"))
    if source.options.file_format == "contract-nli":
        context = st.selectbox(
            "How much of the contract is kept",
            list(CONTEXTS),
            index=list(CONTEXTS).index(Context.FULL),
            format_func=lambda name: CONTEXTS[Context(name)],
            key="read_context",
        )
        options = replace(options, context=Context(context))
    if source.options.file_format == "stereoset":
        kinds = [kind.value for kind in SentenceKind]
        kind = st.selectbox("Which sentence is kept", kinds, key="read_sentence")
        options = replace(options, sentence=SentenceKind(kind))
    return options
