"""Data sets: imported whole or not at all, found again by file and row, archived, deleted; conflicts are settled."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pld_core.canonical import canonical_json, hash_json
from pld_core.compilation import compile_prompt
from pld_core.errors import DataInUse, InvalidInput, MissingReason, NotFound
from pld_core.evaluation import failed_answer
from pld_core.models import (
    SYSTEM,
    Event,
    Evidence,
    EvidenceRole,
    Example,
    ExampleState,
    Label,
    Prediction,
    Run,
    Span,
    Split,
)
from pld_core.ports import Store
from pld_core.records import DatasetState, EventFilter, ExampleFilter, ImportRow, NewRule, Page
from storage import SqliteStore
from storage.example_rows import addresses
from storage.importing import CHUNK
from tests.contracts.data_sets import about, load, numbered
from tests.contracts.test_store import IMPLEMENTATIONS, kinds
from tests.factories import (
    ANNA,
    BERT,
    TickingClock,
    approved_rule,
    fill,
    make_example,
    make_examples,
    make_instruction,
    make_rule,
    make_task,
    make_text,
    rule_in_review,
    verdict_on,
)
from tests.releasing import LOOK

ANY = ExampleFilter(states=())
A, C, W, X = ExampleState.ACTIVE, ExampleState.CONFLICT, ExampleState.WITHDRAWN, ExampleState.ARCHIVED


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: TickingClock) -> Store:
    return IMPLEMENTATIONS[request.param](tmp_path, clock)


def states(store: Store) -> dict[str, ExampleState]:
    """Return the state of every example by `text label`."""
    return {f"{e.text} {e.label}": e.state for e in store.tasks.examples("posts", ANY)}


def last_event(store: Store) -> Event:
    return store.events.page(page=Page(0, 1))[0]


# --- importing --------------------------------------------------------------------------------------------------------


def test_an_import_makes_the_task_and_every_example_knows_its_row(store: Store) -> None:
    examples = make_examples(3)
    dataset, added = store.data.add(make_task(), about(report=3), numbered(examples), ANNA)
    assert added == 3
    assert store.data.get(dataset.id) == dataset
    assert store.data.all("posts") == (dataset,)
    assert (dataset.task, dataset.about, dataset.rows) == ("posts", about(report=3), 3)
    assert (dataset.state, dataset.created_by, dataset.created_at[:4]) == (DatasetState.ACTIVE, "anna", "2026")
    found = store.tasks.examples("posts")
    assert found == examples
    assert [e.place for e in found] == [f"row {n} of posts.csv" for n in (2, 3, 4)]
    assert found[0].origin is not None
    assert (found[0].origin.sha256, found[0].origin.importer) == (about().sha256, "csv 1")
    assert [e.copies for e in found] == [1, 1, 1]
    assert kinds(store) == ["task.created", "dataset.imported"]
    assert last_event(store).payload == {
        "dataset": dataset.id,
        "file": "posts.csv",
        "sha256": about().sha256,
        "importer": "csv 1",
        "params": hash_json({"seed": 7}),
        "report": hash_json({"rows": 3}),
        "rows": 3,
        "added": 3,
        "conflicts": 0,
    }
    assert store.events.verify().intact


def test_the_same_file_the_same_way_is_the_same_import(store: Store) -> None:
    rows = numbered(make_examples(3))
    first, _ = store.data.add(make_task(), about(), rows, ANNA)
    events = store.events.count()
    assert store.data.add(make_task(), about(), rows, BERT) == (first, 0)
    assert store.data.add(make_task(), about("renamed.csv"), rows, BERT) == (first, 0)
    assert store.events.count() == events
    assert [e.copies for e in store.tasks.examples("posts")] == [1, 1, 1]


@pytest.mark.parametrize("other", [about(params={"seed": 8}), about(content="2")])
def test_another_file_or_another_way_is_an_import_of_its_own(store: Store, other: object) -> None:
    rows = numbered(make_examples(3))
    first, _ = store.data.add(make_task(), about(), rows, ANNA)
    second, added = store.data.add(make_task(), other, rows, ANNA)  # type: ignore[arg-type]
    assert (added, second.rows) == (0, 3)
    assert [d.id for d in store.data.all("posts")] == [second.id, first.id]
    found = store.tasks.examples("posts")
    assert [e.copies for e in found] == [2, 2, 2]
    assert {e.origin.number for e in found if e.origin} == {2, 3, 4}


def test_the_same_file_in_another_task_is_an_import_of_its_own(store: Store) -> None:
    rows = numbered(make_examples(2))
    first, _ = store.data.add(make_task(), about(), rows, ANNA)
    second, added = store.data.add(make_task("other"), about(), rows, ANNA)
    assert (added, second.id != first.id) == (2, True)
    assert store.data.all("other") == (second,)


def test_equal_rows_of_one_file_become_one_example_of_its_first_row(store: Store) -> None:
    rows = [make_example(text) for text in ("a", "b", "a", "a")]
    dataset, added = store.data.add(make_task(), about(), numbered(rows), ANNA)
    assert (added, dataset.rows) == (2, 4)
    assert [(e.text, e.copies, e.place) for e in store.tasks.examples("posts")] == [
        ("a", 3, "row 2 of posts.csv"),
        ("b", 1, "row 3 of posts.csv"),
    ]
    assert store.tasks.example("posts", rows[0].hash).copies == 3


def test_an_example_that_is_there_keeps_its_split_and_its_words(store: Store) -> None:
    load(store, [make_example("a", split=Split.TEST, source="first")])
    load(store, [make_example("a", split=Split.TRAIN, source="second")], "2")
    assert store.tasks.examples("posts") == (make_example("a", split=Split.TEST, source="first"),)


def test_the_stored_task_counts_not_the_one_that_is_handed_over(store: Store) -> None:
    store.tasks.add(make_task(), ANNA)
    wider = replace(make_task(), labels=(Label("keep", ""), Label("burn", "")), guideline="other")
    with pytest.raises(InvalidInput, match=r"'burn' \(row 2 of posts.csv\) is not declared for posts: keep, remove"):
        store.data.add(wider, about(), numbered([make_example("x", "burn")]), ANNA)
    assert store.tasks.get("posts") == make_task()


BAD = [
    (make_example("x", "burn"), r"'burn' \(row 1,502 of posts.csv\) is not declared"),
    (replace(make_example("x"), fields=(("text", "x"),)), r"'post' is missing \(row 1,502 of posts.csv"),
    (make_example("x\ud800"), r"text of row 1,502 of posts.csv holds half a character"),
]


@pytest.mark.parametrize(("bad", "words"), BAD)
def test_one_bad_row_and_nothing_is_left_not_even_the_task(store: Store, bad: Example, words: str) -> None:
    rows = numbered([*make_examples(CHUNK + 500), bad])
    with pytest.raises(InvalidInput, match=rf"{words}.*Nothing was imported"):
        store.data.add(make_task(), about(), rows, ANNA)
    assert store.tasks.all() == ()
    assert store.events.count() == 0


def test_what_stops_the_reading_rolls_everything_back(store: Store) -> None:
    def stopped(error: Exception) -> Iterator[ImportRow]:
        yield from numbered(make_examples(CHUNK + 5))
        raise error

    with pytest.raises(InvalidInput, match="the end is missing"):
        store.data.add(make_task(), about(), stopped(InvalidInput("the end is missing")), ANNA)
    with pytest.raises(InvalidInput, match=r"posts.csv cannot be read further: gone\. Nothing was imported"):
        store.data.add(make_task(), about(), stopped(OSError("gone")), ANNA)
    with pytest.raises(KeyError):
        store.data.add(make_task(), about(), stopped(KeyError("bug")), ANNA)
    assert store.tasks.all() == ()
    assert store.events.count() == 0
    assert load(store, make_examples(2)).rows == 2


def test_an_import_of_several_chunks_keeps_order_copies_and_search(store: Store) -> None:
    examples = [make_example(f"number{i}", ("keep", "remove")[i % 2]) for i in range(2 * CHUNK + 3)]
    dataset = load(store, [*examples, *examples[:10]])
    assert dataset.rows == len(examples) + 10
    assert [e.text for e in store.tasks.examples("posts")] == [e.text for e in examples]
    assert [e.copies for e in store.tasks.examples("posts", page=Page(5, 10))] == [2] * 5 + [1] * 5
    assert store.tasks.count_examples("posts", ExampleFilter(search="number2002")) == 1


def test_a_data_set_without_rows_is_kept_with_its_report(store: Store) -> None:
    dataset, added = store.data.add(make_task(), about(report=0), [], ANNA)
    assert (dataset.rows, added, dataset.about.report) == (0, 0, {"rows": 0})


def test_masking_is_taken_over_by_an_example_that_was_there_and_never_taken_off(store: Store) -> None:
    plain = make_example("write to a@b.de")
    masked = replace(plain, personal=("e-mail",), masked=True)
    load(store, [plain])
    load(store, [masked], "2")
    load(store, [plain], "3")
    assert store.tasks.examples("posts") == (masked,)
    assert store.tasks.count_examples("posts", ExampleFilter(personal=True)) == 1


def test_examples_handed_over_in_memory_are_a_data_set_too(store: Store) -> None:
    given = fill(store)
    (dataset,) = store.data.all("posts")
    assert (dataset.about.file, dataset.about.unit, dataset.about.importer) == ("test.csv", "item", "built in")
    assert dataset.about.sha256 == hash_json([e.hash for e in given])
    assert store.tasks.example("posts", given[2].hash).place == "item 3 of test.csv"
    before = store.events.count()
    outcome = store.tasks.import_examples("posts", given, "again", BERT)
    assert (outcome.added, outcome.already_there) == (0, 4)
    assert store.events.count() == before
    assert store.data.all("posts") == (dataset,)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    for ask in (store.data.get, store.data.resting):
        with pytest.raises(NotFound, match="no data set 99"):
            ask(99)
    for act in (store.data.archive, store.data.delete):
        with pytest.raises(NotFound):
            act(99, "", ANNA)
    with pytest.raises(NotFound):
        store.data.restore(2**63, ANNA)
    for list_them in (store.data.all, store.data.conflicts):
        with pytest.raises(NotFound, match="no task 'x'"):
            list_them("x")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SPANS = st.lists(st.builds(Span, TEXT, st.integers(0, 9), st.integers(0, 2**40)), max_size=3).map(tuple)
EXAMPLES = st.builds(
    Example,
    fields=st.tuples(st.tuples(st.just("post"), TEXT), st.tuples(TEXT, TEXT)),
    label=st.sampled_from(["keep", "remove"]),
    split=st.sampled_from(Split),
    source=TEXT,
    group=TEXT,
    ref=TEXT,
    personal=st.lists(TEXT, max_size=2).map(tuple),
    masked=st.booleans(),
    spans=SPANS,
)
UNIQUE = st.lists(EXAMPLES, max_size=8, unique_by=lambda e: e.text_hash)
SLOW = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SLOW
@given(examples=UNIQUE, params=st.dictionaries(TEXT, TEXT | st.integers() | st.none(), max_size=3))
def test_whatever_is_imported_comes_back_the_same(
    store: Store, examples: list[Example], params: dict[str, str | int | None]
) -> None:
    name = f"task {len(store.tasks.all())}"
    task = replace(make_task(name), input_fields=("post",))
    dataset, added = store.data.add(task, about("a\x00b.csv", "x", dict(params)), numbered(examples), ANNA)
    again, _ = store.data.add(task, about("a\x00b.csv", "x", dict(params)), numbered(examples), ANNA)
    assert again == dataset
    assert added in (len(examples), 0)
    assert dataset.about.params == params
    found = store.tasks.examples(name)
    assert found == tuple(examples)
    assert [e.origin.number for e in found if e.origin] == list(range(2, len(examples) + 2))


@SLOW
@given(example=EXAMPLES)
def test_the_fast_addresses_are_the_examples_own(example: Example) -> None:
    fields = canonical_json([list(pair) for pair in example.fields])
    assert addresses(example) == (example.hash, example.text_hash, fields)


# --- search -----------------------------------------------------------------------------------------------------------

TEXTS = (
    "The café is open",
    "A cafeteria, open late",
    "Der Mietvertrag der Straße",
    "Ein Vertragsbruch",
    "我喜欢吃苹果",
    "ฉันชอบแมว",
    "ПРИВЕТ мир",
    "e-mail: x@y.de, 100%",
    "email without a dash, 100 of it",
    'NEAR("x y") AND z*',
    "हिन्दी में",
)


@pytest.fixture
def texts(store: Store) -> Store:
    load(store, [make_example(text) for text in TEXTS])
    return store


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("cafe", [0, 1]),
        ("CAFÉ is", [0]),
        ("open caf", [0, 1]),
        ("caf open", [0, 1]),
        ("vertrag", [3]),
        ("mietvertrag straße", [2]),
        ("ietvertr", [2]),
        ("RASSE", [2]),
        ("喜欢", [4]),
        ("吃苹果 我", [4]),
        ("苹果 open", []),
        ("แมว", [5]),
        ("привет", [6]),
        ("РИВЕ", [6]),
        ("e-mail", [7]),
        ("email", [8]),
        ("100%", [7]),
        ("100", [7, 8]),
        ("@", [7]),
        ("-", [7]),
        ("NEAR", [9]),
        ('NEAR("x', [9]),
        ("z*", [9]),
        ("AND OR NOT", []),
        ("text:cafe", []),
        ('"', [9]),
        ("हिन्दी", [10]),
        ("  ", list(range(len(TEXTS)))),
        ("\x00", list(range(len(TEXTS)))),
        ("cafe\x00teria", [1]),
        ("\ud800", []),
        ("^cafe", []),
        ("nothing like it", []),
    ],
)
def test_a_search_finds_words_in_any_script(texts: Store, search: str, found: list[int]) -> None:
    where = ExampleFilter(search=search)
    assert [e.text for e in texts.tasks.examples("posts", where)] == [TEXTS[i] for i in found]
    assert texts.tasks.count_examples("posts", where) == len(found)


@SLOW
@given(search=st.text(st.characters() | st.sampled_from(" \"*:^()-+{}%_'\\\x00"), max_size=20))
def test_no_search_is_an_error(texts: Store, search: str) -> None:
    where = ExampleFilter(search=search)
    assert texts.tasks.count_examples("posts", where) == len(texts.tasks.examples("posts", where))


@SLOW
@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12))
def test_a_text_of_one_word_is_found_by_itself(store: Store, text: str) -> None:
    name = f"task {len(store.tasks.all())}"
    store.data.add(make_task(name), about(), numbered([make_example(text)]), ANNA)
    assert store.tasks.count_examples(name, ExampleFilter(search=text)) == 1


def test_words_of_another_task_or_filter_do_not_change_what_is_found(store: Store) -> None:
    load(store, [make_example("pancake", split=Split.TRAIN), make_example("cake", split=Split.TEST)])
    load(store, [make_example("cheesecake")], task=make_task("other"))
    search = ExampleFilter(search="cake")
    assert [e.text for e in store.tasks.examples("posts", search)] == ["cake"]
    assert store.tasks.examples("posts", replace(search, split=Split.TRAIN)) == ()
    assert [e.text for e in store.tasks.examples("other", search)] == ["cheesecake"]


# --- filters ----------------------------------------------------------------------------------------------------------


def test_examples_are_filtered_by_data_set_and_state(store: Store) -> None:
    first = load(store, [make_example("a"), make_example("b")])
    second = load(store, [make_example("b"), make_example("c"), make_example("c", "remove")], "2")
    by_set = [
        [e.text for e in store.tasks.examples("posts", ExampleFilter(dataset=d.id, states=()))] for d in (first, second)
    ]
    assert by_set == [["a", "b"], ["b", "c", "c"]]
    assert [e.text for e in store.tasks.examples("posts")] == ["a", "b"]
    assert store.tasks.count_examples("posts", ExampleFilter(states=(C,))) == 2
    assert store.tasks.count_examples("posts", ExampleFilter(states=(A, C))) == 4
    assert store.tasks.split_table("posts") == {(Split.TRAIN, "keep"): 2}
    counts = store.tasks.counts("posts")
    assert (counts.examples, counts.labels, counts.conflicts) == ({Split.TRAIN: 2}, {"keep": 2}, 1)


def test_a_page_takes_the_same_number_of_statements_however_long_it_is(sqlite_store: SqliteStore) -> None:
    load(sqlite_store, make_examples(60))
    seen: list[str] = []
    connect = sqlite_store.database._connect

    def traced() -> sqlite3.Connection:
        conn = connect()
        conn.set_trace_callback(seen.append)
        return conn

    sqlite_store.database._connect = traced  # type: ignore[method-assign]
    lengths = []
    for limit in (1, 50):
        seen.clear()
        assert len(sqlite_store.tasks.examples("posts", page=Page(0, limit))) == limit
        lengths.append(len([s for s in seen if s.startswith("SELECT")]))
    assert lengths[0] == lengths[1] <= 3


def test_the_evidence_of_a_rule_comes_with_row_copies_and_spans(store: Store) -> None:
    example = replace(make_example("a kind post"), spans=(Span("post", 2, 6),))
    load(store, [example, example])
    fill(store, make_task("other"))
    store.rules.propose("posts", make_rule(supports=[example]), ANNA)
    shown = store.rules.dossier("R1", SYSTEM).examples[example.hash]
    assert (shown, shown.copies, shown.place) == (example, 2, "row 2 of posts.csv")


# --- conflicts --------------------------------------------------------------------------------------------------------

KEEP, REMOVE, OTHER = make_example("same"), make_example("same", "remove"), make_example("other")


@pytest.mark.parametrize("files", [[[KEEP, REMOVE, OTHER]], [[KEEP, OTHER], [REMOVE]], [[REMOVE], [KEEP, OTHER]]])
def test_two_labels_of_one_text_are_a_conflict_in_one_file_or_two(store: Store, files: list[list[Example]]) -> None:
    for number, examples in enumerate(files):
        load(store, examples, str(number))
    assert states(store) == {"same keep": C, "same remove": C, "other keep": A}
    (conflict,) = store.data.conflicts("posts")
    assert conflict.text_hash == KEEP.text_hash
    assert {e.hash for e in conflict.examples} == {KEEP.hash, REMOVE.hash}
    assert {e.place for e in conflict.examples} <= {f"row {n} of posts.csv" for n in (2, 3)}
    assert store.data.count_conflicts("posts") == last_event(store).payload["conflicts"] == 1
    assert store.tasks.example("posts", KEEP.hash).state is C


def test_a_conflict_across_chunks_is_found(store: Store) -> None:
    load(store, [KEEP, *make_examples(CHUNK), REMOVE])
    assert store.data.count_conflicts("posts") == 1


def test_other_tasks_and_other_texts_are_no_conflict(store: Store) -> None:
    load(store, [KEEP])
    load(store, [REMOVE], task=make_task("other"))
    assert (store.data.count_conflicts("posts"), store.data.count_conflicts("other")) == (0, 0)


def test_conflicts_come_oldest_first_and_in_pages(store: Store) -> None:
    load(store, [make_example(t, label) for label in ("keep", "remove") for t in "cab"])
    texts = [c.examples[0].text for c in store.data.conflicts("posts")]
    assert texts == ["c", "a", "b"]
    assert [c.examples[0].text for c in store.data.conflicts("posts", Page(1, 1))] == ["a"]
    assert store.data.conflicts("posts", Page(3, 1)) == ()


@pytest.mark.parametrize("keep", [KEEP, REMOVE, None])
def test_a_settled_conflict_stays_settled_when_the_file_comes_again(store: Store, keep: Example | None) -> None:
    load(store, [KEEP, REMOVE])
    store.data.settle("posts", KEEP.text_hash, keep.hash if keep else "", "  read it  ", BERT)
    wanted = {"same keep": A if keep is KEEP else W, "same remove": A if keep is REMOVE else W}
    assert states(store) == wanted
    assert store.data.conflicts("posts") == ()
    event = last_event(store)
    withdrawn = [e.hash for e in (KEEP, REMOVE) if e is not keep]
    assert (event.kind, event.actor, event.payload["reason"]) == ("conflict.settled", "bert", "read it")
    assert (event.payload["keep"], event.payload["withdrawn"]) == (keep.hash if keep else "", withdrawn)
    load(store, [KEEP, REMOVE], "2")
    assert states(store) == wanted
    with pytest.raises(NotFound, match="no unsettled conflict"):
        store.data.settle("posts", KEEP.text_hash, KEEP.hash, "again", BERT)


def test_settling_needs_a_reason_a_conflict_and_one_of_its_examples(store: Store) -> None:
    load(store, [KEEP, REMOVE, OTHER])
    before = store.events.count()
    with pytest.raises(MissingReason):
        store.data.settle("posts", KEEP.text_hash, KEEP.hash, " \n", ANNA)
    with pytest.raises(NotFound, match="none of this conflict"):
        store.data.settle("posts", KEEP.text_hash, OTHER.hash, "why", ANNA)
    with pytest.raises(NotFound, match="no unsettled conflict"):
        store.data.settle("posts", OTHER.text_hash, OTHER.hash, "why", ANNA)
    assert states(store) == {"same keep": C, "same remove": C, "other keep": A}
    assert store.events.count() == before


def test_a_third_label_opens_a_settled_conflict_for_those_that_were_not_withdrawn(store: Store) -> None:
    task = replace(make_task(), labels=(*make_task().labels, Label("hide", "")))
    load(store, [KEEP, REMOVE], task=task)
    store.data.settle("posts", KEEP.text_hash, KEEP.hash, "why", ANNA)
    load(store, [make_example("same", "hide")], "2", task=task)
    assert states(store) == {"same keep": C, "same remove": W, "same hide": C}


# --- archive, restore, delete -----------------------------------------------------------------------------------------


def test_an_archived_data_set_takes_no_part_and_comes_back(store: Store) -> None:
    first = load(store, [make_example("a"), make_example("b")])
    load(store, [make_example("b"), make_example("c")], "2")
    store.data.archive(first.id, " old ", BERT)
    assert states(store) == {"a keep": X, "b keep": A, "c keep": A}
    assert store.tasks.example("posts", make_example("a").hash).state is X
    assert store.data.get(first.id).state is DatasetState.ARCHIVED
    assert [d.state for d in store.data.all("posts")] == [DatasetState.ACTIVE, DatasetState.ARCHIVED]
    event = last_event(store)
    assert (event.kind, event.payload["archived"], event.payload["reason"]) == ("dataset.archived", 1, "old")
    store.data.archive(first.id, "again", BERT)
    assert last_event(store) == event
    store.data.restore(first.id, ANNA)
    assert set(states(store).values()) == {A}
    assert (last_event(store).kind, last_event(store).payload["restored"]) == ("dataset.restored", 1)
    count = store.events.count()
    store.data.restore(first.id, ANNA)
    assert store.events.count() == count


def test_an_example_of_two_archived_data_sets_is_archived(store: Store) -> None:
    one, two = load(store, [OTHER]), load(store, [OTHER], "2")
    store.data.archive(one.id, "", ANNA)
    assert states(store) == {"other keep": A}
    store.data.archive(two.id, "", ANNA)
    assert states(store) == {"other keep": X}
    store.data.restore(one.id, ANNA)
    assert states(store) == {"other keep": A}


def test_a_conflict_ends_with_the_archive_of_one_side_and_returns_with_it(store: Store) -> None:
    load(store, [KEEP])
    other = load(store, [REMOVE], "2")
    store.data.archive(other.id, "", ANNA)
    assert states(store) == {"same keep": A, "same remove": X}
    store.data.restore(other.id, ANNA)
    assert states(store) == {"same keep": C, "same remove": C}
    store.data.settle("posts", KEEP.text_hash, KEEP.hash, "why", ANNA)
    store.data.archive(other.id, "", ANNA)
    store.data.restore(other.id, ANNA)
    assert states(store) == {"same keep": A, "same remove": W}


def test_an_archived_example_that_comes_again_takes_part_again(store: Store) -> None:
    first = load(store, [OTHER, KEEP])
    store.data.archive(first.id, "", ANNA)
    again, added = store.data.add(make_task(), about(), numbered([OTHER, KEEP]), ANNA)
    assert (added, again.id != first.id) == (0, True)
    assert set(states(store).values()) == {A}
    store.data.archive(again.id, "", ANNA)
    load(store, [REMOVE], "3")
    load(store, [KEEP], "4")
    assert states(store) == {"other keep": X, "same keep": C, "same remove": C}


def test_a_deleted_data_set_leaves_its_record_and_what_others_hold(store: Store) -> None:
    first = load(store, [make_example("a"), make_example("b"), KEEP])
    second = load(store, [make_example("b"), REMOVE], "2")
    store.data.delete(first.id, "wrong file", BERT)
    assert states(store) == {"b keep": A, "same remove": A}
    assert store.tasks.examples("posts")[0].place == "row 2 of posts.csv"
    assert [e.copies for e in store.tasks.examples("posts")] == [1, 1]
    record = store.data.get(first.id)
    assert (record.state, record.rows, record.about) == (DatasetState.DELETED, 3, first.about)
    assert store.data.all("posts") == (second,)
    event = last_event(store)
    assert (event.kind, event.payload["deleted"], event.payload["reason"]) == ("dataset.deleted", 2, "wrong file")
    assert store.tasks.count_examples("posts", ExampleFilter(search="a", states=())) == 1
    for act in (store.data.delete, store.data.archive):
        with pytest.raises(NotFound, match=r"posts.csv\) was deleted; only its record is kept"):
            act(first.id, "", ANNA)
    with pytest.raises(NotFound, match="was deleted"):
        store.data.restore(first.id, ANNA)
    again, added = store.data.add(make_task(), about(), numbered([make_example("a")]), ANNA)
    assert (added, again.id) == (1, second.id + 1)
    assert store.events.verify().intact


def test_what_only_an_archived_data_set_holds_after_a_delete_is_archived(store: Store) -> None:
    one, two = load(store, [OTHER]), load(store, [OTHER], "2")
    store.data.archive(one.id, "", ANNA)
    store.data.delete(two.id, "", ANNA)
    assert states(store) == {"other keep": X}
    store.data.delete(one.id, "", ANNA)
    assert states(store) == {}


def test_the_full_text_index_keeps_step_with_imports_and_deletes(sqlite_store: SqliteStore) -> None:
    first = load(sqlite_store, [make_example(f"apple {i}") for i in range(30)])
    load(sqlite_store, [make_example(f"apple {i}") for i in range(20, 50)], "2")
    sqlite_store.data.delete(first.id, "", ANNA)
    with closing(sqlite3.connect(sqlite_store.database.path)) as conn:
        conn.execute("INSERT INTO example_fts (example_fts, rank) VALUES ('integrity-check', 1)")
        hits = conn.execute("SELECT count(*) FROM example_fts WHERE example_fts MATCH 'apple'").fetchone()
        assert (hits, conn.execute("PRAGMA foreign_key_check").fetchall()) == ((30,), [])


def instruct(store: Store, example: Example) -> None:
    store.logic.add_instruction("posts", make_instruction(example))


def prove(store: Store, example: Example) -> None:
    fill(store, make_task("other"))
    store.rules.propose("posts", make_rule(supports=[example]), ANNA)


def predict(store: Store, example: Example) -> None:
    load(store, [OTHER], "9")
    fill(store, make_task("other"))
    approved_rule(store, make_rule(supports=[OTHER]))
    version = store.prompts.save(compile_prompt(store.tasks.get("posts"), store.rules.in_force("posts")), ANNA)
    run = Run(0, "posts", version.number, version.prompt.sha256, "told", "", Split.TEST, "", "anna", 1, None, LOOK)
    answer = Prediction(example.hash, "keep", failed_answer("x"))
    store.runs.add_predictions(store.runs.start(run, ANNA).id, [answer])


@pytest.mark.parametrize(
    ("use", "words"),
    [(instruct, "1 teacher instructions"), (prove, "the evidence of R1"), (predict, "1 evaluated answers")],
)
def test_what_something_rests_on_is_not_deleted(
    store: Store, use: Callable[[Store, Example], None], words: str
) -> None:
    dataset = load(store, [KEEP, make_example("free")])
    use(store, KEEP)
    before = (states(store), store.events.count())
    with pytest.raises(DataInUse, match=rf"{words}\. Nothing was changed\. Archive it instead"):
        store.data.delete(dataset.id, "", ANNA)
    assert (states(store), store.events.count()) == before
    other = load(store, [KEEP], "2")
    store.data.delete(dataset.id, "", ANNA)
    with pytest.raises(DataInUse):
        store.data.delete(other.id, "", ANNA)
    store.data.archive(other.id, "", ANNA)
    assert states(store)["same keep"] is X


def test_the_evidence_of_an_older_revision_counts_and_ten_rules_are_named(store: Store) -> None:
    load(store, [OTHER], "2")
    dataset = load(store, make_examples(14))
    fill(store, make_task("other"))
    ids = []
    for number, example in enumerate(make_examples(12)):
        rule = NewRule(make_text(), "told", (Evidence(example.hash, EvidenceRole.SUPPORTS),), f"o{number}", 1, 0)
        ids.append(store.rules.propose("posts", rule, ANNA))
    assert store.data.resting(dataset.id) == tuple(ids)
    with pytest.raises(DataInUse, match=r"the evidence of R1, R2, .*R10 and 2 more \(12 in all\)\. Nothing"):
        store.data.delete(dataset.id, "", ANNA)
    assert store.data.resting(store.data.all("posts")[1].id) == ()


def test_the_rules_of_an_example_are_those_whose_newest_revision_shows_it(store: Store) -> None:
    given = fill(store)
    rule_in_review(store, make_rule(supports=given[:2], origin="a"))
    rule_in_review(store, make_rule(supports=given[1:2], contradicts=given[2:3], origin="b"))
    seen = verdict_on(store, "R2")
    store.rules.edit("R2", seen.seen_revision, seen.seen_state, make_text("it is new"), "clearer", BERT)
    assert [store.data.rules_of("posts", e.hash) for e in given] == [("R1",), ("R1", "R2"), ("R2",), ()]
    assert store.data.rules_of("other", given[1].hash) == ()


# --- splits, labels, columns ------------------------------------------------------------------------------------------


def test_examples_get_new_splits_and_those_not_named_keep_theirs(store: Store) -> None:
    given = fill(store)
    wanted = {given[0].hash: Split.TEST, given[1].hash: Split.TRAIN, "sha256:unknown": Split.TEST}
    assert store.data.resplit("posts", wanted, 5, BERT) == 1
    assert [e.split for e in store.tasks.examples("posts")] == [Split.TEST, *[Split.TRAIN] * 3]
    event = last_event(store)
    assert (event.kind, event.payload) == (
        "examples.resplit",
        {"seed": 5, "changed": 1, "splits": {"train": 3, "test": 1}},
    )
    count = store.events.count()
    assert store.data.resplit("posts", wanted, 6, BERT) == 0
    assert store.data.resplit("posts", {}, 6, BERT) == 0
    assert store.events.count() == count


def test_an_instructed_example_stays_in_train(store: Store) -> None:
    given = fill(store)
    instruct(store, given[1])
    assert store.data.instructed("posts") == {given[1].hash}
    with pytest.raises(DataInUse, match=r"1 examples with a teacher's instruction would leave train.*Nothing"):
        store.data.resplit("posts", {e.hash: Split.TEST for e in given}, 5, ANNA)
    assert {e.split for e in store.tasks.examples("posts")} == {Split.TRAIN}
    assert store.data.resplit("posts", {given[0].hash: Split.TEST, given[1].hash: Split.TRAIN}, 5, ANNA) == 1


def test_the_newest_choice_of_columns_is_remembered(store: Store) -> None:
    assert store.data.remembered_columns("text,label") is None
    store.data.remember_columns("text,label", {"label": "label", "inputs": ["text"]}, ANNA)
    store.data.remember_columns("text,label", {"label": "text", "inputs": ["label"]}, BERT)
    found = store.data.remembered_columns("text,label")
    assert found is not None
    assert (found.choice, found.by, found.at[:4]) == ({"label": "text", "inputs": ["label"]}, "bert", "2026")
    store.data.remember_columns("text,label", {"inputs": ["label"], "label": "text"}, ANNA)
    assert store.data.remembered_columns("text,label") == found
    assert store.events.count(EventFilter(kind="columns.remembered")) == 2
