"""What a browser and a provider get around signing in: a fresh proof, the way back, and what went wrong."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from starlette.types import Message, Receive, Scope, Send

from pld_app.sign_in_answers import BACK_COOKIE, SignInAnswers

Headers = list[tuple[bytes, bytes]]
LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
PROVIDER: Headers = [
    (b"location", b"https://login.example.org/authorize?prompt=select_account&state=s&redirect_uri=http%3A%2F%2Fx%2Fy"),
    (b"set-cookie", b"_streamlit_session=s"),
]
SIGNED_IN: Headers = [(b"location", b"/"), (b"set-cookie", b"_streamlit_user=2|abc; Path=/; Max-Age=2592000")]
CLEARED: Headers = [(b"location", b"/"), (b"set-cookie", b'_streamlit_user=""; Max-Age=0; Path=/')]
HERE = "http://127.0.0.1:8501"


def answer(
    path: str, query: str = "", status: int = 302, headers: Headers | None = None, **told: str
) -> tuple[int, Headers, bytes]:
    """Return status, headers and body that reach the browser for what Streamlit answers; `told` by the browser."""
    sent: list[Message] = []

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers or []})
        await send({"type": "http.response.body", "body": b"Authentication error"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    given = [(name.encode(), value.encode()) for name, value in told.items()]
    scope = {"type": "http", "path": path, "query_string": query.encode(), "headers": given}
    asyncio.run(SignInAnswers(streamlit)(scope, receive, send))
    start, body = sent
    return start["status"], start["headers"], body["body"]


def location(headers: Headers) -> str:
    return dict(headers)[b"location"].decode()


def cookies(headers: Headers) -> list[str]:
    return [value.decode() for name, value in headers if name == b"set-cookie"]


@pytest.mark.parametrize(
    ("path", "query", "status", "headers", "why"),
    [
        (LOGIN, "provider=x", 400, [], "unreachable"),
        (CALLBACK, "error=access_denied&state=s", 302, [(b"location", b"/")], "refused"),
        (CALLBACK, "code=c&state=s", 302, [(b"location", b"/")], "failed"),
        (CALLBACK, "code=c&state=s", 302, CLEARED, "failed"),
    ],
)
def test_what_went_wrong_stands_in_the_address_of_the_start_page(
    path: str, query: str, status: int, headers: Headers, why: str
) -> None:
    for base in ("", "/desk"):
        got, told, body = answer(base + path, query, status, headers)
        assert (got, location(told), body) == (302, f"{base}/?sign_in={why}", b"")
    assert bool(cookies(told)) is (headers == CLEARED)


@pytest.mark.parametrize(
    ("path", "query", "status", "headers"),
    [
        (LOGIN, "provider=old", 302, [(b"location", b"/")]),
        (CALLBACK, "code=c&state=s", 302, SIGNED_IN),
        (CALLBACK, "", 302, [(b"location", b"/")]),
        ("/review", "error=x", 404, []),
    ],
)
def test_everything_else_passes_as_it_is(path: str, query: str, status: int, headers: Headers) -> None:
    assert answer(path, query, status, headers) == (status, headers, b"Authentication error")


def test_the_provider_is_asked_to_tell_when_it_saw_somebody() -> None:
    _, told, _ = answer(LOGIN, "provider=x", headers=PROVIDER)
    asked = parse_qs(urlsplit(location(told)).query)
    assert asked == {
        "prompt": ["select_account"],
        "state": ["s"],
        "redirect_uri": ["http://x/y"],
        "max_age": ["2592000"],
    }
    assert cookies(told) == ["_streamlit_session=s"]


def test_a_page_that_wants_a_fresh_proof_gets_one_asked_for_and_is_noted_for_the_way_back() -> None:
    page = f"{HERE}/review?task=nda&rule=R1&sign_in=again"
    _, told, _ = answer(LOGIN, "provider=x", headers=PROVIDER, referer=page)
    asked = parse_qs(urlsplit(location(told)).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    back = quote("/review?task=nda&rule=R1", safe="")
    assert cookies(told)[1] == f"{BACK_COOKIE}={back}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"


def test_any_other_page_is_noted_too_and_asks_for_nothing_more() -> None:
    _, told, _ = answer(LOGIN, "provider=x", headers=PROVIDER, referer=f"{HERE}/prompt?sign_in=refused")
    assert parse_qs(urlsplit(location(told)).query)["prompt"] == ["select_account"]
    assert cookies(told)[1].startswith(f"{BACK_COOKIE}=%2Fprompt;")


@pytest.mark.parametrize(
    ("query", "headers", "target"),
    [
        ("code=c&state=s", SIGNED_IN, "/review?rule=R1"),
        ("error=access_denied&state=s", [(b"location", b"/")], "/review?rule=R1&sign_in=refused"),
        ("code=c&state=s", CLEARED, "/review?rule=R1&sign_in=failed"),
    ],
)
def test_the_way_back_leads_to_the_page_that_was_left(query: str, headers: Headers, target: str) -> None:
    _, told, _ = answer(CALLBACK, query, headers=headers, cookie=f"{BACK_COOKIE}={quote('/review?rule=R1', safe='')}")
    assert location(told) == target
    assert cookies(told)[-1].startswith(f"{BACK_COOKIE}=; Path=/; Max-Age=0")
    assert [c for c in cookies(told) if c.startswith("_streamlit_user")] == [
        value.decode() for name, value in headers if name == b"set-cookie"
    ]


def test_a_provider_that_is_down_leaves_people_on_their_page() -> None:
    _, told, _ = answer(LOGIN, "provider=x", 400, referer=f"{HERE}/review?rule=R1&sign_in=again")
    assert location(told) == "/review?rule=R1&sign_in=unreachable"


@pytest.mark.parametrize(
    "page", ["//evil.test/x", "https://evil.test/", "/\\evil.test", "/x\r\nset-cookie: a=b", "/é", "", "/" + "x" * 2000]
)
def test_a_cookie_leads_nobody_out_of_the_app(page: str) -> None:
    _, told, _ = answer(CALLBACK, "code=c&state=s", headers=SIGNED_IN, cookie=f"{BACK_COOKIE}={quote(page, safe='')}")
    assert told == SIGNED_IN


def test_another_site_before_the_sign_in_is_no_place_to_lead_back_to() -> None:
    _, told, _ = answer(LOGIN, "provider=x", headers=PROVIDER, referer="https://evil.test//evil.test/x")
    assert cookies(told) == ["_streamlit_session=s"]
    _, told, _ = answer(LOGIN, "provider=x", headers=PROVIDER, referer="https://evil.test/x")
    assert cookies(told)[1].startswith(f"{BACK_COOKIE}=%2Fx;")
