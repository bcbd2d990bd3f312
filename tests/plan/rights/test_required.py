"""The list of requirements: complete over the facets, ordered, and the same in every form."""

from __future__ import annotations

import pytest

from reconciler.facets.registry import FACETS
from reconciler.plan.rights.required import (
    ADMINISTER,
    CREATE,
    LIST,
    USE,
    VIEW,
    RequirementKind,
    allows,
    in_organization,
    in_project,
    level_verdict,
)
from reconciler.plan.targets import ProjectPlace
from reconciler.spec.model import Mode

WEB = ProjectPlace("prime", "c9ea1219", "Web")
NOT_IN_DEVOPS = {"pool", "prerequisites"}
"""The first writes to ARM, the second writes nothing."""


def test_every_facet_that_writes_to_azure_devops_is_in_the_list() -> None:
    named = {facet for row in LIST for facet in row.facets}

    assert named == {facet.name for facet in FACETS} - NOT_IN_DEVOPS


def test_kinds_sort_in_the_order_of_granting() -> None:
    """A plan is sorted by kind, and a run that ends early leaves an identity that reads more than it may change."""
    assert sorted(RequirementKind) == list(RequirementKind)


def test_report_requires_reading_and_nothing_else() -> None:
    everything = (*in_organization("prime", Mode.REPORT), *in_project(WEB, Mode.REPORT))

    assert [(one.what, one.bits) for one in everything] == [
        ("access level Basic", 0),
        ("Reader on all agent pools", VIEW),
        ("reader of the project", 0),
        ("Reader on all agent pools of the project", VIEW),
    ]
    assert in_organization("prime", Mode.PAUSE) == in_organization("prime", Mode.REPORT)


def test_enforce_requires_what_all_its_facets_need() -> None:
    _, pools = in_organization("prime", Mode.ENFORCE)
    _, queues = in_project(WEB, Mode.ENFORCE)

    assert (pools.role, pools.bits) == ("Administrator", VIEW | USE | ADMINISTER)
    assert (queues.role, queues.bits) == ("Administrator", VIEW | CREATE | ADMINISTER)


@pytest.mark.parametrize(
    ("facets", "role", "bits"),
    [
        ((), "Reader", VIEW),
        (("queues",), "Creator", VIEW | CREATE),
        (("open_access",), "Administrator", VIEW | ADMINISTER),
        (("queues", "pipelines"), "Administrator", VIEW | CREATE | ADMINISTER),
    ],
)
def test_fewer_facets_require_less(facets: tuple[str, ...], role: str, bits: int) -> None:
    _, queues = in_project(WEB, Mode.ENFORCE, facets)

    assert (queues.role, queues.bits) == (role, bits)


@pytest.mark.parametrize("role", ["Reader", "User", "Creator", "administrator", "Service Account"])
def test_every_role_reads_and_only_one_administers(role: str) -> None:
    _, reader = in_organization("prime", Mode.REPORT)
    _, administrator = in_organization("prime", Mode.ENFORCE)

    assert allows(role, reader)
    assert allows(role, administrator) == (role == "administrator")


@pytest.mark.parametrize(
    ("level", "source", "status", "enough", "member"),
    [
        ("", "", "", False, False),
        ("none", "account", "none", False, False),
        ("stakeholder", "account", "active", False, True),
        ("express", "account", "active", True, True),
        ("earlyAdopter", "account", "pending", True, True),
        ("Advanced", "account", "active", True, True),
        ("none", "msdn", "active", True, True),
        ("something", "account", "active", None, True),
        ("express", "account", "disabled", False, True),
    ],
)
def test_access_levels(level: str, source: str, status: str, enough: bool | None, member: bool) -> None:
    verdict = level_verdict(level, source, status)

    assert (verdict.enough, verdict.member) == (enough, member)


def test_a_grant_names_the_page() -> None:
    access, pools = in_organization("prime", Mode.REPORT)
    reader, queues = in_project(ProjectPlace("prime", "1", "a b"), Mode.ENFORCE)

    assert access.grant("me").remedy.startswith("https://dev.azure.com/prime/_settings/users, Add users")
    assert pools.grant("me").remedy == "https://dev.azure.com/prime/_settings/agentpools, Security, Add: role Reader"
    assert reader.grant("me").remedy == "https://dev.azure.com/prime/a%20b/_settings/permissions, Readers, Members, Add"
    assert queues.grant("me").remedy.endswith("/a%20b/_settings/agentqueues, Security, Add: role Administrator")
    assert {one.grant("me").whom for one in (access, pools, reader, queues)} == {"me"}
