"""The pages of settings are generated from the rows of the program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler.config.settings import PREFIX, VARIABLES

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "settings.md").read_text()


def test_the_documentation_has_the_tables_of_the_program() -> None:
    """Both pages are generated: names, meanings, defaults, units."""
    script = [sys.executable, str(ROOT / "scripts/reference.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert all(f"| `{PREFIX}{row.name}` | {row.meaning}" in DOCUMENT for row in VARIABLES)
