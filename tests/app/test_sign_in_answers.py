"""What a browser gets when signing in did not work."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from pld_app.sign_in_answers import SignInAnswers

Headers = list[tuple[bytes, bytes]]
SIGNED_IN: Headers = [(b"location", b"/"), (b"set-cookie", b"_streamlit_user=2|abc; Path=/; Max-Age=2592000")]
CLEARED: Headers = [(b"location", b"/"), (b"set-cookie", b'_streamlit_user=""; Max-Age=0; Path=/')]


def answer(path: str, query: str, status: int, headers: Headers) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return status, headers and body that reach the browser for what Streamlit answers."""
    sent: list[Message] = []

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"Authentication error"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "query_string": query.encode()}
    asyncio.run(SignInAnswers(streamlit)(scope, receive, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


@pytest.mark.parametrize(
    ("path", "query", "status", "headers", "why"),
    [
        ("/auth/login", "provider=x", 400, [], "unreachable"),
        ("/oauth2callback", "error=access_denied&state=s", 302, [(b"location", b"/")], "refused"),
        ("/oauth2callback", "code=c&state=s", 302, [(b"location", b"/")], "failed"),
        ("/oauth2callback", "code=c&state=s", 302, CLEARED, "failed"),
    ],
)
def test_what_went_wrong_stands_in_the_address_of_the_start_page(
    path: str, query: str, status: int, headers: Headers, why: str
) -> None:
    for base in ("", "/desk"):
        got, told, body = answer(base + path, query, status, headers)
        assert (got, told[b"location"], body) == (302, f"{base}/?sign_in={why}".encode(), b"")
    assert (b"set-cookie" in told) is (headers == CLEARED)


@pytest.mark.parametrize(
    ("path", "query", "status", "headers"),
    [
        ("/auth/login", "provider=x", 302, [(b"location", b"https://login.example.org/authorize")]),
        ("/oauth2callback", "code=c&state=s", 302, SIGNED_IN),
        ("/oauth2callback", "", 302, [(b"location", b"/")]),
        ("/review", "error=x", 404, []),
    ],
)
def test_everything_else_passes_as_it_is(path: str, query: str, status: int, headers: Headers) -> None:
    assert answer(path, query, status, headers) == (status, dict(headers), b"Authentication error")
