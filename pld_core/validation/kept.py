"""Columns that are kept beside the examples, to cut figures by: what is proposed, and what they are found to hold.

Their values are text and are counted as they are written, numbers too. They are no part of an example: the same text
with another value is the same example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pld_core.importers.rows import ColumnMap, SourceRow
from pld_core.personal import find_personal

MOST_VALUES = 1_000
"""A column with more different values cuts a run into parts that say nothing."""
LONGEST_VALUE = 200
"""Characters. What is longer is a text to read and not a value that rows have in common."""
FEW_ROWS = 20
"""From fewer rows nobody can tell whether values repeat."""
FEW_VALUES = 30
SHORT_VALUE = 40
"""Characters. A column with a longer value, such as a question that many rows share, may be what is to be judged."""
ROWS_A_VALUE = 5

# Compared with the words of a column's name in lower case.
_PERSONAL_WORDS = frozenset((
    "name", "firstname", "lastname", "surname", "forename", "fullname", "username", "email", "mail", "phone", "mobile",
    "tel", "telephone", "fax", "address", "street", "postcode", "zip", "birth", "birthday", "birthdate", "dob", "age",
    "gender", "sex", "religion", "ethnicity", "nationality", "person", "people", "user", "author", "customer", "client",
    "patient", "employee", "agent", "owner", "handler", "assignee", "annotator", "reviewer", "clerk", "contact",
    "member", "ip", "ssn", "iban", "passport",
))  # fmt: skip


def looks_personal(column: str, values: Sequence[str]) -> bool:
    """Whether a column seems to tell of persons, by the words of its name or by patterns in its values; a heuristic.

    >>> looks_personal("Customer name", ["A"]), looks_personal("country", ["DE"])
    (True, False)
    """
    words = re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    return not _PERSONAL_WORDS.isdisjoint(words) or any(find_personal(value) for value in values)


def proposed_to_keep(columns: Sequence[str], rows: Sequence[SourceRow]) -> tuple[str, ...]:
    """Return the columns that are worth keeping, by the first rows of a file.

    They hold few values, short ones, each in several rows, and nothing that looks personal.

    Args:
        columns: those to choose from.
        rows: from the beginning of the file; of fewer than `FEW_ROWS` that can be read nothing is proposed.
    """
    readable = [row for row in rows if not row.problem]
    if len(readable) < FEW_ROWS:
        return ()
    found = []
    for column in columns:
        values = {row.values.get(column, "").strip() for row in readable} - {""}
        repeats = 2 <= len(values) <= min(FEW_VALUES, len(readable) // ROWS_A_VALUE)
        if repeats and max(map(len, values)) <= SHORT_VALUE and not looks_personal(column, sorted(values)):
            found.append(column)
    return tuple(found)


def kept_of(row: SourceRow, columns: ColumnMap) -> tuple[str, ...]:
    """Return what a row holds in the kept columns, in their order, without white space around it; empty if nothing."""
    return tuple([row.values.get(column, "").strip() for column in columns.keep])


class KeptValues:
    """The different values of the kept columns of a file, as far as there are not too many.

    Attributes:
        values: by column; at most one more than `MOST_VALUES`, and those that are too long are left out.
        too_long: number of the first row that holds too long a value, by column.
    """

    def __init__(self, columns: ColumnMap) -> None:
        self._columns = columns
        self.values: dict[str, set[str]] = {column: set() for column in columns.keep}
        self.too_long: dict[str, int] = {}

    def add(self, row: SourceRow) -> None:
        """Note what a row holds."""
        for column, value in zip(self._columns.keep, kept_of(row, self._columns), strict=True):
            if len(value) > LONGEST_VALUE:
                self.too_long.setdefault(column, row.number)
            elif len(self.values[column]) <= MOST_VALUES:
                self.values[column].add(value)

    def counts(self) -> dict[str, int]:
        """Return how many different values each column holds, none given counted as none."""
        return {column: len(values - {""}) for column, values in self.values.items()}

    def problems(self, unit: str) -> Iterator[str]:
        """Yield why a column cannot be kept, a sentence each."""
        for column, values in self.values.items():
            if column in self.too_long:
                yield (
                    f"The column {column!r} cannot be kept: {unit} {self.too_long[column]:,} holds more than "
                    f"{LONGEST_VALUE} characters there. Take it out of the kept columns; a text is an input."
                )
            elif len(values) > MOST_VALUES:
                yield (
                    f"The column {column!r} cannot be kept: it has more than {MOST_VALUES:,} different values, and "
                    "figures of so many parts say nothing. Take it out of the kept columns, or group its values."
                )

    def warnings(self) -> Iterator[str]:
        """Yield what to know of the columns, a sentence each."""
        for column, values in self.values.items():
            if looks_personal(column, sorted(values)):
                yield (
                    f"The kept column {column!r} seems to hold personal data. No model is shown it, but it stands "
                    "beside the examples, in figures and in exports. Keep it only if it is needed."
                )
