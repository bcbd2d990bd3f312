r"""Who gets a role over HTTP: the identity that a spec means, and no one who was made to look like it.

`tests/adapters/devops/test_identities.py` has the same over single answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.engine import Outcome, Result
from reconciler.plan.model import Gap
from tests.examples import some
from tests.scenarios.drafts import (
    ANN,
    BOB,
    CAROL,
    ENTRA_GROUP,
    EVE,
    PLATFORM,
    POOL,
    PRIME,
    ROBOT,
    ROLES,
    ZOE,
    estate,
    managed,
    release,
)
from tests.scenarios.world import World

Edit = tuple[str, dict[str, Any]]
DEV = "fabrikam-dev"
OF_DEV = f"{DEV} Build Service ({PRIME})"
OF_ALL = f"Project Collection Build Service ({PRIME})"
BUILDERS = f"[{PRIME}]\\Builders"
ALWAYS = {"operator", "ann"}


def edit(what: str, **arguments: Any) -> Edit:
    """Something that is done by hand."""
    return what, {"organization": PRIME, **arguments}


def among(*administrators: str, exclusive: bool = True) -> dict[str, Any]:
    """The pool with these administrators in one organization, beside Ann."""
    prime = {"organization": PRIME, "administrators": [ANN, *administrators], "exclusive": exclusive, "inherit": False}
    return managed(access={"roles": [prime, ROLES[1]]})


def gaps(result: Result) -> tuple[Gap, ...]:
    """What the last plan of a run could not read or decide."""
    assert result.plan is not None
    return result.plan.gaps


def extended() -> dict[str, Any]:
    """The estate with guests, and with an Entra group that has a mail address."""
    found = estate()
    found["principals"] += [
        {"name": "guest", "upn": "gil_contoso.com#EXT#@fabrikam.com", "mail": "gil@contoso.com", "displayName": "Gil"},
        {"name": "mallory", "upn": "zoe_fabrikam.com#EXT#@evil.example", "mail": "m@evil.example", "displayName": ZOE},
        {"name": "crew", "kind": "group", "mail": "crew@fabrikam.com", "displayName": "Crew"},
        {"name": "impostors", "kind": "group", "mail": "x@fabrikam.com", "displayName": "crew@fabrikam.com"},
        {"name": "long-s", "upn": "\u017foe@fabrikam.com", "mail": "\u017foe@fabrikam.com", "displayName": "Long s"},
    ]
    prime = next(one for one in found["organizations"] if one["name"] == PRIME)
    prime["identities"] += ["guest", "mallory", "crew", "impostors", "long-s"]
    return found


@pytest.fixture
def full(world: World) -> World:
    """Everyone whom `extended` adds is known."""
    world.do.replace(extended())
    return world


@dataclass(frozen=True)
class Taken:
    """What is made to be taken for a principal."""

    principal: str
    edits: tuple[Edit, ...]
    gap: bool = False
    """Whether the principal is reported as degraded; else its membership is refused."""
    switches: dict[str, str] = field(default_factory=dict)


NO_ONE: dict[str, Taken] = {
    "group called like an address": Taken(ZOE, (edit("create-group", name=ZOE),)),
    "group of a project called like an address": Taken(ZOE, (edit("create-group", name=ZOE, project=DEV),)),
    "person displayed like an address": Taken(ZOE, (edit("rename-identity", who="eve", to=ZOE),)),
    "Entra group displayed like an address": Taken(ZOE, (edit("rename-identity", who="crew", to=ZOE),)),
    "guest with the address inside the sign-in name": Taken(ZOE, ()),
    "sign-in name with a long s": Taken("soe@fabrikam.com", ()),
    "person displayed like an object id": Taken(ROBOT, (edit("rename-identity", who="eve", to=ROBOT),)),
    "group with an object id as its local id": Taken(ROBOT, (edit("create-group", name="any", key=ROBOT),)),
    "group of a project called like the organization": Taken(
        BUILDERS, (edit("create-project", name=PRIME), edit("create-group", name="Builders", project=PRIME)), gap=True
    ),
    "person displayed like a group": Taken(BUILDERS, (edit("rename-identity", who="eve", to=BUILDERS),), gap=True),
    "Entra group displayed like a group": Taken(
        BUILDERS, (edit("rename-identity", who="crew", to="Builders"),), gap=True
    ),
    "group with a scope in its name": Taken(BUILDERS, (edit("create-group", name=BUILDERS, project=DEV),), gap=True),
    "group whose name only looks alike": Taken(BUILDERS, (edit("create-group", name="Build\u0435rs"),), gap=True),
    "group that was renamed": Taken(PLATFORM, (edit("rename-identity", who=PLATFORM, to="Others"),), gap=True),
    "group that was deleted": Taken(PLATFORM, (edit("remove-identity", principal=PLATFORM),), gap=True),
    "group of another project": Taken(
        f"[{DEV}]\\Builders", (edit("create-group", name="Builders", project="fabrikam-test"),), gap=True
    ),
    "group of the organization for that of a project": Taken(
        f"[{DEV}]\\Builders", (edit("create-group", name="Builders"),), gap=True
    ),
    "group of a project that there is not": Taken(
        "[nothing]\\Builders", (edit("create-group", name="Builders"),), gap=True
    ),
    "Entra group by its name": Taken("[TEAM FOUNDATION]\\Crew", (), gap=True),
    "person displayed like a build service": Taken(OF_DEV, (edit("rename-identity", who="eve", to=OF_DEV),), gap=True),
    "group called like a build service": Taken(OF_DEV, (edit("create-group", name=OF_DEV, project=DEV),), gap=True),
    "build service of another project, displayed like it": Taken(
        OF_DEV,
        (
            edit("create-build-service", project="fabrikam-test"),
            edit("rename-identity", who=f"fabrikam-test Build Service ({PRIME})", to=OF_DEV),
        ),
        gap=True,
    ),
    "the same, where no search finds service identities": Taken(
        OF_DEV,
        (edit("create-build-service", project="fabrikam-test"), edit("create-build-service")),
        gap=True,
        switches={"devops__service_identities_in_search": "absent"},
    ),
    "build service of a project called Project Collection": Taken(
        OF_ALL,
        (
            edit("create-project", name="Project Collection"),
            edit("create-build-service", project="Project Collection"),
        ),
        gap=True,
    ),
    "build service of another organization": Taken("Web Build Service (fabrikam-tailspin)", (), gap=True),
    "two active people with one address": Taken(CAROL, (edit("double-identity", who="carol"),), gap=True),
    "person who has the mail of another": Taken(
        BOB, (edit("double-identity", who="bob", active=True), edit("rename-identity", who="bob", to="B")), gap=True
    ),
}


@pytest.mark.parametrize("what", NO_ONE)
def test_no_one_gets_a_role_by_a_name_that_they_chose(full: World, what: str) -> None:
    case = NO_ONE[what]
    full.switch(**case.switches)
    for name, arguments in case.edits:
        full.by_hand(name, **arguments)
    full.spec(among(case.principal))

    result = full.settle()[POOL]

    assert full.truth.administrators(PRIME, POOL) == ALWAYS
    degraded = [gap.subject for gap in gaps(result) if gap.facet == "roles"]
    assert degraded == ([f"{PRIME} {case.principal}"] if case.gap else [])
    full.never_in_sync(POOL, Outcome.STALLED, because="the spec names a principal that is not there")


@dataclass(frozen=True)
class Meant:
    """A principal, and the identity that it means, as the estate calls it."""

    principal: str
    name: str
    edits: tuple[Edit, ...] = ()
    switches: dict[str, str] = field(default_factory=dict)


WITH_DEV = (edit("create-build-service", project=DEV), edit("create-build-service"))
UNSEARCHED = {"devops__service_identities_in_search": "absent"}
SOMEONE: dict[str, Meant] = {
    "address in other letter case": Meant("Carol@FABRIKAM.com", "carol"),
    "address that a group has as its name": Meant(CAROL, "carol", (edit("create-group", name=CAROL),)),
    "address that others are displayed by": Meant(CAROL, "carol", (edit("rename-identity", who="eve", to=CAROL),)),
    "person who is displayed otherwise": Meant(CAROL, "carol", (edit("rename-identity", who="carol", to=EVE),)),
    "person who left and came back": Meant(CAROL, "carol", (edit("double-identity", who="carol", active=False),)),
    "guest by mail": Meant("gil@contoso.com", "guest"),
    "guest by the sign-in name": Meant("gil_contoso.com#ext#@fabrikam.com", "guest"),
    "Entra group by mail": Meant("crew@fabrikam.com", "crew"),
    "group of the organization": Meant(PLATFORM.upper(), PLATFORM),
    "group of the organization beside a project of its name": Meant(
        PLATFORM,
        PLATFORM,
        (edit("create-project", name=PRIME), edit("create-group", name="Platform", project=PRIME)),
    ),
    "group with an address as its name": Meant(
        f"[{PRIME}]\\{ZOE}", f"[{PRIME}]\\{ZOE}", (edit("create-group", name=ZOE),)
    ),
    "group of a project": Meant(
        f"[{DEV}]\\Builders",
        f"[{DEV}]\\Builders",
        (edit("create-group", name="Builders", project=DEV), edit("create-group", name="Builders")),
    ),
    "build service of a project": Meant(OF_DEV, OF_DEV, WITH_DEV),
    "build service of the organization": Meant(OF_ALL, OF_ALL, WITH_DEV),
    "build service that no search finds": Meant(OF_DEV, OF_DEV, WITH_DEV, UNSEARCHED),
    "build service of the organization that no search finds": Meant(OF_ALL, OF_ALL, WITH_DEV, UNSEARCHED),
    "build service of the organization beside a project of its name": Meant(
        OF_ALL, OF_ALL, (edit("create-project", name="Project Collection"), edit("create-build-service"))
    ),
}


@pytest.mark.soaked
@pytest.mark.parametrize(
    ("what", "groups"),
    [
        *((what, "full-name") for what in SOMEONE),
        *((what, "domain") for what in some([what for what in SOMEONE if "group" in what], one_of=2)),
    ],
)
def test_a_role_goes_to_the_identity_that_is_meant(full: World, what: str, groups: str) -> None:
    """Whatever others are called, and whichever unique name the service shows of groups."""
    case = SOMEONE[what]
    full.switch(devops__unique_name_of_groups=groups, **case.switches)
    for name, arguments in case.edits:
        full.by_hand(name, **arguments)
    full.spec(among(case.principal))

    full.settle()

    assert full.truth.administrators(PRIME, POOL) == ALWAYS | {case.name}


def test_a_group_of_a_project_called_like_the_organization_is_named_by_the_projects_id(full: World) -> None:
    project = full.by_hand("create-project", organization=PRIME, name=PRIME)
    full.by_hand("create-group", organization=PRIME, name="Platform", project=PRIME)
    theirs = f"[{project}]\\Platform"
    full.spec(among(theirs))

    full.settle()

    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, theirs}


def test_a_build_service_keeps_its_role_when_its_project_is_renamed(full: World) -> None:
    """Its display name stays the old one; the new name of the project leads to it all the same."""
    full.by_hand("create-build-service", organization=PRIME, project="fabrikam-perf")
    full.by_hand("rename-project", organization=PRIME, project="fabrikam-perf", to="Speed")
    full.spec(among(f"Speed Build Service ({PRIME})"))

    full.settle()

    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, f"fabrikam-perf Build Service ({PRIME})"}
    full.never_in_sync(POOL, Outcome.IN_SYNC, because="the second opinion knows names alone")
    full.only("fabrikam-release-pool")


def test_a_group_keeps_its_role_through_a_rename_of_its_project_and_its_namesake_gets_none(full: World) -> None:
    """The name came first until another project had it; then no one can tell which one the spec means."""
    full.by_hand("create-group", organization=PRIME, name="Builders", project="fabrikam-perf")
    full.spec(among("[fabrikam-perf]\\Builders"))
    full.settle()
    full.by_hand("rename-project", organization=PRIME, project="fabrikam-perf", to="Speed")
    full.restart()
    (renamed,) = gaps(full.settle()[POOL])
    assert "is called Speed now" in renamed.message
    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, "[Speed]\\Builders"}

    full.by_hand("create-project", organization=PRIME, name="fabrikam-perf")
    full.by_hand("create-group", organization=PRIME, name="Builders", project="fabrikam-perf")
    full.restart()
    full.do.reset_log()
    result = full.settle()[POOL]

    assert full.writes() == []
    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, "[Speed]\\Builders"}
    (gap,) = [gap for gap in gaps(result) if gap.facet == "roles"]
    assert "project fabrikam-perf was renamed to Speed, and another project has its name now" in gap.message
    full.never_in_sync(POOL, Outcome.STALLED, because="two projects had the name")


def test_an_ambiguous_administrator_stops_removals_and_nothing_else(full: World) -> None:
    """Supersedes the first sentence of decision 0011: one name that several have stopped every change of roles."""
    full.by_hand("set-role", organization=PRIME, pool=POOL, who="eve", role="Administrator")
    full.by_hand("remove-role", organization=PRIME, pool=POOL, who="ann")
    full.by_hand("double-identity", organization=PRIME, who="carol")
    full.spec(among(CAROL, PLATFORM))

    result = full.settle()[POOL]

    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, PLATFORM, "eve"}
    (gap,) = [gap for gap in gaps(result) if gap.facet == "roles"]
    assert gap.message == f"organization {PRIME}: principal {CAROL}: fits 2 identities"

    full.by_hand("remove-identity", organization=PRIME, principal="carol (1)")
    full.settle()
    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, PLATFORM, "carol"}


def test_an_ambiguous_member_stops_removals_on_its_own_queue_alone(full: World) -> None:
    for project in (DEV, "fabrikam-test"):
        full.by_hand("set-role", organization=PRIME, pool=POOL, project=project, who="eve", role="User")
    full.by_hand("double-identity", organization=PRIME, who="carol")
    on_dev = {"project": f"{PRIME}/{DEV}", "users": [ANN, CAROL], "exclusive": True}
    on_test = {"project": f"{PRIME}/fabrikam-test", "users": [ANN], "exclusive": True}
    full.spec(managed(access={"queueRoles": [on_dev, on_test]}))

    full.settle()

    queues = {one["project"]: one["roles"].get("User") for one in full.truth.agent_pool(PRIME, POOL)["queues"]}
    assert queues == {DEV: ["ann", "eve"], "fabrikam-test": ["ann"]}
    full.never_in_sync(POOL, Outcome.STALLED, because="carol is two people")


@pytest.mark.soaked
@pytest.mark.parametrize(
    "what", some([name for name, case in NO_ONE.items() if case.gap and "active" not in name], one_of=3)
)
def test_queue_roles_read_principals_in_the_same_way(full: World, what: str) -> None:
    case = NO_ONE[what]
    full.switch(**case.switches)
    for name, arguments in case.edits:
        full.by_hand(name, **arguments)
    full.spec(managed(access={"queueRoles": [{"project": f"{PRIME}/{DEV}", "users": [case.principal]}]}))

    full.settle()

    queues = {one["project"]: one["roles"] for one in full.truth.agent_pool(PRIME, POOL)["queues"]}
    assert queues[DEV].get("User", []) == []
    full.never_in_sync(POOL, Outcome.STALLED, because="the spec names a principal that is not there")


def test_build_services_may_use_a_queue(full: World) -> None:
    for _, arguments in WITH_DEV:
        full.by_hand("create-build-service", **arguments)
    users = {"project": f"{PRIME}/{DEV}", "users": [OF_DEV, OF_ALL]}
    full.spec(managed(access={"queueRoles": [users]}), release())

    full.settle()

    queues = {one["project"]: one["roles"] for one in full.truth.agent_pool(PRIME, POOL)["queues"]}
    assert sorted(queues[DEV]["User"]) == sorted([OF_DEV, OF_ALL])


def test_an_object_id_means_the_entra_identity_beside_a_group_with_that_local_id(full: World) -> None:
    full.by_hand("create-group", organization=PRIME, name="any", key=ENTRA_GROUP)
    full.by_hand("add-identity", organization=PRIME, principal="platform-team")
    full.spec(among(ENTRA_GROUP))

    full.settle()

    assert full.truth.administrators(PRIME, POOL) == {*ALWAYS, "platform-team"}
