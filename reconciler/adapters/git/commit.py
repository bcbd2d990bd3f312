"""A commit that gives one file another content: made of the objects of the commit before it, in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from time import time

from dulwich.config import StackedConfig
from dulwich.objects import Blob, ObjectID, ShaFile, Tag, Tree
from dulwich.objects import Commit as GitCommit
from dulwich.pack import UnpackedObject, pack_objects_to_data

from reconciler.adapters.git.objects import Fetched
from reconciler.errors import NotFound

PROGRAM = "mdp-reconciler"


class Commit:
    """The commit, with the objects that the server may not have."""

    def __init__(self, objects: Fetched, base: bytes, path: str, content: bytes, message: str) -> None:
        self._path = path
        before = _commit(objects, base)
        self._blob = Blob.from_string(content)
        self._objects: list[ShaFile] = [self._blob]
        self._tree = self._with_file(objects, before.tree, path.split("/"))
        made = GitCommit()
        made.tree, made.parents = self._tree, [before.id]
        made.author = made.committer = _identity()
        made.author_time = made.commit_time = int(time())
        made.author_timezone = made.commit_timezone = 0
        made.encoding, made.message = b"UTF-8", message.encode()
        self._objects.append(made)
        self.id = made.id.decode()

    def pack(self) -> tuple[int, Iterator[UnpackedObject]]:
        """What is sent."""
        return pack_objects_to_data([(one, None) for one in self._objects])

    def is_there(self, objects: Fetched, target: bytes) -> bool:
        """Whether another commit has the same files."""
        return bool(_commit(objects, target).tree == self._tree)

    def _with_file(self, objects: Fetched, tree: ObjectID, parts: list[str]) -> ObjectID:
        """The tree with the file, as a new object; modes and other entries stay."""
        name = parts[0].encode()
        try:
            before = objects.read(tree)
            if not isinstance(before, Tree):
                raise NotFound(f"git: {self._path}: a folder of it is none")
            mode, inner = before[name]
        except KeyError:
            raise NotFound(f"git: {self._path}: no such file in the commit") from None
        made = Tree.from_string(before.as_raw_string())
        made[name] = (mode, self._with_file(objects, inner, parts[1:]) if parts[1:] else self._blob.id)
        self._objects.append(made)
        return made.id


def _commit(objects: Fetched, target: bytes) -> GitCommit:
    found = objects.read(ObjectID(target))
    while isinstance(found, Tag):
        found = objects.read(found.object[1])
    if not isinstance(found, GitCommit):
        raise NotFound("git: the ref names no commit")
    return found


def _identity() -> bytes:
    """Who makes the commit, as git on this machine would say; the program where it says nothing."""
    config = StackedConfig.default()

    def said(key: bytes, variable: str) -> str:
        try:
            found = config.get((b"user",), key).decode()
        except KeyError:
            found = ""
        text = os.environ.get(variable) or found
        return "".join(one for one in text if one.isprintable() and one not in "<>").strip()

    name = said(b"name", "GIT_AUTHOR_NAME") or PROGRAM
    return f"{name} <{said(b'email', 'GIT_AUTHOR_EMAIL') or PROGRAM}>".encode()
