"""The one context window that all students of a workspace get, sized by what it holds."""

from __future__ import annotations

from dataclasses import replace

from pld_app.settings import DEFAULT_NUM_CTX, Settings
from pld_core.compilation import trial_size
from pld_core.context_size import ContextNeed, one_size
from pld_core.models import Task
from pld_core.prompt_style import Style
from storage import SqliteStore


def need_of(store: SqliteStore, task: Task) -> ContextNeed:
    """Return what a task needs: its longest prompt, compiled or in force, its longest example, and an answer."""
    compiled, in_force = store.prompts.listed(task.name), store.rules.size_in_force(task.name)
    longest = max([trial_size(task, in_force), *(version.size for version in compiled)])
    answer = max(style.max_tokens for style in [Style.LABEL, *(version.style for version in compiled)])
    return ContextNeed.of(longest, store.tasks.longest_input(task.name), answer)


def sized(settings: Settings, store: SqliteStore) -> Settings:
    """Return the settings with a context window: theirs, or else the one that every task fits in."""
    if settings.num_ctx is not None:
        return settings
    return replace(settings, num_ctx=one_size([need_of(store, task) for task in store.tasks.all()], DEFAULT_NUM_CTX))


def window_of(settings: Settings, store: SqliteStore) -> int:
    """Return the context window that students get, in tokens."""
    return sized(settings, store).num_ctx or DEFAULT_NUM_CTX


def fit_words(settings: Settings, need: ContextNeed) -> str:
    """Say how a task fits the window that is in force; `settings` are sized ones."""
    window = settings.num_ctx or DEFAULT_NUM_CTX
    if need.total > window:
        return (
            f"Context window {window:,} tokens: too small, it needs {need.words}. Set num_ctx to {need.size:,}, or "
            "take the setting out to have it sized."
        )
    return f"Context window {window:,} tokens: {need.words}."
