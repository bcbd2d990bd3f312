"""One organization as probe questions see it: read once, bounded, and counted; and how a question is answered.

An organization may have thousands of projects; comparisons use projects spread evenly over it. Documents are parsed
and dropped: only counts are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from reconciler.documents import Json
from reconciler.errors import Terminal, Unavailable
from reconciler.ports.devops import DevOpsReader, Project, Queue, RawDevOpsReader, RawResponse
from reconciler.spec.names import organization_key
from reconciler.survey.capabilities.answers import AnswerEvidence, CapabilityAnswer
from reconciler.survey.capabilities.questions import named

T = TypeVar("T")

PROJECTS = 50
"""Projects that are read."""
POOLS = 150
"""Agent pools that are read: their ids stand in a query string."""
ROLES = 20
"""Agent pools whose roles are read."""
PREVIEW = "7.1-preview.1"


class ProbeOrganization:
    """One organization, and the ARM pools that name it."""

    def __init__(
        self, organization: str, raw: RawDevOpsReader, devops: DevOpsReader, pools: Sequence[Mapping[str, Json]]
    ) -> None:
        """`pools`: raw ARM bodies of pools of any organization."""
        self.organization = organization
        self._raw = raw
        self._devops = devops
        self._arm = tuple(pools)
        self._statuses: set[int] = set()
        self.rates: list[Mapping[str, str]] = []
        """Rate limit headers of each response, in order."""

    # --- requests ----------------------------------------------------------------------------------------

    def get(self, path: str, **parameters: str | int) -> RawResponse:
        """GET a path below the organization with this query; the status is kept as evidence."""
        response = self._raw.get(self.organization, path, parameters)
        self._statuses.add(response.status)
        self.rates.append(response.rates)
        return response

    def entries(self, path: str, **parameters: str | int) -> list[Mapping[str, Any]]:
        """The objects of a list; `Unavailable` where the response contains none."""
        found = entries_of(self.get(path, **parameters))
        if found is None:
            raise Unavailable(f"{self.organization}: the response contains no list")
        return found

    def take_statuses(self) -> list[int]:
        """Distinct statuses since the last call of this method."""
        seen, self._statuses = sorted(self._statuses), set()
        return seen

    # --- facts -------------------------------------------------------------------------------------------

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
        """Queues of these agent pools in these projects, one request per project; a hidden one has none."""
        found: list[Queue] = []
        for project in self.projects:
            try:
                found += self._devops.queues(self.organization, project.id, self.pool_ids)
            except Terminal:
                continue
        return found

    @cached_property
    def managed(self) -> Sequence[tuple[Mapping[str, Any], str, str]]:
        """Of each ARM pool that names the organization: its entry, the pool's name, and its alias (may be empty)."""
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


def entries_of(response: RawResponse) -> list[Mapping[str, Any]] | None:
    """The objects of a list; None where the request was rejected or there is no list."""
    value = response.document.get("value") if isinstance(response.document, dict) else None
    if response.refused or not isinstance(value, list):
        return None
    return [one for one in value if isinstance(one, dict)]


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, at even distances."""
    if len(items) <= most:
        return list(items)
    return [items[at * len(items) // most] for at in range(most)]


def yes(question: str, why: str, **counts: int) -> CapabilityAnswer:
    """The service was seen to behave as the question says."""
    return CapabilityAnswer(
        verdict="seen yes", answer=named[question].yes, why=why, evidence=AnswerEvidence(counts=counts)
    )


def no(word: str, why: str, **counts: int) -> CapabilityAnswer:
    """The service was seen to behave otherwise, as `word` says."""
    return CapabilityAnswer(verdict="seen no", answer=word, why=why, evidence=AnswerEvidence(counts=counts))


def unclear(why: str, **counts: int) -> CapabilityAnswer:
    """Reading did not decide it; `why` says what that needs."""
    return CapabilityAnswer(verdict="could not tell", why=why, evidence=AnswerEvidence(counts=counts))
