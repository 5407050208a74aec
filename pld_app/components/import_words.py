"""What the importers say, in the words of the Data page: where they name an option, the page has a field."""

from __future__ import annotations

import re

from pld_app.components.text import plain

_INSTEAD = (
    (r"\(--resplit, or the button on the Data page\)", "(the button below)"),
    (r"\(Data page, or pld data conflicts\)", "(under “Label conflicts”)"),
    (r"\(Data page, or pld data resplit\)", "(“Divide anew” under “Examples”)"),
    (r"Say which column it is with --map COLUMN=.+?\.$", "Choose a column for it above."),
    (r"\(--label\)", "(“Label column”)"),
    (r"with --(?:encoding|format)", "under “How it is read”"),
    (r", or use `pld import`", ", and choose it there"),
)


def on_page(text: str) -> str:
    """Return a sentence of the importers as the page says it, escaped for Markdown."""
    for pattern, words in _INSTEAD:
        text = re.sub(pattern, words, text)
    return plain(text)
