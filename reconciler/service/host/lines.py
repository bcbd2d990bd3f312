"""Log records as lines of JSON on standard error: one object a line, redacted.

Events of `reconciler.service.triggers.logs` are JSON already and keep their fields; records of libraries get a field
`message`. The known secrets of this process are masked too.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from reconciler.documents import Json, json_text, moment
from reconciler.documents.redaction import redacted


class Lines(logging.Formatter):
    """One JSON object for each record."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The line; a text that is a JSON object gives its fields, any other is the field `message`."""
        at = moment(datetime.fromtimestamp(record.created, UTC))
        head = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        return json_text({**head, **redacted(_fields(record.getMessage()), self._secrets)})


@contextmanager
def log_to(secrets: Iterable[str], stream: TextIO | None = None) -> Iterator[None]:
    """Send our own events and every library's warnings to `stream` (standard error) while within."""
    root, ours = logging.getLogger(), logging.getLogger("reconciler")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(secrets))
    level = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(level)


def _fields(text: str) -> dict[str, Json]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"message": text}
