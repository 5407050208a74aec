"""The two demo tasks: examples written for this project, and the scripted teacher's replies to them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pld_core.backends.scripted import Script, ScriptedSynthesis
from pld_core.backends.scripted_repairs import ScriptedAction, ScriptedRepair
from pld_core.canonical import canonical_json
from pld_core.errors import NotFound
from pld_core.models import ORDINARY, ClusterParams, Example, Label, RuleText, Split, Task

DEMO_TASKS = ("nda", "moderation")
PARTS = ("a", "b")


@dataclass(frozen=True)
class Demo:
    """A demo task with everything it is built from."""

    task: Task
    examples: tuple[Example, ...]
    script: Script
    params: ClusterParams


def load_demo(name: str) -> Demo:
    """Read one demo task from the package.

    Raises:
        NotFound: there is no demo of that name.
    """
    if name not in DEMO_TASKS:
        raise NotFound(f"There is no demo task {name!r}. There are: {', '.join(DEMO_TASKS)}.")
    about = json.loads(_read(name, "task.json"))
    fields = tuple(about["input_fields"])
    task = Task(
        name=about["name"],
        title=about["title"],
        input_fields=fields,
        labels=tuple(Label(label["name"], label["description"]) for label in about["labels"]),
        guideline="\n".join(about["guideline"]),
        teacher=f"scripted:{name}",
    )
    rows = _lines(name, "examples")
    by_key = {row["key"]: _example(row, fields) for row in rows}
    return Demo(task, tuple(by_key.values()), _script(name, rows, by_key), ClusterParams.from_json(about["clustering"]))


def demo_title(name: str) -> str:
    """Return the title of a demo task, without reading its examples."""
    return str(json.loads(_read(name, "task.json"))["title"])


def _example(row: dict[str, Any], fields: tuple[str, ...]) -> Example:
    return Example(
        fields=tuple((field, row["fields"][field]) for field in fields),
        label=row["label"],
        split=Split(row["split"]),
        source=f"demo {row['key']}",
    )


def _script(name: str, rows: list[dict[str, Any]], by_key: dict[str, Example]) -> Script:
    extraction = {}
    for reply in _lines(name, "replies"):
        key = reply.pop("key")
        extraction[by_key[key].hash] = canonical_json(reply)
    themes: dict[str, frozenset[str]] = {}
    for row in rows:
        themes[row["theme"]] = themes.get(row["theme"], frozenset()) | {by_key[row["key"]].hash}
    synthesis, texts = [], {}
    for entry in _lines(name, "synthesis"):
        conflicts = tuple(by_key[key].hash for key in entry.get("conflicts", []))
        reply = {part: entry[part] for part in ("title", "condition", "label", "exceptions", "rationale")}
        texts[entry["theme"]] = reply = {**reply, "priority": entry.get("priority", ORDINARY)}
        synthesis.append(ScriptedSynthesis(themes[entry["theme"]], reply, conflicts))
    repairs = [_repair(entry, themes, texts) for entry in json.loads(_read(name, "repairs.json"))]
    return Script(extraction, tuple(synthesis), tuple(repairs))


def _repair(
    entry: dict[str, Any], themes: dict[str, frozenset[str]], texts: dict[str, dict[str, Any]]
) -> ScriptedRepair:
    """Read a repair. It names rules by their theme; its texts hold only what differs from the first rule named."""
    actions = []
    for said in entry["actions"]:
        named = [texts[theme] for theme in said["rules"]]
        made = [{**(named[0] if named else {}), **text, "examples": []} for text in said["texts"]]
        reply = {"action": said["action"], "reason": said["reason"], "texts": made}
        actions.append(ScriptedAction(tuple(_rule_text(one) for one in named), reply))
    about = frozenset().union(*(themes[theme] for theme in entry["themes"]))
    return ScriptedRepair(about, {"kind": entry["kind"], "cause": entry["cause"]}, tuple(actions))


def _rule_text(reply: dict[str, Any]) -> RuleText:
    return RuleText(
        reply["title"],
        reply["condition"],
        (reply["label"],),
        tuple(reply["exceptions"]),
        reply["rationale"],
        reply["priority"],
    )


def _lines(name: str, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for part in PARTS for line in _read(name, f"{kind}-{part}.jsonl").splitlines() if line]


def _read(name: str, file: str) -> str:
    return resources.files("pld_core").joinpath("demo", name, file).read_text(encoding="utf-8")
