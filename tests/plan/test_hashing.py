"""What an approval binds: everything that a plan does, the spec's content and the policy; not what means nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.hashing import line_of_change, lines_to_come
from reconciler.plan.model import Change, Detail, Plan, Refusal
from reconciler.plan.targets import CreatePool, OpenAccess, QueuePlace, ReplacePool, Risk, UpdatePool

ID = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/x/pools/p"
QUEUE = QueuePlace("fabrikam", "p1", "Web", 7, 3)
OPENED = Change("open_access", "open access", "fabrikam/Web", None, "all pipelines", OpenAccess(QUEUE, allow=True))
BODY: dict[str, Any] = {
    "location": "West Europe",
    "tags": {"Team": "Build"},
    "properties": {
        "organizationProfile": {
            "kind": "AzureDevOps",
            "organizations": [
                {"url": "https://dev.azure.com/fabrikam", "projects": ["Web", "App"]},
                {"url": "https://dev.azure.com/contoso"},
            ],
            "permissionProfile": {"kind": "SpecificAccounts", "users": ["Ann@fabrikam.com", "ben@fabrikam.com"]},
        },
        "fabricProfile": {"images": [{"resourceId": f"{ID}/images/A"}, {"wellKnownImageName": "Ubuntu-22.04/latest"}]},
    },
}
MADE = Change("pool", "pool", "p", None, "4 agents", CreatePool(ID, BODY))
LINES = (
    Detail("maximumConcurrency", 4, 6),
    Detail("organizationProfile.organizations[fabrikam].projects", ["Web"], ["App", "Web"], Risk.WIDENS),
)
UPDATED = Change("pool", "pool", "p", None, None, UpdatePool(ID, BODY), LINES)
PLAN = Plan("p", "c0ffee", (OPENED, MADE), spec="blob-1", policy="policy-1")


def other(body: Any) -> str:
    return replace(PLAN, changes=(OPENED, replace(MADE, target=CreatePool(ID, body)))).hash


def changed(path: str, value: Any) -> dict[str, Any]:
    """The body with one value replaced."""
    first, *rest = path.split(".")
    if not rest:
        return {**BODY, first: value}
    inner = dict(BODY[first])
    place = inner
    for name in rest[:-1]:
        place[name] = dict(place[name])
        place = place[name]
    place[rest[-1]] = value
    return {**BODY, first: inner}


def test_the_hash_is_a_whole_sha_256() -> None:
    assert len(PLAN.hash) == 64
    assert int(PLAN.hash, 16)


def test_the_commit_is_not_part_of_it_and_spec_and_policy_are() -> None:
    assert replace(PLAN, revision="decade").hash == PLAN.hash
    assert replace(PLAN, spec="blob-2").hash != PLAN.hash
    assert replace(PLAN, policy="policy-2").hash != PLAN.hash


@pytest.mark.parametrize(
    "body",
    [
        changed("location", "west europe"),
        changed("tags", {"team": "Build"}),
        changed("properties.organizationProfile.organizations", [
            {"url": "HTTPS://dev.azure.com/Contoso"},
            {"projects": ["app", "Web"], "url": "https://dev.azure.com/fabrikam"},
        ]),
        changed("properties.organizationProfile.permissionProfile.users", ["BEN@fabrikam.com", "ann@fabrikam.com"]),
        changed("properties.fabricProfile.images", [
            {"resourceId": f"{ID}/images/a".upper()}, {"wellKnownImageName": "ubuntu-22.04/latest"},
        ]),
    ],
)  # fmt: skip
def test_case_and_order_that_mean_nothing_change_no_hash(body: dict[str, Any]) -> None:
    assert body != BODY
    assert other(body) == PLAN.hash


@pytest.mark.parametrize(
    "body",
    [
        changed("location", "northeurope"),
        changed("tags", {"Team": "build"}),
        changed("properties.organizationProfile.permissionProfile.users", ["ann@fabrikam.com"]),
        changed("properties.fabricProfile.images", list(reversed(BODY["properties"]["fabricProfile"]["images"]))),
        changed("properties.more", {"script": "Echo"}),
    ],
)
def test_what_means_something_changes_the_hash(body: dict[str, Any]) -> None:
    assert other(body) != PLAN.hash


def test_case_in_a_script_means_something() -> None:
    assert other(changed("properties.script", "echo A")) != other(changed("properties.script", "echo a"))


def test_names_of_azure_devops_have_no_case() -> None:
    queue = replace(QUEUE, project="web")
    renamed = replace(OPENED, subject="fabrikam/web", target=OpenAccess(queue, allow=True))

    assert replace(PLAN, changes=(renamed, MADE)).hash == PLAN.hash
    assert replace(PLAN, changes=(replace(OPENED, target=OpenAccess(QUEUE, allow=False)), MADE)).hash != PLAN.hash
    moved = replace(OPENED, target=OpenAccess(replace(QUEUE, queue_id=8), allow=True))
    assert replace(PLAN, changes=(moved, MADE)).hash != PLAN.hash


def test_of_an_update_the_lines_count_and_not_what_it_carries_on() -> None:
    plan = replace(PLAN, changes=(UPDATED,))
    carried = replace(UPDATED, target=UpdatePool(ID.upper(), changed("tags", {"added": "by a policy"})))
    lines = (LINES[1], replace(LINES[0], path="MaximumConcurrency"))

    assert replace(PLAN, changes=(carried,)).hash == plan.hash
    assert replace(PLAN, changes=(replace(UPDATED, details=lines),)).hash == plan.hash
    assert replace(PLAN, changes=(replace(UPDATED, details=LINES[:1]),)).hash != plan.hash
    assert replace(PLAN, changes=(replace(UPDATED, details=(replace(LINES[0], after=7), LINES[1])),)).hash != plan.hash
    assert replace(PLAN, changes=(replace(UPDATED, details=(replace(LINES[0], before=3), LINES[1])),)).hash != plan.hash


def test_what_a_cap_holds_back_is_part_of_the_hash_and_other_refusals_are_not() -> None:
    held = replace(PLAN, changes=(MADE,), refusals=(Refusal(OPENED, "cap-widenings", "2 of 1"),))
    refused = replace(PLAN, changes=(MADE,), refusals=(Refusal(OPENED, "not-in-spec", "is not named"),))

    assert held.hash == PLAN.hash, "it stays the same when it is approved"
    assert refused.hash == replace(PLAN, changes=(MADE,)).hash


def test_what_follows_is_known_again_by_what_it_does_and_not_by_ids() -> None:
    planned = replace(OPENED, target=OpenAccess(replace(QUEUE, queue_id=0, pool_id=0), allow=True), awaits="its queue")
    real, elsewhere = (replace(OPENED, target=OpenAccess(place, allow=True)) for place in (
        QUEUE, replace(QUEUE, project_id="p2", project="App"),
    ))  # fmt: skip
    shown = set(lines_to_come(planned.to_json()))

    assert set(lines_to_come(real.to_json())) == shown
    assert set(lines_to_come(elsewhere.to_json())).isdisjoint(shown)
    assert line_of_change(real.to_json()) != line_of_change(planned.to_json())


def test_of_a_creation_each_line_is_known_again_in_an_update() -> None:
    made = replace(MADE, details=tuple(replace(one, before=None) for one in LINES))
    replaced = replace(made, target=ReplacePool(ID, BODY, ("location",)))
    shown = set(lines_to_come(made.to_json()))

    assert len(shown) == 2
    assert set(lines_to_come(replaced.to_json())) == shown
    assert set(lines_to_come(replace(UPDATED, details=LINES[:1]).to_json())) < shown
    assert set(lines_to_come(replace(UPDATED, details=(replace(LINES[0], after=9),)).to_json())).isdisjoint(shown)
