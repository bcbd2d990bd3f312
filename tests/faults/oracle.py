"""What is right at the end of a story, and what may never be on the way to it: from the emulator's dump alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emulator.spoiling import UNKNOWN
from tests.faults.stories import STORIES
from tests.scenarios.drafts import POOL, PRIME, TAILSPIN
from tests.scenarios.truth import Truth
from tests.scenarios.world import World

MOMENTS = frozenset(
    {
        "createdOn",
        "createdAt",
        "lastModifiedAt",
        "authorizedOn",
        "systemData",
        "etag",
        "now",
        "on",
        "modifiedOn",
        "counters",
    }
)
"""Fields that say when something happened, and not what is."""
AGENT_POOL_ROLES = "_apis/securityroles/scopes/distributedtask.agentpoolrole/"
NARROWING = frozenset({"roleassignments.change", "roleassignments.remove-one"})
"""Removes people, or switches inheritance off."""


def judged(world: World, story: str) -> list[str]:
    """What is not as the spec and the story say."""
    found = world.disagreements(POOL)
    return found or STORIES[story].problems(world)


class Before:
    """The world before the first look, and what no look may do to it."""

    def __init__(self, world: World, story: str) -> None:
        truth = world.truth
        self._closed = STORIES[story].closed
        self._beside, self._opened, self._people = _beside(truth), _opened(truth), _people(truth)
        self._granted = {name: set(self._wanted(world, story, name)) for name in (PRIME, TAILSPIN)}
        self._last = self._people
        self._pools = {name: truth.agent_pool(name, POOL)["id"] for name in self._people}

    @staticmethod
    def _wanted(world: World, story: str, organization: str) -> Iterator[str]:
        for roles in STORIES[story].wanted["access"]["roles"]:
            if roles["organization"] == organization:
                yield from map(world.truth.names, roles["administrators"])

    def crossed(self, world: World, log: Sequence[Any]) -> Iterator[str]:
        """Lines that were crossed in a look."""
        truth = world.truth
        if unlike(self._beside, _beside(truth)):
            yield f"wrong write: what the spec does not name: {unlike(self._beside, _beside(truth))}"
        for place, is_open in _opened(truth).items():
            if is_open and place in self._closed and not self._opened.get(place, False):
                yield f"wrong write: {place} was opened"
        people = _people(truth)
        for organization, now in people.items():
            wanted, before = self._granted[organization], self._people.get(organization)
            if surplus := now - (before or set()) - wanted - {"operator"}:
                yield f"wrong write: {sorted(surplus)} administer in {organization}"
            if before and before - now and not wanted <= now and self._same(truth, organization):
                yield f"narrowing before grants in {organization}: {sorted(now)}"
        yield from self._order(log)
        self._last = people

    def _same(self, truth: Truth, organization: str) -> bool:
        """Whether it is still the agent pool of the beginning, and not one that ARM created since."""
        return bool(self._pools.get(organization) == truth.agent_pool(organization, POOL)["id"])

    def _order(self, log: Sequence[Any]) -> Iterator[str]:
        """Whether a look narrowed roles of an agent pool before its grants were there."""
        for organization, wanted in self._granted.items():
            granted = wanted <= self._last.get(organization, set())
            for one in log:
                if not one["path"].startswith(f"/{organization}/{AGENT_POOL_ROLES}"):
                    continue
                if one["route"] == "roleassignments.set" and one["status"] == 200:
                    granted = True
                if one["route"] in NARROWING and not granted:
                    yield f"narrowing before grants in {organization}: {one['method']} {one['path']} was sent first"


def unlike(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two dumps differ; when something happened does not count, nor in which order queues were added.

    Nor does a setting of a check that an answer invented: a check is added again with all that was read of it, since
    without a setting that this release does not know it may be weaker.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        names = sorted((one.keys() | other.keys()) - MOMENTS - ({UNKNOWN} if at.endswith("].settings") else set()))
        return [line for name in names for line in unlike(one.get(name), other.get(name), f"{at}.{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if at.endswith("queues"):
            one, other = (sorted(map(_unnumbered, queues), key=_project) for queues in (one, other))
        pairs = enumerate(zip(one, other, strict=True))
        return [line for index, (left, right) in pairs for line in unlike(left, right, f"{at}[{index}]")]
    return [] if one == other else [f"{at}: {one} -> {other}"]


def _unnumbered(queue: Any) -> Any:
    return {name: value for name, value in queue.items() if name != "id"}


def _project(queue: Any) -> str:
    return str(queue["project"])


def _people(truth: Truth) -> dict[str, set[str]]:
    """Who is assigned as an administrator of the pool's agent pools."""
    return {name: truth.administrators(name, POOL) for name in (PRIME, TAILSPIN) if truth.agent_pool(name, POOL)}


def _opened(truth: Truth) -> dict[tuple[str, str], bool]:
    return {(name, project): now for name in (PRIME, TAILSPIN) for project, now in truth.opened(name, POOL).items()}


def _beside(truth: Truth) -> Any:
    """Everything that is not the pool: the other one, projects, groups, people."""
    pools = {
        organization["name"]: [one for one in organization["agentPools"] if one["name"] != POOL]
        for organization in truth.state["organizations"]
    }
    return {
        "organizations": [{**one, "agentPools": pools[one["name"]]} for one in truth.state["organizations"]],
        "resources": [one for there in truth.state["subscriptions"] for one in there["pools"] if one["name"] != POOL],
    }
