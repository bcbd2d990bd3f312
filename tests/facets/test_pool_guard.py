"""The guard over PUTs of the pool, and the properties of its diff."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.facets import pool
from reconciler.facets.pool import ObservedPool
from reconciler.plan.model import Change, Risk
from reconciler.plan.policy import Policy
from reconciler.plan.targets import CreatePool, OpenAccess, QueuePlace, UpdatePool
from tests.facets.documents import POOL_ID, TWO, document, fabric, organizations, profile_of, sent, wanted, world_with
from tests.facets.frame import NOW, look, spec

ONLY = [pool.FACET]


def update() -> Change:
    return look(world_with(document()), wanted(maximumConcurrency=6), facets=ONLY).changes[0]


def forged(path: str, value: Any) -> Change:
    """The update with one more thing put into its body behind the plan's back."""
    change = update()
    body = sent(change)
    *parents, last = path.split(".")
    place: Any = body
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[last] = value
    return replace(change, target=UpdatePool(POOL_ID, body))


ORGANIZATION = "properties.organizationProfile"


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        (forged("location", "westus"), "immutable", "another location"),
        (forged(f"{ORGANIZATION}.permissionProfile", {"kind": "Inherit"}), "create-only", "another profile"),
        (forged(f"{ORGANIZATION}.organizations.0.openAccess", True), "create-only", "open access by ARM"),
        (forged(f"{ORGANIZATION}.organizations", []), "untold-field", "organizations that no line speaks of"),
        (forged("properties.futureProfile", None), "untold-field", "a field that nobody understood"),
        (forged("tags", {"a": "b"}), "untold-field", "a field that was not there"),
        (replace(update(), target=UpdatePool("/another", sent(update()))), "unseen-pool", "another pool"),
        (replace(update(), target=CreatePool(POOL_ID, sent(update()))), "unseen-pool", "a creation of what exists"),
        (replace(update(), target=OpenAccess(QueuePlace("x", "y", "z", 1, 2), allow=False)), "unrecognised", "no pool"),
    ],
)
def test_the_guard_trusts_no_diff(change: Change, rule: str, reason: str) -> None:
    refusals = pool.guard(ObservedPool(POOL_ID, document()), [change], Policy())

    assert [refusal.rule for refusal in refusals] == [rule], reason


def test_nothing_is_put_over_a_running_operation() -> None:
    busy = document()
    busy["properties"]["provisioningState"] = "Updating"

    refusals = pool.guard(ObservedPool(POOL_ID, busy), [update()], Policy())

    assert [refusal.rule for refusal in refusals] == ["in-progress"]


def test_a_line_of_the_plan_covers_what_lies_below_it_and_above() -> None:
    """An image list is one line, an organization's field is another; both change a list as a whole."""
    change = look(
        world_with(document()),
        wanted(**organizations({**TWO[0], "projects": []}, TWO[1]), **fabric(images=[{"resourceId": "/i"}])),
        facets=ONLY,
    )

    assert (len(change.changes), change.refusals) == (1, ())


# --- properties ---------------------------------------------------------------------------------------

projects = st.lists(st.sampled_from(["Web", "App", "Old"]), unique=True)
organization_items = st.lists(
    st.fixed_dictionaries(
        {"url": st.sampled_from([f"https://dev.azure.com/org-{n}" for n in range(3)]), "projects": projects},
        optional={"alias": st.sampled_from(["a", "b"]), "openAccess": st.booleans()},
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda item: str(item["url"]),
)
bodies = st.builds(
    lambda agents, items, profile, name, image, tags: {
        "location": "eastus",
        "tags": tags,
        "properties": {
            "maximumConcurrency": agents,
            "organizationProfile": {"kind": "AzureDevOps", "organizations": items, "permissionProfile": profile},
            "fabricProfile": {"kind": "Vmss", "sku": {"name": name}, "images": [{"wellKnownImageName": image}]},
        },
    },
    st.integers(3, 6),
    organization_items,
    st.sampled_from([{"kind": "Inherit"}, {"kind": "CreatorOnly"}]),
    st.sampled_from(["small", "large"]),
    st.sampled_from(["ubuntu-24.04", "windows-2025"]),
    st.dictionaries(st.sampled_from(["env", "team"]), st.sampled_from(["x", "y"])),
)


def apply_to(observed: ObservedPool, changes: list[Change]) -> ObservedPool:
    if not changes:
        return observed
    document = sent(changes[0])
    document["properties"]["provisioningState"] = "Succeeded"
    return ObservedPool(observed.resource_id, document)


@given(bodies, st.none() | bodies, st.sampled_from(["Succeeded", "Failed"]))
def test_applying_the_difference_gives_what_is_wanted(
    first: dict[str, Any], second: dict[str, Any] | None, state: str
) -> None:
    desired = pool.parse(spec(body=first), NOW)
    if second is not None:
        second["properties"]["provisioningState"] = state
    observed = ObservedPool(POOL_ID, second)

    changes = list(pool.diff(desired, observed))

    assert pool.guard(observed, changes, Policy()) == []
    assert pool.diff(desired, apply_to(observed, changes)) == []


@given(bodies, st.data())
def test_the_order_of_organizations_does_not_matter(found: dict[str, Any], data: st.DataObject) -> None:
    shuffled = deepcopy(found)
    items = shuffled["properties"]["organizationProfile"]["organizations"]
    shuffled["properties"]["organizationProfile"]["organizations"] = data.draw(st.permutations(items))

    assert pool.diff(pool.parse(spec(body=shuffled), NOW), ObservedPool(POOL_ID, found)) == []


@given(bodies, bodies)
def test_an_update_never_carries_what_counts_only_at_creation(first: dict[str, Any], second: dict[str, Any]) -> None:
    for change in pool.diff(pool.parse(spec(body=first), NOW), ObservedPool(POOL_ID, second)):
        sent = profile_of(change)

        assert sent["permissionProfile"] == second["properties"]["organizationProfile"]["permissionProfile"]
        assert not any("openAccess" in item for item in sent["organizations"])


@given(bodies, bodies)
def test_the_risk_of_a_put_is_that_of_its_worst_line(first: dict[str, Any], second: dict[str, Any]) -> None:
    harm = list(Risk)
    for change in pool.diff(pool.parse(spec(body=first), NOW), ObservedPool(POOL_ID, second)):
        assert harm.index(change.risk) == max(harm.index(detail.risk) for detail in change.details)
        assert change.narrows is any(detail.risk is Risk.NARROWS for detail in change.details)
