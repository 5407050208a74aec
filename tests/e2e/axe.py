"""What axe-core finds wrong with a page for people who use a keyboard, a screen reader, or little contrast."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
BEYOND_IT = ("heading-order", "label-title-only", "tabindex")
OUT_OF_REACH = {
    "scrollable-region-focusable": "Streamlit's scrolling containers and code blocks take no tabindex. Chromium and "
    "Firefox give such regions a place in the tab order by themselves.",
}
"""Rules that the app cannot keep, with the reason."""
_AXE = Axe()


def faults(page: Page) -> list[str]:
    """Return a line for each element that breaks a rule of WCAG 2.1 A or AA or a rule of `BEYOND_IT`."""
    rules = {rule: {"enabled": True} for rule in BEYOND_IT} | {rule: {"enabled": False} for rule in OUT_OF_REACH}
    return _found(page, {"runOnly": {"type": "tag", "values": list(STANDARD)}, "rules": rules})


def contrast_faults(page: Page) -> list[str]:
    """Return a line for each text that cannot be told well enough from its ground."""
    return _found(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})


def _found(page: Page, options: dict[str, object]) -> list[str]:
    result = _AXE.run(page, options={**options, "resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {node['html'][:200]} {[check['message'] for check in (*node['any'], *node['all'])]}"
        for violation in result.response["violations"]
        for node in violation["nodes"]
    ]
