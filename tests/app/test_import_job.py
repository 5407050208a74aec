"""The worker's import: it ends in words, a cancelled one writes nothing, and a second run of one adds nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pld_app import importing, uploads
from pld_app.importing import ImportOrder
from pld_app.settings import load_settings
from pld_app.uploads import Waiting, keep_upload
from pld_app.wiring import App
from pld_app.worker import LEASE_S, run_one
from pld_core.importers.rows import ColumnMap
from pld_core.models import Job, JobState
from pld_core.validation.facts import ImportChoices
from pld_core.validation.plan import TaskWords
from storage import create_store, open_store
from tests.factories import ANNA, BERT, no_report, url_of

CONTENT = b"text,label\none long text,keep\nanother long text,remove\nnothing,\n"
ORDER = ImportOrder("posts.csv", TaskWords("posts"), choices=ImportChoices(ColumnMap("label", ("text",))))
DONE = "2 examples added to posts. 3 rows of posts.csv read: 2 kept, 0 merged, 1 refused."


@pytest.fixture
def app(tmp_path: Path) -> App:
    space = tmp_path / "space"
    return App(load_settings(space, {}), create_store(url_of(space / "pld.db")), ANNA)


def order(app: App, content: bytes = CONTENT, wanted: ImportOrder = ORDER) -> Job:
    key = keep_upload(app.settings, wanted.name, io.BytesIO(content))
    params = {**Waiting(upload=key).as_json(), "order": wanted.as_json()}
    return app.store.jobs.enqueue("import", wanted.words.name, params, BERT)


def run_queued(app: App) -> Job:
    ended = run_one(app, "worker")
    assert ended is not None
    return ended


def waiting(app: App) -> list[str]:
    return [path.name for path in (app.settings.workspace / uploads.UPLOADS).iterdir()]


def relieved(app: App, job: Job) -> App:
    """Return the workspace as it is opened once the lease of the worker that had the job is over."""
    at = datetime.fromisoformat(app.store.jobs.get(job.id).heartbeat_at) + timedelta(seconds=LEASE_S + 1)
    return replace(app, store=open_store(app.settings.store_url, lambda: at))


def test_an_import_is_done_in_the_name_of_who_ordered_it_and_its_upload_is_dropped(app: App) -> None:
    order(app)
    ended = run_queued(app)
    assert (ended.state, ended.message) == (JobState.DONE, DONE)
    (dataset,) = app.store.data.all("posts")
    assert (dataset.created_by, dataset.rows, dataset.about.file) == (BERT.name, 2, "posts.csv")
    assert waiting(app) == []
    assert app.store.events.verify().intact


def test_a_file_that_is_gone_fails_the_import_in_one_sentence(app: App) -> None:
    job = order(app)
    Waiting.from_json(job.params).drop(app.settings)
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert ended.message == "The uploaded file is not there any more. Nothing was imported. Upload it again."
    assert not app.store.tasks.all()


def test_what_has_to_be_settled_fails_the_import_and_keeps_the_file(app: App) -> None:
    content = b"text,label,part,who\none text,keep,train,a\nanother,remove,test,a\n"
    columns = ColumnMap("label", ("text",), split="part", group="who")
    order(app, content, replace(ORDER, choices=ImportChoices(columns)))
    ended = run_queued(app)
    assert ended.state is JobState.FAILED
    assert "Train and test share what they must not" in ended.message
    assert not app.store.tasks.all()
    assert len(waiting(app)) == 1, "it can be continued"


def test_a_column_that_was_left_out_is_not_found_out_again(app: App) -> None:
    order(app, b"text,label,split\none text,keep,odd\nanother,remove,odd\n")
    assert run_queued(app).message.startswith("2 examples added to posts.")


def test_an_import_that_is_cancelled_while_the_file_is_checked_writes_nothing(app: App) -> None:
    job = order(app)
    claimed = app.store.jobs.claim("a worker that will die", LEASE_S)
    assert claimed is not None
    app.store.jobs.request_cancel(job.id, BERT)
    ended = run_one(relieved(app, job), "worker")
    assert ended is not None
    assert ended.state is JobState.CANCELLED
    assert not app.store.tasks.all()
    app.store.jobs.resume(job.id, BERT)
    assert run_queued(app).message == DONE


def test_an_import_of_a_worker_that_died_after_writing_adds_nothing_when_it_is_run_again(app: App) -> None:
    job = order(app)
    claimed = app.store.jobs.claim("a worker that will die", LEASE_S)
    assert claimed is not None
    place = Waiting.from_json(claimed.params)
    wanted, checked = importing.check_chosen(app, place.path(app.settings), ORDER, no_report)
    importing.import_file(replace(app, actor=BERT), checked, wanted, importing.plan(checked, wanted))
    before = app.store.tasks.examples("posts")
    ended = run_one(relieved(app, job), "worker")
    assert ended is not None
    assert ended.state is JobState.DONE
    assert ended.message.startswith("0 examples added to posts.")
    assert app.store.tasks.examples("posts") == before
    assert len(app.store.data.all("posts")) == 1
    assert [e.kind for e in app.store.events.page()].count("dataset.imported") == 1


def test_an_upload_that_another_import_waits_for_is_kept_until_that_has_ended(app: App) -> None:
    order(app)
    order(app, wanted=replace(ORDER, words=TaskWords("others")))
    assert run_queued(app).state is JobState.DONE
    assert len(waiting(app)) == 1
    assert run_queued(app).message.startswith("2 examples added to others.")
    assert waiting(app) == []
