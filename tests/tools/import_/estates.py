"""Random estates of a few pools: every mixture of open and closed, missing queues, roles and inheritance."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PEOPLE = ("ann", "bob")
ORGANIZATIONS = ("fabrikam-one", "fabrikam-two")
PROJECTS = ("Web", "Mobile", "Data")
EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"tags": {"team: #1": 'it\'s "fine"', "on": "no", "empty": "~"}},
    {"tags": {"строка": "naïve ☃", "cost center": "007"}},
)


@st.composite
def queues(draw: st.DrawFn, projects: list[str]) -> list[dict[str, Any]]:
    """Queues in some of the projects."""
    chosen = draw(st.lists(st.sampled_from(projects), unique=True))
    return [
        {
            "project": name,
            "openAccess": draw(st.booleans()),
            "pipelines": draw(st.sampled_from([[], [1], [1, 2]])),
            "roles": draw(
                st.sampled_from([{}, {"User": ["ann"]}, {"Administrator": ["operator", "bob"], "Reader": ["ann"]}])
            ),
        }
        for name in chosen
    ]


@st.composite
def share(draw: st.DrawFn, organization: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What ARM lists of an organization, and the queues there."""
    listed = draw(st.lists(st.sampled_from(PROJECTS), unique=True))
    entry = {"url": f"https://dev.azure.com/{organization}", "projects": listed, "parallelism": 1}
    return entry, draw(queues(listed or list(PROJECTS)))


@st.composite
def pool(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """An ARM pool, and its agent pool in each organization."""
    used = draw(st.lists(st.sampled_from(ORGANIZATIONS), unique=True, min_size=1))
    shares = {one: draw(share(one)) for one in used}
    profile = {
        "kind": "AzureDevOps",
        "organizations": [entry for entry, _ in shares.values()],
        "permissionProfile": draw(
            st.sampled_from(
                [
                    {"kind": "Inherit"},
                    {"kind": "CreatorOnly"},
                    {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]},
                ]
            )
        ),
    }
    body = {
        "name": name,
        "resourceGroup": "rg-build",
        "location": "eastus",
        **draw(st.sampled_from(EXTRAS)),
        "properties": {
            "maximumConcurrency": len(used),
            "organizationProfile": profile,
            "agentProfile": draw(
                st.sampled_from([{"kind": "Stateless"}, {"kind": "Stateful", "maxAgentLifetime": "1.00:00:00"}])
            ),
            "fabricProfile": {
                "kind": "Vmss",
                "sku": {"name": "Standard_D2ads_v5"},
                "images": [{"wellKnownImageName": "ubuntu-24.04", "buffer": "*"}],
            },
        },
    }
    agent_pools = {
        one: {
            "name": name,
            "managed": True,
            "autoProvision": draw(st.booleans()),
            "inherit": draw(st.booleans()),
            "roles": {"Administrator": ["operator", *draw(st.lists(st.sampled_from(PEOPLE), unique=True))]},
            "queues": found,
        }
        for one, (_, found) in shares.items()
    }
    return body, agent_pools


@st.composite
def estates(draw: st.DrawFn) -> dict[str, Any]:
    """One or two pools."""
    pools = [draw(pool(name)) for name in ("build-one", "build-two")[: draw(st.integers(1, 2))]]
    pipelines = [{"id": 1, "name": "nightly", "path": "\\release"}, {"id": 2, "name": "it's: #2"}]
    return {
        "principals": [
            {"name": "operator", "kind": "servicePrincipal", "displayName": "Pool operator"},
            *({"name": one, "kind": "user", "mail": f"{one}@fabrikam.com"} for one in PEOPLE),
        ],
        "subscriptions": [{"id": SUBSCRIPTION, "resourceGroups": ["rg-build"], "pools": [body for body, _ in pools]}],
        "organizations": [
            {
                "name": one,
                "identities": ["operator", *PEOPLE],
                "administrators": ["operator"],
                "projects": [{"name": project, "pipelines": pipelines} for project in PROJECTS],
                "agentPools": [own[one] for _, own in pools if one in own],
            }
            for one in ORGANIZATIONS
        ],
    }
