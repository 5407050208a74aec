"""Prompts that a live test can ask with: stored versions, the baseline without rules, and trials of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pld_app.prompting import released_as
from pld_app.wiring import App, prompt_version
from pld_core.canonical import Json
from pld_core.compilation import Choices, compile_baseline
from pld_core.errors import InvalidInput, NotFound
from pld_core.models import CompiledPrompt, PromptVersion
from pld_core.prompt_manifest import PromptKind
from pld_core.prompt_order import rule_number
from pld_core.prompt_style import Style
from pld_core.releases import ReleaseLabel
from pld_core.trial_prompt import without_rules

NO_RULES = "no-rules"
WORDS = (*(label.value for label in ReleaseLabel), NO_RULES)
"""What a prompt can be called by instead of its number."""
NOT_A_VERSION = "not a version"


@dataclass(frozen=True)
class AskedPrompt:
    """A prompt that is asked with.

    Attributes:
        number: of the stored version; None where there is none of this text.
        marks: what it is, in words, such as `newest` or `production`.
        of: of a trial, the name of the prompt that it was made from; empty for any other.
        without: of a trial, the rules that are switched off.
    """

    prompt: CompiledPrompt
    number: int | None = None
    marks: tuple[str, ...] = ()
    of: str = ""
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Such as `version 3`, `no rules` or `version 3 without R2`."""
        if self.of:
            return f"{self.of} without {', '.join(self.without)}"
        return "no rules" if self.number is None else f"version {self.number}"

    @property
    def title(self) -> str:
        """The name as it begins a line, such as `Version 3`."""
        return self.name[:1].upper() + self.name[1:]

    @property
    def key(self) -> str:
        """What it is called on the command line; a trial has the name of the prompt that it was made from."""
        return NO_RULES if self.number is None else str(self.number)

    def as_json(self) -> dict[str, Json]:
        """Return what is recorded of it beside its text."""
        kind = "trial" if self.of else "version" if self.number is not None else "baseline"
        return {
            "kind": kind,
            "name": self.name,
            "version": None if self.of else self.number,
            "without": list(self.without),
            "manifest": self.prompt.manifest(),
            "sha256": self.prompt.sha256,
        }


def prompts_to_ask(app: App, task: str) -> tuple[AskedPrompt, ...]:
    """Return every version, newest first, and then the baseline without rules where no version is that."""
    versions = app.store.prompts.all(task)
    bare, released = _bare(app, task, versions), released_as(app, task)
    found = [
        AskedPrompt(version.prompt, version.number, _marks(version, place == 0, released.get(version.number, "")))
        for place, version in enumerate(versions)
    ]
    is_stored = any(version.prompt.sha256 == bare.sha256 for version in versions)
    return tuple(found if is_stored else [*found, AskedPrompt(bare, marks=("baseline", NOT_A_VERSION))])


def chosen_at_first(app: App, task: str, prompts: Sequence[AskedPrompt]) -> tuple[AskedPrompt, ...]:
    """Return what is worth a look side by side: the newest of rules, the one in production, the one without rules."""
    held = app.store.releases.holder(task, ReleaseLabel.PRODUCTION)
    bare = _bare(app, task, app.store.prompts.all(task)).sha256
    found = [one for one in prompts if held is not None and one.number == held.version]
    found += [one for one in prompts if one.prompt.sha256 == bare][:1]
    newest = [*(one for one in prompts if one.prompt.rules), *prompts][:1]
    return tuple(dict.fromkeys([*newest, *found]))


def prompt_called(app: App, task: str, word: str) -> AskedPrompt:
    """Return a prompt by its number or by one of `WORDS`; the newest version for an empty word.

    Raises:
        NotFound: there is no such task or version, or the label is on none.
        InvalidInput: the word is neither.
    """
    app.store.tasks.get(task)
    wanted = word.strip().lower()
    if wanted == NO_RULES:
        return _without_any(app, task)
    if wanted in WORDS:
        held = app.store.releases.holder(task, ReleaseLabel(wanted))
        if held is None:
            raise NotFound(
                f"No version of {task} is {wanted}. Nothing was asked. `pld prompt release` puts the label on one."
            )
        return _named(app, task, prompt_version(app, task, held.version))
    if wanted and not wanted.isdecimal():
        raise InvalidInput(
            f"--prompt reads {word!r}; it has to be the number of a version or one of {', '.join(WORDS)}. Nothing was "
            "asked."
        )
    return _named(app, task, prompt_version(app, task, int(wanted) if wanted else None))


def trial_of(asked: AskedPrompt, rule_ids: Sequence[str]) -> AskedPrompt:
    """Return a prompt with some of its rules switched off: a trial, which is never stored as a version.

    Raises:
        InvalidInput: as `without_rules`.
    """
    wanted = [rule_id.strip().upper() for rule_id in rule_ids]
    prompt = without_rules(asked.prompt, wanted)
    gone = sorted(set(wanted), key=rule_number)
    return AskedPrompt(prompt, asked.number, ("trial", NOT_A_VERSION), asked.name, tuple(gone))


def _without_any(app: App, task: str) -> AskedPrompt:
    bare = _bare(app, task, app.store.prompts.all(task)).sha256
    return next(one for one in prompts_to_ask(app, task) if one.prompt.sha256 == bare)


def _named(app: App, task: str, version: PromptVersion) -> AskedPrompt:
    return next(one for one in prompts_to_ask(app, task) if one.number == version.number)


def _bare(app: App, task: str, versions: Sequence[PromptVersion]) -> CompiledPrompt:
    """Compile the baseline without rules; it answers by letter where the newest version does."""
    style = Style.LETTER if versions and versions[0].prompt.style is Style.LETTER else Style.LABEL
    return compile_baseline(app.store.tasks.get(task), (), Choices(style, PromptKind.NO_RULES))


def _marks(version: PromptVersion, is_newest: bool, released: str) -> tuple[str, ...]:
    kind = version.prompt.build.kind
    baseline = "" if kind is PromptKind.RULES else kind.words
    return tuple(mark for mark in ("newest" if is_newest else "", released, baseline) if mark)
