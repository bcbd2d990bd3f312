"""The specs as they were where a change began: at the merge base of a ref and the commit that is planned.

A folder that git keeps is compared from the commit that it is checked out at, whatever was edited since. Where history
was cut off (``--depth``) and the merge base lies behind the cut, that is an error with its remedy, and never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.repo import Repo

from reconciler.adapters.boundary import escapes
from reconciler.adapters.git.ancestry import REMEDY, Read, merge_base
from reconciler.adapters.git.local import refs_of
from reconciler.adapters.git.location import BAD_REF, COMMIT, Location, RemoteAccess, place_in_repository
from reconciler.adapters.git.objects import Stored
from reconciler.adapters.git.pack import Budget
from reconciler.adapters.git.snapshots import Caps
from reconciler.adapters.git.tree import read_commit, resolve
from reconciler.adapters.git.wire import RemoteRepository
from reconciler.errors import NotFound
from reconciler.ports.specs import Snapshot

OPTION = "--changed-since"
_PARENT = re.compile(r"(?P<ref>.+?)\^(?P<number>[1-9]?)")


def before(
    location: Location,
    ref: str,
    *,
    prefix: str | None = None,
    access: RemoteAccess | None = None,
    caps: Caps | None = None,
) -> Snapshot:
    """The spec files at the merge base of `ref` and the commit of the location; none where there were none yet.

    `prefix`: another folder of the same repository. `ref`: a branch, a tag, a full commit id, in a local repository
    also a branch of a remote, ``HEAD`` and ``REF^``. Raises `NotFound` where it names no commit.
    """
    found = _PARENT.fullmatch(ref)
    if not ref or BAD_REF.search(found["ref"] if found else ref):
        raise NotFound(f"{OPTION}: {ref[:100]!r} is no branch, tag or commit id")
    limits = caps or Caps()
    with escapes(f"{OPTION} {ref}"):
        if location.remote:
            return _remote(
                location, ref, location.prefix if prefix is None else prefix, access or RemoteAccess(), limits
            )
        return _local(location, ref, prefix, limits)


def _local(location: Location, ref: str, prefix: str | None, caps: Caps) -> Snapshot:
    root, below, head = Path(location.place), location.prefix, location.ref
    if not location.git:
        place = place_in_repository(root.parent if root.is_file() else root)
        if place is None:
            raise NotFound(f"{OPTION}: {location} is in no git repository, so nothing is known of earlier commits")
        (root, below), head = place, ""
    where = f"{OPTION} {ref}"
    try:
        repository = Repo(str(root))
    except (NotGitRepository, OSError, ValueError):
        raise NotFound(f"{where}: no git repository at {root}") from None
    with repository, Stored(repository.object_store, Budget(caps, where)) as objects:
        refs = refs_of(repository)
        planned = ObjectID(head.encode()) if COMMIT.fullmatch(head) else ObjectID(resolve(refs, head, where))
        base, number = _parent(ref)
        named = _named(objects.read, ObjectID(_resolved(refs, base, where)), number, where)
        cut = repository.get_shallow()
        target = merge_base(objects.read, cut, named, _named(objects.read, planned, 0, where), where)
        return _at(
            lambda: read_commit(objects, target, below if prefix is None else prefix, where=where, caps=caps), target
        )


def _remote(location: Location, ref: str, prefix: str, access: RemoteAccess, caps: Caps) -> Snapshot:
    where = f"{OPTION} {ref}"
    base, number = _parent(ref)
    repository = RemoteRepository(location, caps, access)
    try:
        planned = ObjectID(repository.head())
        named = ObjectID(base.encode() if COMMIT.fullmatch(base) else repository.resolve(base, where))
        with repository.history((planned, named)) as read:
            first = _named(read, named, number, where)
            target = merge_base(read, frozenset(), first, _named(read, planned, 0, where), where)
    finally:
        repository.close()
    elsewhere = RemoteRepository(Location(location.place, remote=True, git=True, prefix=prefix), caps, access)
    try:
        return _at(lambda: elsewhere.read(target), target)
    finally:
        elsewhere.close()


def _at(read: Callable[[], Snapshot], commit: ObjectID) -> Snapshot:
    """A commit without the folder, or without a spec in it, is one where no pool was named yet."""
    try:
        return read()
    except NotFound:
        return Snapshot(commit.decode(), {})


def _parent(ref: str) -> tuple[str, int]:
    """Of ``REF^2`` the ref and 2; 0 for a ref without a mark."""
    found = _PARENT.fullmatch(ref)
    return (found["ref"], int(found["number"] or 1)) if found else (ref, 0)


def _resolved(refs: Mapping[bytes, bytes | None], ref: str, where: str) -> bytes:
    if COMMIT.fullmatch(ref):
        return ref.encode()
    if ref == "HEAD":
        return resolve(refs, "", where)
    known = refs.get(f"refs/remotes/{ref}".encode())
    try:
        return resolve(refs, ref, where)
    except NotFound:
        if known is None:
            raise
        return known


def _named(read: Read, name: ObjectID, parent: int, where: str) -> ObjectID:
    """The commit itself, or its parent of this number; behind tags."""
    try:
        found = read(name)
        while isinstance(found, Tag):
            found = read(found.object[1])
    except KeyError:
        raise NotFound(f"{where}: no commit {name.decode('ascii', 'replace')}{REMEDY}") from None
    if not isinstance(found, Commit):
        raise NotFound(f"{where}: names a {found.type_name.decode()} and no commit")
    if not parent:
        return found.id
    if parent > len(found.parents):
        raise NotFound(f"{where}: commit {found.id.decode()[:12]} has {len(found.parents)} parents")
    return ObjectID(found.parents[parent - 1])
