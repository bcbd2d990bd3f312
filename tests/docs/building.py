"""Builds the site in a folder, with the builder that `make test` installs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.site import ROOT
from tests import tiers
from tests.shared import made_once

PYTHON = tiers.TOOLS / "docs" / "bin" / "python"


def built(factory: pytest.TempPathFactory) -> Path:
    """The folder of the built pages; skips where the builder is not installed."""
    tiers.require(PYTHON, "the builder of the site")
    return made_once(factory, "site", _build) / "site"


def _build(folder: Path) -> None:
    command = [str(PYTHON), str(ROOT / "scripts" / "site.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
