"""Makes a service's words fit for a message: one line, bounded, and without anything that grants.

Services echo what was sent to them, proxies add pages, and signed URLs carry their own key. What leaves an adapter
ends up in conditions and logs, so it goes through here. It is a net behind care, not a reason for less of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LIMIT = 400
"""Characters of a message that people still read."""

_URL_GRANTS = re.compile(r"(https?://)(?:[^\s/@'\"<>]*@)?([^\s?#'\"<>]*)[?#]?[^\s'\"<>]*", re.IGNORECASE)
_TOKENS = re.compile(
    r"\b(?:Bearer|Basic|SharedKey)\s+\S+"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|\b(?:sig|AccountKey|SharedAccessSignature|password|token|secret)=[^\s;&]+",
    re.IGNORECASE,
)


def oneline(text: object, *, secrets: Iterable[str] = (), limit: int = LIMIT) -> str:
    """The text on one line, at most `limit` characters, with tokens, userinfo and queries of URLs taken out.

    `secrets` are literal values known to have been sent; each is masked wherever it occurs.
    """
    clean = str(text)
    for secret in secrets:
        if secret:
            clean = clean.replace(secret, "***")
    clean = _TOKENS.sub("***", _URL_GRANTS.sub(r"\1\2", clean))
    clean = " ".join("".join(c if c.isprintable() else " " for c in clean).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
