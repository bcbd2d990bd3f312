"""Reads a commit's files out of git objects, without a checkout: nothing is written, linked, run or filtered.

Everyone who may push decides what is in a tree, so names are checked before they become paths, and only regular files
count: a symbolic link or a submodule could name anything.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from dulwich.errors import ChecksumMismatch, FileFormatException, ObjectFormatException
from dulwich.objects import Commit, ObjectID, ShaFile, Tag, Tree, TreeEntry, parse_tree

from reconciler.adapters.git.pack import Damaged
from reconciler.adapters.git.snapshots import Caps, Gathering, counts
from reconciler.errors import NotFound, Rejected, Unavailable
from reconciler.ports.specs import Snapshot

REGULAR = (0o100644, 0o100755)
LONGEST_NAME = 255
"""Bytes of one part of a path, as file systems have it."""
_MOST_TAGS = 5
_UNREADABLE = (FileFormatException, ChecksumMismatch, zlib.error, AssertionError, ValueError, OSError)
"""What the library raises over damaged objects."""


class Objects(Protocol):
    """The objects of a repository, read within limits (`Oversized`). What is missing is a `KeyError`."""

    def read(self, name: ObjectID) -> ShaFile:
        """A commit, a tree or a tag."""

    def blobs(self, names: Sequence[ObjectID]) -> Mapping[ObjectID, bytes | int | None]:
        """Blobs: content, or size where it is above the limit of a file, or None where it is above by an unknown size.

        Those behind the one that exceeds the limit of all are sizes as well. One that is missing is left out.
        """


def read_commit(store: Objects, target: ObjectID, prefix: str, *, where: str, caps: Caps) -> Snapshot:
    """The spec files below the prefix at a commit, or at the commit that a tag names."""
    try:
        commit = _peeled(store, target, where)
        at = f"{where} ({commit.id.decode()[:12]})"
        root = _folder(store, commit.tree, prefix, at)
        gathering = Gathering(caps, f"{at}, {prefix}" if prefix else at)
        _gather(store, root, gathering)
    except KeyError as missing:
        raise Unavailable(f"{where}: object {_shown(missing.args[0])} is missing") from None
    except Damaged as problem:
        raise Unavailable(f"{where}: an object cannot be read: {problem}") from None
    except _UNREADABLE:
        raise Unavailable(f"{where}: an object cannot be read") from None
    return gathering.snapshot(commit.id.decode())


def _shown(name: object) -> str:
    return name.decode("ascii", "replace") if isinstance(name, bytes) else "?"


def _peeled(store: Objects, target: ObjectID, where: str) -> Commit:
    try:
        found = store.read(target)
    except KeyError:
        raise NotFound(f"{where}: no commit {_shown(target)}") from None
    for _ in range(_MOST_TAGS):
        if isinstance(found, Tag):
            found = store.read(found.object[1])
    if not isinstance(found, Commit):
        raise NotFound(f"{where}: names a {found.type_name.decode()} and no commit")
    return found


def _folder(store: Objects, tree: ObjectID, prefix: str, where: str) -> Tree:
    found = store.read(tree)
    for name in prefix.split("/") if prefix else ():
        entry = {e.path: e for e in _tree(found).items()}.get(name.encode())
        if entry is None or not stat.S_ISDIR(entry.mode):
            raise NotFound(f"{where}: no folder {prefix}")
        found = store.read(entry.sha)
    return _tree(found)


def _tree(found: object) -> Tree:
    if not isinstance(found, Tree):
        raise ObjectFormatException("no tree")
    return found


def _entries(tree: Tree) -> Iterator[TreeEntry]:
    """All of them: `Tree.items` keeps one of those with the same name."""
    for name, mode, sha in parse_tree(tree.as_raw_string(), tree.object_format.oid_length):
        yield TreeEntry(name, mode, ObjectID(sha))


def _gather(store: Objects, root: Tree, gathering: Gathering) -> None:
    """Names first, then the blobs of those that are spec files, and no other blob."""
    wanted = gathering.first(_wanted(store, root, gathering))
    blobs = store.blobs(tuple(dict.fromkeys(wanted.values())))
    for path, sha in wanted.items():
        gathering.add(path, blobs[sha])


def _wanted(store: Objects, root: Tree, gathering: Gathering) -> dict[str, ObjectID]:
    """Paths of spec files with the blobs that they name."""
    wanted: dict[str, ObjectID] = {}
    twice: list[str] = []
    folders = [(root, "", 0)]
    while folders:
        tree, prefix, depth = folders.pop()
        for entry in _entries(tree):
            gathering.look()
            name = _name(entry.path)
            path = prefix + (name or entry.path[:LONGEST_NAME].decode("ascii", "backslashreplace"))
            if name is None:
                gathering.skip(path, "no name for a file")
            elif stat.S_ISDIR(entry.mode) and not name.startswith("."):
                if depth >= gathering.caps.depth:
                    gathering.skip(path, f"deeper than {gathering.caps.depth} folders")
                else:
                    folders.append((_tree(store.read(entry.sha)), f"{path}/", depth + 1))
            elif counts(name) and entry.mode not in REGULAR:
                gathering.skip(path, "not a regular file")
            elif counts(name):
                if path in wanted:
                    twice.append(path)
                wanted[path] = entry.sha
    for path in twice:
        wanted.pop(path, None)
        gathering.skip(path, "this name stands more than once in its folder")
    return wanted


def _name(raw: bytes) -> str | None:
    """A name that is safe as one part of a path, or None: git's own rules bind no one who writes objects by hand."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return None
    if len(raw) > LONGEST_NAME or name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
        return None
    return name


def resolve(refs: Mapping[bytes, bytes | None], ref: str, where: str) -> bytes:
    """Object id of a branch, a tag, a full ref name, or HEAD where `ref` is empty.

    git itself would prefer the tag where a branch has the same name; here that is an error, since a tag pushed by
    someone else would silently take over from the branch.
    """
    if not ref:
        head = refs.get(b"HEAD")
        if not head:
            raise NotFound(f"{where}: the repository is empty, or its HEAD names a branch that does not exist")
        return head
    names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
    found = [target for name in names if (target := refs.get(name.encode()))]
    if len(found) > 1:
        raise Rejected(f"{where}: {ref} is a branch and a tag; write refs/heads/{ref} or refs/tags/{ref}")
    if not found:
        raise NotFound(f"{where}: no branch or tag {ref}; a commit is named by its full id")
    return found[0]
