"""The report of an audit pack for people: one HTML file, or several where there are many rules. No script, no fetching.

Pure: it turns what was read into HTML, piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pld_core.canonical import Json
from pld_core.checks import CatchRate, SeededCheck
from pld_core.metrics import Figures
from pld_core.models import PromptVersion, RevisionState, Run, Task
from pld_core.oversight import Oversight, TimeBand
from pld_core.oversight_words import NOBODY, VERDICTS, band_name, seconds_words, told
from pld_core.pack.dossiers import RuleLine
from pld_core.pack.html_parts import moment, page_head, pairs, share, table, tag, text, words
from pld_core.pack.inventory import FromEvents
from pld_core.pack.report_checks import checks_part
from pld_core.pack.report_releases import releases_part
from pld_core.pack.report_rules import state_badge
from pld_core.releases import Release

RULES_A_PART = 100
"""More rules than these stand in files of their own: a browser still opens a file of a hundred with ease."""


@dataclass(frozen=True)
class ReportFrame:
    """Everything of the report but the rules themselves.

    Attributes:
        inventory: as `inventory_json` returns it.
        masked: examples' personal data were masked.
        catch, checks: what became of the seeded checks, and those of them that are named.
        releases: every move of a release label, oldest first.
    """

    task: Task
    made_at: str
    made_by: str
    masked: bool
    inventory: Mapping[str, Any]
    oversight: Oversight
    told: FromEvents
    prompts: Sequence[PromptVersion]
    runs: Sequence[tuple[Run, Figures]]
    rules: Sequence[RuleLine]
    catch: CatchRate
    checks: Sequence[SeededCheck]
    releases: Sequence[Release]

    @property
    def parts(self) -> int:
        """Number of files with rules beside `report.html`; 0 if they stand in it."""
        return -(-len(self.rules) // RULES_A_PART) if len(self.rules) > RULES_A_PART else 0

    def file_of(self, place: int) -> str:
        """Return the file, seen from `report.html`, in which the rule at this place of the list stands."""
        return part_name(place // RULES_A_PART + 1) if self.parts else ""


def part_name(number: int) -> str:
    return f"report/rules-{number:04}.html"


PAGE_END = "</body></html>\n"


def _style() -> str:
    return files("pld_core.pack").joinpath("report.css").read_text(encoding="utf-8")


def part_head(frame: ReportFrame, number: int) -> str:
    """Return the beginning of a file with rules."""
    title = f"Rules of {frame.task.title}, part {number} of {frame.parts}"
    return (
        page_head(title, _style()) + tag("h1", text(title)) + '<p><a href="../report.html">Back to the report</a></p>\n'
    )


def report_head(frame: ReportFrame) -> Iterator[str]:
    """Yield the report up to where the rules themselves begin."""
    yield page_head(f"Audit pack: {frame.task.title}", _style())
    yield tag("h1", f"Audit pack: {text(frame.task.title)}") + "\n"
    yield tag("p", f"Made {moment(frame.made_at)} by {text(frame.made_by)}. Times are UTC.", "soft") + "\n"
    yield tag(
        "p",
        "This report shows every rule of the task beside the examples it rests on, who decided what on it and why, "
        "rejected rules too. It supports oversight duties; it does not decide whether they were met.",
    )
    if frame.masked:
        yield tag("p", tag("b", "Personal data that was found in examples is masked in this pack.")) + "\n"
    yield _contents(frame)
    for section in (_figures, _inventory, _models, _prompts, _people, _verifying):
        yield from section(frame)
    yield from _rule_list(frame)


def _section(name: str, title: str) -> str:
    return f'<h2 id="{name}">{text(title)}</h2>\n'


def _contents(frame: ReportFrame) -> str:
    chapters = [
        ("figures", "Figures"),
        ("inventory", "Inventory: task and data"),
        ("models", "Model card: teachers, students, evaluations"),
        ("prompts", "Prompt versions and label moves"),
        ("people", "People and roles"),
        ("verifying", "How to verify this pack"),
        ("rules", f"Rules ({len(frame.rules):,})"),
    ]
    items = "".join(tag("li", f'<a href="#{name}">{text(title)}</a>') for name, title in chapters)
    return tag("nav", tag("h2", "Contents") + tag("ol", items)) + "\n"


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(frame: ReportFrame) -> Iterator[str]:
    found = frame.oversight
    yield _section("figures", "Figures")
    closed = {check.rule_id for check in frame.checks if check.outcome}
    rules = [rule for rule in frame.rules if rule.id not in closed]
    states = {state: sum(rule.state is state for rule in rules) for state in RevisionState}
    yield table(
        ["Rules whose newest revision is", "Rules"],
        ([state_badge(state), f"{n:,}"] for state, n in states.items() if n),
        numbers=(1,),
    )
    yield table(
        ["Decisions", "Number"], ([text(VERDICTS[v][1]), f"{n:,}"] for v, n in found.verdicts.items()), numbers=(1,)
    )
    if any(found.categories.values()):
        yield table(
            ["Rejected because", "Number"],
            ([words(c.value), f"{n:,}"] for c, n in found.categories.items() if n),
            numbers=(1,),
        )
    yield table(
        [
            "Text that had to be read",
            "Decisions with a known time at work",
            "Lower quartile",
            "Median",
            "Upper quartile",
        ],
        (_time_row(band) for band in found.active),
        numbers=(1, 2, 3, 4),
    )
    if found.decisions == 0:
        yield tag("p", text(NOBODY))
    else:
        for subject in told(found):
            yield tag("h3", text(subject.title)) + "\n"
            yield tag("ul", "".join(tag("li", text(sentence)) for sentence in subject.says))
            yield tag("p", text(subject.limits), "soft") + "\n"
    yield from checks_part(frame.catch, frame.checks)


def _time_row(band: TimeBand) -> list[str]:
    quartiles = ("–" if value is None else seconds_words(value) for value in (band.low, band.median, band.high))
    return [band_name(band), f"{band.n:,}", *quartiles]


# --- inventory --------------------------------------------------------------------------------------------------------


def _inventory(frame: ReportFrame) -> Iterator[str]:
    task = frame.inventory["task"]
    yield _section("inventory", "Inventory: task and data")
    yield pairs(
        [
            ("Task", f"{text(task['title'])} ({text(task['name'])})"),
            ("Input", text(", ".join(task["input_fields"]))),
            ("Two people for each approval", "yes" if task["policy"]["four_eyes"] else "no"),
        ]
    )
    yield table(["Label", "Meaning"], ([text(x["name"]), text(x["description"])] for x in task["labels"]))
    for guideline in task["guideline_versions"]:
        yield tag("h3", f"Guideline, version {guideline['version']}")
        reason = f" Reason: {text(guideline['reason'])}" if guideline["reason"] else ""
        yield tag("p", f"{moment(guideline['at'])}, by {text(guideline['by'])}.{reason}", "soft")
        yield tag("pre", text(guideline["text"])) + "\n"
    yield tag("h3", "Data sets")
    yield table(
        ["Nr", "File", "Rows", "State", "Imported", "Hash of the file"],
        (
            [
                text(d["id"]),
                text(d["file"]),
                f"{d['rows']:,}",
                text(d["state"]),
                f"{moment(d['at'])}, {text(d['by'])}",
                tag("code", text(d["sha256"])),
            ]
            for d in frame.inventory["data_sets"]
        ),
        numbers=(2,),
    )
    yield tag("h3", "Examples")
    yield table(
        ["Split", "Label", "State", "Examples"],
        (
            [text(e["split"]), text(e["label"]), text(e["state"]), f"{e['examples']:,}"]
            for e in frame.inventory["examples"]
        ),
        numbers=(3,),
    )


def _models(frame: ReportFrame) -> Iterator[str]:
    yield _section("models", "Model card: teachers, students, evaluations")
    yield tag("h3", "Teachers, which wrote instructions and rules")
    yield table(
        ["Purpose", "Teacher", "Model", "Calls", "Without a usable reply", "Hash of the template"],
        (
            [
                words(c["purpose"]),
                text(c["teacher"]),
                text(c["model"] or "not told"),
                f"{c['calls']:,}",
                f"{c['failures']:,}",
                tag("code", text(c["template_hash"])),
            ]
            for c in frame.inventory["teachers"]
        ),
        numbers=(3, 4),
    )
    yield tag("h3", "Students, which the prompts are for")
    yield table(
        ["Student", "Evaluations", "What identifies its weights"],
        (
            [text(s["student"]), f"{s['runs']:,}", tag("code", text(s["digest"] or "not told"))]
            for s in frame.inventory["students"]
        ),
        numbers=(1,),
    )
    yield tag("h3", "Evaluations")
    yield table(
        ["Run", "When", "Prompt", "Student", "Split", "Correct", "Always the most frequent label"],
        (
            [
                text(run.id),
                moment(run.created_at),
                text(", ".join(filter(None, (f"v{run.prompt_number}", run.setup.words)))),
                text(run.student),
                text(run.split.value),
                text(figures.accuracy.words),
                text(share(figures.majority.rate)),
            ]
            for run, figures in frame.runs
        ),
    )


# --- prompts and people -----------------------------------------------------------------------------------------------


def _prompts(frame: ReportFrame) -> Iterator[str]:
    yield _section("prompts", "Prompt versions and label moves")
    for version in frame.prompts:
        prompt = version.prompt
        yield tag("h3", f"Version {version.number}")
        yield tag("p", f"Compiled {moment(version.created_at)} by {text(version.created_by)}.", "soft")
        yield tag("p", text(prompt.sha256), "hash") + "\n"
        yield table(
            ["Nr", "Rule", "Approved by decision", "Revision"],
            (
                [text(r.number), text(r.rule_id), text(r.decision_id), tag("code", text(r.revision_hash))]
                for r in prompt.rules
            ),
        )
        yield tag("pre", text(prompt.text), "prompt") + "\n"
    if not frame.prompts:
        yield tag("p", "No prompt was compiled.", "soft")
    yield from releases_part(frame.releases, frame.made_at)


def _people(frame: ReportFrame) -> Iterator[str]:
    yield _section("people", "People and roles")
    yield table(
        ["Who", "Events", "First", "Last", "What"],
        (
            [
                text(name),
                f"{person.events.total():,}",
                moment(person.first_at),
                moment(person.last_at),
                ", ".join(f"{words(kind.replace('.', ': '))} {n:,}" for kind, n in sorted(person.events.items())),
            ]
            for name, person in sorted(frame.told.people.items())
        ),
        numbers=(1,),
    )
    yield tag("h3", "Changes of roles")
    yield _told(frame.told.role_changes)


def _told(found: Sequence[Json]) -> str:
    rows = []
    for item in found:
        if isinstance(item, dict):
            told = item["told"] if isinstance(item["told"], dict) else {}
            what = words(f"{item['kind']}, {item['subject']}".replace(".", ": ", 1))
            rest = "".join(f", {words(name)} {text(value)}" for name, value in told.items())
            rows.append([text(item["event"]), moment(str(item["at"])), text(item["by"]), what + rest])
    return table(["Event", "When", "By", "What"], rows)


def _verifying(frame: ReportFrame) -> Iterator[str]:
    yield _section("verifying", "How to verify this pack")
    yield tag(
        "p",
        "Run <code>python verify.py</code> in the folder into which the pack was unpacked. It needs nothing but "
        "Python, says “Intact”, or names the first thing that is broken. README.txt says what it can tell and what "
        "it cannot.",
    )
    yield tag("p", f"The chain has {frame.told.events:,} events when this was made. Hash of the last one:")
    yield tag("p", text(frame.told.head or "none"), "hash") + "\n"


def _rule_list(frame: ReportFrame) -> Iterator[str]:
    yield _section("rules", f"Rules ({len(frame.rules):,})")
    yield table(
        ["Rule", "Title", "Concludes", "State", "Revisions", "Decisions"],
        (
            [
                f'<a href="{frame.file_of(place)}#{text(rule.id)}">{text(rule.id)}</a>',
                text(rule.title),
                text(" or ".join(rule.labels)),
                state_badge(rule.state),
                f"{rule.revisions:,}",
                f"{rule.decisions:,}",
            ]
            for place, rule in enumerate(frame.rules)
        ),
        numbers=(4, 5),
    )
