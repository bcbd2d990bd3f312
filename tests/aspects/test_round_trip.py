"""What was put comes back in other words, and is no difference: a second plan is empty, whatever ARM echoes.

Every example, and random valid bodies, through both planes of the emulator over HTTP, with every way in which GET is
known or thought to differ from PUT.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import start
from reconciler.adapters.arm.pools import Arm, ArmWrites
from reconciler.bootstrap.connections import credential_of
from reconciler.errors import ReconcilerError
from reconciler.facets import pool
from reconciler.facets.support.arm_document import differences, merged
from reconciler.plan.policy import Policy
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Spec
from tests.aspects.bodies import bodies
from tests.aspects.shop import SUBSCRIPTION, parsed
from tests.aspects.shop import settings as shop_settings
from tests.examples import tries
from tests.facets.frame import NOW
from tests.facets.world import World

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "specs").glob("*.yaml"))
SINGLE = next(path for path in EXAMPLES if path.stem == "fabrikam-single")
SWITCHES: list[dict[str, Any]] = [
    {},
    {"arm.echo-open-access": True, "arm.echo-permission-default": False, "arm.type-casing": "documented"},
    {"arm.echo-defaults": "always", "arm.hide-permission-profile": "always", "arm.id-casing": "documented"},
    {"arm.echo-organization-defaults": False, "arm.echo-defaults": "never", "arm.hide-permission-profile": "never"},
    {"arm.permission-profile-change": "ignored", "arm.open-access-change": "stored", "arm.update-status": "200"},
]
QUICK = {"arm.create-seconds": 0.0, "arm.update-seconds": 0.0, "arm.retry-after": 0}


def estate() -> dict[str, Any]:
    """Both organizations of the examples, without a pool."""
    return {
        "principals": [
            {"name": "operator", "kind": "servicePrincipal", "displayName": "Operator"},
            {"name": "ann", "kind": "user", "mail": "ann@fabrikam.com", "displayName": "Ann"},
        ],
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Fabrikam", "resourceGroups": ["rg-build"], "pools": []}],
        "organizations": [
            {
                "name": name,
                "identities": ["operator", "ann"],
                "administrators": ["operator"],
                "projects": ["fabrikam-dev", "fabrikam-test", "Web", "FabrikamResearch", "FabrikamTest", "Legacy"],
            }
            for name in ("fabrikam-tailspin", "fabrikam-prime")
        ],
    }


class Plane:
    """The ARM plane of a running emulator, as the pool's facet meets it."""

    def __init__(self, cloud: Any, folder: Path) -> None:
        self.cloud = cloud
        chosen = shop_settings(cloud, folder / "state.db")
        self.arm = Arm(chosen.arm_endpoint, credential_of(chosen).for_azure(), allow_loopback=True)
        self.writers = Writers(arm=ArmWrites(self.arm), devops=World())

    def look(self, spec: Spec) -> list[Any]:
        """What is planned for the resource now."""
        world = World()
        if (found := self.arm.pool(spec.pool_id)) is not None:
            world.documents[spec.pool_id.casefold()] = found
        desired = pool.parse(spec, NOW)
        seen = pool.observe(spec, desired, world)
        changes = list(pool.diff(desired, seen.value))
        assert not pool.guard(seen.value, changes, Policy())
        return changes

    def apply(self, spec: Spec) -> None:
        """One round, to its end."""
        for change in self.look(spec):
            pool.apply(change, self.writers)
            self.cloud.do.settle()


@pytest.mark.parametrize("switches", SWITCHES, ids=lambda switches: ",".join(sorted(switches)) or "as it is")
def test_every_example_comes_back_without_a_difference(switches: dict[str, Any], tmp_path: Path) -> None:
    with start(estate(), switches={**QUICK, **switches, "arm.unknown-sku": "accepted"}) as cloud:
        plane = Plane(cloud, tmp_path)
        for path in EXAMPLES:
            spec = parsed(path.read_bytes())
            plane.apply(spec)
            assert plane.arm.pool(spec.pool_id) is not None, path.name
            assert plane.look(spec) == [], path.name


@pytest.mark.soaked
@pytest.mark.parametrize("switches", SWITCHES, ids=lambda switches: ",".join(sorted(switches)) or "as it is")
def test_random_bodies_come_back_without_a_difference(switches: dict[str, Any], tmp_path: Path) -> None:
    """Created from one, updated to another: each time the second plan is empty."""
    with start(estate(), switches={**QUICK, **switches}) as cloud:
        plane = Plane(cloud, tmp_path)

        @settings(max_examples=tries(4, soaked=8), suppress_health_check=list(HealthCheck))
        @given(bodies(), bodies())
        def round_trip(first: dict[str, Any], second: dict[str, Any]) -> None:
            cloud.do.reset()
            for name, value in {**QUICK, **switches}.items():
                cloud.do.switch(name, value)
            for body in (first, second):
                spec = parsed(yaml.safe_dump(body))
                plane.apply(spec)
                assert plane.look(spec) == []

        round_trip()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=6,
)
strange = st.dictionaries(st.text(min_size=1, max_size=6).map("future-{}".format), json_values, min_size=1, max_size=3)


@given(bodies(), bodies(), strange)
def test_a_put_keeps_what_a_newer_schema_brought(
    wanted: dict[str, Any], observed: dict[str, Any], future: dict[str, Any]
) -> None:
    """Beside every object that the spec changes, fields that this program does not know travel unchanged."""
    document = json.loads(json.dumps(parsed(yaml.safe_dump(observed)).body))
    places = [document, document["properties"], document["properties"]["fabricProfile"]]
    places += [
        document["properties"]["organizationProfile"],
        *document["properties"]["organizationProfile"]["organizations"],
    ]
    for place in places:
        place.update(future)
    body = parsed(yaml.safe_dump(wanted)).body

    sent = merged(body, document)

    assert differences(body, sent) == []
    kept = [sent, sent["properties"], sent["properties"]["fabricProfile"], sent["properties"]["organizationProfile"]]
    assert all(future.items() <= place.items() for place in kept)
    ours = {one["url"] for one in body["properties"]["organizationProfile"]["organizations"]}
    organizations = sent["properties"]["organizationProfile"]["organizations"]
    stayed = {one["url"] for one in document["properties"]["organizationProfile"]["organizations"]} & ours
    assert all(future.items() <= one.items() for one in organizations if one["url"] in stayed)


def test_a_put_over_http_carries_it_too(tmp_path: Path) -> None:
    """The writer and the SDK behind it lose nothing on the way: what the service keeps comes back."""
    with start(estate(), switches={**QUICK, "arm.unknown-properties": "kept"}) as cloud:
        plane = Plane(cloud, tmp_path)
        spec = parsed(SINGLE.read_bytes())
        plane.apply(spec)
        document = plane.arm.pool(spec.pool_id)
        assert document is not None
        document["properties"]["futureProfile"] = {"colour": "blue"}
        document["properties"]["fabricProfile"]["tomorrow"] = [1, 2]
        plane.writers.arm.put(spec.pool_id, document)
        cloud.do.settle()

        plane.apply(replace(spec, body={**spec.body, "tags": {"team": "build"}}))

        found = plane.arm.pool(spec.pool_id)
        assert found is not None
        assert (found["tags"]["team"], found["properties"]["futureProfile"]) == ("build", {"colour": "blue"})
        assert found["properties"]["fabricProfile"]["tomorrow"] == [1, 2]


def test_an_error_of_the_service_is_an_error_here(tmp_path: Path) -> None:
    """The round trip would prove nothing if a refused PUT went by in silence."""
    with start(estate(), switches=QUICK) as cloud:
        plane = Plane(cloud, tmp_path)
        spec = parsed(EXAMPLES[0].read_bytes())
        broken = {**spec.body, "properties": {**spec.body["properties"], "maximumConcurrency": 0}}
        with pytest.raises(ReconcilerError):
            plane.writers.arm.put(spec.pool_id, broken)


@settings(max_examples=tries(60, soaked=200), suppress_health_check=list(HealthCheck))
@given(bodies(), bodies())
def test_the_guard_never_holds_back_what_the_spec_asks_for(wanted: dict[str, Any], observed: dict[str, Any]) -> None:
    """Whatever one valid body is to become another: each line is told, nothing else is touched, and it settles."""
    spec, other = parsed(yaml.safe_dump(wanted)), parsed(yaml.safe_dump(observed))
    world = World()
    world.documents[spec.pool_id.casefold()] = json.loads(json.dumps(other.body))
    desired = pool.parse(spec, NOW)
    for _ in range(2):
        seen = pool.observe(spec, desired, world).value
        changes = pool.diff(desired, seen)
        assert pool.guard(seen, changes, Policy()) == []
        for change in changes:
            pool.apply(change, world.writers)
    assert pool.diff(desired, pool.observe(spec, desired, world).value) == []
