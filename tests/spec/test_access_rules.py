"""What `access` may name, and what it may not say twice."""

from __future__ import annotations

from typing import Any

import pytest

ORG = "pool.properties.organizationProfile"
DEV, TEST = "fabrikam-prime/fabrikam-dev", "fabrikam-prime/fabrikam-test"
PRIME = {"organization": "fabrikam-prime"}
WEB = "fabrikam-tailspin/Web"

BROKEN: list[tuple[str, list[dict[str, Any]], str]] = [
    (
        "openAccess",
        [{"project": DEV, "allow": True, "until": "2027-01-01"}],
        "openAccess[0].reason: is missing; an exception with until needs a reason",
    ),
    (
        "openAccess",
        [{"project": DEV, "allow": True}, {"project": DEV.upper(), "allow": False}],
        "openAccess[1].project: is FABRIKAM-PRIME/FABRIKAM-DEV, as in openAccess[0]; put both into one entry",
    ),
    (
        "openAccess",
        [{"project": "fabrikam-prim/x", "allow": True}],
        "openAccess[0].project: names the organization fabrikam-prim, which this pool does not have; did you mean fabrikam-prime?",
    ),
    (
        "openAccess",
        [{"project": "contoso/x", "allow": True}],
        "openAccess[0].project: names the organization contoso, which this pool does not have; known are fabrikam-tailspin or fabrikam-prime",
    ),
    (
        "openAccess",
        [{"project": "fabrikam-prime/fabrikam-tst", "allow": True}],
        "openAccess[0].project: names the project fabrikam-tst, which fabrikam-prime does not give the pool; did you mean fabrikam-test?",
    ),
    (
        "pipelines",
        [{"project": DEV, "pipelines": [1, 2, 1]}],
        "pipelines[0].pipelines[2]: is 1, as is entry 1; give it once",
    ),
    (
        "pipelines",
        [{"project": WEB, "pipelines": [1], "exclusive": True}],
        "pipelines[0].exclusive: is true, but openAccess of fabrikam-tailspin is on, so all pipelines may use the pool; except fabrikam-tailspin/Web under access.openAccess, or remove exclusive",
    ),
    (
        "roles",
        [{**PRIME, "inherit": True}, {**PRIME, "inherit": False}],
        "roles[1].organization: is fabrikam-prime, as in roles[0]; put both into one entry",
    ),
    (
        "roles",
        [{"organization": "contoso", "inherit": True}],
        "roles[0].organization: names the organization contoso, which this pool does not have; known are fabrikam-tailspin or fabrikam-prime",
    ),
    (
        "roles",
        [{**PRIME, "exclusive": True, "administrators": []}],
        "roles[0].exclusive: is true, but the list is empty; name at least one administrator",
    ),
    (
        "roles",
        [{**PRIME, "administrators": ["a@b.c", "A@B.C"]}],
        "roles[0].administrators[1]: is A@B.C, as is entry 1; give it once",
    ),
    ("queueRoles", [{"project": DEV}], "queueRoles[0]: names no role; give readers, users, creators or administrators"),
    (
        "queueRoles",
        [{"project": DEV, "users": ["a@b.c"], "administrators": ["A@b.c"]}],
        "queueRoles[0].administrators[0]: is A@b.c, who is in users too; a principal has one role on a queue",
    ),
    (
        "queueRoles",
        [{"project": DEV, "users": ["a@b.c", "a@b.c"]}],
        "queueRoles[0].users[1]: is a@b.c, as is entry 1; give it once",
    ),
    (
        "agentPools",
        [{**PRIME, "autoProvision": True}],
        "agentPools[0].autoProvision: is true, but fabrikam-prime lists its projects; new ones would get a queue of the pool without being listed; remove the list of projects, or write false",
    ),
    (
        "agentPools",
        [{**PRIME, "autoProvision": False}, {**PRIME, "autoProvision": False}],
        "agentPools[1].organization: is fabrikam-prime, as in agentPools[0]; put both into one entry",
    ),
    (
        "agentPools",
        [{"organization": "contoso", "autoProvision": True}],
        "agentPools[0].organization: names the organization contoso, which this pool does not have; known are fabrikam-tailspin or fabrikam-prime",
    ),
    ("agentPools", [PRIME], "agentPools[0].autoProvision: is missing; add it"),
]


@pytest.mark.parametrize(("section", "entries", "said"), BROKEN, ids=[str(index) for index in range(len(BROKEN))])
def test_what_access_cannot_mean_is_told(says: Any, section: str, entries: list[dict[str, Any]], said: str) -> None:
    assert says((f"access.{section}", entries)) == [f"access.{said}"]


FINE: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("case of names does not matter", "openAccess", [{"project": "Fabrikam-Prime/FABRIKAM-DEV", "allow": True}]),
    ("an exception without an end", "openAccess", [{"project": WEB, "allow": False}]),
    ("single pipelines beside open access", "pipelines", [{"project": WEB, "pipelines": [1]}]),
    ("nothing is authorized", "pipelines", [{"project": DEV, "pipelines": [], "exclusive": True}]),
    ("inheritance alone", "roles", [{**PRIME, "inherit": False}]),
    ("one exclusive administrator", "roles", [{**PRIME, "exclusive": True, "administrators": ["a@b.c"]}]),
    ("new projects where all are meant", "agentPools", [{"organization": "Fabrikam-Tailspin", "autoProvision": True}]),
    ("no new projects beside a list", "agentPools", [{**PRIME, "autoProvision": False}]),
    ("two projects", "queueRoles", [{"project": DEV, "users": []}, {"project": TEST, "readers": []}]),
]


@pytest.mark.parametrize(("reason", "section", "entries"), FINE, ids=[case[0] for case in FINE])
def test_what_access_can_mean_is_accepted(says: Any, reason: str, section: str, entries: list[dict[str, Any]]) -> None:
    assert says((f"access.{section}", entries)) == [], reason


def test_exclusive_pipelines_are_possible_where_the_project_is_excepted_from_open_access(says: Any) -> None:
    access = {
        "openAccess": [{"project": WEB, "allow": False}],
        "pipelines": [{"project": WEB, "pipelines": [1], "exclusive": True}],
    }
    assert says(("access", access)) == []


def test_accounts_of_the_permission_profile_count_as_administrators(says: Any) -> None:
    profile = {"kind": "SpecificAccounts", "users": ["ann@fabrikam.com"]}
    assert says((f"{ORG}.permissionProfile", profile), ("access.roles", [{**PRIME, "exclusive": True}])) == []


def test_access_is_for_azure_devops(says: Any) -> None:
    github = {"kind": "GitHub", "organizations": [{"url": "https://github.com/fabrikam"}]}
    assert says((ORG, github), ("access.openAccess", [])) == [
        "access: is given, but the pool is for GitHub; it speaks of Azure DevOps alone"
    ]


def test_access_needs_organizations_to_speak_of(says: Any, removed: object) -> None:
    assert says((ORG, removed), ("access.roles", [{**PRIME, "inherit": True}])) == [
        "access.roles[0].organization: names the organization fabrikam-prime, which this pool does not have; known are none"
    ]


def test_membership_is_not_judged_where_the_organizations_could_not_be_read(says: Any) -> None:
    found = says((f"{ORG}.organizations.1.url", "fabrikam-prime"), ("access.roles", [{**PRIME, "inherit": True}]))
    assert len(found) == 1
    assert "organizations[1].url" in found[0]


def test_broken_entries_do_not_hide_other_sections(says: Any) -> None:
    found = says(("access.openAccess", [{"allow": True}]), ("access.queueRoles", [{"project": DEV}]))
    assert [line.split(": is")[0].split(": names")[0] for line in found] == [
        "access.openAccess[0].project",
        "access.queueRoles[0]",
    ]


def test_of_many_misspelt_names_the_first_few_are_compared_and_each_has_a_remedy(says: Any) -> None:
    """Four hundred of them took half a second, in each file that a person saves."""
    projects = [f"team-{number:03d}-web" for number in range(30)]
    slips = [{"project": f"fabrikam-prime/taem-{number:03d}-web", "allow": True} for number in range(30)]
    found = says((f"{ORG}.organizations.1.projects", projects), ("access.openAccess", slips))
    offers = {line.partition("[")[2].partition("]")[0]: line.rpartition("; ")[2] for line in found}
    assert [number for number in range(30) if offers[str(number)].startswith("did you mean")] == list(range(20))
    known = ", ".join(projects[:10])
    assert {offers[str(number)] for number in range(20, 30)} == {f"known are {known}, …"}
