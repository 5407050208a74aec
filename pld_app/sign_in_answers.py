"""What Streamlit leaves out around signing in: a fresh proof where one is needed, the way back, and what went wrong."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
IDENTITY_COOKIE = b"_streamlit_user="
REFUSED, FAILED, UNREACHABLE = "refused", "failed", "unreachable"
SIGN_IN, AGAIN = "sign_in", "again"
"""A page with `?sign_in=again` in its address asks for a fresh proof of who somebody is."""
FRESH = {"prompt": "login", "max_age": "0"}
USUAL = {"max_age": str(30 * 24 * 3600)}
"""Many providers tell when they saw the person only if an age is asked for; as long as the identity cookie is kept."""
BACK_COOKIE = "pld_back"
BACK_S = 600


class SignInAnswers:
    """Changes Streamlit's answers to signing in.

    On the way to the provider it asks for a fresh proof if the page did, and keeps that page's address in a cookie. On
    the way back it leads there, with `?sign_in=` and what went wrong, if something did: Streamlit would lead to the
    start page, answer "Authentication error" if it cannot reach the provider, and say nothing if that refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] != "http" or not path.endswith((LOGIN, CALLBACK)):
            await self._app(scope, receive, send)
            return
        is_login = path.endswith(LOGIN)
        start = path.removesuffix(LOGIN if is_login else CALLBACK) + "/"
        replaced = False

        async def changed(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                trouble = _login_trouble(message) if is_login else _callback_trouble(scope, message)
                replaced = bool(trouble)
                message = _login(scope, message, start, trouble) if is_login else _back(scope, message, start, trouble)
            elif replaced:
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, changed)


def _login(scope: Scope, message: Message, start: str, trouble: str) -> Message:
    """Ask the provider as the page wants it and note the page; or lead back to it with what went wrong."""
    page = _page_before(scope)
    if trouble:
        return _redirect(message, _with_trouble(page or start, trouble))
    provider = _header(message["headers"], b"location")
    if not urlsplit(provider).netloc:
        return message
    is_again = parse_qs(urlsplit(page).query).get(SIGN_IN) == [AGAIN]
    asked = _with_parameters(provider, FRESH if is_again else USUAL)
    return _redirect(message, asked, _cookie(_without_sign_in(page), BACK_S) if page else "")


def _back(scope: Scope, message: Message, start: str, trouble: str) -> Message:
    """Lead to the page from which somebody went to the provider."""
    page = _noted_page(scope)
    if trouble:
        return _redirect(message, _with_trouble(page or start, trouble), _cookie("", 0) if page else "")
    return _redirect(message, page, _cookie("", 0)) if page else message


def _login_trouble(message: Message) -> str:
    return UNREACHABLE if message["status"] >= 400 else ""


def _callback_trouble(scope: Scope, message: Message) -> str:
    """Return what went wrong: a callback of the provider that ended without an identity cookie.

    After signing out the provider leads to the same address, with neither a code nor an error.
    """
    said = parse_qs(bytes(scope["query_string"]).decode("latin-1"))
    if "error" in said:
        return REFUSED
    cookies = [value for name, value in message["headers"] if name.lower() == b"set-cookie"]
    is_signed_in = any(c.startswith(IDENTITY_COOKIE) and b"max-age=0" not in c.lower() for c in cookies)
    return FAILED if "code" in said and not is_signed_in else ""


# --- pages ------------------------------------------------------------------------------------------------------------


def _page_before(scope: Scope) -> str:
    """Return path and query of the page that led here, empty if the browser does not tell.

    Its host is left out: whatever stood before, the way back leads into this app.
    """
    before = urlsplit(_header(scope.get("headers", []), b"referer"))
    return _own_page(before.path + (f"?{before.query}" if before.query else ""))


def _noted_page(scope: Scope) -> str:
    """Return the page that was noted on the way to the provider, empty if there is none or it is not ours."""
    try:
        cookies = SimpleCookie(_header(scope.get("headers", []), b"cookie"))
    except CookieError:
        return ""
    return _own_page(unquote(cookies[BACK_COOKIE].value)) if BACK_COOKIE in cookies else ""


def _own_page(page: str) -> str:
    """Return the address if it is one of this app, else nothing: a cookie must not lead people somewhere else."""
    is_own = page.startswith("/") and not page.startswith("//") and "\\" not in page
    return page if is_own and page.isascii() and page.isprintable() and len(page) < 2000 else ""


def _without_sign_in(page: str) -> str:
    path, query = urlsplit(page).path, parse_qs(urlsplit(page).query, keep_blank_values=True)
    kept = urlencode({name: values for name, values in query.items() if name != SIGN_IN}, doseq=True)
    return f"{path}?{kept}" if kept else path


def _with_trouble(page: str, trouble: str) -> str:
    return _with_parameters(_without_sign_in(page), {SIGN_IN: trouble})


# --- headers ----------------------------------------------------------------------------------------------------------


def _header(headers: list[tuple[bytes, bytes]], wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == wanted), "")


def _with_parameters(url: str, wanted: dict[str, str]) -> str:
    """Return the address with these parameters in place of those of the same name."""
    parts = urlsplit(url)
    query = {**parse_qs(parts.query, keep_blank_values=True), **{name: [value] for name, value in wanted.items()}}
    return parts._replace(query=urlencode(query, doseq=True, quote_via=quote)).geturl()


def _cookie(page: str, seconds: int) -> str:
    return f"{BACK_COOKIE}={quote(page, safe='')}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def _redirect(message: Message, target: str, cookie: str = "") -> Message:
    """Return the answer as a redirect; cookies that Streamlit set go along."""
    kept = [(name, value) for name, value in message["headers"] if name.lower() == b"set-cookie"]
    added = [(b"set-cookie", cookie.encode())] if cookie else []
    away = [(b"location", target.encode()), (b"content-length", b"0")]
    return {**message, "status": 302, "headers": [*kept, *added, *away]}
