"""What pages and commands ask of prompt versions: how two differ, what they scored, and files of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pld_app.context_sizing import window_of
from pld_app.wiring import App, prompt_version
from pld_core.canonical import Json
from pld_core.models import PromptVersion, Revision, Split, Task
from pld_core.prompt_diff import PromptDiff, compare
from pld_core.prompt_export import export, file_name, format_named
from pld_core.prompt_export.source import ExportSource
from pld_core.prompt_export.verification import Verification
from pld_core.prompt_figures import SideBySide, side_by_side
from pld_core.prompt_manifest import TokenCount
from pld_core.records import ExampleFilter
from pld_core.releases import exception_on, holders_of, marks
from pld_core.token_count import estimated


@dataclass(frozen=True)
class Compared:
    """Two versions of a task beside each other."""

    task: str
    diff: PromptDiff
    figures: tuple[SideBySide, ...]

    @property
    def unevaluated(self) -> str:
        """Say how to evaluate both versions where neither was; empty if one was."""
        if self.figures:
            return ""
        commands = (f"pld evaluate --task {self.task} --prompt {n}" for n in (self.diff.before, self.diff.after))
        return f"Neither version was evaluated yet. Start it: {', then '.join(commands)}"


@dataclass(frozen=True)
class ExportedFile:
    """A file of a version: what it is called, its bytes, and the exception that it is released by, in words."""

    name: str
    content: bytes
    caution: str = ""


def length_of(version: PromptVersion) -> TokenCount:
    """Return the newest count of a version's tokens; an estimate where none was kept."""
    return version.tokens or estimated(version.prompt.text)


def revisions_of(app: App, *versions: PromptVersion) -> dict[str, Revision]:
    """Return the revisions that versions hold, by hash."""
    return app.store.rules.revisions([rule.revision_hash for version in versions for rule in version.prompt.rules])


def compare_versions(app: App, task: str, before: int, after: int) -> Compared:
    """Compare two versions: what changed, and how they did where the same student was evaluated on the same split.

    Raises:
        NotFound: there is no such task or version.
    """
    diff = difference(app, task, before, after)
    return Compared(task, diff, figures_beside(app, app.store.tasks.get(task), before, after))


def figures_beside(app: App, task: Task, before: int, after: int) -> tuple[SideBySide, ...]:
    """Return how both versions did where the same student was evaluated on the same split."""
    runs = app.store.runs
    return side_by_side(runs.all(task.name), before, after, task.label_names, runs.counted, runs.paired)


def difference(app: App, task: str, before: int, after: int) -> PromptDiff:
    """Return what changed from one version to another.

    Raises:
        NotFound: there is no such task or version.
    """
    old, new = (prompt_version(app, task, number) for number in (before, after))
    return compare(old, new, app.store.rules.revisions)


def export_version(app: App, task: str, number: int | None, form: str, model: str = "") -> ExportedFile:
    """Return a version as a file; the newest if no number is given.

    Args:
        model: name on Ollama for formats that name one; empty for the one in the settings.

    Raises:
        NotFound: there is no such task or version.
        InvalidInput: there is no such format, or the prompt cannot be written in it.
    """
    wanted, version = format_named(form), prompt_version(app, task, number)
    source = ExportSource(
        task=app.store.tasks.get(task),
        version=version,
        revisions=revisions_of(app, version) if wanted.has_titles else {},
        model=model or app.settings.ollama_model,
        num_ctx=window_of(app.settings, app.store) if wanted.has_window else 0,
        examples=app.store.tasks.examples(task, ExampleFilter(split=Split.VALIDATION)) if wanted.has_tests else (),
        exception=exception_on(app.store.releases.history(task)[::-1], version.number),
        at=datetime.now(UTC).isoformat(),
    )
    return ExportedFile(file_name(source, form), export(source, form), source.caution)


def released_as(app: App, task: str) -> dict[int, str]:
    """Return by number what stands beside the versions that hold a release label now; see `releases.marks`."""
    moves, now = app.store.releases.history(task)[::-1], datetime.now(UTC).isoformat()
    return {held.version: ", ".join(marks(moves, held.version, now)) for held in holders_of(moves)}


def same_version(app: App, verification: Verification) -> PromptVersion | None:
    """Return this workspace's version of the same text and manifest as a verified file, or None if it has none."""
    manifest = verification.file.manifest
    if manifest.task not in {task.name for task in app.store.tasks.all()}:
        return None
    found = [
        v for v in app.store.prompts.all(manifest.task) if v.prompt.manifest_hash == verification.file.manifest_hash
    ]
    return found[0] if found else None


def version_json(version: PromptVersion) -> dict[str, Json]:
    """Return a version for `--json`: its manifest, who built it and when, and its length."""
    return {
        "number": version.number,
        **version.prompt.manifest(),
        "manifest_hash": version.prompt.manifest_hash,
        "at": version.created_at,
        "by": version.created_by,
        "tokens": length_of(version).as_json(),
    }
