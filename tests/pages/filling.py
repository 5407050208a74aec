"""Filling in the import on the Data page as a person does: a file, its columns, a task, the check, the import."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.driving import Visit, press, run

MESSY = (
    "text,label,split,customer\n"
    "The fee was charged twice,upheld,train,a\n"
    "The loan was refused without a word,rejected,test,a\n"
    "The fee was charged twice,upheld,train,a\n"
    "The card never came,upheld,train,b\n"
    "The card never came,rejected,train,b\n"
    "Write to ann@example.org about the loan,Upheld ,validation,c\n"
    ",upheld,test,d\n"
    "No label here,,train,e\n"
    "An odd split,rejected,foo,f\n"
)
"""Nine rows: one customer in train and test, one text twice, one with two labels, one label written otherwise, an
address, no text, no label, a split that is none."""


def tidy(rows: int = 4) -> str:
    """Return a CSV file with nothing to settle."""
    lines = [f"Complaint number {'x' * i} of the year,{('upheld', 'rejected')[i % 2]}" for i in range(1, rows + 1)]
    return "text,label\n" + "".join(f"{line}\n" for line in lines)


def upload(at: AppTest, content: str | bytes, name: str = "complaints.csv") -> AppTest:
    data = content.encode() if isinstance(content, str) else content
    at.file_uploader[0].set_value((name, data, "text/csv"))
    return run(at)


def name_task(at: AppTest, name: str = "complaints") -> AppTest:
    at.selectbox("import_into").select("A new task")
    run(at)
    at.text_input("import_name").set_value(name)
    return run(at)


def opened(visit: Visit, content: str | bytes, name: str = "complaints.csv") -> AppTest:
    """Upload a file for a new task `complaints`, in whatever workspace there is."""
    return name_task(upload(visit("data", view="Import"), content, name))


def checked(visit: Visit, content: str | bytes = MESSY, name: str = "complaints.csv") -> AppTest:
    return press(opened(visit, content, name), "check_file")


def mapping(at: AppTest, role: str) -> str:
    """Return the key of the field that says which column has a role."""
    kinds = (*at.selectbox, *at.multiselect)
    return next(str(field.key) for field in kinds if str(field.key).startswith(f"map_{role}_"))


def map_column(at: AppTest, role: str, column: str) -> AppTest:
    at.selectbox(mapping(at, role)).select(column)
    return run(at)


def tables(at: AppTest) -> list[list[dict[str, object]]]:
    """Return every table on the screen as its rows."""
    return [
        [{str(name): value for name, value in row.items()} for row in frame.value.to_dict("records")]
        for frame in at.dataframe
    ]


def table_with(at: AppTest, *titles: str) -> list[dict[str, object]]:
    """Return the rows of the table that has these columns."""
    return next(rows for rows in tables(at) if rows and set(titles) <= set(rows[0]))


def tabs(at: AppTest) -> list[str]:
    return [str(tab.label) for tab in at.tabs]


def shows(at: AppTest, key: str) -> bool:
    """Return whether there is a button with this key."""
    return key in [button.key for button in at.button]
