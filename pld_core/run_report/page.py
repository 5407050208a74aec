"""The report of a run as one HTML file: no script, nothing fetched, every text escaped. Pure.

Equal reports give equal bytes, but for the one line that says when and by whom it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files

from pld_core.pack.html_parts import moment, page_head, sentence, tag, text
from pld_core.run_report.content import RunReport
from pld_core.run_report.figures_part import baselines_part, figures_part
from pld_core.run_report.limits import baseline_words, known_limits
from pld_core.run_report.rules_part import rules_part
from pld_core.run_report.setting_part import data_part, gates_part, identifiers_part, prompt_part, task_part
from pld_core.run_report.words_part import words_part

Part = Callable[[RunReport], Iterator[str]]
PAGE_END = "</main></body></html>\n"


def html(report: RunReport) -> str:
    """Return the whole report."""
    return "".join(_pieces(report))


def _pieces(report: RunReport) -> Iterator[str]:
    yield page_head(report.title, _style()) + "<main>\n"
    yield tag("h1", text(report.title)) + "\n"
    yield tag("p", f'{text(_what(report))} <a href="#words">What the words mean</a> stands at the end.') + "\n"
    making = report.making
    yield tag("p", f"Made {moment(making.at)} by {text(making.by)} with {text(making.product)}.", "soft") + "\n"
    yield from _alarms(report)
    chapters = _chapters(report)
    links = "".join(tag("li", f'<a href="#{name}">{text(title)}</a>') for name, title, _ in chapters)
    yield tag("nav", tag("h2", "Contents") + tag("ol", links)) + "\n"
    for name, title, part in chapters:
        yield f'<h2 id="{name}">{text(title)}</h2>\n'
        yield from part(report)
    yield PAGE_END


def _chapters(report: RunReport) -> list[tuple[str, str, Part]]:
    return [
        ("figures", "Figures", figures_part),
        ("limits", "Known limits", _limits_part),
        ("baselines", "Baselines: answers without the rules", baselines_part),
        ("rules", f"Rules ({len(report.rules):,})", rules_part),
        ("gates", "Gates of a release", gates_part),
        ("prompt", "Prompt", prompt_part),
        ("task", "Task", task_part),
        ("data", "Data", data_part),
        ("identifiers", "Identifiers", identifiers_part),
        ("words", "What the words mean", words_part),
    ]


def _alarms(report: RunReport) -> Iterator[str]:
    """Yield what nobody is to overlook: a baseline that does better, a release by an exception."""
    exception = report.standing.exception
    for alarm in filter(None, (baseline_words(report), exception.notice if exception else "")):
        yield tag("div", tag("p", tag("b", text(alarm))), "card alarm") + "\n"


def _what(report: RunReport) -> str:
    run, kind = report.run, report.version.prompt.build.kind
    return (
        f"Prompt version {run.prompt_number:,} ({kind.words}), answered by {run.student} on the {run.split.value} "
        f"split: {len(report.answers):,} of {run.total:,} examples. Times are UTC."
    )


def _limits_part(report: RunReport) -> Iterator[str]:
    found = known_limits(report)
    yield tag("p", "What has to be known to rely on the figures. Each point follows from what is recorded.", "soft")
    if found:
        yield tag("div", tag("ul", "".join(tag("li", sentence(limit)) for limit in found)), "card odd") + "\n"
    else:
        yield tag("p", "None was found by what is recorded.") + "\n"


def _style() -> str:
    names = (("pld_core.pack", "report.css"), ("pld_core.run_report", "report.css"))
    return "".join(files(package).joinpath(name).read_text(encoding="utf-8") for package, name in names)
