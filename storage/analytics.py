"""The figures behind the charts on errors: those on rules, and those on answers."""

from __future__ import annotations

from storage.answer_figures import SqliteAnswerFigures
from storage.rule_figures import SqliteRuleFigures


class SqliteAnalytics(SqliteRuleFigures, SqliteAnswerFigures):
    """See `pld_core.analytics_ports.AnalyticsStore`. Reads only."""
