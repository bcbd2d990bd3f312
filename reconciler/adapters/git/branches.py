"""Proposals of changes: a commit on a new branch of a remote repository. No branch that exists is moved."""

from __future__ import annotations

from reconciler.adapters.boundary import port
from reconciler.adapters.git.location import Location, RemoteAccess
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.wire import RemoteRepository
from reconciler.ports.specs import SpecBranches


@port("git", SpecBranches)
class Branches:
    """A remote repository by its URL (`reconciler.ports.specs.SpecBranches`)."""

    def __init__(self, location: Location, caps: Caps, access: RemoteAccess) -> None:
        self._repository = RemoteRepository(location, caps, access)
        self._branch = location.ref.removeprefix("refs/heads/")

    def push(self, base: str, path: str, content: bytes, branch: str, message: str) -> str:
        """Make the commit, and the branch that names it; the commit's id."""
        return self._repository.push(base, path, content, branch, message)

    def read_from(self) -> str:
        """The branch that the location names; empty where it names none, a tag or a commit."""
        return self._branch if self._branch and self._repository.has_branch(self._branch) else ""

    def close(self) -> None:
        """Let the connections go."""
        self._repository.close()
