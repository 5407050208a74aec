"""What a person sees when signing in did not work: the sign-in page with the reason, in place of a bare error."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
IDENTITY_COOKIE = b"_streamlit_user="
REFUSED, FAILED, UNREACHABLE = "refused", "failed", "unreachable"


class SignInAnswers:
    """Sends people back to the app's start page with `?sign_in=` and what went wrong.

    Streamlit answers "Authentication error" if it cannot reach the provider, and says nothing if the provider refused.
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

        async def with_reason(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                trouble = _login_trouble(message) if is_login else _callback_trouble(scope, message)
                if trouble:
                    replaced = True
                    kept = [(n, v) for n, v in message["headers"] if n.lower() == b"set-cookie"]
                    away = [(b"location", f"{start}?sign_in={trouble}".encode()), (b"content-length", b"0")]
                    message = {**message, "status": 302, "headers": [*kept, *away]}
            elif replaced:
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, with_reason)


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
