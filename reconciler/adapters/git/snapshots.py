"""What every source of specs keeps to: limits, which files count, and the last good snapshot.

A source that fails or is empty must never make pools look unwanted, so the last good snapshot stays in force, and
says that it is stale. It is kept in memory alone: a process that starts while git is down has none, and does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.adapters.boundary import escapes
from reconciler.errors import NotFound, ReconcilerError, Rejected
from reconciler.ports.specs import Beyond, Snapshot

T = TypeVar("T")
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of one snapshot, against mistakes and malice of those who may push.

    `files` and `total_bytes` are settings: of what exceeds them the first files by name are read, so that every process
    reads the same ones. A commit that exceeds another limit is refused.
    """

    files: int = 20_000
    file_bytes: int = 256 * 1024
    """A larger file is skipped, and named."""
    total_bytes: int = 64 * 1024 * 1024
    """Of the spec files that are read."""
    depth: int = 20
    """Folders below the prefix; a deeper one is skipped, and named."""
    entries: int = 500_000
    """Names that are read: a few hundred bytes of Git can unfold to billions."""
    fetch_bytes: int = 256 * 1024 * 1024
    inflated_bytes: int = 256 * 1024 * 1024
    """For all objects that are read for one snapshot: what Git sends can unfold a thousandfold."""
    object_bytes: int = 8 * 1024 * 1024
    """Of one object in memory: a folder, or a blob that the delta of a spec file rests on (git makes no delta against
    a base of more than 32 times its size)."""
    held_bytes: int = 64 * 1024 * 1024
    """Of folders and commits, and of what deltas wait for, in memory."""
    seconds: float = 60.0
    """For all that is fetched for one snapshot."""

    @classmethod
    def of(cls, files: int, total_bytes: int) -> Caps:
        """The limits of a deployment: with larger specs, more may be fetched for them."""
        least = cls()
        return cls(
            files=files,
            total_bytes=total_bytes,
            fetch_bytes=max(least.fetch_bytes, 2 * total_bytes),
            inflated_bytes=max(least.inflated_bytes, 4 * total_bytes),
        )


class Oversized(Rejected):
    """What a commit holds is above a limit: so it will be at every later read of that commit."""

    @property
    def reason(self) -> str:
        """As of its base: conditions know no other word for it."""
        return Rejected.__name__


class Gathering:
    """The files of a snapshot as they are found, with the limits watched."""

    def __init__(self, caps: Caps, where: str) -> None:
        self.caps = caps
        self.files: dict[str, bytes] = {}
        self.skipped: dict[str, str] = {}
        self._where = where
        self._count = 0
        self._bytes = 0
        self._beyond: list[str] = []
        self._entries = 0

    def look(self) -> None:
        """Count one name."""
        self._entries += 1
        if self._entries > self.caps.entries:
            raise Oversized(f"{self._where}: more than {self.caps.entries:,} files and folders; narrow the prefix")

    def too_large(self, path: str, size: int | None = None) -> bool:
        """Whether a file of this size is skipped, and note it; None: it is too large, by an unknown amount."""
        if size is not None and size <= self.caps.file_bytes:
            return False
        limit = f"{self.caps.file_bytes:,} bytes are read"
        self.skip(path, f"larger than the {limit}" if size is None else f"{size:,} bytes, and at most {limit}")
        return True

    def skip(self, path: str, why: str) -> None:
        """Leave something out, and say so."""
        self.skipped[path] = why

    def first(self, names: Mapping[str, T]) -> dict[str, T]:
        """As many of these spec files as there may be, sorted by path."""
        paths = sorted(names)
        self._count = len(paths)
        self._beyond += paths[self.caps.files :]
        return {path: names[path] for path in paths[: self.caps.files]}

    def room(self, size: int) -> bool:
        """Whether the next file by path is read; behind one that is not, none is."""
        return self._bytes + size <= self.caps.total_bytes

    def add(self, path: str, content: bytes | int | None) -> None:
        """Keep the next file by path, or note why its content was not read: its size, None where that is not known."""
        size = len(content) if isinstance(content, bytes) else content
        if self.too_large(path, size) or size is None:
            return
        if self.room(size) and isinstance(content, bytes):
            self.files[path] = content
        else:
            self._beyond.append(path)
        self._bytes += size

    def snapshot(self, revision: str) -> Snapshot:
        """The result, sorted; `NotFound` where there is no file at all."""
        if not self.files:
            left_out = "; ".join(f"{path}: {why}" for path, why in sorted(self.skipped.items())[:3])
            raise NotFound(
                f"{self._where}: no {', '.join(SUFFIXES)} file" + (f" was read: {left_out}" if left_out else "")
            )
        return Snapshot(revision, self.files, skipped=dict(sorted(self.skipped.items())), beyond=self._above())

    def _above(self) -> Beyond | None:
        if not self._beyond:
            return None
        counted = self._count > self.caps.files
        found, most = (self._count, self.caps.files) if counted else (self._bytes, self.caps.total_bytes)
        what, setting = ("spec files", "FILES") if counted else ("bytes of specs", "BYTES")
        remedy = f"narrow the folder in RECONCILER_SPECS, or raise RECONCILER_GIT_{setting}"
        return Beyond(
            tuple(sorted(self._beyond)), f"{found:,} {what}, and the first {most:,} by name are read; {remedy}"
        )


def counts(name: str) -> bool:
    """Whether a file's name is that of a spec; hidden ones (``.github``, editors' files) are none."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


class LastGood:
    """Remembers the last good snapshot of a source. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._good: Snapshot | None = None

    def keep(self, read: Callable[[Snapshot | None], Snapshot]) -> Snapshot:
        """Read again; where that fails, the last good snapshot with the reason."""
        with self._lock:
            try:
                with escapes("specs"):
                    self._good = read(self._good)
            except ReconcilerError as problem:
                if self._good is None:
                    raise
                return replace(self._good, stale=str(problem))
            return self._good


def changed(before: Snapshot | None, after: Snapshot) -> frozenset[str]:
    """Paths that were added, removed or altered; all of them where there is no snapshot before."""
    old = before.files if before else {}
    return frozenset(path for path in old.keys() | after.files.keys() if old.get(path) != after.files.get(path))
