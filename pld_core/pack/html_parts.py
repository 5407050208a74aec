"""Pieces of HTML for the report. Every text that comes in is escaped here, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from pld_core.models import Span

_NO_RESOURCES = "default-src 'none'; style-src 'unsafe-inline'"
_COMMAND = re.compile(r"\bpld(?: [^\s,]+)+")


def page_head(title: str, style: str) -> str:
    """Return the beginning of a page that fetches nothing and runs nothing, up to its body.

    Args:
        style: of our own; it is not escaped.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_NO_RESOURCES}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{style}</style></head><body>\n"
    )


def text(value: object) -> str:
    """Return a value as escaped text."""
    return escape(str(value))


def figure(value: str) -> str:
    """Return the words of a figure as escaped text; a line does not end inside `95 %`."""
    return text(value).replace("95 % ", "95\u00a0% ")


def sentence(value: str) -> str:
    """Return a sentence of ours as escaped text; commands in it stand out, and break between their words only."""
    return _COMMAND.sub(lambda found: tag("code", _parts(found[0]), "command"), text(value))


def _parts(command: str) -> str:
    return " ".join(tag("span", part) for part in command.split(" "))


def words(name: str) -> str:
    """Return an identifier in words, escaped: `over_broad` as `over broad`."""
    return text(name.replace("_", " "))


def moment(at: str) -> str:
    """Return a stored UTC time for people: `2026-01-02 03:04:05 UTC`; what is no such time stays as it is."""
    return text(f"{at[:10]} {at[11:19]} UTC" if at[10:11] == "T" and len(at) >= 19 else at)


def share(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.0%}"


def tag(name: str, content: str, css: str = "") -> str:
    """Return an element around content that is HTML already."""
    return f'<{name} class="{escape(css)}">{content}</{name}>' if css else f"<{name}>{content}</{name}>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table; cells are HTML already, columns in `numbers` are set to the right."""

    def line(cells: Sequence[str], name: str) -> str:
        return tag("tr", "".join(tag(name, cell, "n" if i in numbers else "") for i, cell in enumerate(cells)))

    body = "".join(line(row, "td") for row in rows)
    if not body:
        return tag("p", "None.", "soft")
    return f"<table><thead>{line([text(h) for h in heads], 'th')}</thead><tbody>{body}</tbody></table>\n"


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return a list of names and values; values are HTML already."""
    return tag("dl", "".join(tag("dt", text(name)) + tag("dd", value) for name, value in items)) + "\n"


def marked(name: str, value: str, spans: Sequence[Span]) -> str:
    """Return a field's text, escaped, with its marked ranges as <mark>; ranges outside the text are left out."""
    parts, at = [], 0
    own = sorted((s for s in spans if s.field == name), key=lambda s: (s.start, s.end))
    for span in own:
        start, end = max(span.start, at), min(span.end, len(value))
        if start < end:
            parts += [text(value[at:start]), tag("mark", text(value[start:end]))]
            at = end
    return "".join([*parts, text(value[at:])])
