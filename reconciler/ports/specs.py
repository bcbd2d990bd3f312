"""Git: the spec files at one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Beyond:
    """Files of a commit that are not read because all together exceed a limit of this deployment."""

    paths: tuple[str, ...]
    """Sorted, and behind each path that is read; at least one."""
    why: str
    """Both figures, and the remedy."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The spec files at one commit."""

    revision: str
    """Full commit id; empty for a folder outside git."""
    files: Mapping[str, bytes]
    """Path below the prefix → content."""
    stale: str = ""
    """Why this is an older commit than the newest; empty where it is the newest."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Path → why it is not in `files` although its name is that of a spec: too large, a symbolic link, too deep.
    Shown like any other problem of the specs: the pool of such a file is not managed."""
    beyond: Beyond | None = None
    """The files behind a limit; the others of the commit count."""

    def left_out(self) -> Mapping[str, str]:
        """Path → what to say, a line for each cause: files behind a limit have one, at the first of them."""
        lines = {path: f"left out: {why}" for path, why in self.skipped.items()}
        if self.beyond is None:
            return lines
        first, *more = self.beyond.paths
        return {first: f"left out{f', with {len(more):,} more files' if more else ''}: {self.beyond.why}", **lines}

    def unread(self) -> Mapping[str, str]:
        """Path → why, of each file that is left out."""
        behind = {} if self.beyond is None else dict.fromkeys(self.beyond.paths, self.beyond.why)
        return {path: f"left out: {why}" for path, why in {**self.skipped, **behind}.items()}


class SpecSource(Protocol):
    """Where specs come from."""

    def snapshot(self) -> Snapshot:
        """The files at the ref's commit; an unchanged head costs one round trip.

        Where git fails, the last commit that was read, with `stale` set; raises where there is none.
        """


class SpecBranches(Protocol):
    """The remote repository of the specs, as far as a proposal of changes is written to it."""

    def push(self, base: str, path: str, content: bytes, branch: str, message: str) -> str:
        """Make a commit on `base` with another content of one file, and a new branch that names it; the commit's id.

        `path`: from the root. A branch that exists is used where its files are the same, and never moved: `Rejected`.
        """
        ...

    def read_from(self) -> str:
        """The branch that specs are read from; empty where the setting names none, a tag or a commit."""
        ...

    def close(self) -> None:
        """Let the connections go."""
        ...
