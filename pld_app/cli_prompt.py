"""`pld prompt`: versions, how two of them differ, files of them, and whether such a file is as it was exported."""

from __future__ import annotations

from pathlib import Path

import click

from pld_app import wiring
from pld_app.cli_format import Output, options
from pld_app.prompting import (
    Compared,
    compare_versions,
    export_version,
    length_of,
    released_as,
    same_version,
    version_json,
)
from pld_app.settings import load_settings
from pld_core.count_words import count
from pld_core.errors import InvalidInput, PldError
from pld_core.models import PromptVersion
from pld_core.prompt_diff import RuleChange
from pld_core.prompt_export import FORMATS
from pld_core.prompt_export.verification import Verification, verify
from pld_core.prompt_figures import SideBySide
from pld_core.publishing import MARK
from pld_core.word_diff import marked, word_pieces


@click.group()
def prompt() -> None:
    """Prompt versions: list, compare, export, verify, release."""


@prompt.command(name="list")
@options
@click.option("--task", "task_name", required=True, help="Task whose versions are listed.")
def list_(workspace: Path, out: Output, task_name: str) -> None:
    """List the prompt versions of a task, newest first."""
    app = wiring.open_app(workspace)
    app.store.tasks.get(task_name)
    versions = app.store.prompts.all(task_name)
    held = released_as(app, task_name)
    lines = [_line(version) + (f"  {held[version.number]}" if version.number in held else "") for version in versions]
    values = [{**version_json(version), "released_as": held.get(version.number, "")} for version in versions]
    out.emit(values, "\n".join(lines) or "Nothing is compiled yet.")


@prompt.command()
@options
@click.argument("before", type=click.IntRange(1))
@click.argument("after", type=click.IntRange(1))
@click.option("--task", "task_name", required=True, help="Task whose versions are compared.")
def diff(workspace: Path, out: Output, before: int, after: int, task_name: str) -> None:
    """Show what changed from version BEFORE to version AFTER, and how both did in evaluations."""
    compared = compare_versions(wiring.open_app(workspace), task_name, before, after)
    value = {**compared.diff.as_json(), "figures": [row.as_json() for row in compared.figures]}
    out.emit(value, "\n".join(_diff_lines(compared)))


@prompt.command()
@options
@click.argument("number", type=click.IntRange(1))
@click.option("--task", "task_name", required=True, help="Task whose version is exported.")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="Format.")
@click.option("--model", default="", help="Model on Ollama that formats name; the settings' if left out.")
@click.option(
    "--out", "file", type=click.Path(path_type=Path, dir_okay=False), help="File; standard output if left out."
)
def export(workspace: Path, out: Output, number: int, task_name: str, form: str, model: str, file: Path | None) -> None:
    """Write a prompt version in a format."""
    made = export_version(wiring.open_app(workspace), task_name, number, form, model)
    if file and made.caution and FORMATS[form].is_bare and MARK not in file.name.casefold():
        raise InvalidInput(
            f"Version {number} is released by an exception, and this format can say so in its name alone. Nothing was "
            f"written. Call the file {made.name} or the like, or choose the format markdown or json."
        )
    text = made.content.decode("utf-8")
    if made.caution:
        click.echo(f"{made.name}: {made.caution}", err=True)
    if file is None:
        out.emit({"name": made.name, "caution": made.caution, "content": text}, text.removesuffix("\n"))
        return
    try:
        file.write_bytes(made.content)
    except OSError as error:
        raise InvalidInput(f"The file {file} cannot be written: {error.strerror}. Choose another.") from error
    out.emit({"file": str(file), "bytes": len(made.content)}, f"Wrote {file} ({len(made.content):,} bytes).")


@prompt.command(name="verify")
@options
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--expect", default="", metavar="SHA256", help="The prompt's sha256 as it was signed for.")
def verify_(workspace: Path, out: Output, file: Path, expect: str) -> None:
    """Recompute the hashes of a file that was exported as json, here or elsewhere. Nothing is stored."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"The file {file} cannot be read: {error.strerror}. Choose another.") from error
    found = verify(content, _hash(expect))
    same = (
        same_version(wiring.open_app(workspace), found) if wiring.workspace_exists(load_settings(workspace)) else None
    )
    out.emit(_verified_json(found, same), "\n".join(_verified_lines(found, same)))
    if not found.passed:
        raise PldError(f"{file.name} is not as it was exported: {', '.join(found.failures)} differs. Do not use it.")


def _line(version: PromptVersion) -> str:
    compiled = version.prompt
    return (
        f"v{version.number}  {compiled.build.kind.words}, {count(len(compiled.rules), 'rule')}, {compiled.style.words};"
        f" {length_of(version).words}; {version.created_at} {version.created_by}  {compiled.sha256}"
    )


def _diff_lines(compared: Compared) -> list[str]:
    found = compared.diff
    lines = [_rule_line(rule) for rule in found.rules]
    lines += [f"{fact.name}: {fact.before} -> {fact.after}" for fact in found.facts]
    changed = [piece for piece in found.text if not piece.is_same]
    lines += [f"text: {marked(word_pieces(piece.before, piece.after))}" for piece in changed]
    lines = lines or ["Both versions are the same."]
    for row in compared.figures:
        lines += _figure_lines(row)
    return [*lines, compared.unevaluated] if compared.unevaluated else lines


def _figure_lines(row: SideBySide) -> list[str]:
    lines = [f"{row.student}, {row.split}: {row.before.words} -> {row.after.words}", *row.to_do]
    if row.comparison is not None:
        lines.append(row.comparison.words)
        lines += [f"right: {one.label} {one.before:,} -> {one.after:,} of {one.n:,}" for one in row.labels]
    return [*lines, row.left_aside] if row.left_aside else lines


def _rule_line(rule: RuleChange) -> str:
    places = " -> ".join(str(number) for number in (rule.before, rule.after) if number)
    return f"{rule.change.value} {rule.rule_id} (no. {places}): {marked(rule.pieces)}"


def _hash(text: str) -> str:
    digits = text.strip().lower().removeprefix("sha256:")
    if text and (len(digits) != 64 or set(digits) - set("0123456789abcdef")):
        raise InvalidInput("--expect has to be a sha256: 64 hexadecimal digits. Nothing was verified.")
    return f"sha256:{digits}" if text else ""


def _verified_json(found: Verification, same: PromptVersion | None) -> dict[str, object]:
    file = found.file
    return {
        "task": file.manifest.task,
        "number": file.built.number,
        "sha256": file.manifest.sha256,
        "passed": found.passed,
        "checks": [{"name": c.name, "passed": c.passed, "found": c.found, "stated": c.stated} for c in found.checks],
        "same_here": same.number if same else None,
    }


def _verified_lines(found: Verification, same: PromptVersion | None) -> list[str]:
    file = found.file
    lines = [f"{file.manifest.task}, prompt version {file.built.number}, built {file.built.at} by {file.built.by}"]
    for check in found.checks:
        wrong = "" if check.passed else f" ({check.found}, not {check.stated})"
        lines.append(f"{'matches' if check.passed else 'DIFFERS'}: {check.name}{wrong}")
    here = f"It is version {same.number} of this workspace." if same else "This workspace has no such version."
    return [*lines, here, "Nothing was stored."]
