"""The project's files as a clone has them, and the distributions that are built from them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.tracked import ROOT, copy_tracked
from tests.shared import made_once

UV = str(Path(sys.executable).with_name("uv"))
KEPT = ("PATH", "HOME", "LANG", "UV_CACHE_DIR", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY", "PIP_INDEX_URL")
"""Variables without which no package could be downloaded; nothing else of this machine reaches the processes."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a build."""
    passed = {name: text for name, text in os.environ.items() if name in KEPT or name.startswith("UV_")}
    return {**passed, **more}


def run(*words: str, folder: Path, **more: str) -> str:
    """Run a build command to its end; what it wrote on standard output."""
    done = subprocess.run(
        words, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


def build(target: Path) -> None:
    """`make dist`: the source archive, and the wheel from it."""
    run(sys.executable, "-m", "scripts.dist", "--output", str(target), folder=ROOT)


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel in an environment of its own."""

    wheel: Path
    archive: Path
    binaries: Path

    def run(self, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run `mdp-reconciler` in a folder, without the project in reach."""
        return subprocess.run(
            [str(self.binaries / "mdp-reconciler"), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )


def into(folder: Path, *words: str) -> Path:
    """A new virtual environment with what `uv pip install` is given; its folder of commands."""
    run(UV, "venv", "--quiet", "--python", sys.executable, str(folder), folder=ROOT)
    run(UV, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *words, folder=ROOT)
    return folder / "bin"


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of the project."""
    folder = tmp_path_factory.mktemp("sources")
    copy_tracked(folder)
    return folder


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, built from the source archive and installed with its locked dependencies."""
    folder = made_once(tmp_path_factory, "installed", _build_and_install)
    return Installed(_wheel(folder), next((folder / "dist").glob("*.tar.gz")), folder / "venv" / "bin")


def _build_and_install(folder: Path) -> None:
    build(folder / "dist")
    into(folder / "venv", "-c", "requirements-cli.txt", str(_wheel(folder)))


def _wheel(folder: Path) -> Path:
    return next((folder / "dist").glob("*.whl"))
