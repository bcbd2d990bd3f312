"""Four stories of one pool, from a spec to both planes: created; changed; access granted and revoked; replaced.

Each says by hand how the emulated world has to look afterwards, beside what `tests.scenarios.truth` compares by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator import Running
from tests.scenarios.drafts import ANN, BOB, CAROL, POOL, PRIME, TAILSPIN, estate, managed, organization
from tests.scenarios.world import World

WEB = {"organization": TAILSPIN, "pool": POOL, "project": "Web"}
ROLES = [
    {"organization": PRIME, "administrators": [BOB, CAROL], "exclusive": True, "inherit": False},
    {"organization": TAILSPIN, "administrators": [ANN, BOB]},
]
ACCESS = {
    "roles": ROLES,
    "openAccess": [{"project": f"{TAILSPIN}/Data", "allow": False, "reason": "payroll"}],
    "pipelines": [{"project": f"{PRIME}/fabrikam-dev", "pipelines": ["\\nightly"], "exclusive": True}],
    "queueRoles": [{"project": f"{TAILSPIN}/Web", "administrators": [BOB]}],
}


@dataclass(frozen=True)
class Story:
    """What is there before, what is wanted, and what is seen when it is done."""

    begin: Callable[[World], None]
    wanted: Mapping[str, Any]
    """The pool's spec."""
    problems: Callable[[World], list[str]]
    """What is not as it has to be, beside `Truth.disagreements`."""
    policy: str = ""
    closed: frozenset[tuple[str, str]] = frozenset((PRIME, name) for name in ("fabrikam-dev", "fabrikam-test"))
    """Organization and project of queues that are open to all pipelines at no time."""


def _nothing(world: World) -> None:
    world.do.replace(estate(pools=False))
    world.switch(devops__queues_at_creation="none")


def _as_before(world: World) -> None:
    del world


def _other_people(world: World) -> None:
    """Ann administers, and shall not; roles are inherited, and shall not be; a pipeline may, and another one shall."""
    world.by_hand("set-inheritance", organization=PRIME, pool=POOL, on=True)
    place = {"organization": PRIME, "project": "fabrikam-dev"}
    world.by_hand("create-pipeline", name="nightly", **place)
    old = world.by_hand("create-pipeline", name="weekly", **place)
    world.by_hand("authorize-pipeline", pool=POOL, pipeline=old, **place)


def _with_a_check(world: World) -> None:
    identities = world.truth.organization(TAILSPIN)["identities"]
    ann = next(one["id"] for one in identities if one["principal"] == "ann")
    settings = {
        "approvers": [{"displayName": "Ann", "id": ann}],
        "executionOrder": "anyOrder",
        "minRequiredApprovers": 1,
        "instructions": "Look at the change first",
    }
    world.by_hand("add-check", settings=settings, **WEB)


def _opened(world: World, wanted: dict[str, bool]) -> list[str]:
    found = world.truth.opened(TAILSPIN, POOL) if world.truth.agent_pool(TAILSPIN, POOL) else {}
    return [] if found == wanted else [f"open in {TAILSPIN}: {found}"]


def _created(world: World) -> list[str]:
    return _opened(world, dict.fromkeys(("Web", "Mobile", "Data"), True))


def _changed(world: World) -> list[str]:
    queue = world.truth.opened(PRIME, POOL).get("fabrikam-perf")
    return [] if queue is False else [f"fabrikam-perf: {queue}"]


def _accessed(world: World) -> list[str]:
    found = _opened(world, {"Web": True, "Mobile": True, "Data": False})
    queues = {
        (name, queue["project"]): queue
        for name in (TAILSPIN, PRIME)
        for queue in world.truth.agent_pool(name, POOL)["queues"]
    }
    pipelines = world.truth.organization(PRIME)["projects"]
    names = {
        one["id"]: one["name"]
        for project in pipelines
        if project["name"] == "fabrikam-dev"
        for one in project["pipelines"]
    }
    may = sorted(names[one["id"]] for one in queues[PRIME, "fabrikam-dev"]["pipelines"])
    roles = queues[TAILSPIN, "Web"]["roles"]
    if may != ["nightly"]:
        found.append(f"pipelines of fabrikam-dev: {may}")
    if "bob" not in roles.get("Administrator", ()):
        found.append(f"roles of Web's queue: {roles}")
    if "ann" in world.truth.administrators(PRIME, POOL):
        found.append("ann still administers")
    return found


def _replaced(world: World) -> list[str]:
    resource = world.truth.resource(POOL)
    place = resource["location"] if resource else "nowhere"
    found = [] if place == "westeurope" else [f"the pool is in {place}"]
    pool = world.truth.agent_pool(TAILSPIN, POOL)
    checks = [check for queue in (pool["queues"] if pool else ()) for check in queue.get("checks", ())]
    return found if len(checks) == 1 else [*found, f"{len(checks)} checks"]


def _moved() -> dict[str, Any]:
    document = managed(replace="allowed")
    document["pool"]["location"] = "westeurope"
    return document


STORIES: Mapping[str, Story] = {
    "create": Story(_nothing, managed(), _created),
    "change": Story(
        _as_before,
        managed(
            prime=organization(
                PRIME, ["fabrikam-dev", "fabrikam-test", "fabrikam-perf"], open_access=False, parallelism=3
            )
        ),
        _changed,
    ),
    "access": Story(_other_people, managed(access=ACCESS), _accessed),
    "replace": Story(_with_a_check, _moved(), _replaced, policy=f"replacePools: [{POOL}]"),
}


def begun(name: str, world: World) -> Running:
    """The estate and the specs of a story, and no request yet."""
    story = STORIES[name]
    world.do.reset()
    if story.policy:
        world.policy(story.policy)
    world.only_these([dict(story.wanted)])
    story.begin(world)
    world.do.settle()
    world.do.reset_log()
    return world.running
