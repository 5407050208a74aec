"""Data: counts, search, filters, pages, one example in full; texts are shown letter by letter."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pld_app.components.text import plain
from pld_app.wiring import App
from pld_core.models import SYSTEM, Example, Label, Origin, Span, Split, Task
from pld_core.records import Dataset, ExampleFilter, ImportRow, NewDataset, Page
from tests.factories import fill, make_example, make_examples, make_task
from tests.pages.driving import NASTY, Visit, choose_row, links, press, press_at_once, prose, raw, run, takes_literally

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


def imported(app: App, examples: Sequence[Example], task: Task | None = None) -> Dataset:
    """Import examples as rows 2, 3, … of `posts.csv`."""
    about = NewDataset("posts.csv", f"sha256:{'a' * 64}", "row", "csv 1", {}, {})
    rows = [
        ImportRow(n, replace(e, origin=Origin("posts.csv", about.sha256, "row", n, "csv 1")))
        for n, e in enumerate(examples, 2)
    ]
    return app.store.data.add(task or make_task(), about, rows, app.actor)[0]


def narrowed(at: AppTest, search: str = "", split: str = "any", label: str = "any") -> AppTest:
    at.text_input("data_q").set_value(search)
    at.selectbox("data_split").select(split)
    at.selectbox("data_label").select(label)
    return run(at)


def test_counts_by_label_and_split_add_up(demo: App, visit: Visit) -> None:
    table = counts(visit("data"))
    assert table["Entailment"] == [52, 16, 13, 81]
    assert table["all labels"] == [115, 33, 30, 178]
    labels = [row for name, row in table.items() if name != "all labels"]
    assert [sum(column) for column in zip(*labels, strict=True)] == table["all labels"]


def test_a_label_with_few_examples_is_named(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=[*make_examples(4), *(make_example(f"kept {i}") for i in range(10))])
    assert raw(visit("data"), "warning") == [
        plain("Fewer than 10 training examples: remove. Rules for them rest on little.")
    ]


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
    shown = [(row["clause"], row["hypothesis"]) for row in rows(at)]
    assert shown == [tuple(value[:200] for _, value in e.fields) for e in expected]


def test_filters_in_the_address_are_applied(demo: App, visit: Visit) -> None:
    at = visit("data", data_split="test", data_label="NotMentioned")
    assert at.selectbox("data_split").value == "test"
    assert {(row["split"], row["label"]) for row in rows(at)} == {("test", "NotMentioned")}


def test_a_filter_that_matches_nothing_says_what_to_do(demo: App, visit: Visit) -> None:
    at = narrowed(visit("data"), search="no clause says this")
    assert raw(at, "info") == ["No example matches. Clear the search or choose another filter."]
    assert "data_rows" not in [frame.key for frame in at.dataframe]
    narrowed(at)
    assert "178 examples." in prose(at)


def test_a_search_is_no_pattern(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=[make_example("half of it"), make_example("50 % of it")])
    at = narrowed(visit("data"), search="%")
    assert [row["post"] for row in rows(at)] == ["50 % of it"]


def test_a_chosen_row_is_shown_in_full(demo: App, visit: Visit) -> None:
    at = choose_row(visit("data"), "data_rows", 2)
    example = demo.store.tasks.examples("nda", page=Page(2, 1))[0]
    (_, clause), (_, hypothesis) = example.fields
    assert [text.value for text in at.text][-2:] == [clause, hypothesis]
    assert f"gold label: {example.label}" in prose(at)
    assert f"From {example.place}" in prose(at)


def test_an_example_says_from_which_row_of_which_file_it_comes(empty: App, visit: Visit) -> None:
    odd = replace(make_example("a text", source="hotline"), group="case 7", ref="x-1")
    imported(empty, [make_example("another"), odd, odd])
    at = choose_row(visit("data"), "data_rows", 1)
    (origin,) = [line for line in prose(at).splitlines() if line.startswith("From ")]
    assert origin.startswith("From row 3 of posts.csv · file aaaaaaaaaaaa, read by csv 1 · source: hotline · in 2 rows")
    assert "id x-1 · group case 7" in origin
    assert [row["from"] for row in rows(at)] == ["row 2 of posts.csv", "row 3 of posts.csv"]


def test_the_rules_that_rest_on_an_example_are_links(demo: App, visit: Visit) -> None:
    support = demo.store.rules.dossier("R1", SYSTEM).evidence[0].example_hash
    every = demo.store.tasks.examples("nda")
    place = [e.hash for e in every].index(support)
    at = visit("data")
    at.pagination("data_page").select(place // PER_PAGE + 1)
    choose_row(run(at), "data_rows", place % PER_PAGE)
    assert set(demo.store.data.rules_of("nda", support)) <= set(links(at))
    assert "R1" in links(at)


def test_a_field_as_long_as_a_contract_comes_after_what_is_asked_about_it(empty: App, visit: Visit) -> None:
    task = replace(make_task(), input_fields=("contract", "hypothesis"))
    long = Example((("contract", "clause, " * 400 + "end"), ("hypothesis", "Copies are allowed.")), "keep", Split.TRAIN)
    imported(empty, [long], task)
    assert [text.value for text in visit("data").text][-2:] == ["Copies are allowed.", "clause, " * 400 + "end"]


def test_the_state_decides_which_examples_are_listed(empty: App, visit: Visit) -> None:
    kept = imported(empty, [make_example("first"), make_example("torn"), make_example("torn", "remove")])
    at = visit("data")
    assert [row["post"] for row in rows(at)] == ["first"]
    at.selectbox("data_state").select("in a label conflict")
    assert [row["label"] for row in rows(run(at))] == ["keep", "remove"]
    empty.store.data.archive(kept.id, "old", empty.actor)
    at.selectbox("data_state").select("archived")
    assert len(rows(run(at))) == 3
    at.selectbox("data_state").select("all")
    assert len(rows(run(at))) == 3


def test_personal_data_and_data_set_narrow_the_list(empty: App, visit: Visit) -> None:
    imported(empty, [replace(make_example("write to ann"), personal=("e-mail",)), make_example("nobody")])
    about = NewDataset("more.csv", f"sha256:{'b' * 64}", "row", "csv 1", {}, {})
    more, _ = empty.store.data.add(make_task(), about, [ImportRow(2, make_example("a third"))], empty.actor)
    at = visit("data")
    at.checkbox("data_personal").check()
    assert [row["post"] for row in rows(run(at))] == ["write to ann"]
    assert "e-mail" in prose(at)
    at.checkbox("data_personal").uncheck()
    at.selectbox("data_set_posts").select(more.id)
    assert [row["post"] for row in rows(run(at))] == ["a third"]


# --- dividing anew and export -----------------------------------------------------------------------------------------


def test_the_examples_are_divided_anew_by_one_click(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=make_examples(40))
    at = press(visit("data"), "resplit")
    table = counts(at)
    assert table["all labels"][:3] == [24, 8, 8]
    assert "16 examples moved to another split" in prose(at)
    assert "0 examples moved" in prose(press(at, "resplit"))


def test_the_seed_that_comes_with_the_press_divides_nothing_yet(empty: App, visit: Visit) -> None:
    fill(empty.store, examples=make_examples(40))
    at = visit("data")
    at.number_input("resplit_seed").set_value(1)
    assert "examples moved" not in prose(press_at_once(at, "resplit"))
    assert "examples moved" in prose(press(at, "resplit"))


@pytest.fixture
def filtered(empty: App, visit: Visit) -> AppTest:
    fill(empty.store, examples=[make_example("=1+1"), make_example("=2+2", "remove"), make_example("plain", "remove")])
    return narrowed(visit("data"), label="remove")


def test_what_the_filter_shows_can_be_exported(filtered: AppTest) -> None:
    labels = {button.key: button.label for button in filtered.download_button}
    assert labels == {"export_csv": "Export 2 examples as CSV", "export_jsonl": "Export 2 examples as JSONL"}


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
    assert rows(at)[0]["post"] == NASTY
    (caption,) = [c.value for c in at.caption if c.value.startswith("From ")]
    assert takes_literally([caption], NASTY)
    assert takes_literally(raw(at, "title"), NASTY)
    assert takes_literally(raw(at, "markdown"), f"means {NASTY}")
    assert takes_literally(raw(at, "warning"), NASTY)


def test_a_label_is_shown_letter_by_letter_in_its_badge(nasty: App, visit: Visit) -> None:
    (badge,) = [text for text in raw(visit("data"), "markdown") if "gold label" in text]
    assert takes_literally([badge], NASTY)


SPANS = "before <i>x</i> marked <mark>**bold**</mark> & after"
BEGIN, END = SPANS.index("marked"), SPANS.index(" & after")


def test_marked_passages_stay_text_inside_and_around_the_marks(empty: App, visit: Visit) -> None:
    spans = (Span("post", BEGIN, END), Span("post", BEGIN + 3, END - 2), Span("post", END - 4, END + 2))
    imported(empty, [replace(make_example(SPANS), spans=spans)])
    at = visit("data")
    (markup,) = [part for part in raw(at, "html") if "<mark" in part]
    marks = re.findall(r"<mark style=[^>]*>(.*?)</mark>", markup)
    assert marks == ["marked &lt;mark&gt;**bold**&lt;/mark&gt;", " &amp;"]
    plain = re.sub(r"</?(?:div|mark)\b[^>]*>", "", markup)
    assert html.unescape(plain) == SPANS
    assert "<i>" not in markup
    assert "post · 3 passages marked as evidence" in prose(at)
