"""Importing: orders survive the way through a job, columns are filled in or remembered, splits are divided anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pld_app import importing
from pld_app.importing import ImportOrder
from pld_app.settings import load_settings
from pld_app.wiring import App
from pld_core.errors import ImportStopped, InvalidInput
from pld_core.importers import open_source
from pld_core.importers.rows import ColumnMap, Context, ReadOptions, SentenceKind
from pld_core.models import ExampleState, Split
from pld_core.records import EventFilter, ExampleFilter
from pld_core.validation.facts import ImportChoices
from pld_core.validation.plan import TaskWords
from storage import SqliteStore
from tests.factories import ANNA, BERT, fill, make_example, make_examples, make_instruction, no_report

WORDS = TaskWords("posts")
texts = st.text(max_size=20)
maps = st.dictionaries(texts, texts, max_size=3)
orders = st.builds(
    ImportOrder,
    texts,
    st.builds(TaskWords, texts, texts, texts),
    st.builds(
        ReadOptions,
        texts,
        texts,
        texts,
        texts,
        context=st.sampled_from(Context),
        sentence=st.sampled_from(SentenceKind),
    ),
    st.builds(
        ImportChoices,
        st.builds(ColumnMap, texts, st.lists(texts, max_size=3).map(tuple), texts, texts, texts, texts),
        maps,
        maps,
        st.booleans(),
        maps,
        st.booleans(),
        st.integers(0, 2**31),
        st.booleans(),
        st.booleans(),
    ),
)


@pytest.fixture
def app(tmp_path: Path, sqlite_store: SqliteStore) -> App:
    return App(load_settings(tmp_path / "space", {}), sqlite_store, ANNA)


def write(tmp_path: Path, content: str, name: str = "posts.csv") -> Path:
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    return file


def bring_in(app: App, file: Path, choices: ImportChoices | None = None) -> importing.Imported:
    order = ImportOrder(file.name, WORDS, choices=choices or ImportChoices(ColumnMap()))
    order, checked = importing.check(app, file, order, no_report)
    return importing.import_file(app, checked, order, importing.plan(checked, order))


@given(orders)
def test_an_order_survives_the_way_through_a_job(order: ImportOrder) -> None:
    assert ImportOrder.from_json(order.as_json()) == order


def test_an_order_with_a_part_that_nobody_knows_is_refused() -> None:
    value = ImportOrder("a.csv", WORDS).as_json()
    with pytest.raises(ValueError, match="words"):
        ImportOrder.from_json({name: part for name, part in value.items() if name != "words"})


def test_columns_are_filled_in_by_their_names_or_taken_as_chosen(app: App, tmp_path: Path) -> None:
    file = write(tmp_path, "text,label,split\na,x,train\nb,y,test\n")
    chosen = ImportOrder("posts.csv", WORDS, choices=ImportChoices(ColumnMap("label", ("text",))))
    filled, _ = importing.check(app, file, chosen, no_report)
    assert filled.choices.columns.split == "split"
    kept, _ = importing.check_chosen(app, file, chosen, no_report)
    assert kept == chosen


def test_columns_are_remembered_by_shape_whatever_their_order(app: App, tmp_path: Path) -> None:
    wanted = ImportChoices(ColumnMap("gold", ("two",), ref="one"), field_names={"two": "post"})
    bring_in(app, write(tmp_path, "one,two,gold\n1,a,x\n2,b,y\n"), wanted)
    source = open_source(write(tmp_path, "gold,two,one\nx,c,3\n", "again.csv"))
    found, words = importing.columns_for(replace(app, actor=BERT), source, ImportChoices(ColumnMap()))
    assert (found.columns, found.field_names) == (wanted.columns, wanted.field_names)
    assert words == "Columns as anna chose them for a file of this shape."
    assert importing.columns_for(None, source, ImportChoices(ColumnMap("gold")))[0].columns.inputs == ("two", "one")


def test_a_preview_reads_no_more_rows_than_it_shows(tmp_path: Path) -> None:
    source = open_source(write(tmp_path, "text,label\n" + "a,x\n" * 30))
    assert [row.number for row in importing.preview(source)] == list(range(2, 22))
    assert [row.number for row in importing.preview(source, 3)] == [2, 3, 4]


def test_a_field_that_no_column_stands_for_is_named(app: App, tmp_path: Path) -> None:
    fill(app.store)
    with pytest.raises(InvalidInput, match=r"The field 'post' is missing: task posts needs post"):
        bring_in(app, write(tmp_path, "text,label\na,keep\nb,remove\n"))
    done = bring_in(
        app,
        write(tmp_path, "text,label,extra\na,keep,e\n"),
        ImportChoices(ColumnMap("label", ("extra", "text")), field_names={"text": "post"}),
    )
    assert done.added == 1
    assert app.store.tasks.examples("posts")[-1].fields == (("post", "a"),)


def test_nothing_is_imported_while_something_has_to_be_settled(app: App, tmp_path: Path) -> None:
    file = write(tmp_path, "text,label,split,group\na,x,train,g\nb,y,test,g\n")
    with pytest.raises(ImportStopped, match=r"share what they must not.*Nothing was imported"):
        bring_in(app, file)
    assert not app.store.tasks.all()
    assert bring_in(app, file, ImportChoices(ColumnMap(), resplit=True)).added == 2


def test_descriptions_go_to_the_labels_of_a_new_task_and_of_one_that_is_there(app: App, tmp_path: Path) -> None:
    bring_in(app, write(tmp_path, "text,label\na,x\nb,y\n"), ImportChoices(ColumnMap(), descriptions={"x": "first"}))
    bring_in(app, write(tmp_path, "text,label\nc,x\n"), ImportChoices(ColumnMap(), descriptions={"y": "second"}))
    assert {label.name: label.description for label in app.store.tasks.get("posts").labels} == {
        "x": "first",
        "y": "second",
    }
    event = app.store.events.page(EventFilter(kind="labels.described"))[0]
    assert event.payload["reason"] == "Given with the import of posts.csv"
    bring_in(app, write(tmp_path, "text,label\nd,x\n"), ImportChoices(ColumnMap(), descriptions={"y": "second"}))
    assert app.store.events.count(EventFilter(kind="labels.described")) == 1


def test_a_file_that_changes_between_check_and_import_is_refused(app: App, tmp_path: Path) -> None:
    file = write(tmp_path, "text,label\na,x\nb,y\n")
    order, checked = importing.check(app, file, ImportOrder("posts.csv", WORDS), no_report)
    write(tmp_path, "text,label\na,x\n")
    with pytest.raises(InvalidInput, match="changed"):
        importing.import_file(app, checked, order, importing.plan(checked, order))
    assert not app.store.tasks.all()


def test_dividing_anew_keeps_instructed_examples_and_their_group_in_train(app: App) -> None:
    grouped = tuple(replace(make_example(f"word {'y' * i} of a group"), group="g") for i in range(4))
    examples = fill(app.store, examples=[*make_examples(40), *grouped])
    instructed = [*examples[:5], grouped[0]]
    for example in instructed:
        app.store.logic.add_instruction("posts", make_instruction(example))
    moved = importing.resplit_task(app, "posts", 3)
    now = {e.hash: e.split for e in app.store.tasks.examples("posts")}
    assert {now[e.hash] for e in (*instructed, *grouped)} == {Split.TRAIN}
    assert moved == len([split for split in now.values() if split is not Split.TRAIN]) > 0
    assert importing.resplit_task(app, "posts", 3) == 0, "the same seed divides the same way"


def test_dividing_anew_reaches_examples_that_take_no_part(app: App, tmp_path: Path) -> None:
    rows = "".join(f"text {'z' * i},{'xy'[i % 2]}\n" for i in range(1, 30))
    done = bring_in(app, write(tmp_path, f"text,label\n{rows}"))
    before = {e.hash: e.split for e in app.store.tasks.examples("posts")}
    app.store.data.archive(done.dataset.id, "old", ANNA)
    assert importing.resplit_task(app, "posts", 5) > 0
    after = app.store.tasks.examples("posts", ExampleFilter(states=(ExampleState.ARCHIVED,)))
    assert {e.hash: e.split for e in after} != before
