"""`pld prompt`: the group; its commands are in modules of their own."""

from __future__ import annotations

import click


@click.group()
def prompt() -> None:
    """Prompt versions: gates, release labels, roll back."""
