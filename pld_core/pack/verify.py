"""Verify an audit pack of pld-review. It needs Python 3.8 or newer and nothing else: nothing is installed or fetched.

    python verify.py                the folder in which this file lies
    python verify.py PACK.zip       a pack that was not unpacked
    python verify.py FOLDER --head sha256:...
                                    demand that the event with this hash, known from elsewhere, is in the chain

It checks that every file is as the manifest lists it; that each event continues the one before it; that each revision,
example, evidence set and prompt gives the hash under which it was decided on, evidence in the version that counted at
that time; that decisions and the events that tell of them agree in both directions; and that the text that each run
asked with is there. The first thing that is broken is named. Exit code: 0 intact, 1 broken, 2 wrong usage. This file
repeats the few lines that make a hash, so that nobody has to trust the program that made the pack. It stays one file,
however long: auditors copy it and run it alone.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMAT = "pld-review audit pack 1"
GENESIS = "sha256:" + "0" * 64
ORDINARY = 2
MADE = ("rule.proposed", "rule.promoted")
UPSETS = ("rule.marked_stale", "rule.begun_again")
VERDICTS = {"rule.approved": "approve", "rule.rejected": "reject", "rule.changes_requested": "request_changes"}
LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
SHOWN = 20
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
Json = Any


def canonical(value: Json) -> str:
    """Return JSON with sorted keys, no optional space, text as text, without NaN: the same bytes everywhere."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Json) -> str:
    """Return the hash of a value: sha256 over the UTF-8 bytes of its canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(value).encode("utf-8")).hexdigest()


def parse(content: bytes) -> Json:
    """Read JSON; a key that is written twice is refused, as two readers could take it for two different things."""

    def once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is written twice")
        return found

    return json.loads(content.decode("utf-8"), object_pairs_hook=once)


# --- where the files lie ----------------------------------------------------------------------------------------------


class Pack:
    """The files of a pack, in a folder or in a zip file."""

    def __init__(self, place: str) -> None:
        self.folder = Path(place)
        self.zip = None if self.folder.is_dir() else zipfile.ZipFile(place)

    def names(self) -> list[str]:
        if self.zip is not None:
            return [name for name in self.zip.namelist() if not name.endswith("/")]
        found = [path for path in self.folder.rglob("*") if path.name not in LEFT_BY_SYSTEMS and not path.is_dir()]
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def open(self, name: str) -> Any:
        return self.zip.open(name) if self.zip is not None else (self.folder / name).open("rb")

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            content: bytes = file.read()
        return content

    def sha256(self, name: str) -> str:
        found = hashlib.sha256()
        with self.open(name) as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                found.update(chunk)
        return "sha256:" + found.hexdigest()


def check_files(pack: Pack, manifest: Json) -> Iterator[str]:
    """Compare every file with the manifest."""
    listed, present = manifest["files"], set()
    for name in pack.names():
        if name in present:
            yield f"The file {name} is in the pack more than once."
        present.add(name)
    for name in listed:
        if name not in present:
            yield f"The file {name} is missing."
        elif pack.sha256(name) != listed[name]["sha256"]:
            yield f"The file {name} was changed: its content does not give the hash in the manifest."
    for name in sorted(present - set(listed) - {"manifest.json"}):
        yield f"The file {name} was added: the manifest does not list it."


# --- the chain of events ----------------------------------------------------------------------------------------------


class Told:
    """What the events tell of the task: its rules, their revisions and decisions, its prompt versions and runs."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.rules: dict[str, int] = {}
        self.revisions: dict[str, dict[str, int]] = {}
        self.times: dict[str, set[str]] = {}
        self.decisions: dict[int, Json] = {}
        self.prompts: dict[str, Json] = {}
        self.runs: dict[str, Json] = {}
        self.proposed: dict[str, Json] = {}
        self.changes: dict[str, list[Json]] = {}
        self.upsets: dict[str, list[Json]] = {}

    def note(self, event: Json) -> None:
        kind, subject, payload = event["kind"], event["subject"], event["payload"]
        if kind == "prompt.compiled":
            self.prompts[subject] = event
        if kind == "run.started" and "sha256" in payload:
            self.runs[subject] = event
        if not kind.startswith("rule."):
            return
        for found in hashes_in(payload):
            self.times.setdefault(found, set()).add(event["at"])
        if payload.get("task") == self.task:
            self.rules.setdefault(subject, event["seq"])
        if isinstance(payload.get("revision"), str):
            self.revisions.setdefault(subject, {}).setdefault(payload["revision"], event["seq"])
            if kind in MADE:
                self.proposed[payload["revision"]] = event
            if kind == "rule.evidence_changed":
                self.changes.setdefault(payload["revision"], []).append(event)
            if kind in UPSETS:
                self.upsets.setdefault(payload["revision"], []).append(event)
        if kind in VERDICTS and "decision" in payload:
            self.decisions[payload["decision"]] = event


def hashes_in(value: Json) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("sha256:"):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from hashes_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from hashes_in(part)


def check_chain(pack: Pack, manifest: Json, told: Told, head: str | None) -> Iterator[str]:
    """Check the chain link by link, and note what it tells."""
    number, prev, met = 0, GENESIS, head is None
    with pack.open("events.jsonl") as lines:
        for line in lines:
            number += 1
            try:
                event = parse(line)
                seq, own = event["seq"], event.pop("hash")
                recomputed = digest(event)
                told.note(event)
            except UNREADABLE:
                yield f"Event {number} cannot be read."
                prev = ""
                continue
            if seq != number:
                yield f"Event {number} is missing: event {seq} stands in its place."
            elif prev and event["prev"] != prev:
                yield f"Event {seq} does not continue event {seq - 1}: its previous hash differs."
            if recomputed != own:
                yield f"Event {seq} ({event['kind']}) was changed: its content does not give its hash."
            number, prev, met = seq, own, met or own == head
    wanted = manifest["chain"]
    if number < wanted["events"]:
        yield f"Event {number + 1} is missing: the chain was cut, the manifest counts {wanted['events']}."
    elif (number, prev) != (wanted["events"], wanted["head"] or GENESIS):
        yield f"The chain ends in event {number}, which is not the end that the manifest tells of."
    if not met:
        yield f"The event with the hash {head} is not in the chain: it was cut, or it is another chain."


# --- dossiers ---------------------------------------------------------------------------------------------------------


class Shown:
    """What the dossiers hold, for comparing it with the events and the prompts."""

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.revisions: set[str] = set()
        self.approvals: dict[int, str] = {}
        self.decisions: set[int] = set()
        self.examples: set[str] = set()
        self.masked: set[str] = set()
        self.prompts: dict[int, Json] = {}


def revision_hash(rule_id: str, revision: Json) -> str:
    """Return the hash over everything that a reviewer signs for; an ordinary priority is the one that is not told."""
    text = {name: value for name, value in revision["text"].items() if (name, value) != ("priority", ORDINARY)}
    return digest(
        {
            "rule": rule_id,
            "number": revision["number"],
            "text": text,
            "author": revision["author"],
            "author_kind": revision["author_kind"],
            "parent": revision["parent"],
        }
    )


def example_hash(example: Json) -> str:
    """Return the hash over text and label of an example."""
    return digest({"fields": example["fields"], "label": example["label"]})


def evidence_sets(revision: Json) -> list[str]:
    """Return the hash of each version of a revision's evidence, the one that it was written with first."""
    numbers = range(1, len(revision["evidence_versions"]) + 2)
    roles: dict[int, Json] = {number: {} for number in numbers}
    for link in revision["evidence"]:
        roles[link["version"]][link["example"]] = link["role"]
    return [digest(sorted([example, role] for example, role in roles[number].items())) for number in numbers]


def check_dossier(dossier: Json, told: Told, shown: Shown, may_mask: bool) -> Iterator[str]:
    """Check one rule: its revisions, its examples, its evidence, its decisions."""
    rule_id = dossier["rule"]["id"]
    shown.rules.add(rule_id)
    if not dossier["revisions"]:
        yield f"{rule_id} has a dossier, but no revision."
    yield from check_examples(rule_id, dossier["examples"], shown, may_mask)
    revisions = {}
    for number, revision in enumerate(dossier["revisions"], 1):
        name = f"Revision {revision['number']} of {rule_id}"
        if revision["number"] != number:
            yield f"Revision {number} of {rule_id} is missing from its dossier."
        if revision_hash(rule_id, revision) != revision["hash"]:
            yield f"{name} was changed: its text, author or parent does not give its hash."
        elif revision["at"] not in told.times.get(revision["hash"], ()):
            # It is written together with its event, so both have the same time.
            yield f"The making of {name[0].lower()}{name[1:]} is not told of by any event."
        revisions[revision["hash"]] = revision
        yield from check_links(name, revision, dossier["examples"], told)
        yield from check_versions(name, revision, told)
        yield from check_upsets(name, revision, told)
    for found, seq in told.revisions.get(rule_id, {}).items():
        if found not in revisions:
            yield f"Event {seq} tells of a revision of {rule_id} ({found[:19]}) that its dossier does not have."
    shown.revisions.update(revisions)
    for decision in dossier["decisions"]:
        yield from check_decision(rule_id, decision, revisions, told, shown)


def check_examples(rule_id: str, examples: Json, shown: Shown, may_mask: bool) -> Iterator[str]:
    for key, example in examples.items():
        shown.examples.add(key)
        if example["hash"] != key:
            yield f"An example of {rule_id} stands under the hash {key[:19]}, which is not its own."
        elif example["masked_in_pack"]:
            shown.masked.add(key)
            if not may_mask:
                yield f"Example {key[:19]} of {rule_id} says that it is masked, but this pack is not a masked one."
        elif example_hash(example) != key:
            yield f"Example {key[:19]} of {rule_id} was changed: its text and label do not give its hash."


def check_links(name: str, revision: Json, examples: Json, told: Told) -> Iterator[str]:
    for link in revision["evidence"]:
        if link["example"] not in examples:
            yield f"{name} rests on example {link['example'][:19]}, which is missing from the dossier."
    proposed = told.proposed.get(revision["hash"])
    if proposed and proposed["payload"]["evidence"] != evidence_sets(revision)[0]:
        yield f"The evidence of {name} was changed: it does not give the hash that event {proposed['seq']} tells."


def check_versions(name: str, revision: Json, told: Told) -> Iterator[str]:
    """Check that each later version of the evidence gives its hash and has its event, and the other way round."""
    sets, changes = evidence_sets(revision), told.changes.get(revision["hash"], [])
    moves = [(move["state"], move["at"]) for move in revision["transitions"]]
    for number, version in enumerate(revision["evidence_versions"], 2):
        if version["number"] != number:
            yield f"Version {number} of the evidence of {name} is missing from its dossier."
        elif version["evidence"] != sets[number - 1]:
            yield f"Version {number} of the evidence of {name} was changed: it does not give its hash."
        elif len(changes) < number - 1:
            yield f"Version {number} of the evidence of {name} is not told of by any event."
    for number, event in enumerate(changes, 2):
        payload = event["payload"]
        if number > len(sets):
            yield f"Event {event['seq']} tells of version {number} of the evidence of {name}, which its dossier lacks."
            continue
        version = revision["evidence_versions"][number - 2]
        in_event = [number, payload["evidence"], payload["reason"], payload["to"], event["actor"], event["at"]]
        if in_event != [version[key] for key in ("number", "evidence", "reason", "state", "by", "at")] or (
            (payload["version"], payload["before"]) != (number, sets[number - 2])
        ):
            yield f"Version {number} of the evidence of {name} is not the one that event {event['seq']} tells of."
        elif payload["from"] != payload["to"] and (payload["to"], event["at"]) not in moves:
            yield f"{name}: the dossier lacks the transition to '{payload['to']}' that event {event['seq']} tells of."


def check_upsets(name: str, revision: Json, told: Told) -> Iterator[str]:
    """Check that what made decisions obsolete besides its evidence stands in the dossier as its events tell."""
    moves = [(move["state"], move["at"], move["reason"]) for move in revision["transitions"]]
    for event in told.upsets.get(revision["hash"], []):
        payload = event["payload"]
        if (payload["to"], event["at"], payload["reason"]) not in moves:
            yield f"{name}: the dossier lacks the transition to '{payload['to']}' that event {event['seq']} tells of."
    for move in revision["transitions"]:
        if move["action"] in ("mark_stale", "begin_again") and move["at"] not in told.times.get(revision["hash"], ()):
            yield f"{name}: the transition to '{move['state']}' at {move['at']} is not told of by any event."


def check_decision(rule_id: str, decision: Json, revisions: Json, told: Told, shown: Shown) -> Iterator[str]:
    """Check what a decision is bound to, and that its event tells the same."""
    name = f"Decision {decision['id']} on {rule_id}"
    if decision["id"] in shown.decisions:
        yield f"{name} is there more than once."
    shown.decisions.add(decision["id"])
    if decision["verdict"] == "approve":
        shown.approvals[decision["id"]] = decision["revision"]
    revision, event = revisions.get(decision["revision"]), told.decisions.get(decision["id"])
    if revision is None:
        yield f"{name} is bound to a revision that its dossier does not have."
    elif decision["evidence"] not in evidence_before(event, revision, told):
        yield f"{name} is bound to other evidence: that of the dossier does not give its evidence-set hash."
    if event is None:
        yield f"{name} is not told of by any event."
        return
    payload = event["payload"]
    pairs = [
        ("rule", rule_id, event["subject"]),
        ("verdict", decision["verdict"], VERDICTS[event["kind"]]),
        ("reviewer", decision["reviewer"], event["actor"]),
        ("time", decision["decided_at"], event["at"]),
        ("revision", decision["revision"], payload["revision"]),
        ("evidence", decision["evidence"], payload["evidence"]),
        ("category", decision["category"], payload["category"]),
        ("reason", decision["reason"], payload["reason"]),
        ("time of opening", decision["opened_at"], payload["opened_at"]),
        # Events of before it was noted do not tell of it.
        ("attention", decision["attention"], payload.get("attention")),
        # Events of earlier versions tell neither.
        ("guideline version", decision["guideline"], payload.get("guideline_version", 0)),
        ("list of overlaps", decision["overlaps"], payload.get("overlaps", [])),
    ]
    for what, in_dossier, in_event in pairs:
        if in_dossier != in_event:
            yield f"{name}: the {what} in the dossier is not the one that event {event['seq']} tells."
    moves = [(move["state"], move["at"]) for move in revision["transitions"]] if revision else []
    if revision and (payload["to"], decision["decided_at"]) not in moves:
        yield f"{name}: the dossier lacks the transition to '{payload['to']}' that event {event['seq']} tells of."


def evidence_before(event: Json, revision: Json, told: Told) -> list[str]:
    """Return the hash of the evidence that counted when an event was written; without an event, of every version."""
    sets = evidence_sets(revision)
    if event is None:
        return sets
    version = sum(change["seq"] < event["seq"] for change in told.changes.get(revision["hash"], []))
    return sets[version : version + 1]


def check_both_ways(told: Told, shown: Shown) -> Iterator[str]:
    """Check that whatever the events tell of the task is in the dossiers too."""
    for rule_id, seq in told.rules.items():
        if rule_id not in shown.rules:
            yield f"Event {seq} tells of the rule {rule_id}, which has no dossier."
    for number, event in sorted(told.decisions.items()):
        if event["subject"] in told.rules and number not in shown.decisions:
            yield f"Event {event['seq']} tells of decision {number} on {event['subject']}, which no dossier has."


# --- prompts ----------------------------------------------------------------------------------------------------------


def check_prompt(pack: Pack, name: str, told: Told, shown: Shown) -> Iterator[str]:
    """Check that a prompt's text gives its hash, and that each of its rules was approved as it is."""
    prompt = parse(pack.read(name))
    subject = f"{told.task} v{prompt['number']}"
    shown.prompts[prompt["number"]] = prompt
    text = pack.read(name[: -len("json")] + "txt")
    if "sha256:" + hashlib.sha256(text).hexdigest() != prompt["sha256"]:
        yield f"The text of prompt {subject} was changed: it does not give its hash."
    event = told.prompts.pop(subject, None)
    if event is None:
        yield f"Prompt {subject} is not told of by any event."
    elif (event["payload"]["sha256"], event["payload"]["manifest"]) != (prompt["sha256"], digest(prompt["manifest"])):
        yield f"Prompt {subject} is not the one that event {event['seq']} tells of."
    for line in prompt["manifest"]["rules"]:
        if line["revision"] not in shown.revisions:
            yield f"Prompt {subject} holds a revision of {line['rule']} that no dossier has."
        elif shown.approvals.get(line["decision"]) != line["revision"]:
            yield f"Prompt {subject} holds {line['rule']}, which decision {line['decision']} did not approve as it is."


def check_prompts(pack: Pack, manifest: Json, told: Told, shown: Shown) -> Iterator[str]:
    for name in manifest["files"]:
        if name.startswith("prompts/") and name.endswith(".json"):
            yield from guarded(name, check_prompt(pack, name, told, shown))
    for subject, event in told.prompts.items():
        if subject.rpartition(" v")[0] == told.task:
            yield f"Event {event['seq']} tells of prompt {subject}, which is missing."


def held(prompt: Json) -> list[Json]:
    """Return the rules of a prompt whatever their order, each with its revision and the decision that let it in."""
    return sorted([line["rule"], line["revision"], line["decision"]] for line in prompt["manifest"]["rules"])


def check_trial(pack: Pack, name: str, told: Told, shown: Shown) -> Iterator[str]:
    """Check a prompt that a run asked with and that is no version: a version's rules in another order."""
    trial = parse(pack.read(name))
    subject = f"{told.task} run {trial['run']}"
    if "sha256:" + hashlib.sha256(pack.read(name[: -len("json")] + "txt")).hexdigest() != trial["sha256"]:
        yield f"The text that {subject} asked with was changed: it does not give its hash."
    event = told.runs.get(subject)
    if event is None:
        yield f"The prompt of {subject} is not told of by any event."
    elif (event["payload"]["sha256"], event["payload"]["prompt"]) != (trial["sha256"], trial["prompt"]):
        yield f"The prompt of {subject} is not the one that event {event['seq']} tells of."
    if held(trial) != held(shown.prompts[trial["prompt"]]):
        yield f"The prompt of {subject} holds other rules than version {trial['prompt']}."


def check_runs(pack: Pack, manifest: Json, told: Told, shown: Shown) -> Iterator[str]:
    """Check that the text that each run asked with is in the pack: that of its version, or one of its own."""
    for name in manifest["files"]:
        if name.startswith("trial_prompts/") and name.endswith(".json"):
            yield from guarded(name, check_trial(pack, name, told, shown))
    for subject, event in told.runs.items():
        task, _, number = subject.rpartition(" run ")
        version = shown.prompts.get(event["payload"]["prompt"])
        if task != told.task or (version and version["sha256"] == event["payload"]["sha256"]):
            continue
        if f"trial_prompts/run-{number}.txt" not in manifest["files"]:
            yield f"Event {event['seq']} tells of {subject}, and the text that it asked with is missing."


# --- all of it --------------------------------------------------------------------------------------------------------


def guarded(name: str, problems: Iterator[str]) -> Iterator[str]:
    """Hand on problems; a file that cannot be read, or that has another shape, is a problem too."""
    try:
        yield from problems
    except (OSError, zipfile.BadZipFile, *UNREADABLE) as error:
        yield f"The file {name} cannot be read as what it should be ({type(error).__name__}: {error})."


def check_dossiers(pack: Pack, manifest: Json, told: Told, shown: Shown) -> Iterator[str]:
    def check(name: str) -> Iterator[str]:
        yield from check_dossier(parse(pack.read(name)), told, shown, bool(manifest["personal_data_masked"]))

    for name in manifest["files"]:
        if name.startswith("dossiers/"):
            yield from guarded(name, check(name))


def verify(pack: Pack, head: str | None, shown: Shown) -> Iterator[str]:
    """Yield what is broken, in words, the plainest first; nothing if the pack is intact."""
    manifest = parse(pack.read("manifest.json"))
    if manifest["format"] != FORMAT:
        yield f"The manifest says '{manifest['format']}'; this verifier reads '{FORMAT}'."
        return
    told = Told(manifest["task"])
    yield from guarded("manifest.json", check_files(pack, manifest))
    yield from guarded("events.jsonl", check_chain(pack, manifest, told, head))
    yield from check_dossiers(pack, manifest, told, shown)
    yield from check_both_ways(told, shown)
    yield from check_prompts(pack, manifest, told, shown)
    yield from check_runs(pack, manifest, told, shown)


def show(text: str) -> None:
    """Print a line; what a terminal would obey instead of showing is left out."""
    print("".join(c if c.isprintable() else "?" for c in text).encode("utf-8", "replace").decode("utf-8"))


def report(pack: Pack, manifest: Json, shown: Shown, head: str | None) -> None:
    show(f"Intact: {len(manifest['files'])} files, {manifest['chain']['events']} events, {len(shown.rules)} rules,")
    show(f"{len(shown.revisions)} revisions, {len(shown.decisions)} decisions, {len(shown.examples)} examples.")
    if shown.masked:
        show(f"{len(shown.masked)} examples are masked: whether their texts give their hashes is not verified.")
    show(f"Last event: {manifest['chain']['head'] or 'none'}")
    show(f"Manifest: {pack.sha256('manifest.json')}")
    if head is None:
        show("A pack that was made up as a whole would be intact too. Ask for the hash of an event on another way, and")
        show("verify again with --head HASH; `pld audit verify` prints the last one, `pld audit log` all of them.")


def arguments(given: list[str]) -> tuple[str, str | None] | None:
    """Return the place and the demanded head, or None if the command line is not understood."""
    head = None
    if "--head" in given:
        at = given.index("--head")
        if at + 1 >= len(given):
            return None
        head = given[at + 1]
        given = given[:at] + given[at + 2 :]
    if len(given) > 1 or any(word.startswith("-") for word in given):
        return None
    return (given[0] if given else str(Path(__file__).resolve().parent)), head


def main(given: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal of another encoding still gets every sentence.
            stream.reconfigure(errors="backslashreplace")
    wanted = arguments(given)
    if wanted is None:
        show("Usage: python verify.py [FOLDER or PACK.zip] [--head HASH]")
        return 2
    place, head = wanted
    shown = Shown()
    try:
        pack = Pack(place)
        manifest = parse(pack.read("manifest.json"))
        show(f"Audit pack of the task {manifest['task']}, made {manifest['made_at']} by {manifest['made_by']}")
        problems = list(verify(pack, head, shown))
    except (OSError, zipfile.BadZipFile, *UNREADABLE) as error:
        show(f"BROKEN. There is no readable audit pack at {place} ({type(error).__name__}: {error}).")
        return 1
    if not problems:
        report(pack, manifest, shown, head)
        return 0
    show(f"BROKEN. {problems[0]}")
    for problem in problems[1:SHOWN]:
        show(f"Also: {problem}")
    if len(problems) > SHOWN:
        show(f"And {len(problems) - SHOWN} more.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
