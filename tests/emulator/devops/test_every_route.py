"""What holds at every route of the plane, whatever it does."""

from __future__ import annotations

import re

import pytest

from emulator.devops.routes import ROUTES
from emulator.router import Route
from emulator.switches.devops import SWITCHES
from tests.emulator.devops.fabrikam import NAMESPACE, POOL_ROLE, Caller, things

NOBODY = "00000000-0000-0000-0000-000000000001"
VALUES = {
    "organization": "prime",
    "project": "dev",
    "projectId": "dev",
    "poolId": "7",
    "queueId": "70",
    "permissions": "1",
    "resourceType": "queue",
    "resourceId": "7",
    "definitionId": "6",
    "scopeId": POOL_ROLE,
    "identityId": NOBODY,
    "securityNamespaceId": NAMESPACE,
    "streamId": "1",
}
BODIES: tuple[object, ...] = (None, 5, "text", [5], {"a": []})
OPEN_TO_ALL = {"locations.options", "resourceareas.list", "resourceareas.get"}
"""Available without membership."""
every = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
writes = pytest.mark.parametrize("route", [r for r in ROUTES if r.writes], ids=lambda route: route.name)


def path(route: Route, **other: str) -> str:
    """The route's path below the organization, with values that exist."""
    values = {**VALUES, **other}
    filled = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], NOBODY), route.template)
    return "/" + filled.split("/", 2)[2]


@every
def test_who_is_not_a_member_is_not_authorized(operator: Caller, route: Route) -> None:
    answer = operator.by("carl").call(route.method, path(route))

    assert answer.status_code == 401 or route.name in OPEN_TO_ALL


@every
def test_an_organization_that_does_not_exist_is_not_found(operator: Caller, route: Route) -> None:
    assert operator.at("nowhere").call(route.method, path(route)).status_code == 404


@writes
def test_nonsense_is_refused_and_changes_nothing(operator: Caller, route: Route) -> None:
    """Removals take no body, so they name things that do not exist."""
    before = things(operator)
    where = path(route, projectId="nothing", poolId="99", queueId="99") if route.method == "DELETE" else path(route)

    for body in BODIES:
        if route.name != "poolmetadata.set" or body != "text":
            assert operator.call(route.method, where, body).status_code < 500, body
    operator.do.settle()
    assert things(operator) == before


@writes
def test_a_member_without_rights_changes_nothing(bob: Caller, route: Route) -> None:
    """An empty list requests nothing, so that no right is needed for it."""
    before = things(bob)

    for body in (None, {}, [], {"name": "x", "displayName": "x"}, [NOBODY]):
        answer = bob.call(route.method, path(route), body)
        assert 400 <= answer.status_code < 500 or body == []
    bob.do.settle()
    assert things(bob) == before


def test_names_of_routes_and_switches_are_unique() -> None:
    names = [route.name for route in ROUTES]

    assert len(set(names)) == len(names)
    assert len({one.name for one in SWITCHES}) == len(SWITCHES)
    assert all(one.about and one.known and one.source for one in SWITCHES)
