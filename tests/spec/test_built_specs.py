"""What the rest of the program sees of a file."""

from __future__ import annotations

from datetime import date
from typing import Any

from reconciler.spec.model import (
    Mode,
    OpenAccessException,
    Organization,
    PermissionKind,
    PermissionProfile,
    PipelineGrant,
    PoolRoles,
    QueueRoles,
    Spec,
)

ORG = "pool.properties.organizationProfile"


def built(loaded: Any, *changes: tuple[str, Any]) -> Spec:
    found = loaded(*changes)
    assert [str(one) for one in found.problems] == []
    (spec,) = found.specs
    assert isinstance(spec, Spec)
    return spec


def test_a_spec_names_its_pool(loaded: Any) -> None:
    spec = built(loaded, ("name", "Fabrikam.Pool"), ("subscription", "ABCDEF00-2222-3333-4444-555555555555"))
    assert (spec.key, spec.path, spec.mode) == ("fabrikam.pool", "pool.json", Mode.ENFORCE)
    assert spec.pool_id == (
        "/subscriptions/abcdef00-2222-3333-4444-555555555555/resourceGroups/rg-build"
        "/providers/Microsoft.DevOpsInfrastructure/pools/Fabrikam.Pool"
    )


def test_a_pause_has_an_end_and_a_reason(loaded: Any) -> None:
    spec = built(loaded, ("mode", "pause"), ("until", "2027-01-31"), ("reason", "move"))
    assert (spec.mode, spec.until, spec.reason) == (Mode.PAUSE, date(2027, 1, 31), "move")


def test_organizations_are_named_bare_and_lower_case(loaded: Any) -> None:
    spec = built(
        loaded,
        (f"{ORG}.organizations.0.url", "https://Fabrikam-Blue.VisualStudio.com"),
        (f"{ORG}.organizations.0.parallelism", 0),
    )
    assert spec.organizations == (
        Organization(
            "fabrikam-blue",
            "fabrikam-managed-pool",
            (),
            open_access=True,
            parallelism=None,
            silent=frozenset({"alias"}),
        ),
        Organization(
            "fabrikam-prime",
            "fabrikam-managed-pool",
            ("fabrikam-dev", "fabrikam-test"),
            open_access=False,
            parallelism=2,
            silent=frozenset({"alias"}),
        ),
    )


def test_an_alias_names_the_agent_pool_the_organizations_own_first(loaded: Any) -> None:
    spec = built(loaded, (f"{ORG}.alias", "shared"), (f"{ORG}.organizations.1.alias", "own"))
    assert [one.agent_pool for one in spec.organizations] == ["shared", "own"]


def test_open_access_that_is_absent_is_not_managed(loaded: Any, removed: object) -> None:
    spec = built(loaded, (f"{ORG}.organizations.0.openAccess", removed))
    assert spec.organizations[0].open_access is None


def test_the_permission_profile_is_read(loaded: Any) -> None:
    profile = {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]}
    spec = built(loaded, (f"{ORG}.permissionProfile", profile))
    assert spec.permission_profile == PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, ("ann@fabrikam.com",))
    assert spec.body["properties"]["organizationProfile"]["permissionProfile"] == profile


def test_a_permission_profile_that_is_absent_is_not_managed(loaded: Any, removed: object) -> None:
    assert built(loaded, (f"{ORG}.permissionProfile", removed)).permission_profile is None


def test_github_pools_have_no_azure_devops_organizations(loaded: Any) -> None:
    spec = built(loaded, (ORG, {"kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam"}]}))
    assert (spec.organizations, spec.permission_profile) == ((), None)


def test_access_is_read_whole_with_projects_as_the_pool_spells_them(loaded: Any) -> None:
    access = {
        "openAccess": [
            {"project": "FABRIKAM-prime/Fabrikam-TEST", "allow": True, "until": "2026-12-31", "reason": "load"},
            {"project": "fabrikam-tailspin/Any Case", "allow": False},
        ],
        "pipelines": [{"project": "fabrikam-prime/fabrikam-dev", "pipelines": ["\\a", 7], "exclusive": True}],
        "roles": [
            {
                "organization": "Fabrikam-Prime",
                "administrators": ["[fabrikam-prime]\\P"],
                "exclusive": True,
                "inherit": False,
            },
            {"organization": "fabrikam-tailspin", "inherit": True},
        ],
        "queueRoles": [{"project": "fabrikam-prime/fabrikam-dev", "administrators": [], "users": ["a@b.c"]}],
    }
    found = built(loaded, ("access", access)).access
    assert found.open_access == (
        OpenAccessException("fabrikam-prime", "fabrikam-test", allow=True, until=date(2026, 12, 31), reason="load"),
        OpenAccessException("fabrikam-tailspin", "Any Case", allow=False),
    )
    assert found.pipelines == (PipelineGrant("fabrikam-prime", "fabrikam-dev", ("\\a", 7), exclusive=True),)
    assert found.roles == (
        PoolRoles("fabrikam-prime", ("[fabrikam-prime]\\P",), exclusive=True, inherit=False),
        PoolRoles("fabrikam-tailspin", None, exclusive=False, inherit=True),
    )
    assert found.queue_roles == (
        QueueRoles("fabrikam-prime", "fabrikam-dev", {"User": ("a@b.c",), "Administrator": ()}, exclusive=False),
    )
