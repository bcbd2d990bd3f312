"""Exceptions by name hold through renames, misspellings and hidden projects, against both planes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import Outcome, Result
from reconciler.spec.model import Spec
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, Shop, document, estate, resource

PRIME = "fabrikam-prime"
ALL: dict[str, Any] = {"name": PRIME, "projects": []}


def shop(open_shop: Open, *queues: str, pool: bool = True, **switches: Any) -> Shop:
    """One organization of three projects; the agent pool has closed queues in some."""
    organization: dict[str, Any] = {"name": PRIME, "projects": ["Web", "App", "Payroll"]}
    if pool:
        made = [{"project": name} for name in queues]
        organization["agentPools"] = [{"name": POOL, "managed": True, "queues": made}]
    return open_shop(estate(organization, pools=[resource(ALL)] if pool else []), **switches)


def spec(access: dict[str, Any], *, opened: bool = True) -> Spec:
    one = {"url": f"https://dev.azure.com/{PRIME}", "projects": [], "openAccess": opened}
    return document(ALL, access=access, organizationProfile={"kind": "AzureDevOps", "organizations": [one]})


def without(name: str) -> dict[str, Any]:
    return {"withoutQueue": [{"project": f"{PRIME}/{name}", "reason": "not for builds"}]}


def closing(name: str) -> dict[str, Any]:
    return {"openAccess": [{"project": f"{PRIME}/{name}", "allow": False}]}


def queues(here: Shop) -> dict[str, bool]:
    """Project → whether its queue is open to all pipelines."""
    return {one["project"]: bool(one.get("openAccess")) for one in here.agent_pool(PRIME).get("queues", ())}


def gaps(result: Result) -> list[str]:
    return [gap.message for gap in (result.plan.gaps if result.plan else ())]


def rename(here: Shop, project: str, to: str) -> None:
    here.cloud.do.edit("rename-project", organization=PRIME, project=project, to=to)


def test_a_renamed_project_is_left_alone_as_before(open_shop: Open) -> None:
    here = shop(open_shop)
    wanted = spec(without("Payroll"))
    assert here.settle(wanted).outcome is Outcome.IN_SYNC
    assert queues(here) == {"Web": True, "App": True}
    rename(here, "Payroll", "Salaries")

    result = here.settle(wanted)

    assert [message.partition(" (id ")[0] for message in gaps(result)] == [f"{PRIME}/payroll"]
    assert "is called Salaries now" in gaps(result)[0]
    assert queues(here) == {"Web": True, "App": True}
    here.second_run_writes_nothing(wanted)
    assert here.settle(spec(without("Salaries"))).outcome is Outcome.IN_SYNC


@pytest.mark.parametrize("access", [without("Payroll"), closing("Payroll")], ids=["withoutQueue", "openAccess"])
def test_a_project_that_takes_over_the_name_does_not_lift_the_exception(
    open_shop: Open, access: dict[str, Any]
) -> None:
    here = shop(open_shop)
    wanted = spec(access)
    here.settle(wanted)
    before = queues(here)
    rename(here, "Payroll", "Salaries")
    here.cloud.do.edit("create-project", organization=PRIME, name="Payroll")

    for _ in range(2):
        result = here.settle(wanted)
        assert any("both are excepted: write Salaries as well" in message for message in gaps(result))

    after = queues(here)
    assert not after.get("Salaries", False)
    assert not after.get("Payroll", False)
    assert ("Salaries" in after) is ("Payroll" in before), "no queue that was not there before"
    here.second_run_writes_nothing(wanted)


def test_while_a_name_is_misspelt_nothing_is_created_or_opened(open_shop: Open) -> None:
    here = shop(open_shop, "Web")
    wanted = spec(without("Pyroll") | {"openAccess": [{"project": f"{PRIME}/Web", "allow": True}]})

    result = here.settle(wanted)

    assert queues(here) == {"Web": True}, "the spec itself names it"
    assert (result.outcome, result.status.conditions[0].reason) == (Outcome.STALLED, "Degraded")
    assert ["nearest is Payroll" in message for message in gaps(result)] == [True]
    here.second_run_writes_nothing(wanted)
    assert here.settle(spec(without("Payroll"))).outcome is Outcome.IN_SYNC
    assert queues(here) == {"Web": True, "App": True}


def test_while_a_closing_exception_is_misspelt_queues_are_created_and_stay_closed(open_shop: Open) -> None:
    here = shop(open_shop)
    wanted = spec(closing("Pyroll"))

    assert here.settle(wanted).outcome is Outcome.STALLED

    assert queues(here) == {"Web": False, "App": False, "Payroll": False}
    here.second_run_writes_nothing(wanted)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_hidden_project_that_is_named_is_left_alone_and_the_pool_is_in_sync(open_shop: Open, renamed: bool) -> None:
    here = shop(open_shop)
    wanted = spec(without("Payroll"))
    here.cloud.do.edit("hide-project", organization=PRIME, project="Payroll")
    assert here.settle(wanted).outcome is Outcome.IN_SYNC
    if renamed:
        rename(here, "Payroll", "Salaries")

    assert here.settle(wanted).outcome is Outcome.IN_SYNC
    assert queues(here) == {"Web": True, "App": True}
    here.second_run_writes_nothing(wanted)


def test_a_pool_is_created_closed_and_a_queue_in_such_a_project_is_said(open_shop: Open) -> None:
    """ARM creates queues in all projects, and one flag counts for all of them."""
    here = shop(open_shop, pool=False)
    wanted = spec(without("Payroll"))

    result = here.settle(wanted)

    assert queues(here) == {"Web": True, "App": True, "Payroll": False}
    assert result.outcome is Outcome.IN_SYNC
    assert result.plan is not None
    (remark,) = result.plan.remarks
    assert remark.message.startswith(f"{PRIME}/Payroll: access.withoutQueue names it, and it has queue {POOL} (id ")
    here.second_run_writes_nothing(wanted)


def test_an_open_queue_in_such_a_project_is_for_a_person(open_shop: Open) -> None:
    here = shop(open_shop, "Web", "App", "Payroll")
    here.cloud.do.edit("open-access", organization=PRIME, pool=POOL, project="Payroll")
    wanted = spec(without("Payroll"))

    result = here.settle(wanted)

    assert (result.outcome, result.status.conditions[0].reason) == (Outcome.STALLED, "Degraded")
    assert ["open to all pipelines" in message for message in gaps(result)] == [True]
    assert queues(here)["Payroll"] is True
    here.second_run_writes_nothing(wanted)
    closed = spec(without("Payroll") | closing("Payroll"))
    assert here.settle(closed).outcome is Outcome.IN_SYNC
    assert queues(here)["Payroll"] is False
    here.second_run_writes_nothing(closed)
