"""Data: counts, search, filters, pages, one example in full; texts are shown letter by letter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.wiring import App
from pld_core.models import Label, Split
from pld_core.ports import ExampleFilter, Page
from tests.factories import fill, make_example, make_examples, make_task
from tests.pages.driving import NASTY, Visit, choose_row, prose, raw, run, takes_literally

PER_PAGE = 25


def counts(at: AppTest) -> dict[str, list[int]]:
    """Return the table of counts: label -> train, validation, test, all."""
    return {str(label): [int(n) for n in row] for label, row in zip(*table_of(at), strict=True)}


def table_of(at: AppTest) -> tuple[list[str], list[list[int]]]:
    frame = at.dataframe[0].value
    return list(frame.index), frame.to_numpy().tolist()


def rows(at: AppTest) -> list[dict[str, str]]:
    """Return the rows of the list of examples."""
    frame = at.dataframe("data_rows").value
    return [{str(name): str(value) for name, value in row.items()} for row in frame.to_dict("records")]


def narrowed(at: AppTest, search: str = "", split: str = "any", label: str = "any") -> AppTest:
    at.text_input("data_q").set_value(search)
    at.selectbox("data_split").select(split)
    at.selectbox("data_label").select(label)
    return run(at)


def test_an_empty_workspace_says_how_to_begin_and_offers_import(empty: App, visit: Visit) -> None:
    at = visit("data")
    assert raw(at, "info") == ["No data yet. Import a file here, or build a demo task on the Home page."]
    assert [uploader.label for uploader in at.file_uploader] == ["File"]


def test_the_page_offers_import_beside_the_data_too(demo: App, visit: Visit) -> None:
    at = visit("data")
    assert [uploader.label for uploader in at.file_uploader] == ["File"]
    assert not [button for button in at.button if button.label == "Import"]


def test_counts_by_label_and_split_add_up(demo: App, visit: Visit) -> None:
    table = counts(visit("data"))
    assert table["Entailment"] == [52, 16, 13, 81]
    assert table["all labels"] == [115, 33, 30, 178]
    labels = [row for name, row in table.items() if name != "all labels"]
    assert [sum(column) for column in zip(*labels, strict=True)] == table["all labels"]


def test_a_label_with_few_examples_is_named(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=[*make_examples(4), *(make_example(f"kept {i}") for i in range(10))])
    assert raw(visit("data"), "warning") == ["Fewer than 10 training examples: remove. Rules for them rest on little."]


def test_the_guideline_and_the_labels_can_be_read(demo: App, visit: Visit) -> None:
    text = prose(visit("data"))
    assert "Guideline, version 1" in text
    assert "Read the clause as a lawyer would" in text
    assert "**Contradiction** The text makes the hypothesis false: it says the opposite" in text


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_is_paged_and_the_last_page_holds_the_rest(demo: App, visit: Visit) -> None:
    at = visit("data")
    assert "178 examples." in prose(at)
    pages = at.pagination("data_page")
    assert (pages.num_pages, len(rows(at))) == (8, PER_PAGE)
    first = rows(at)
    pages.select(8)
    run(at)
    assert len(rows(at)) == 178 - 7 * PER_PAGE
    assert not [row for row in rows(at) if row in first]


def test_a_filter_that_leaves_fewer_pages_shows_what_there_is(demo: App, visit: Visit) -> None:
    at = visit("data")
    at.pagination("data_page").select(8)
    run(at)
    narrowed(at, split="test")
    assert "30 examples." in prose(at)
    assert {row["split"] for row in rows(at)} == {"test"}


def test_search_split_and_label_narrow_together(demo: App, visit: Visit) -> None:
    at = narrowed(visit("data"), search="SURVIVE", split="train", label="Entailment")
    where = ExampleFilter(Split.TRAIN, "Entailment", "survive")
    expected = demo.store.tasks.examples("nda", where)
    assert 0 < len(expected) < PER_PAGE
    assert f"{len(expected)} examples." in prose(at)
    assert [row["text"] for row in rows(at)] == [" · ".join(v for _, v in e.fields)[:200] for e in expected]


def test_filters_in_the_address_are_applied(demo: App, visit: Visit) -> None:
    at = visit("data", data_split="test", data_label="NotMentioned")
    assert at.selectbox("data_split").value == "test"
    assert {(row["split"], row["label"]) for row in rows(at)} == {("test", "NotMentioned")}


def test_a_filter_that_matches_nothing_says_what_to_do(demo: App, visit: Visit) -> None:
    at = narrowed(visit("data"), search="no clause says this")
    assert raw(at, "info") == ["No example matches. Clear the search or choose another split or label."]
    assert "data_rows" not in [frame.key for frame in at.dataframe]
    narrowed(at)
    assert "178 examples." in prose(at)


def test_a_search_is_no_pattern(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=[make_example("half of it"), make_example("50 % of it")])
    at = narrowed(visit("data"), search="%")
    assert [row["text"] for row in rows(at)] == ["50 % of it"]


def test_a_chosen_row_is_shown_in_full(demo: App, visit: Visit) -> None:
    at = choose_row(visit("data"), "data_rows", 2)
    example = demo.store.tasks.examples("nda", page=Page(2, 1))[0]
    (_, clause), (_, hypothesis) = example.fields
    assert [text.value for text in at.text][-2:] == [clause, hypothesis]
    assert f"gold label: {example.label}" in prose(at)
    assert f"From {example.source}" in prose(at)


# --- untrusted text ---------------------------------------------------------------------------------------------------


@pytest.fixture
def nasty(empty: App) -> App:
    """A task whose every text would do something if it were taken for Markdown or HTML."""
    label = Label(NASTY, f"means {NASTY}")
    task = replace(make_task(guideline=NASTY), title=NASTY, labels=(label, Label("keep", "")))
    fill(empty.store, task, [make_example(NASTY, NASTY, source=NASTY)])
    return empty


def test_an_example_is_shown_letter_by_letter(nasty: App, visit: Visit) -> None:
    at = visit("data")
    texts = [text.value for text in at.text]
    assert texts == [NASTY, NASTY], "guideline and example are plain text elements"
    assert rows(at)[0]["text"] == NASTY
    (caption,) = [c.value for c in at.caption if c.value.startswith("From ")]
    assert takes_literally([caption], NASTY)
    assert takes_literally(raw(at, "title"), NASTY)
    assert takes_literally(raw(at, "markdown"), f"means {NASTY}")
    assert takes_literally(raw(at, "warning"), NASTY)


def test_a_label_is_shown_letter_by_letter_in_its_badge(nasty: App, visit: Visit) -> None:
    (badge,) = [text for text in raw(visit("data"), "markdown") if "gold label" in text]
    assert takes_literally([badge], NASTY)
