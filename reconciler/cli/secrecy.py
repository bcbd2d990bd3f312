"""Strikes secrets out of texts that others wrote: tracebacks, and what libraries log."""

from __future__ import annotations

import re
from collections.abc import Iterable


def without(secrets: Iterable[str], text: str) -> str:
    """The text without these values, without credentials in headers and without the queries of URLs."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = re.sub(r"(?i)\b(bearer|basic) +[\w.~+/=-]+", r"\1 ***", text)
    return re.sub(r"(https?://[^\s?'\"]+)\?[^\s'\"]*", r"\1?***", text)
