"""ARM's pools in a shared survey: one list for many, and when a missing one is absent."""

from __future__ import annotations

from reconciler.documents import Json
from reconciler.errors import Forbidden
from reconciler.spec.model import Mode, Spec
from reconciler.survey import SharedSurvey
from tests.estate import Estate

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def spec(name: str) -> Spec:
    return Spec(name, SUBSCRIPTION, "rg-build", Mode.ENFORCE, {})


def arm(estate: Estate) -> dict[str, int]:
    """Calls to ARM alone."""
    return {name: count for name, count in estate.calls.items() if name.startswith("arm")}


def arm_estate(*names: str) -> Estate:
    bodies: dict[str, dict[str, Json]] = {spec(n).pool_id.casefold(): {"id": spec(n).pool_id} for n in names}
    return Estate(arm=bodies)


def test_pools_of_one_subscription_are_one_list() -> None:
    estate = arm_estate("pool-1", "pool-2")
    specs = [spec("pool-1"), spec("POOL-2")]
    survey = SharedSurvey.about(estate.readers, specs)

    assert all(survey.arm_pool(one) for one in specs)
    assert arm(estate) == {"arm pools": 1}


def test_one_pool_is_one_get() -> None:
    estate = arm_estate("pool-1")

    assert SharedSurvey.about(estate.readers, [spec("pool-1")]).arm_pool(spec("pool-1"))
    assert arm(estate) == {"arm pool": 1}


def test_missing_from_the_list_is_absent_only_when_its_own_route_says_so() -> None:
    """The list shows what the identity may see; rights on a resource group alone would read as a deleted pool."""
    estate = arm_estate("pool-1")
    survey = SharedSurvey.about(estate.readers, [spec("pool-1"), spec("pool-2")])

    assert survey.arm_pool(spec("pool-2")) is None
    assert arm(estate) == {"arm pools": 1, "arm pool": 1}


def test_a_forbidden_list_falls_back_to_each_pool() -> None:
    estate = arm_estate("pool-1", "pool-2")

    def refuse(name: str, args: tuple[object, ...]) -> None:
        if name == "arm pools":
            raise Forbidden("subscription: 403")

    estate.before = refuse
    survey = SharedSurvey.about(estate.readers, [spec("pool-1"), spec("pool-2")])

    assert survey.arm_pool(spec("pool-1"))
    assert estate.calls["arm pool"] == 1
