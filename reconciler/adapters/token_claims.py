"""Who a token was issued to, for texts alone: nothing is decided by it, since the service checks the token.

Source: Microsoft Learn, "Access token claims reference" (`upn` and `preferred_username` of people, `appid` or `azp` of
applications, `oid` of both).
"""

from __future__ import annotations

import base64
import binascii
import json

from reconciler.documents import text_of

_PEOPLE = ("upn", "preferred_username", "unique_name")
_APPS = ("appid", "azp")
_LONGEST = 200


def holder_of(token: str) -> str:
    """The name of a person, ``application ID``, or an object id; empty where the token says none of them."""
    parts = token.split(".")
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    person = next((text_of(body, name) for name in _PEOPLE if text_of(body, name)), "")
    app = next((f"application {text_of(body, name)}" for name in _APPS if text_of(body, name)), "")
    found = person or (app if not text_of(body, "scp") else "") or text_of(body, "oid")
    return " ".join(found.split())[:_LONGEST]
