"""One word for one thing: what people read in place of the identifiers of facets, changes and reasons.

Identifiers stand in JSON, in stored documents, in metrics and in log fields; a sentence for people has words alone.
"""

from __future__ import annotations

import re

FACETS = {"agent_pool": "agent pool", "open_access": "open access", "queue_roles": "queue roles"}
"""Name of a facet → its word, where the two differ."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def facet_words(facet: str) -> str:
    """``open access`` for ``open_access``; a text that is no facet's name stays, so that redaction still knows it."""
    return FACETS.get(facet, facet)


def change_words(change_id: str) -> str:
    """``open access fabrikam-tailspin/Web`` for ``open_access:open access:fabrikam-tailspin/Web``."""
    _, first, rest = change_id.partition(":")
    kind, second, subject = rest.partition(":")
    return f"{kind} {subject}".strip() if first and second else change_id


def reason_words(reason: str) -> str:
    """``not ready`` for ``NotReady``."""
    return _HUMP.sub(" ", reason).lower()
