"""The files that a build may contain: those that Git tracks, with their present content."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def copy_tracked(target: Path, root: Path = ROOT, wanted: Callable[[str], bool] = lambda _: True) -> None:
    """Copy the tracked files whose path is wanted into a folder."""
    for name in git("ls-files", "-z", "--cached", root=root).split("\0"):
        if name and wanted(name) and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target / name)


def git(*arguments: str, root: Path = ROOT) -> str:
    """The standard output of a Git command."""
    return subprocess.run(  # noqa: S603 - git, with our own arguments
        ["git", *arguments],  # noqa: S607 - git by name
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
