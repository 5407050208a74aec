"""What `streamlit run` starts: the app, with security headers on every answer."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.config import get_option
from streamlit.runtime.pages_manager import PagesManager

from pld_app.acting import refuse_open_address
from pld_app.settings import load_settings
from pld_app.sign_in_answers import SignInAnswers
from pld_app.wiring import workspace_from_environment

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)
HEADERS = [
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Our own sign-in has to know the page to lead back to; nobody else is told.
    (b"referrer-policy", b"same-origin"),
]

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - where Streamlit listens if it is told no address

# Until the first session has run app.py, Streamlit would take the files in pages/ for pages of their own and run one
# without its frame when the first visitor follows a link to it.
PagesManager.uses_pages_directory = False


# Whoever starts Streamlit on this file by hand opens no door that `pld serve` would keep shut.
refuse_open_address(
    replace(load_settings(workspace_from_environment()), host=get_option("server.address") or EVERY_ADDRESS)
)


class SecurityHeaders:
    """Adds the headers to each HTTP response; the browser then refuses whatever would come from outside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


app = st.App(
    Path(__file__).resolve().parent.parent / "app.py",
    middleware=[Middleware(SecurityHeaders), Middleware(SignInAnswers)],
)

# What was imported stays until the end. A full collection that walks all of it makes somebody wait for 0.1 s.
gc.freeze()
