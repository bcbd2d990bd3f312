"""Specs from git: a branch, a tag or a commit of a local repository or an https remote, never from a checkout.

Each snapshot is pinned to one commit. An unchanged head costs one round trip, or none where the ref is a commit id.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Protocol

from reconciler.adapters.boundary import port
from reconciler.adapters.git.folder import Folder
from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.snapshots import Caps, LastGood, Oversized, changed
from reconciler.ports.specs import Snapshot, SpecSource

__all__ = ["Caps", "Git", "Location", "RemoteAccess", "basic", "bearer", "changed", "source"]


class _Repository(Protocol):
    def head(self) -> bytes: ...

    def read(self, target: bytes) -> Snapshot: ...


@port("git", SpecSource)
class Git:
    """A git repository as a source of specs (`reconciler.ports.specs.SpecSource`). Safe to share between threads."""

    def __init__(self, location: Location, *, access: RemoteAccess | None = None, caps: Caps | None = None) -> None:
        self._repository = _repository(location, access or RemoteAccess(), caps or Caps())
        self._last = LastGood()
        self._target = b""
        self._refused: tuple[bytes, Oversized] | None = None

    def snapshot(self) -> Snapshot:
        """The files at the ref's commit."""
        return self._last.keep(self._read)

    def _read(self, good: Snapshot | None) -> Snapshot:
        target = self._repository.head()
        if good is not None and target == self._target:
            return good
        if self._refused is not None and self._refused[0] == target:
            # A commit does not change: fetching it again would cost the same and end the same.
            raise self._refused[1].with_traceback(None)
        try:
            fresh = self._repository.read(target)
        except Oversized as problem:
            self._refused = (target, problem)
            raise
        self._target = target
        return fresh


def _repository(location: Location, access: RemoteAccess, caps: Caps) -> _Repository:
    if location.remote:
        from reconciler.adapters.git.wire import RemoteRepository  # noqa: PLC0415 - heavy, and folders need none

        return RemoteRepository(location, caps, access)
    from reconciler.adapters.git.local import LocalRepository  # noqa: PLC0415 - heavy, and folders need none

    return LocalRepository(location, caps)


def source(location: Location, *, access: RemoteAccess | None = None, caps: Caps | None = None) -> SpecSource:
    """The source for a location: a folder from disk, anything else from git."""
    if location.git:
        return Git(location, access=access, caps=caps)
    return Folder(location.place, caps=caps)


def bearer(token: Callable[[], str]) -> Callable[[], str]:
    """Authorization by an Entra token (Azure Repos takes it) or another bearer token."""
    return lambda: f"Bearer {token()}"


def basic(token: Callable[[], str], user: str = "x-access-token") -> Callable[[], str]:
    """Authorization by a personal access token or a GitHub token.

    git over https wants such tokens as the password; GitHub documents the user name ``x-access-token`` for those of
    an app (docs.github.com, authenticating as a GitHub App installation), Azure Repos ignores the name.
    """
    return lambda: "Basic " + base64.b64encode(f"{user}:{token()}".encode()).decode()
