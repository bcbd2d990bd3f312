"""What the steps of the demo use: output, emulator and repository, and the names of the estate."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.demo.emulation import Emulation
from reconciler.demo.observed import Estate
from reconciler.demo.output import Output
from reconciler.demo.repository import Repository
from reconciler.documents import Json

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
TAILSPIN, PRIME = "fabrikam-tailspin", "fabrikam-prime"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Output, emulator and repository of a run."""

    output: Output
    emulation: Emulation
    repository: Repository

    def estate(self) -> Estate:
        """The state of ARM and Azure DevOps now."""
        return Estate(self.emulation.state())

    def changes(self) -> dict[str, Json]:
        """Changes of the current plan, by `pool kind subject`; its exit code has to agree."""
        done = self.output.ask("plan", "--output", "json")
        plans = done.document()["plans"]
        found = {f"{p['pool']} {c['kind']} {c['subject']}": c for p in plans for c in p["changes"]}
        self.output.check(f"exit code {2 if found else 0}", done.code == (2 if found else 0), done.code)
        return found
