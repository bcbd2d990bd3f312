"""Builds the site in a folder, with the builder that `make test` installs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.site import ROOT
from tests import tiers

PYTHON = tiers.TOOLS / "docs" / "bin" / "python"


def built(folder: Path) -> Path:
    """The folder of the built pages; skips where the builder is not installed."""
    tiers.require(PYTHON, "the builder of the site")
    command = [str(PYTHON), str(ROOT / "scripts" / "site.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"
