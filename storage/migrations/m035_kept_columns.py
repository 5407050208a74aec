"""Values of columns that an import keeps beside its rows."""

from __future__ import annotations

from sqlite_utils import Database as Tables

from storage.migrations.steps import each, migrations


@migrations()
def m035_kept_columns(db: Tables) -> None:
    # A list of texts, in the order in which the data set's params name the kept columns. It belongs to the row and not
    # to the example: two data sets may say different things of one text.
    each(db, "ALTER TABLE dataset_row ADD COLUMN kept TEXT NOT NULL DEFAULT '[]'")
