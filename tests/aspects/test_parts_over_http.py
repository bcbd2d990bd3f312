"""What a spec says of a part, a schedule, a list or a kind is what both planes get, and a second run writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from reconciler.engine import Outcome
from reconciler.spec.model import Spec
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, SUBSCRIPTION, Shop, document, estate, parsed, resource

PRIME: dict[str, Any] = {"name": "fabrikam-prime", "projects": ["fabrikam-dev"]}
SPELLINGS = [("TimeZone", "DaysData"), ("timeZone", "daysData")]
DAY = {"08:00:00": 1}
SCHEDULE = {"timeZone": "UTC", "daysData": [DAY]}
FABRIC = {"kind": "Vmss", "sku": {"name": "Standard_D2ads_v5"}, "images": [{"wellKnownImageName": "ubuntu-24.04"}]}


def shop(open_shop: Open, live: dict[str, Any], **switches: Any) -> Shop:
    organization = {
        "name": "fabrikam-prime",
        "projects": ["fabrikam-dev"],
        "agentPools": [{"name": POOL, "managed": True, "queues": ["fabrikam-dev"]}],
    }
    return open_shop(estate(organization, pools=[live]), **switches)


def part(**pool: Any) -> Spec:
    """A spec that names no more than this of the resource."""
    return parsed(
        yaml.safe_dump(
            {
                "apiVersion": "reconciler/v1",
                "kind": "ManagedDevOpsPool",
                "name": POOL,
                "subscription": SUBSCRIPTION,
                "resourceGroup": "rg-build",
                "pool": pool,
            }
        )
    )


def live(here: Shop) -> dict[str, Any]:
    """The resource as the emulator stores it, in the spelling that was sent."""
    (found,) = here.cloud.do.state()["subscriptions"][0]["pools"]
    properties: dict[str, Any] = found["properties"]
    return {**found, **properties}


def answered(here: Shop, spec: Spec) -> dict[str, Any]:
    """The resource as ARM returns it."""
    found = here.app.planner.readers.arm.pool(spec.pool_id)
    assert found is not None
    return dict(found)


def settled(here: Shop, spec: Spec) -> None:
    result = here.settle(spec)
    assert result.outcome is Outcome.IN_SYNC, result.status.conditions
    here.second_run_writes_nothing(spec)


def stateless(**more: Any) -> dict[str, Any]:
    return {"kind": "Stateless", **more}


@pytest.mark.parametrize("spelling", ["sent", "documented"])
@pytest.mark.parametrize("names", SPELLINGS, ids=["azurerm", "azapi"])
def test_a_schedule_is_changed_in_the_spelling_that_is_there(
    open_shop: Open, names: tuple[str, str], spelling: str
) -> None:
    zone, days = names
    old = stateless(resourcePredictions={zone: "UTC", days: [{**DAY, "20:00:00": 2}]})
    here = shop(open_shop, resource(PRIME, agentProfile=old), arm__predictions_spelling=spelling)

    same = {"timeZone": "UTC", "daysData": [{**DAY, "20:00:00": 2}]}
    assert here.plan(document(PRIME, agentProfile=stateless(resourcePredictions=same))).changes == ()

    settled(here, document(PRIME, agentProfile=stateless(resourcePredictions=SCHEDULE)))

    kept = {zone: "UTC", days: [DAY]} if spelling == "sent" else SCHEDULE
    assert live(here)["agentProfile"]["resourcePredictions"] == kept


@pytest.mark.parametrize("word", ["kept", "week"])
@pytest.mark.parametrize("names", SPELLINGS, ids=["azurerm", "azapi"])
def test_one_map_is_every_day_whatever_comes_back(open_shop: Open, names: tuple[str, str], word: str) -> None:
    """Seven equal maps are no difference; one of them that a person changes is."""
    zone, days = names
    old = stateless(resourcePredictions={zone: "UTC", days: [{"20:00:00": 2}]})
    here = shop(open_shop, resource(PRIME, agentProfile=old), arm__one_day_schedule=word)
    spec = document(PRIME, agentProfile=stateless(resourcePredictions=SCHEDULE))
    assert len(here.plan(spec).changes) == 1
    settled(here, spec)

    found = answered(here, spec)
    found["properties"]["agentProfile"]["resourcePredictions"][days] = [*[DAY] * 6, {"20:00:00": 2}]
    here.app.reconciler._writers.arm.put(spec.pool_id, found)
    here.cloud.do.settle()
    (line,) = here.plan(spec).changes[0].details
    assert (line.path, line.after) == ("agentProfile.resourcePredictions.daysData", [DAY])
    settled(here, spec)


def test_stand_by_agents_that_a_person_adds_go_again(open_shop: Open) -> None:
    here = shop(open_shop, resource(PRIME, agentProfile=stateless(resourcePredictions=SCHEDULE)))
    spec = document(PRIME, agentProfile=stateless(resourcePredictions=SCHEDULE))
    settled(here, spec)

    found = answered(here, spec)
    found["properties"]["agentProfile"]["resourcePredictions"]["daysData"][0]["20:00:00"] = 2
    here.app.reconciler._writers.arm.put(spec.pool_id, found)
    here.cloud.do.settle()

    (line,) = here.plan(spec).changes[0].details
    assert (line.path, line.before) == ("agentProfile.resourcePredictions.daysData[0]", {**DAY, "20:00:00": 2})
    settled(here, spec)
    assert live(here)["agentProfile"]["resourcePredictions"] == SCHEDULE


@pytest.mark.parametrize(
    ("named", "path", "value"),
    [
        ({"tags": {"team": "build"}}, ("tags", "team"), "build"),
        ({"properties": {"maximumConcurrency": 3}}, ("maximumConcurrency",), 3),
        (
            {"properties": {"fabricProfile": {**FABRIC, "sku": {"name": "Standard_D4ads_v5"}}}},
            ("fabricProfile", "sku", "name"),
            "Standard_D4ads_v5",
        ),
    ],
    ids=["tags", "concurrency", "size"],
)
def test_a_spec_that_names_a_part_changes_that_part(
    open_shop: Open, named: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    here = shop(open_shop, resource(PRIME))
    spec = part(**named)
    before = answered(here, spec)["properties"]["organizationProfile"]

    settled(here, spec)

    assert answered(here, spec)["properties"]["organizationProfile"] == before
    found: Any = live(here)
    for name in path:
        found = found[name]
    assert found == value


def test_a_larger_disk_keeps_its_letter_and_kind(open_shop: Open) -> None:
    disk = {"diskSizeGiB": 10, "driveLetter": "F", "storageAccountType": "Premium_LRS"}
    here = shop(open_shop, resource(PRIME, fabricProfile={**FABRIC, "storageProfile": {"dataDisks": [disk]}}))
    larger = {**FABRIC, "storageProfile": {"dataDisks": [{"diskSizeGiB": 20}]}}

    settled(here, document(PRIME, fabricProfile=larger))

    assert live(here)["fabricProfile"]["storageProfile"]["dataDisks"] == [{**disk, "diskSizeGiB": 20}]


def test_switching_to_automatic_predictions_drops_the_schedule_and_back_the_preference(open_shop: Open) -> None:
    manual = stateless(resourcePredictionsProfile={"kind": "Manual"}, resourcePredictions=SCHEDULE)
    automatic = stateless(resourcePredictionsProfile={"kind": "Automatic", "predictionPreference": "Balanced"})
    here = shop(open_shop, resource(PRIME, agentProfile=manual))

    settled(here, document(PRIME, agentProfile=automatic))
    assert live(here)["agentProfile"] == automatic

    settled(here, document(PRIME, agentProfile=manual))
    assert live(here)["agentProfile"] == manual


def test_what_fits_the_spec_and_not_the_pool_is_refused_before_it_is_sent(open_shop: Open) -> None:
    """The schedule requests two agents, which the spec does not name; ARM would refuse one machine."""
    busy = stateless(resourcePredictions={"timeZone": "UTC", "daysData": [{"08:00:00": 2}]})
    here = shop(open_shop, resource(PRIME, agentProfile=busy))
    spec = part(properties={"maximumConcurrency": 1})

    here.cloud.do.reset_log()
    result = here.run(spec)

    assert result.outcome is Outcome.STALLED
    assert here.cloud.do.count(writes=True) == 0
    assert [refusal.rule for refusal in (result.plan.refusals if result.plan else ())] == ["invalid-body"]
    settled(here, replace(spec, body={"properties": {"maximumConcurrency": 2}}))


def test_a_value_that_arm_takes_and_never_returns_is_written_once(open_shop: Open) -> None:
    here = shop(open_shop, resource(PRIME), arm__echo_runtime_configuration=False)
    spec = document(PRIME, runtimeConfiguration={"workFolder": "/mnt/work"})

    result = here.settle(spec)

    assert result.outcome is Outcome.STALLED
    assert [failure.error.reason for failure in result.failures] == ["WrittenWithoutEffect"]
    assert "ARM confirmed the write of runtimeConfiguration.workFolder" in str(result.failures[0].error)
    assert live(here)["runtimeConfiguration"] == {"workFolder": "/mnt/work"}
    here.second_run_writes_nothing(spec)

    here.cloud.do.reset_log()
    here.app.reconciler.reconcile(spec, "c0ffee", plan_hash=here.plan(spec).hash)
    assert here.cloud.do.count(writes=True) == 1, "a person who approves the plan has it sent once more"
    assert here.settle(spec).outcome is Outcome.STALLED

    both = document(PRIME, runtimeConfiguration={"workFolder": "/mnt/work"}, maximumConcurrency=3)
    assert here.settle(both).outcome is Outcome.STALLED, "the rest of the spec is applied all the same"
    assert live(here)["maximumConcurrency"] == 3
    here.second_run_writes_nothing(both)

    here.cloud.do.switch("arm.echo-runtime-configuration", True)
    settled(here, both)


def test_a_value_that_arm_returns_is_in_sync_after_one_write(open_shop: Open) -> None:
    here = shop(open_shop, resource(PRIME))

    settled(here, document(PRIME, runtimeConfiguration={"workFolder": "/mnt/work"}))
