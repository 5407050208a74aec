"""Signing in and out at the identity provider of a test."""

from __future__ import annotations

from tests.e2e.conftest import Visitor


def sign_in(visitor: Visitor, choice: str) -> None:
    visitor.page.locator(".st-key-sign_in_default button:enabled").click()
    visitor.page.get_by_role("link", name=choice, exact=True).click()


def sign_out(visitor: Visitor) -> None:
    visitor.click("sign_out")
    visitor.page.locator(".st-key-sign_in_default button:enabled").wait_for()
