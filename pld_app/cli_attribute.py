"""`pld attribute`: put the answers of a complete run down to the rules of its prompt."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import attributions, wiring
from pld_app.cli_format import Output, options, progress_line
from pld_core.attribution_ports import AttributionMade
from pld_core.canonical import Json


@click.command()
@options
@click.option("--run", "run_id", type=int, required=True, help="Number of a complete run.")
def attribute(workspace: Path, out: Output, run_id: int) -> None:
    """Put the answers of a run down to rules; a run that ends now is done already, this is for older ones."""
    app = wiring.open_app(workspace)
    with progress_line() as progress:
        made = attributions.attribute(app, run_id, progress)
    out.emit([made_json(one) for one in made], attributions.attribution_words(made))


def made_json(made: AttributionMade) -> dict[str, Json]:
    """Return for machines that an attribution was made."""
    return {
        "run": made.run_id,
        "method": made.method.value,
        "embedder": made.embedder,
        "basis": made.basis,
        "by": made.by,
        "at": made.at,
    }
