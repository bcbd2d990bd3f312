"""Random specs through the whole program: loaded, made on both planes, changed into another, and then nothing is left.

Where the published document is there (`tests.openapi`), the bodies come from it; the hand-written ones come always. How
ARM answers is drawn too, out of every way in which GET is known or thought to differ from PUT.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, event, given, seed, settings
from hypothesis import strategies as st

from emulator import Running, start
from emulator.arm.versions import PUBLISHED as VERSIONS
from reconciler.engine import Outcome
from reconciler.facets.support.arm_document import differences
from reconciler.spec.model import Mode, Spec
from reconciler.spec.names import organization_key
from tests import openapi, published
from tests.aspects import drawn
from tests.aspects.bodies import SUB, bodies
from tests.aspects.shop import POOL, SUBSCRIPTION, Shop, parsed
from tests.aspects.shop import settings as shop_settings
from tests.examples import PROFILE, tries

Json = Any
EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "specs").glob("*.yaml"))
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
NIGHTLY = [{"id": 41, "name": "nightly", "path": "\\release"}]
ECHO_DRAWN = {name: st.sampled_from(choices) for name, choices in ECHO.items()}
SUBNET = f"{SUB}/Microsoft.Network/virtualNetworks/build/subnets/agents"
turned = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in {**ECHO, **WRITES}.items()})


def estate() -> dict[str, Any]:
    """Both organizations with what specs here and in the examples name, and no pool."""
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
                "groups": [{"name": f"[{name}]\\Platform", "members": ["bob"]}],
                "projects": [
                    {"name": one, "pipelines": NIGHTLY}
                    for one in (*drawn.PROJECTS, "FabrikamResearch", "FabrikamTest", "Legacy")
                ],
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
        return Shop(self.cloud, shop_settings(self.cloud, self.folder / f"{next(self.runs)}.db", PREREQUISITES="0"))


def followed(second: Json, first: Json) -> Json:
    """The second spec, with what a pool keeps for ever, or what has no known update, as the first has it."""
    told = copy.deepcopy(second)
    told["pool"]["location"] = first["pool"]["location"]
    _left_alone(first["pool"], told["pool"])
    old, new = (one["pool"]["properties"]["organizationProfile"] for one in (first, told))
    if any("parallelism" in one for one in old["organizations"]) and new["kind"] == "AzureDevOps":
        drawn.share(told["pool"]["properties"])
    aliases = {organization_key(one["url"]): one.get("alias") for one in old["organizations"]}
    for place, alias in [(new, old.get("alias"))] + [
        (one, aliases.get(organization_key(one["url"]))) for one in new["organizations"]
    ]:
        place.pop("alias", None)
        if alias and new["kind"] == "AzureDevOps":
            place["alias"] = alias
    return told


def _left_alone(first: Json, second: Json) -> None:
    """What the second does not name stays, and has to fit what it does name: the service refuses it otherwise."""
    days = first["properties"]["agentProfile"].get("resourcePredictions", {}).get("daysData", ())
    most = max((count for day in days for count in day.values()), default=0)
    if second["properties"]["maximumConcurrency"] < most:
        second["properties"]["maximumConcurrency"] = most
        if any("parallelism" in one for one in second["properties"]["organizationProfile"]["organizations"]):
            drawn.share(second["properties"])
    agents = second["properties"]["agentProfile"]
    if agents.get("resourcePredictions", {}).get("daysData") and "resourcePredictionsProfile" not in agents:
        agents["resourcePredictionsProfile"] = {"kind": "Manual"}  # the first may be Automatic, which has no schedule
    fabric = first["properties"]["fabricProfile"]
    if fabric.get("osProfile", {}).get("secretsManagementSettings"):  # certificates, and a place that fits the images
        for name in ("osProfile", "images"):
            second["properties"]["fabricProfile"][name] = fabric[name]
        if "identity" in first:
            second["identity"] = first["identity"]


def text(spec: Json) -> str:
    """JSON is YAML that leaves no plain word to be read as a number (`1e100`)."""
    return json.dumps(spec, ensure_ascii=False)


def settled(shop: Shop, spec: Spec) -> None:
    """In sync is seen, and nothing is written any more."""
    result = shop.settle(spec)
    assert result.outcome is Outcome.IN_SYNC, (result.outcome, result.status.conditions, result.plan)
    plan = shop.plan(spec)
    assert (list(plan.changes), list(plan.gaps), list(plan.refusals)) == ([], [], [])
    shop.second_run_writes_nothing(spec)


@pytest.mark.soaked
@pytest.mark.parametrize("source", sorted(STRATEGIES))
def test_a_random_pool_is_made_and_changed_and_then_nothing_is_left(source: str, tmp_path: Path) -> None:
    """Whatever the document allows: made, seen in sync, changed into something else, seen in sync again."""
    with start(estate()) as cloud:
        here = Estate(cloud, tmp_path)

        @settings(max_examples=tries(3, soaked=6), suppress_health_check=list(HealthCheck), deadline=None)
        @given(STRATEGIES[source], STRATEGIES[source], turned)
        def round_trip(first: Json, second: Json, switches: dict[str, Any]) -> None:
            shop = here.begin(switches)
            settled(shop, parsed(text(first)))
            settled(shop, parsed(text(followed(second, first))))
            event(first["pool"]["properties"]["organizationProfile"]["kind"])

        round_trip()


def test_the_program_settles_on_every_example(tmp_path: Path) -> None:
    """Both planes and all facets, mode enforce whatever the example says."""
    with start(estate(), switches={"arm.unknown-sku": "accepted"}) as cloud:
        here = Estate(cloud, tmp_path)
        for path in EXAMPLES:
            settled(here.begin({}), replace(parsed(path.read_bytes()), mode=Mode.ENFORCE))


@pytest.mark.soaked
def test_every_example_reads_as_wanted_however_arm_answers(tmp_path: Path) -> None:
    """All combinations of what an answer leaves out, adds and spells otherwise, each with an example in turn."""
    with start(estate(), switches=QUICK) as cloud:
        shop = Shop(cloud, shop_settings(cloud, tmp_path / "state.db", PREREQUISITES="0"))
        specs = [parsed(path.read_bytes()) for path in EXAMPLES]
        arm = shop.app.reconciler._writers.arm
        for spec in specs:
            arm.put(spec.pool_id, dict(spec.body))
            cloud.do.settle()
        standing: dict[str, Any] = {}
        for number, combination in enumerate(product(*ECHO.values())):
            for name, value in zip(ECHO, combination, strict=True):
                if (name, value) not in standing.items():
                    cloud.do.switch(name, value)
            standing = dict(zip(ECHO, combination, strict=True))
            turn = (number + number // len(specs)) % len(specs)
            for spec in specs if PROFILE == "soak" else specs[turn : turn + 1]:
                document = shop.app.planner.readers.arm.pool(spec.pool_id)
                assert document is not None
                assert differences(spec.body, document) == [], (spec.name, combination)


@pytest.mark.soaked
@pytest.mark.parametrize("version", VERSIONS)
def test_the_answer_of_any_api_version_can_be_pasted_and_plans_nothing(version: str, tmp_path: Path) -> None:
    """Whatever identity and API version made the pool, read with that version: it reads as it is."""
    needed = {"devCenterProjectResourceId": f"{SUB}/Microsoft.DevCenter/projects/fabrikam"}
    with start(estate()) as cloud:
        here = Estate(cloud, tmp_path)

        @settings(max_examples=tries(3, soaked=6), suppress_health_check=list(HealthCheck), deadline=None)
        @given(STRATEGIES.get("published", bodies()), st.fixed_dictionaries(ECHO_DRAWN))
        def pasted(made: Json, switches: dict[str, Any]) -> None:
            shop = here.begin({**switches, "arm.newer-properties": "dropped", "arm.parallelism-check": False})
            resource = made["pool"]
            resource["properties"] = {**needed, **resource["properties"]}
            resource["properties"]["fabricProfile"].get("networkProfile", {}).setdefault("subnetId", SUBNET)
            answer = _asked(cloud, version, resource)
            spec = parsed(text({**made, "pool": answer}))
            document = shop.app.planner.readers.arm.pool(spec.pool_id)
            assert document is not None
            assert differences(spec.body, document) == []

        pasted()


def _asked(cloud: Running, version: str, resource: Json) -> Json:
    """Put it as another client would, and get it."""
    where = f"{cloud.arm}{SUB}/Microsoft.DevOpsInfrastructure/pools/{POOL}"
    headers = {"Authorization": f"Bearer {cloud.tokens['arm']}"}
    asking = {"api-version": version}
    made = requests.put(where, json=resource, params=asking, headers=headers, timeout=30)
    assert made.ok, made.text
    cloud.do.settle()
    return requests.get(where, params=asking, headers=headers, timeout=30).json()


def test_the_document_has_no_property_that_is_never_drawn() -> None:
    """Otherwise the round trip would say nothing of it; where there is no document, there is nothing to be drawn from."""
    place = drawn.document()
    missing = set(published.known(place, {"$ref": "#/definitions/Pool"}, drawn.SAID) if place else ())

    @settings(max_examples=25, derandomize=False, database=None, phases=[Phase.generate], deadline=None)
    @given(STRATEGIES.get("published", bodies()))
    def collect(spec: Json) -> None:
        missing.difference_update(published.paths(spec["pool"]))

    for number in range(16):
        if missing:
            seed(number)(collect)()
    assert missing == set()


@settings(deadline=None)
@given(bodies())
def test_hand_written_bodies_are_what_the_document_allows(spec: Json) -> None:
    """They stand in for the document where it is not there."""
    place = drawn.document()
    found = openapi.problems(place, {"$ref": "#/definitions/Pool"}, spec["pool"]) if place else ()
    assert list(found) == []
