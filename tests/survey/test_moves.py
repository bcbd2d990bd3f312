"""A pool of the spec's name at another place: searched for once, recognised by what was recorded, and never guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Forbidden, ReconcilerError, Rejected, Unavailable
from reconciler.ports.devops import AgentPool
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import SharedSurvey
from reconciler.survey.moves import PoolElsewhere
from reconciler.survey.names import RememberedNames
from tests.estate import Estate

HERE, THERE = "11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"
ORG = "fabrikam-prime"
SPEC = Spec("pool-1", HERE, "rg-build", Mode.ENFORCE, {}, (Organization(ORG, "pool-1", (), None),))
AT = replace(SPEC, subscription=THERE, resource_group="rg-Other")
THEN = "2026-11-02T08:00:00Z"


def estate(*others: Spec, created: str = THEN) -> Estate:
    """Pools at these places, the spec's name in capitals, and an agent pool with id 7."""
    made = Estate(pools={ORG: [AgentPool(7, "Pool-1")]})
    for one in others:
        made.arm[one.pool_id.casefold()] = {
            "id": one.pool_id.replace("pool-1", "POOL-1"),
            "systemData": {"createdAt": created},
        }
    return made


NOTHING = RememberedNames()


def found(world: Estate, remembered: RememberedNames = NOTHING) -> PoolElsewhere | None:
    return SharedSurvey.about(world.readers, [SPEC]).knowing(SPEC, remembered).elsewhere(SPEC)


def test_the_name_is_looked_for_in_every_subscription_case_aside() -> None:
    assert found(estate(AT)) == PoolElsewhere(
        AT.pool_id.replace("pool-1", "POOL-1"),
        True,
        "nothing was recorded of it, and the name is unique in all of Azure",
    )
    assert found(estate(replace(SPEC, resource_group="rg-other"))) is not None


def test_another_name_and_the_pool_itself_are_no_move() -> None:
    assert found(estate(replace(AT, name="pool-10"))) is None
    assert found(estate(SPEC)) is None


@pytest.mark.parametrize(
    ("remembered", "same", "evidence"),
    [
        (RememberedNames(created=THEN), True, f"created {THEN} as recorded"),
        (RememberedNames(created="2020"), False, f"created {THEN}, recorded 2020"),
        (RememberedNames({f"{ORG}/pool-1": 7}), True, f"agent pool 7 of {ORG} as recorded"),
        (RememberedNames({f"{ORG}/pool-1": 8}), False, f"agent pool 7 of {ORG}, recorded 8"),
        (RememberedNames({f"{ORG}/pool-1": 7}, created="2020"), True, f"agent pool 7 of {ORG} as recorded"),
    ],
)
def test_what_was_recorded_tells_whether_it_is_the_same(remembered: RememberedNames, same: bool, evidence: str) -> None:
    assert found(estate(AT), remembered) == PoolElsewhere(AT.pool_id.replace("pool-1", "POOL-1"), same, evidence)


def test_an_agent_pool_that_cannot_be_read_proves_nothing() -> None:
    world = estate(AT)

    def refuse(name: str, _args: tuple[object, ...]) -> None:
        if name == "agent pools":
            raise Forbidden("403")

    world.before = refuse
    here = found(world, RememberedNames({f"{ORG}/pool-1": 8}))

    assert here is not None
    assert here.same


@pytest.mark.parametrize("error", [Forbidden("403"), Rejected("409: not registered")])
def test_a_list_that_is_refused_is_passed_over_and_one_that_fails_is_an_error(error: ReconcilerError) -> None:
    world = estate(AT)
    failure: list[ReconcilerError] = [error]

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if name == "arm pools" and HERE in args:
            raise failure[0]

    world.before = refuse

    assert found(world) is not None
    failure[0] = Unavailable("503")
    with pytest.raises(Unavailable):
        found(world)


def test_many_missing_pools_cost_one_search() -> None:
    world = estate(AT)
    specs = [replace(SPEC, name=f"pool-{number}") for number in range(1, 6)]
    survey = SharedSurvey.about(world.readers, specs)

    for one in specs:
        survey.elsewhere(one)

    assert (world.calls["subscriptions"], world.calls["arm pools"]) == (1, 2)


@pytest.mark.parametrize("together", [False, True])
def test_the_creation_time_is_recorded_and_kept_while_the_pool_is_missing(together: bool) -> None:
    """By its own route, and by the list of its subscription."""
    world = estate(SPEC)
    specs = [SPEC, replace(SPEC, name="pool-2")] if together else [SPEC]
    survey = SharedSurvey.about(world.readers, specs)
    survey.arm_pool(SPEC)

    stored = survey.remembers(SPEC).to_json()

    assert stored["createdAt"] == THEN
    again = SharedSurvey.about(estate().readers, [SPEC]).knowing(SPEC, RememberedNames.from_json(stored))
    assert again.arm_pool(SPEC) is None
    assert again.remembers(SPEC).created == THEN


@pytest.mark.parametrize("stored", [{}, {"createdAt": 5}, {"createdAt": None}])
def test_a_stored_time_that_is_no_text_was_never_known(stored: dict[str, Any]) -> None:
    assert RememberedNames.from_json(stored) == RememberedNames()
    assert "createdAt" not in RememberedNames().to_json()
