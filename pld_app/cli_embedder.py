"""`pld embedder`: whether the embedder can be used, and forgetting what it embedded."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import embedding, wiring
from pld_app.cli_format import Output, options
from pld_app.settings import load_settings
from pld_core.errors import PldError


@click.group()
def embedder() -> None:
    """The embedder: whether it can be used, and what it embedded."""


@embedder.command(name="test")
@options
@click.option("--embedder", "name", default="", help="Such as ollama:nomic-embed-text; from the settings if left out.")
def test_(workspace: Path, out: Output, name: str) -> None:
    """Look whether texts can be embedded, by embedding the one word "test"."""
    settings = load_settings(workspace)
    wanted = embedding.embedder_name(settings, name)
    status = embedding.embedder_status(settings, wanted)
    value = {"name": status.name, "ready": status.ready, "problem": status.problem, "fix": status.fix}
    try:
        if not status.ready:
            raise PldError(f"{status.problem} {f'Run: {status.fix}' if status.fix else ''}".strip())
        numbers = embedding.dimensions(settings, wanted)
    except PldError as error:
        if out.as_json:
            out.emit({**value, "ready": False, "problem": status.problem or str(error), "dimensions": None}, "")
        raise
    words = f"ready, {numbers:,} numbers a text." if numbers else "ready; it needs no server."
    out.emit({**value, "dimensions": numbers or None}, f"{status.name}: {words}")


@embedder.command()
@options
@click.option("--embedder", "name", required=True, help="Such as openai:text-embedding-3-small.")
def forget(workspace: Path, out: Output, name: str) -> None:
    """Drop the cached vectors of an embedder, as when another model goes by its name now. Clusterings stay."""
    app = wiring.open_app(workspace)
    dropped = app.store.embeddings.forget(name, app.actor)
    out.emit({"embedder": name, "dropped": dropped}, f"{dropped:,} vectors of {name} dropped.")
