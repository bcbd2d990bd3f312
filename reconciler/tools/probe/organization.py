"""What the questions to one organization stand on: read once, bounded, and counted.

An organization may have thousands of projects, and a question is no reason to read them all: comparisons are made on
projects spread evenly over it. Bodies are looked at and let go; what is kept are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from reconciler.documents import Json
from reconciler.errors import Terminal, Unavailable
from reconciler.ports.devops import DevOpsReader, Project, Queue
from reconciler.ports.diagnostics import ProbeReader, ProbeResponse
from reconciler.spec.names import organization_key

T = TypeVar("T")

PROJECTS = 50
"""Projects that are looked at."""
POOLS = 150
"""Agent pools that are looked at: their ids stand in a query string."""
ROLES = 20
"""Agent pools whose roles are read."""
PREVIEW = "7.1-preview.1"


class ProbeOrganization:
    """One organization, and what of ARM's pools names it."""

    def __init__(
        self, organization: str, enquirer: ProbeReader, devops: DevOpsReader, pools: Sequence[Mapping[str, Json]]
    ) -> None:
        """`pools`: raw ARM bodies, of whatever organizations."""
        self.organization = organization
        self._enquirer = enquirer
        self._devops = devops
        self._arm = tuple(pools)
        self._statuses: set[int] = set()
        self.rates: list[Mapping[str, str]] = []
        """What each answer said of the rate limit, in their order."""

    # --- asking ------------------------------------------------------------------------------------------

    def get(self, path: str, **asked: str | int) -> ProbeResponse:
        """GET a path below the organization; the status is kept as evidence. Names in `asked` are the query's."""
        heard = self._enquirer.get(self.organization, path, asked)
        self._statuses.add(heard.status)
        self.rates.append(heard.rates)
        return heard

    def entries(self, path: str, **asked: str | int) -> list[Mapping[str, Any]]:
        """The objects of a list; `Unavailable` where the answer is none."""
        found = entries_of(self.get(path, **asked))
        if found is None:
            raise Unavailable(f"{self.organization}: the answer holds no list")
        return found

    def statuses(self) -> list[int]:
        """Statuses since this was last asked, each once."""
        seen, self._statuses = sorted(self._statuses), set()
        return seen

    # --- what is there -----------------------------------------------------------------------------------

    @cached_property
    def projects(self) -> Sequence[Project]:
        """Visible projects, spread evenly over all of them."""
        return spread(sorted(self._devops.projects(self.organization), key=lambda one: one.id), PROJECTS)

    @cached_property
    def pools(self) -> Sequence[Mapping[str, Any]]:
        """Agent pools as the service shows them."""
        found = self.entries("_apis/distributedtask/pools", **{"poolType": "automation", "api-version": "7.1"})
        whole = [one for one in found if type(one.get("id")) is int and isinstance(one.get("name"), str)]
        return spread(sorted(whole, key=lambda one: int(one["id"])), POOLS)

    @property
    def pool_ids(self) -> tuple[int, ...]:
        """Ids of these agent pools."""
        return tuple(int(one["id"]) for one in self.pools)

    @cached_property
    def queues(self) -> Sequence[Queue]:
        """Queues of these agent pools in these projects, each project asked by itself; a hidden one has none."""
        found: list[Queue] = []
        for project in self.projects:
            try:
                found += self._devops.queues(self.organization, project.id, self.pool_ids)
            except Terminal:
                continue
        return found

    @cached_property
    def managed(self) -> Sequence[tuple[Mapping[str, Any], str, str]]:
        """Of every ARM pool that names the organization: its entry there, the pool's name, and its alias or nothing."""
        found = []
        for body in self._arm:
            profile = (body.get("properties") or {}).get("organizationProfile") or {}
            if str(profile.get("kind", "")).casefold() != "azuredevops":
                continue
            for entry in profile.get("organizations") or ():
                if organization_key(str(entry.get("url", ""))) == self.organization:
                    alias = str(entry.get("alias") or profile.get("alias") or "")
                    found.append((entry, str(body.get("name", "")), alias))
        return found


def entries_of(heard: ProbeResponse) -> list[Mapping[str, Any]] | None:
    """The objects of a list; None where it is no list, or was refused."""
    value = heard.document.get("value") if isinstance(heard.document, dict) else None
    if heard.refused or not isinstance(value, list):
        return None
    return [one for one in value if isinstance(one, dict)]


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, at even distances."""
    if len(items) <= most:
        return list(items)
    return [items[at * len(items) // most] for at in range(most)]
