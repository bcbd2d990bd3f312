"""A person who is not signed in reads one line with the remedy, from whichever command, and nothing is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.forking import run

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "examples" / "specs" / "fabrikam-managed-pool.yaml").read_bytes()
COMMANDS = {
    "plan": ["plan"],
    "apply": ["apply", "--yes"],
    "doctor": ["doctor"],
    "import": ["import", "--to", "imported"],
    "explain": ["explain", "fabrikam-managed-pool", "fabrikam-tailspin/Web"],
    "unmanaged": ["status", "--unmanaged"],
    "probe": ["probe", "fabrikam-prime"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_one_line_says_how_to_sign_in(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "pool.yaml").write_bytes(SPEC)
    environment = {
        "PATH": str(tmp_path),
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        **{name: os.environ[name] for name in ("LANG",) if name in os.environ},
        "RECONCILER_SPECS": str(tmp_path / "specs"),
        "RECONCILER_STATE": str(tmp_path / "state.db"),
        "AZURE_TOKEN_CREDENTIALS": "AzureCliCredential",
        "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_PROCESS_START", ""),
    }

    done = run(
        [sys.executable, "-m", "reconciler", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    errors = [line for line in done.stderr.splitlines() if "sign-in" in line]
    assert done.returncode == 1
    assert len(errors) == 1, done.stderr
    assert errors[0].endswith("run `az login`, or set RECONCILER_CREDENTIAL")
    assert "Attempted credentials" not in done.stderr
    assert "ClientAuthenticationError" not in done.stdout
