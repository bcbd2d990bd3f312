"""How many requests this process has sent, and about how many projects: for a person who waits; it decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_PROJECT = re.compile(r"://[^/]+/(?:[^/]+/)?([^/]+)/_apis/")


class Traffic:
    """Counts while it is watched; costs nothing otherwise. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watched = 0
        self.requests = 0
        self._projects: set[tuple[str, str]] = set()

    @property
    def projects(self) -> int:
        """Projects that requests were about."""
        return len(self._projects)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Count while this context is open."""
        with self._lock:
            self._watched += 1
        try:
            yield
        finally:
            with self._lock:
                self._watched -= 1

    def sent(self, organization: str = "", url: str = "") -> None:
        """One try of a request went out; `url`: of Azure DevOps, where it names a project."""
        if not self._watched:
            return
        found = _PROJECT.search(url)
        with self._lock:
            self.requests += 1
            if found is not None and found[1].casefold() != organization.casefold():
                self._projects.add((organization, found[1]))


TRAFFIC = Traffic()
"""Of this process."""
