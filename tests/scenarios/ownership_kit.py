"""Agent pools of others, pools that others made, and what is said of them: for the scenarios of ownership."""

from __future__ import annotations

from typing import Any

import requests

from reconciler.engine import Outcome, Result
from reconciler.plan.model import Plan
from tests.scenarios.drafts import ANN, GROUP, PRIME, SUBSCRIPTION, estate, organization, spec
from tests.scenarios.world import World

Json = Any
TAKEN = "Production"
LONG_AGO, LATER = "2024-05-01T09:00:00.0000000Z", "2025-05-01T09:00:00.0000000Z"


def self_hosted(name: str = TAKEN, **more: Json) -> Json:
    """An agent pool of other people: closed, with one administrator."""
    return {
        "name": name,
        "createdOn": LONG_AGO,
        "inherit": False,
        "roles": {"Administrator": ["operator", "eve"]},
        "queues": [{"project": "fabrikam-dev", "openAccess": False}],
        **more,
    }


def greedy(name: str = TAKEN, *, alias: str | None = None, **more: Json) -> Json:
    """A spec that opens its pool to all pipelines and leaves no administrator but its own."""
    use = organization(PRIME, ["fabrikam-dev"], open_access=True, alias=alias)
    roles = [{"organization": PRIME, "administrators": [ANN], "exclusive": True, "inherit": False}]
    return spec(name, [use], access={"roles": roles}, **more)


def resource(document: Json, **more: Json) -> Json:
    """The ARM pool of a spec, as an estate has it."""
    found = {"name": document["name"], "resourceGroup": GROUP, **document["pool"], **more}
    for one in found["properties"]["organizationProfile"]["organizations"]:
        one.pop("openAccess", None)
    return found


def system(created: str) -> Json:
    return {"createdBy": "terraform", "createdByType": "Application", "createdAt": created}


def replaced(world: World, *, resources: list[Json] | None = None, agent_pools: list[Json] | None = None) -> None:
    """The estate with these ARM pools and agent pools of one organization beside its own."""
    made = estate()
    made["subscriptions"][0]["pools"] += resources or []
    made["organizations"][1]["agentPools"] += agent_pools or []
    world.do.replace(made)
    world.do.reset_log()


def refused(result: Result) -> str:
    assert result.plan is not None
    return " ".join(one.message for one in result.plan.refusals)


def findings(plan: Plan | None) -> list[str]:
    assert plan is not None
    return [gap.message for gap in plan.gaps if gap.facet == "ownership"]


def untouched(world: World, name: str = TAKEN) -> bool:
    """Whether the agent pool of other people is as it was."""
    return world.truth.opened(PRIME, name) == {"fabrikam-dev": False} and world.truth.administrators(PRIME, name) == {
        "operator",
        "eve",
    }


def number_of(world: World, name: str = TAKEN, organization: str = PRIME) -> int:
    return int(world.truth.agent_pool(organization, name)["id"])


def not_ready(world: World, pool: str, outcome: Outcome = Outcome.STALLED) -> None:
    world.never_in_sync(pool, outcome, because="a proof is missing, and there is no approval")


def url_of(world: World, name: str) -> str:
    place = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.DevOpsInfrastructure/pools"
    return f"{world.running.arm}{place}/{name}?api-version=2026-06-02"


def made_by_others(world: World, session: requests.Session, document: Json) -> None:
    """As Terraform does."""
    answer = session.put(url_of(world, document["name"]), json=document["pool"], timeout=20)
    assert answer.status_code in {200, 201}, answer.text
    world.do.settle()
    world.do.reset_log()


def deleted_by_others(world: World, session: requests.Session, name: str) -> None:
    assert session.delete(url_of(world, name), timeout=20).status_code == 202
    world.do.settle()


def taken(world: World) -> int:
    """A pool of others whose agent pool is older; its id."""
    replaced(world, resources=[resource(greedy(), systemData=system(LATER))], agent_pools=[self_hosted()])
    world.spec(greedy())
    world.only(TAKEN)
    return number_of(world)
