"""Recognising a key or a password in a setting: such a text is neither stored nor shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

KEY_VARIABLES = ("PLD_OPENAI_API_KEY", "PLD_TEACHER_API_KEY", "PLD_EMBEDDER_API_KEY")
SHORTEST_KNOWN = 6
"""A key in the environment that is shorter, such as `none`, would be found in innocent texts."""
HIDDEN = "(hidden)"

_PASSWORD = re.compile(r"(?<=://)[^/\s@]*@")
_KEYS = re.compile(
    r"""
      \b(?:sk|pk|rk|gsk|xai|hf|ghp|nvapi|key|api[_-]?key)[-_=]\s*[A-Za-z0-9][\w-]{7,}  # how providers begin theirs
    | \bAIza[\w-]{20,}                                      # Google
    | \bAKIA[A-Z0-9]{12,}                                   # Amazon
    | \beyJ[\w-]{10,}\.[\w-]+                               # a signed token
    | \bbearer\s+\S{6,} | \bbasic\s+[\w+/=]{16,} | \bauthorization\s*[:=]   # a header
    | [?&](?:\w*key|\w*token|secret|password)=[^&\s]+       # a key in an address
    | (?<!sha256:)(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,}   # long and without any pause
    """,
    re.VERBOSE | re.IGNORECASE,
)


def secret_in(text: str, environment: Mapping[str, str]) -> str:
    """Return what the text carries that no file may hold: `a key`, `a password`, or empty.

    Args:
        text: what somebody typed or what stands in the file.
        environment: a key that is set there is recognised whatever it looks like.
    """
    known = (environment.get(variable, "") for variable in KEY_VARIABLES)
    if _KEYS.search(text) or any(len(key) >= SHORTEST_KNOWN and key in text for key in known):
        return "a key"
    return "a password" if _PASSWORD.search(text) else ""


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """Return the text for showing: of an address the password is hidden, of what carries a key everything."""
    if secret_in(text, environment) == "a key":
        return HIDDEN
    return _PASSWORD.sub(f"{HIDDEN}@", text)
