"""Sign-in for tests: secrets as an admin writes them, and what a provider says of people."""

from __future__ import annotations

import time
from pathlib import Path

ISSUER = "https://login.example.org"
COOKIE_SECRET = "a-cookie-secret-that-is-long-enough-0123456789"
CLIENT_SECRET = "client-secret-never-to-be-shown"


def secrets_text(provider: str = ISSUER, app: str = "http://127.0.0.1:8501") -> str:
    return (
        "[auth]\n"
        f'redirect_uri = "{app}/oauth2callback"\n'
        f'cookie_secret = "{COOKIE_SECRET}"\n'
        'client_id = "pld-review"\n'
        f'client_secret = "{CLIENT_SECRET}"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )


def write_secrets(workspace: Path, provider: str = ISSUER, app: str = "http://127.0.0.1:8501") -> Path:
    """Configure sign-in for a workspace; return the file."""
    workspace.mkdir(parents=True, exist_ok=True)
    file = workspace / "secrets.toml"
    file.write_text(secrets_text(provider, app), encoding="utf-8")
    return file


def signed_in(person: str, **claims: object) -> dict[str, object]:
    """Return what Streamlit knows of somebody who signed in just now with a verified address."""
    now = int(time.time())
    told: dict[str, object] = {
        "is_logged_in": True,
        "iss": ISSUER,
        "sub": f"sub-{person}",
        "name": person.partition("@")[0].title(),
        "email": person,
        "email_verified": True,
        "iat": now,
        "auth_time": now,
    }
    return {**told, **claims}
