"""A change of image waits for the jobs that run, over HTTP, from the first look to a second run without a write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.engine import Outcome
from reconciler.spec.model import Disruption
from tests.aspects.conftest import Open
from tests.aspects.shop import POOL, Shop, document, estate, resource

PRIME: dict[str, Any] = {"name": "fabrikam-prime", "projects": ["fabrikam-dev"]}
STATEFUL: dict[str, Any] = {
    "kind": "Stateful",
    "maxAgentLifetime": "7.00:00:00",
    "resourcePredictionsProfile": {"kind": "Automatic", "predictionPreference": "Balanced"},
}
WINDOWS = {
    "kind": "Vmss",
    "sku": {"name": "Standard_D2ads_v5"},
    "images": [{"wellKnownImageName": "windows-2022"}],
}
NEW = document(PRIME, agentProfile=STATEFUL, fabricProfile=WINDOWS)


def shop(open_shop: Open, status: str) -> Shop:
    organization = {
        "name": "fabrikam-prime",
        "projects": ["fabrikam-dev"],
        "agentPools": [{"name": POOL, "managed": True, "queues": ["fabrikam-dev"]}],
    }
    return open_shop(estate(organization, pools=[resource(PRIME, agentProfile=STATEFUL)]), arm__machine_status=status)


def test_it_waits_for_a_quiet_moment_and_then_is_made(open_shop: Open) -> None:
    here = shop(open_shop, "Allocated")
    spec = replace(NEW, disruption=Disruption())

    waiting = here.run(spec)
    assert (waiting.outcome, waiting.verified) == (Outcome.PROGRESSING, ())
    assert "1 of 1 machines are at work (1 Allocated)" in (waiting.plan.gaps[0].message if waiting.plan else "")
    assert waiting.next_look is not None
    since = waiting.status.remembered.busy_since
    assert since is not None
    assert here.run(spec).status.remembered.busy_since == since, "a second look does not begin to wait anew"

    here.cloud.do.switch("arm.machine-status", "Ready")
    result = here.settle(spec)

    assert (result.outcome, result.status.remembered.busy_since) == (Outcome.IN_SYNC, None)
    here.second_run_writes_nothing(spec)


@pytest.mark.parametrize(("proceed", "outcome"), [(True, Outcome.IN_SYNC), (False, Outcome.STALLED)])
def test_when_the_time_is_over_the_spec_decides(open_shop: Open, proceed: bool, outcome: Outcome) -> None:
    here = shop(open_shop, "Leased")

    assert here.settle(replace(NEW, disruption=Disruption(timedelta(0), proceed))).outcome is outcome


def test_another_location_is_refused_with_what_to_do_instead(open_shop: Open) -> None:
    here = shop(open_shop, "Ready")
    moved = replace(NEW, body={**NEW.body, "location": "westeurope"})

    result = here.settle(moved)

    assert result.outcome is Outcome.STALLED
    assert [refusal.rule for refusal in (result.plan.refusals if result.plan else ())] == ["only-by-a-new-pool"]
    assert "the operator deletes no pool without permission" in result.status.conditions[0].message
    here.second_run_writes_nothing(moved)
