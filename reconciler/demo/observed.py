"""The state of ARM and Azure DevOps in the emulator.

It is read from the emulator and not from the program, so that a step is verified independently of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.documents import Json


@dataclass(frozen=True, slots=True)
class Estate:
    """The emulator's state at one moment."""

    raw: Mapping[str, Json]

    def resource(self, pool: str) -> Mapping[str, Json]:
        """The pool's properties in ARM."""
        pools = [one for subscription in self.raw["subscriptions"] for one in subscription["pools"]]
        return dict(_named(pools, pool)["properties"])

    def projects(self, pool: str, organization: str) -> list[str]:
        """Projects that the pool lists for an organization in ARM."""
        organizations = self.resource(pool)["organizationProfile"]["organizations"]
        url = f"https://dev.azure.com/{organization}"
        return next(list(one.get("projects") or []) for one in organizations if one["url"] == url)

    def agent_pool(self, organization: str, pool: str) -> Mapping[str, Json]:
        """The agent pool in Azure DevOps."""
        return dict(_named(self._organization(organization)["agentPools"], pool))

    def queue(self, organization: str, pool: str, project: str) -> Mapping[str, Json] | None:
        """The project's queue of the pool, None where it has none."""
        queues = self.agent_pool(organization, pool).get("queues", [])
        return next((one for one in queues if one["project"] == project), None)

    def open(self, organization: str, pool: str, project: str) -> bool:
        """Whether all pipelines of the project may use the pool."""
        queue = self.queue(organization, pool, project)
        return queue is not None and queue.get("openAccess", False) is not False

    def administrators(self, organization: str, pool: str) -> set[str]:
        """Names of the principals that are assigned Administrator of the agent pool."""
        return set(self.agent_pool(organization, pool).get("roles", {}).get("Administrator", []))

    def identity(self, organization: str, name: str) -> str:
        """Local id of a principal in an organization."""
        identities = self._organization(organization)["identities"]
        return next(str(one["id"]) for one in identities if one["principal"] == name)

    def _organization(self, name: str) -> Mapping[str, Json]:
        return _named(self.raw["organizations"], name)


def _named(entries: list[dict[str, Json]], name: str) -> dict[str, Json]:
    return next(entry for entry in entries if entry["name"] == name)
