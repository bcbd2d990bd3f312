"""Random specs through the whole program: loaded, made on both planes, changed into another, and then nothing is left.

Where the published document is there (`tests.openapi`), the bodies come from it; the hand-written ones come always. How
ARM answers is drawn too, out of every way in which GET is known or thought to differ from PUT.
"""

from __future__ import annotations

import copy
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from emulator import Running, start
from reconciler.engine import Outcome
from reconciler.spec.model import Spec
from tests import openapi, published
from tests.aspects import drawn
from tests.aspects.bodies import bodies
from tests.aspects.shop import SUBSCRIPTION, Shop, parsed
from tests.aspects.shop import settings as shop_settings

Json = Any
STRATEGIES = drawn.strategies()
ECHO: dict[str, list[Any]] = {
    "arm.echo-open-access": [False, True],
    "arm.echo-defaults": ["with-static-ip", "never", "always"],
    "arm.echo-organization-defaults": [True, False],
    "arm.echo-permission-default": [True, False],
    "arm.hide-permission-profile": ["with-static-ip", "never", "always"],
    "arm.type-casing": ["recorded", "documented"],
    "arm.id-casing": ["recorded", "documented"],
}
"""How an answer differs from what was put."""
WRITES: dict[str, list[Any]] = {
    "arm.update-status": ["201", "200"],
    "arm.open-access-change": ["ignored", "stored"],
    "arm.permission-profile-change": ["stored", "ignored"],
    "arm.added-organization": ["closed", "as-stated"],
    "arm.removed-organization": ["removes", "keeps"],
    "arm.unknown-properties": ["refused", "kept"],
    "devops.queues-at-creation": ["made", "none"],
    "devops.specific-accounts-inheritance": ["on", "off"],
    "devops.managed-pool-marks": ["none", "agent-cloud"],
}
"""What a write does."""
QUICK = {"arm.create-seconds": 0.0, "arm.update-seconds": 0.0, "arm.retry-after": 0}
turned = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in {**ECHO, **WRITES}.items()})


def estate() -> dict[str, Any]:
    """Both organizations, all accounts, no pool."""
    people = [{"name": one, "kind": "user", "mail": f"{one}@fabrikam.com"} for one in ("ann", "bob")]
    group = {"name": "builders", "kind": "group", "oid": drawn.GROUP}
    return {
        "principals": [{"name": "operator", "kind": "servicePrincipal"}, *people, group],
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Fabrikam", "resourceGroups": ["rg-build"], "pools": []}],
        "organizations": [
            {
                "name": name,
                "identities": ["operator", "ann", "bob", "builders"],
                "administrators": ["operator"],
                "projects": drawn.PROJECTS,
            }
            for name in drawn.ORGANIZATIONS
        ],
    }


class Estate:
    """One emulator for many examples, each from the beginning and with a memory of its own."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        self.cloud, self.folder, self.runs = cloud, folder, count()

    def begin(self, switches: dict[str, Any]) -> Shop:
        self.cloud.do.reset()
        for name, value in {**QUICK, **switches}.items():
            self.cloud.do.switch(name, value)
        return Shop(self.cloud, shop_settings(self.cloud, self.folder / f"{next(self.runs)}.db"))


def followed(second: Json, first: Json) -> Json:
    """The second spec, with what a pool keeps for ever, or what nobody knows an update of, as the first has it."""
    told = copy.deepcopy(second)
    told["pool"]["location"] = first["pool"]["location"]
    old, new = (one["pool"]["properties"]["organizationProfile"] for one in (first, told))
    if any("parallelism" in one for one in old["organizations"]) and new["kind"] == "AzureDevOps":
        drawn.share(told["pool"]["properties"])
    aliases = {drawn.organization_of(one["url"]): one.get("alias") for one in old["organizations"]}
    for place, alias in [(new, old.get("alias"))] + [
        (one, aliases.get(drawn.organization_of(one["url"]))) for one in new["organizations"]
    ]:
        place.pop("alias", None)
        if alias and new["kind"] == "AzureDevOps":
            place["alias"] = alias
    return told


def settled(shop: Shop, spec: Spec) -> None:
    """In sync is seen, and nothing is written any more."""
    result = shop.settle(spec)
    assert result.outcome is Outcome.IN_SYNC, (result.outcome, result.status.conditions, result.plan)
    plan = shop.plan(spec)
    assert (list(plan.changes), list(plan.gaps), list(plan.refusals)) == ([], [], [])
    shop.second_run_writes_nothing(spec)


@pytest.mark.parametrize("source", sorted(STRATEGIES))
def test_a_random_pool_is_made_and_changed_and_then_nothing_is_left(source: str, tmp_path: Path) -> None:
    """Whatever the document allows: made, seen in sync, changed into something else, seen in sync again."""
    with start(estate()) as cloud:
        here = Estate(cloud, tmp_path)

        @settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
        @given(STRATEGIES[source], STRATEGIES[source], turned)
        def round_trip(first: Json, second: Json, switches: dict[str, Any]) -> None:
            shop = here.begin(switches)
            settled(shop, parsed(yaml.safe_dump(first, allow_unicode=True)))
            settled(shop, parsed(yaml.safe_dump(followed(second, first), allow_unicode=True)))
            event(first["pool"]["properties"]["organizationProfile"]["kind"])

        round_trip()
