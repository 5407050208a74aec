"""An OpenID Connect provider of a test's own: it asks nobody for a password, and signs what it says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "pld-review"


class IdentityProvider:
    """Knows people by name and their claims; a page lets the visitor choose who signs in, or cancel.

    Attributes:
        asked: the parameters of every sign-in, in order.
        proved: when people proved who they are, in seconds since 1970 UTC; others do it as they sign in. Whoever is
            asked for a fresh proof gives one.
    """

    def __init__(self, people: dict[str, dict[str, object]]) -> None:
        self.people = people
        self.codes: dict[str, tuple[str, str]] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
        self.is_down = False
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.proved: dict[str, int] = {}

    def discovery(self) -> dict[str, object]:
        ends = {"authorization": "authorize", "token": "token", "end_session": "logout"}
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            **{f"{name}_endpoint": f"{self.url}/{path}" for name, path in ends.items()},
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def login_page(self, asked: dict[str, str]) -> str:
        back, state = asked["redirect_uri"], asked["state"]
        self.asked.append(asked)
        links = []
        for person in self.people:
            if asked.get("prompt") == "login":
                self.proved.pop(person, None)
            code = f"{person}-{len(self.codes)}"
            self.codes[code] = (person, asked["nonce"])
            links.append((f"{back}?{urlencode({'code': code, 'state': state})}", f"I am {person}"))
        links.append((f"{back}?{urlencode({'error': 'access_denied', 'state': state})}", "Cancel"))
        return "".join(f'<p><a href="{escape(url)}">{escape(text)}</a></p>' for url, text in links)

    def tokens(self, code: str) -> dict[str, object]:
        person, nonce = self.codes.pop(code)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300}
        claims["auth_time"] = self.proved.get(person, now)
        told = jwt.encode({"alg": "RS256", "kid": "test"}, {**claims, **self.people[person]}, self.key)
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": told}


class _Handler(BaseHTTPRequestHandler):
    provider: IdentityProvider

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, dict(self._asked(urlsplit(self.path).query))
        if self.provider.is_down:
            self._answer(503, b"down", "text/plain")
        elif path == "/.well-known/openid-configuration":
            self._json(self.provider.discovery())
        elif path == "/jwks":
            self._json({"keys": [self.provider.key.as_dict(private=False)]})
        elif path == "/authorize":
            self._answer(200, self.provider.login_page(asked).encode(), "text/html")
        elif path == "/logout":
            self.send_response(302)
            self.send_header("location", asked["post_logout_redirect_uri"])
            self.end_headers()
        else:
            self._answer(404, b"", "text/plain")

    def do_POST(self) -> None:
        asked = self._asked(self.rfile.read(int(self.headers["content-length"])).decode())
        self._json(self.provider.tokens(asked["code"]))

    def _asked(self, query: str) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(query).items()}

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it
        """Say nothing."""


@contextmanager
def identity_provider(people: dict[str, dict[str, object]]) -> Generator[IdentityProvider]:
    """A provider that knows these people, on a free port."""
    provider = IdentityProvider(people)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
