"""Single pipelines, roles on queues and the agent pool's own flag, against both planes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, Shop, document, estate, resource

PRIME: dict[str, Any] = {"name": "fabrikam-prime", "projects": ["fabrikam-dev"]}
PIPELINES = [
    {"name": "nightly", "path": "\\release", "id": 41},
    {"name": "weekly", "path": "\\release", "id": 42},
    {"name": "check", "id": 43},
]


def shop(open_shop: Open, queue: dict[str, Any], **switches: Any) -> Shop:
    """One organization with one project of three pipelines."""
    organization = {
        "name": "fabrikam-prime",
        "projects": [{"name": "fabrikam-dev", "pipelines": PIPELINES}, {"name": "Web"}],
        "agentPools": [{"name": POOL, "managed": True, "queues": [{"project": "fabrikam-dev", **queue}]}],
    }
    return open_shop(estate(organization, pools=[resource(PRIME)]), **switches)


def test_an_exclusive_list_of_pipelines_is_made_true(open_shop: Open) -> None:
    """By path and by id, one too many taken, one misspelt told: and the second run writes nothing."""
    here = shop(open_shop, {"pipelines": [42]})
    grant = {"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["\\release\\nightly", 43], "exclusive": True}
    spec = document(PRIME, access={"pipelines": [grant]})

    result = here.settle(spec)

    assert (result.outcome, result.plan and result.plan.gaps) == (Outcome.IN_SYNC, ())
    assert {one["id"] for one in here.agent_pool("fabrikam-prime")["queues"][0]["pipelines"]} == {41, 43}
    here.second_run_writes_nothing(spec)


def test_a_pipeline_nobody_knows_is_told_with_the_nearest(open_shop: Open) -> None:
    here = shop(open_shop, {})
    grant = {"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["\\release\\nightlie"]}

    plan = here.plan(document(PRIME, access={"pipelines": [grant]}))

    assert [gap.message for gap in plan.gaps] == [
        "fabrikam-prime/fabrikam-dev: no visible pipeline is called \\release\\nightlie; nearest is \\release\\nightly"
    ]


def test_roles_on_a_queue_are_made_true(open_shop: Open) -> None:
    here = shop(open_shop, {"roles": {"User": ["bob"], "Administrator": ["ann"]}})
    wanted = {
        "project": "fabrikam-prime/fabrikam-dev",
        "users": ["ann@fabrikam.com"],
        "creators": ["dan@fabrikam.com"],
        "administrators": [],
        "exclusive": True,
    }
    spec = document(PRIME, access={"queueRoles": [wanted]})

    result = here.settle(spec)

    assert (result.outcome, result.plan and result.plan.gaps) == (Outcome.IN_SYNC, ())
    roles = here.agent_pool("fabrikam-prime")["queues"][0]["roles"]
    assert roles == {"User": ["ann"], "Creator": ["dan"]}
    here.second_run_writes_nothing(spec)


@pytest.mark.parametrize("on", [True, False])
def test_a_project_made_today_has_its_queue_at_once_where_the_spec_says_so(open_shop: Open, on: bool) -> None:
    """And at the next look where the spec says no: all projects use the pool either way."""
    everywhere = {"name": "fabrikam-prime", "projects": []}
    organization = {
        "name": "fabrikam-prime",
        "projects": ["fabrikam-dev"],
        "agentPools": [
            {"name": POOL, "managed": True, "autoProvision": not on, "queues": [{"project": "fabrikam-dev"}]}
        ],
    }
    here = open_shop(estate(organization, pools=[resource(everywhere)]))
    spec = document(everywhere, access={"agentPools": [{"organization": "fabrikam-prime", "autoProvision": on}]})
    assert here.settle(spec).outcome is Outcome.IN_SYNC

    here.cloud.do.edit("create-project", organization="fabrikam-prime", name="Tomorrow")
    at_once = {queue["project"] for queue in here.agent_pool("fabrikam-prime")["queues"]}
    assert here.settle(spec).outcome is Outcome.IN_SYNC

    assert at_once == {"fabrikam-dev", *(["Tomorrow"] if on else [])}
    assert {queue["project"] for queue in here.agent_pool("fabrikam-prime")["queues"]} == {"fabrikam-dev", "Tomorrow"}
    assert here.agent_pool("fabrikam-prime")["autoProvision"] is on
    here.second_run_writes_nothing(spec)


def test_specs_without_them_pay_no_read_for_them(open_shop: Open) -> None:
    """The bar of a converged estate: twice the projects, twice the pools, and twenty."""
    here = shop(open_shop, {})
    spec = document(PRIME)
    here.settle(spec)

    reads = here.reads(spec)
    routes = {request["route"] for request in here.cloud.do.requests()}

    assert reads <= 2 * 2 + 2 * 1 + 20
    assert not routes & {"definitions.list", "roleassignments.list", "pipelinepermissions.get"}
