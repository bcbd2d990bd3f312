"""The Git repository of the demo: the example specs, and commits to them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from reconciler.errors import Terminal

_AUTHOR = ("-c", "user.name=Ann Example", "-c", "user.email=ann@fabrikam.com", "-c", "commit.gpgsign=false")


class Repository:
    """A repository with one folder, `specs`."""

    def __init__(self, folder: Path, specs: Path) -> None:
        if shutil.which("git") is None:
            raise Terminal("git: not found; the demo needs the git command")
        self.folder = folder
        shutil.copytree(specs, folder / "specs")
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit("Describe the pools as they should be")

    def commit(self, message: str) -> str:
        """Commit everything; the short id."""
        self._git("add", "--all", "specs")
        self._git(*_AUTHOR, "commit", "--quiet", "--no-verify", "--message", message)
        return self._git("rev-parse", "--short=7", "HEAD").strip()

    def replace(self, file: str, old: str, new: str) -> None:
        """Change one place of a spec, as an editor would."""
        path = self.folder / "specs" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Terminal(f"{path}: {old!r} is there {text.count(old)} times, the demo needs it once")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, text: str) -> None:
        """Another spec."""
        (self.folder / "specs" / file).write_text(text, encoding="utf-8")

    def difference(self) -> list[str]:
        """Changed lines of the last commit, as `git show` has them."""
        lines = self._git("show", "--format=", "--unified=0", "HEAD").splitlines()
        return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]

    def _git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
        if done.returncode:
            raise Terminal(f"git {arguments[0]}: {' '.join(done.stderr.split())}")
        return done.stdout
