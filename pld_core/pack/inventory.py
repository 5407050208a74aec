"""What stands around the rules, as JSON: task, data, models, prompts, runs, people, releases. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from pld_core.audit_ports import AnswerCount, AuditSnapshot
from pld_core.canonical import Json
from pld_core.gate_policy import AS_MADE
from pld_core.metrics import Cell, Figures, figures
from pld_core.models import CompiledPrompt, Event, PromptVersion, Run
from pld_core.policy import PLAIN
from pld_core.releases import Release, holders_of, marks


def inventory_json(snapshot: AuditSnapshot) -> dict[str, Json]:
    """Return the inventory: what the task is, what it was made of, and by which models with which templates."""
    task, limits = snapshot.task, snapshot.gate_policies()
    return {
        "task": {
            "name": task.name,
            "title": task.title,
            "input_fields": list(task.input_fields),
            "labels": [{"name": label.name, "description": label.description} for label in task.labels],
            "policy": snapshot.policies()[-1].policy.as_json() if snapshot.policies() else PLAIN.as_json(),
            "policy_changes": [asdict(change) for change in snapshot.policies()],
            "gate_limits": (limits[-1].policy if limits else AS_MADE).as_json(),
            "gate_limit_changes": [asdict(change) for change in limits],
            "guideline_version": task.guideline_version,
            "guideline_versions": [
                {"version": g.version, "text": g.text, "reason": g.reason, "at": g.at, "by": g.by}
                for g in snapshot.guidelines()
            ],
        },
        "data_sets": [
            {
                "id": d.id,
                "file": d.about.file,
                "sha256": d.about.sha256,
                "rows": d.rows,
                "counted_in": d.about.unit,
                "importer": d.about.importer,
                "settings": dict(d.about.params),
                "state": d.state.value,
                "at": d.created_at,
                "by": d.created_by,
            }
            for d in snapshot.datasets()
        ],
        "examples": [
            {"split": split.value, "label": label, "state": state.value, "examples": n}
            for (split, label, state), n in snapshot.example_counts().items()
        ],
        "teachers": [asdict(call) for call in snapshot.calls()],
        "students": _students(snapshot.runs()),
        "clusterings": [
            {
                "id": c.id,
                "settings": c.params.as_json(),
                "clusters": c.clusters,
                "noise": c.noise,
                "at": c.created_at,
                "by": c.created_by,
            }
            for c in snapshot.clusterings()
        ],
    }


def _students(runs: Sequence[Run]) -> list[Json]:
    counted = Counter((run.student, run.digest) for run in runs)
    return [{"student": name, "digest": digest, "runs": n} for (name, digest), n in counted.items()]


def prompt_json(version: PromptVersion, moves: Sequence[Release], now: str) -> dict[str, Json]:
    """Return a prompt version with its manifest, and the release labels that are on it at a moment."""
    return {
        "released_as": list(marks(moves, version.number, now)),
        "number": version.number,
        "sha256": version.prompt.sha256,
        "at": version.created_at,
        "by": version.created_by,
        "tokens": version.tokens.as_json() if version.tokens else None,
        "manifest": version.prompt.manifest(),
    }


def trial_prompt_json(run: Run, prompt: CompiledPrompt) -> dict[str, Json]:
    """Return what a run asked with that is no version: the rules of its version in an order drawn by lot."""
    return {"run": run.id, "prompt": run.prompt_number, "sha256": prompt.sha256, "manifest": prompt.manifest()}


# --- runs -------------------------------------------------------------------------------------------------------------


def run_score(labels: Sequence[str], counts: Sequence[AnswerCount]) -> Figures:
    """Return the figures of a run from its counted answers."""
    return figures(labels, {Cell(c.gold, c.label, c.status): c.count for c in counts})


def run_json(run: Run, found: Figures, own_prompt: bool) -> dict[str, Json]:
    """Return a run with its figures, and the file with the text that it asked with.

    Args:
        own_prompt: it asked with a text of its own, which is no version's.
    """
    return {
        "id": run.id,
        "prompt": run.prompt_number,
        "prompt_sha256": run.prompt_sha256,
        "prompt_text": f"trial_prompts/run-{run.id}.txt" if own_prompt else f"prompts/v{run.prompt_number}.txt",
        "student": run.student,
        "digest": run.digest,
        "split": run.split.value,
        "examples": run.total,
        "setup": run.setup.as_json(),
        "reason": run.setup.reason,
        "at": run.created_at,
        "by": run.created_by,
        "figures": found.as_json(),
    }


# --- what only the events tell ----------------------------------------------------------------------------------------


@dataclass
class Person:
    """What one person, or the system, did: number of events by kind, first and last time."""

    events: Counter[str] = field(default_factory=Counter)
    first_at: str = ""
    last_at: str = ""


@dataclass
class FromEvents:
    """Sections that are read from the chain as it is written: people, roles and label moves."""

    people: dict[str, Person] = field(default_factory=dict)
    role_changes: list[Json] = field(default_factory=list)
    label_moves: list[Json] = field(default_factory=list)
    events: int = 0
    head: str = ""

    def note(self, event: Event, task: str) -> None:
        """Take in one event; they come oldest first."""
        self.events, self.head = self.events + 1, event.hash
        person = self.people.setdefault(event.actor, Person(first_at=event.at))
        person.events[event.kind] += 1
        person.last_at = event.at
        group = event.kind.partition(".")[0]
        if group in ("role", "roles"):
            self.role_changes.append(_moment(event))
        elif group == "release" and (event.subject.split(" ")[0] == task or event.payload.get("task") == task):
            self.label_moves.append(_moment(event))

    def roles_json(self) -> dict[str, Json]:
        return {
            "role_changes": self.role_changes,
            "people": [
                {
                    "name": name,
                    "first_event": person.first_at,
                    "last_event": person.last_at,
                    "events": dict(sorted(person.events.items())),
                }
                for name, person in sorted(self.people.items())
            ],
        }

    def releases_json(self, moves: Sequence[Release], now: str) -> dict[str, Json]:
        """Return where each label is at a moment, and what the chain tells of how it came there."""
        return {"labels": [held.as_json(now) for held in holders_of(moves)], "label_moves": self.label_moves}


def event_json(event: Event) -> dict[str, Json]:
    """Return an event with its hash; without it, this is what the hash is made of."""
    return {
        "seq": event.seq,
        "at": event.at,
        "actor": event.actor,
        "kind": event.kind,
        "subject": event.subject,
        "payload": event.payload,
        "prev": event.prev,
        "hash": event.hash,
    }


def _moment(event: Event) -> dict[str, Json]:
    return {
        "event": event.seq,
        "at": event.at,
        "by": event.actor,
        "kind": event.kind,
        "subject": event.subject,
        "told": event.payload,
    }
