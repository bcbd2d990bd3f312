"""Reads a commit's files out of git objects, without a checkout: nothing is written, linked, run or filtered.

Everyone who may push decides what is in a tree, so names are checked before they become paths, and only regular files
count: a symbolic link or a submodule could name anything.
"""

from __future__ import annotations

import stat
import zlib
from typing import TYPE_CHECKING

from dulwich.errors import ChecksumMismatch, FileFormatException, ObjectFormatException
from dulwich.objects import Commit, ObjectID, Tag, Tree

from reconciler.adapters.git.snapshots import Caps, Gathering, counts
from reconciler.errors import NotFound, Unavailable
from reconciler.ports.specs import Snapshot

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore
from collections.abc import Mapping

from reconciler.errors import Rejected

REGULAR = (0o100644, 0o100755)
_MOST_TAGS = 5
_UNREADABLE = (FileFormatException, ChecksumMismatch, zlib.error, AssertionError, ValueError, OSError)
"""What the library raises over damaged objects."""


def read_commit(store: BaseObjectStore, target: ObjectID, prefix: str, *, where: str, caps: Caps) -> Snapshot:
    """The spec files below the prefix at a commit, or at the commit that a tag names."""
    try:
        commit = _peeled(store, target, where)
        at = f"{where} ({commit.id.decode()[:12]})"
        root = _folder(store, commit.tree, prefix, at)
        gathering = Gathering(caps, f"{at}, {prefix}" if prefix else at)
        _gather(store, root, gathering)
    except KeyError as missing:
        raise Unavailable(f"{where}: object {_shown(missing.args[0])} is missing") from None
    except _UNREADABLE:
        raise Unavailable(f"{where}: an object cannot be read") from None
    return gathering.snapshot(commit.id.decode())


def _shown(name: object) -> str:
    return name.decode("ascii", "replace") if isinstance(name, bytes) else "?"


def _peeled(store: BaseObjectStore, target: ObjectID, where: str) -> Commit:
    if target not in store:
        raise NotFound(f"{where}: no commit {_shown(target)}")
    found = store[target]
    for _ in range(_MOST_TAGS):
        if isinstance(found, Tag):
            found = store[found.object[1]]
    if not isinstance(found, Commit):
        raise NotFound(f"{where}: names a {found.type_name.decode()} and no commit")
    return found


def _folder(store: BaseObjectStore, tree: ObjectID, prefix: str, where: str) -> Tree:
    found = store[tree]
    for name in prefix.split("/") if prefix else ():
        entry = {e.path: e for e in _tree(found).items()}.get(name.encode())
        if entry is None or not stat.S_ISDIR(entry.mode):
            raise NotFound(f"{where}: no folder {prefix}")
        found = store[entry.sha]
    return _tree(found)


def _tree(found: object) -> Tree:
    if not isinstance(found, Tree):
        raise ObjectFormatException("no tree")
    return found


def _gather(store: BaseObjectStore, root: Tree, gathering: Gathering) -> None:
    folders = [(root, "", 0)]
    while folders:
        tree, prefix, depth = folders.pop()
        for entry in tree.items():
            gathering.look()
            name = _name(entry.path)
            path = prefix + (name or entry.path.decode("ascii", "backslashreplace"))
            if name is None:
                gathering.skip(path, "no name for a file")
            elif stat.S_ISDIR(entry.mode) and not name.startswith("."):
                if depth >= gathering.caps.depth:
                    gathering.skip(path, f"deeper than {gathering.caps.depth} folders")
                else:
                    folders.append((_tree(store[entry.sha]), f"{path}/", depth + 1))
            elif counts(name):
                _take(store, path, (entry.mode, entry.sha), gathering)


def _take(store: BaseObjectStore, path: str, entry: tuple[int, ObjectID], gathering: Gathering) -> None:
    mode, sha = entry
    if mode not in REGULAR:
        gathering.skip(path, "not a regular file")
        return
    try:
        content = store.get_raw(sha)[1]
    except KeyError:
        gathering.too_large(path)  # a fetch asks the server to leave larger files out
        return
    if not gathering.too_large(path, len(content)):
        gathering.add(path, content)


def _name(raw: bytes) -> str | None:
    """A name that is safe as one part of a path, or None: git's own rules bind no one who writes objects by hand."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return None
    if name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
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
