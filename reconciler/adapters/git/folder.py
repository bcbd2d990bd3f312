"""Specs from a plain folder, as they are on disk: for the command line and for trying things out.

The revision is empty where git does not keep the folder. Where it does, it is the commit's id if every spec file is
as that commit has it, and otherwise ``<id>-dirty-<hash of the files>``: a plan made from unsaved work must not carry
the name of a commit, and two different states of it must not carry the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.adapters.boundary import port
from reconciler.adapters.git.snapshots import SUFFIXES, Caps, Gathering, LastGood, counts
from reconciler.errors import Forbidden, NotFound, Unavailable
from reconciler.ports.specs import Snapshot, SpecSource


@port("folder", SpecSource)
class Folder:
    """A folder of specs, or one file (`reconciler.ports.specs.SpecSource`)."""

    def __init__(self, path: str | Path, *, caps: Caps | None = None) -> None:
        self._root = Path(path)
        self._caps = caps or Caps()
        self._last = LastGood()

    def snapshot(self) -> Snapshot:
        """The files as they are now. Links are not followed: they could lead out of the folder."""
        return self._last.keep(self._read)

    def _read(self, _good: Snapshot | None) -> Snapshot:
        alone = self._root.is_file()
        where = f"{'file' if alone else 'folder'} {self._root}"
        gathering = Gathering(self._caps, where)
        if not alone and not self._root.is_dir():
            raise NotFound(f"{where}: no such folder or file")
        if alone and not counts(self._root.name):
            raise NotFound(f"{where}: the name of a spec ends in {', '.join(SUFFIXES)}")
        try:
            found = {self._root.name: self._root} if alone else dict(_files(self._root, gathering))
            for path, file in gathering.first(found).items():
                size = file.stat().st_size
                reads = size <= self._caps.file_bytes and gathering.room(size)
                gathering.add(path, file.read_bytes() if reads else size)
        except PermissionError as problem:
            raise Forbidden(f"{where}: may not read {problem.filename}") from None
        except OSError as problem:
            raise Unavailable(f"{where}: {problem.strerror}: {problem.filename}") from None
        snapshot = gathering.snapshot("")
        folder, only = (self._root.parent, self._root.name) if alone else (self._root, "")
        return replace(snapshot, revision=_revision(folder, snapshot.files, self._caps, only))


def _files(root: Path, gathering: Gathering) -> Iterator[tuple[str, Path]]:
    """Spec files below the root with their paths in it, in no order; what is left out is noted."""
    folders = [(root, "", 0)]
    while folders:
        folder, prefix, depth = folders.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                gathering.look()
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    if depth >= gathering.caps.depth:
                        gathering.skip(path, f"deeper than {gathering.caps.depth} folders")
                    else:
                        folders.append((Path(entry.path), f"{path}/", depth + 1))
                elif counts(entry.name) and entry.is_file(follow_symlinks=False):
                    yield path, Path(entry.path)
                elif counts(entry.name):
                    gathering.skip(path, "not a regular file")


def _revision(root: Path, files: Mapping[str, bytes], caps: Caps, only: str = "") -> str:
    """The commit that has exactly these files, or its id with a mark, or empty outside git; `only`: of one file."""
    if not any((folder / ".git").exists() for folder in (root.resolve(), *root.resolve().parents)):
        return ""
    from reconciler.adapters.git.local import committed  # noqa: PLC0415 - dulwich; a folder outside git needs none

    head = committed(root, caps)
    if head is None:
        return ""
    committed_files = {name: content for name, content in head.files.items() if only in {"", name}}
    if committed_files == files:
        return head.revision
    digest = hashlib.sha256()
    for path, content in files.items():
        digest.update(f"{path}\0{len(content)}\0".encode("utf-8", "surrogateescape") + content)
    return f"{head.revision}-dirty-{digest.hexdigest()[:12]}"
