"""Who takes part in the story, and the names that it uses."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.demo.emulation import Emulation
from reconciler.demo.observed import Estate
from reconciler.demo.output import Json, Output
from reconciler.demo.repository import Repository

POOL, RELEASE = "fabrikam-managed-pool", "fabrikam-release-pool"
TAILSPIN, PRIME = "fabrikam-tailspin", "fabrikam-prime"


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who takes part."""

    stage: Output
    emulation: Emulation
    repository: Repository

    def estate(self) -> Estate:
        """Both planes as they are now."""
        return Estate(self.emulation.state())

    def changes(self) -> dict[str, Json]:
        """Changes that a plan has now, by `pool kind subject`; its exit code has to fit."""
        done = self.stage.ask("plan", "--output", "json")
        plans = done.document()["plans"]
        found = {f"{p['pool']} {c['kind']} {c['subject']}": c for p in plans for c in p["changes"]}
        self.stage.check(f"exit code {2 if found else 0}", done.code == (2 if found else 0), done.code)
        return found
