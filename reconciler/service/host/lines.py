"""Log records as lines of JSON on standard error, for whoever collects them: one object a line, nothing secret.

Events of `reconciler.service.triggers.logs` are JSON already and keep their fields; records of libraries get a field
`message`. What looks like a secret of this process is struck out by the `clean` that is given.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from reconciler.documents import Json


class Lines(logging.Formatter):
    """One JSON object for each record."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """The line; a text that is a JSON object gives its fields, any other is the field `message`."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"at": at, "level": record.levelname.lower(), "logger": record.name}
        return json.dumps({**head, **_fields(self._clean(record.getMessage()))}, ensure_ascii=False)


def log_to(clean: Callable[[str], str], stream: TextIO | None = None) -> logging.Handler:
    """Let our own events and every library's warnings go to `stream` (standard error); the handler, to remove it."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(clean))
    logging.getLogger().addHandler(handler)
    logging.getLogger("reconciler").setLevel(logging.INFO)
    return handler


def _fields(text: str) -> dict[str, Json]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"message": text}
