"""Reads commits of a repository on this disk. Its hooks, filters and work tree play no part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.objects import ObjectID
from dulwich.repo import Repo

from reconciler.adapters.git.location import Location
from reconciler.adapters.git.objects import Stored
from reconciler.adapters.git.pack import Budget
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.tree import read_commit, resolve
from reconciler.errors import NotFound, ReconcilerError, Unavailable
from reconciler.ports.specs import Snapshot


class LocalRepository:
    """A repository by its path."""

    def __init__(self, location: Location, caps: Caps) -> None:
        self._location = location
        self._caps = caps

    def head(self) -> bytes:
        """Object id that the ref names now."""
        if self._location.pinned:
            return self._location.ref.encode()
        with _opened(Path(self._location.place), str(self._location)) as repository:
            return resolve(refs_of(repository), self._location.ref, f"git {self._location}")

    def read(self, target: bytes) -> Snapshot:
        """The files at that object."""
        where = f"git {self._location}"
        with _opened(Path(self._location.place), str(self._location)) as repository:
            budget = Budget(self._caps, f"{where} ({target.decode()[:12]})")
            with Stored(repository.object_store, budget) as objects:
                return read_commit(objects, ObjectID(target), self._location.prefix, where=where, caps=self._caps)


def committed(folder: Path, caps: Caps) -> Snapshot | None:
    """The spec files of a folder as HEAD of its repository has them; None where there is no such commit.

    Empty files stand for a folder that HEAD does not know.
    """
    try:
        repository = Repo.discover(str(folder.resolve()))
    except (NotGitRepository, OSError, ValueError):
        return None
    with repository:
        try:
            head = repository.head()
            below = folder.resolve().relative_to(Path(repository.path).resolve())
        except (KeyError, ValueError):
            return None
        prefix = "/".join(below.parts)
        where = f"folder {folder}"
        try:
            with Stored(repository.object_store, Budget(caps, where)) as objects:
                return read_commit(objects, head, prefix, where=where, caps=caps)
        except ReconcilerError:
            return Snapshot(head.decode(), {})


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[Repo]:
    try:
        repository = Repo(str(path))
    except NotGitRepository:
        raise NotFound(f"git {shown}: no repository there") from None
    except (OSError, ValueError) as problem:
        raise Unavailable(f"git {shown}: cannot be opened ({type(problem).__name__})") from None
    with repository:
        yield repository


def refs_of(repository: Repo) -> dict[bytes, bytes | None]:
    """Refs with what they name."""
    return {bytes(name): bytes(target) for name, target in repository.get_refs().items() if target}
