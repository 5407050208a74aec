"""`pld attribute`: older runs are put down to rules once; a run that ends now is done already."""

from __future__ import annotations

from pathlib import Path

from pld_app import wiring
from pld_core.asking import Evaluation
from pld_core.attribution import Method
from pld_core.models import Split
from storage import SqliteStore, open_store
from tests.cli.fake_ollama import FakeOllama
from tests.cli.running import Pld
from tests.factories import url_of


def store_of(space: Path) -> SqliteStore:
    return open_store(url_of(space / "pld.db"))


def test_a_run_that_ends_is_put_down_to_rules(pld: Pld, compiled: Path, ollama: FakeOllama) -> None:
    assert pld("evaluate", "--task", "nda", "--workspace", compiled).code == 0
    (made,) = store_of(compiled).attributions.made(1)
    assert (made.method, made.by) == (Method.EVIDENCE, "anna")
    (told,) = pld("attribute", "--run", "1", "--workspace", compiled, "--json").value
    assert (told["run"], told["method"], told["at"]) == (1, "evidence", made.at)
    assert pld("attribute", "--run", "1", "--workspace", compiled).out == (
        f"The answers of run 1 are put down to rules: by evidence (compared with {made.embedder}).\n"
    )


def test_a_run_that_is_not_complete_is_refused_in_one_sentence(pld: Pld, compiled: Path) -> None:
    app = wiring.open_app(compiled)
    version = wiring.prompt_version(app, "nda", 1)
    run = wiring.start_run(app, app.settings.student, Evaluation("nda", version.number, Split.VALIDATION))
    refused = pld("attribute", "--run", run.id, "--workspace", compiled).refusal
    assert refused.startswith(f"Run {run.id} is not complete")
    assert "no run 9" in pld("attribute", "--run", "9", "--workspace", compiled).refusal
