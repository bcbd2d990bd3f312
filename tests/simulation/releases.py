"""Two releases in turn: a worker of another release writes documents as that one does, between those of this one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

LATER = ("evidence", "seen", "owed", "remembered", "names", "verified")
"""Fields of a pool's status that came with later releases: an older one does not write them."""
_SHARED = ("pools/", "sweep", "git", "audit/")


def documents(file: Path) -> dict[str, str]:
    """Name → text of every document of the state file that releases share."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT name, body FROM documents ORDER BY name").fetchall()
    return {name: text for name, text in found if name.startswith(_SHARED)}


def as_another(file: Path, how: str, before: Mapping[str, str]) -> None:
    """What was written since `before`, as another release writes it: ``newer`` with fields unknown here, or ``older``."""
    with closing(sqlite3.connect(file)) as connection:
        for name, text in documents(file).items():
            body = json.loads(text)
            if before.get(name) == text or not isinstance(body, dict):
                continue
            if how == "newer":
                body |= {"zzLater": {"of": [1, None, {"another": "release"}]}}
            elif name.startswith("pools/"):
                for field in LATER:
                    body.pop(field, None)
            connection.execute("UPDATE documents SET body = ? WHERE name = ?", (json.dumps(body), name))
        connection.commit()
