"""Runs the command line as a process of its own, as people and pipelines do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import forking

ROOT = Path(__file__).parents[2]

POOL = """\
apiVersion: reconciler/v1
kind: ManagedDevOpsPool
name: {name}
subscription: 11111111-2222-3333-4444-555555555555
resourceGroup: rg-build
pool:
  location: eastus
  properties:
    maximumConcurrency: 2
    organizationProfile:
      kind: AzureDevOps
      organizations:
        - {{ url: https://dev.azure.com/fabrikam-tailspin, projects: [], openAccess: true, parallelism: 2 }}
    agentProfile: {{ kind: Stateless }}
    fabricProfile:
      kind: Vmss
      sku: {{ name: Standard_D2ads_v5 }}
      images: [{{ wellKnownImageName: ubuntu-24.04 }}]
"""


PIPES: Mapping[str, Any] = {
    "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "encoding": "utf-8"
}  # fmt: skip
"""Both outputs, read as text."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines that tell of an error."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


@dataclass(slots=True)
class Desk:
    """A person's working folder and environment, with nothing of the machine's own settings in them."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **more: str) -> Ended:
        """Run `python -m reconciler …` to its end."""
        with self.start(*arguments, options=PIPES, **more) as process:
            try:
                out, err = process.communicate(timeout=100)
            except BaseException:
                forking.end(process)
                raise
        return Ended(process.returncode, out, err)

    def start(self, *arguments: str, options: Mapping[str, Any] = PIPES, **more: str) -> forking.Process:
        """Begin `python -m reconciler …`; `options` are those of `subprocess.Popen`."""
        command = [sys.executable, "-m", "reconciler", *arguments]
        return forking.Process(command, cwd=self.folder, env=self.surroundings(more), **options)

    def surroundings(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of a process at this desk."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "SYSTEMROOT", "COVERAGE_PROCESS_START")
            if name in os.environ
        }
        home = {"HOME": str(self.folder), "AZURE_DEVOPS_CACHE_DIR": str(self.folder / "cache"), "COLUMNS": "100"}
        return {**kept, **home, "PYTHONPATH": str(ROOT), **self.environment, **(more or {})}

    def spec(self, name: str = "fabrikam-managed-pool", text: str = "") -> Path:
        """Write a spec into the folder `specs`."""
        path = self.folder / "specs" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text or POOL.format(name=name), encoding="utf-8")
        return path

    def files(self) -> set[str]:
        """Everything that lies in the folder, but for what git keeps."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return {path for path in found if not path.startswith((".git/", "cache/"))}

    def git(self, *arguments: str) -> str:
        """A git command in the folder."""
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@fabrikam.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            env=self.surroundings(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()
