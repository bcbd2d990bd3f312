"""`access.withoutQueue`: projects that are left as they are, whatever ARM's list says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from reconciler.engine.facet import Facet
from reconciler.errors import Forbidden
from reconciler.facets import open_access, pool, queues
from reconciler.facets.support.observing import target_of
from reconciler.plan.model import GapKind
from reconciler.plan.targets import NewQueue, OpenAccess
from reconciler.ports.devops import Project, Queue
from reconciler.spec.loader import load
from reconciler.spec.model import Organization, Spec
from reconciler.survey.names import RememberedNames, learned
from tests.facets.frame import NOW, PRIME, exception, look, organization, spec
from tests.facets.world import POOL, Org, World
from tests.shell import DEMO

WEB, APP, HIDDEN = Project("web", "Web"), Project("app", "App"), Project("hid", "Hidden")
BOTH: Sequence[Facet[Any, Any]] = [queues.FACET, open_access.FACET]


def without(*names: str, listed: tuple[str, ...] = (), opened: bool | None = True) -> Organization:
    return replace(organization(PRIME, *listed, open_access=opened), without_queue=frozenset(names))


def queue_of(project: Project, number: int = 11) -> dict[tuple[str, int], Queue]:
    return {(project.id, POOL.id): Queue(number, POOL.name, project.id, POOL.id)}


@pytest.mark.parametrize("listed", [(), ("Web", "App"), ("Web", "App", "Hidden")])
def test_a_project_that_is_left_without_a_queue_gets_none(listed: tuple[str, ...]) -> None:
    """Also one that is hidden: the directory knows it, so the name is no mistake."""
    left = without("app", "hidden", listed=listed)

    seen = look(World({PRIME: Org([WEB, APP], hidden=[HIDDEN])}), spec(left), facets=BOTH)

    assert [target_of(change, NewQueue).place.project for change in seen.changes] == ["Web"]
    assert {gap.subject for gap in seen.gaps} == {f"{PRIME}/Web"}


def test_all_projects_left_out_are_not_all_projects_wanted() -> None:
    left = replace(organization(PRIME, "Web"), without_queue=frozenset({"web"}))

    assert look(World({PRIME: Org([WEB, APP])}), spec(left), facets=[queues.FACET]).changes == ()


def test_a_name_that_resolves_to_nothing_is_a_gap_and_nothing_is_created_or_opened_meanwhile() -> None:
    """Any project may be meant but those that the spec itself names; closing goes on everywhere."""
    world = World({PRIME: Org([WEB, APP], queues=queue_of(APP))})
    named = spec(without("apps"), exceptions=[exception("Web", allow=True)])

    seen = look(world, named, facets=BOTH)

    assert [target_of(change, NewQueue).place.project for change in seen.changes] == ["Web"]
    (found,) = [gap for gap in seen.gaps if gap.kind is GapKind.DEGRADED]
    assert found.message == (
        f"{PRIME}/apps: access.withoutQueue names it, and no visible or hidden project has this name; no queue is created "
        "and no access is opened in projects that the spec does not name until it is known which project is meant; "
        "correct the name (nearest is App) or remove the entry"
    )
    world.organizations[PRIME].open = {11}
    closing = look(world, spec(without("apps", opened=False)), facets=BOTH).changes
    assert [(target_of(change, OpenAccess).place.project, change.narrows) for change in closing] == [("App", True)]


def test_while_hidden_projects_cannot_be_read_a_name_may_be_any_project() -> None:
    world = World({PRIME: Org([WEB], trouble={"hidden_projects": Forbidden("403: no right to groups")})})

    seen = look(world, spec(without("hidden")), facets=BOTH)

    assert seen.changes == ()
    assert {(gap.kind, gap.message) for gap in seen.gaps} == {(GapKind.UNKNOWN, "403: no right to groups")}


def test_where_projects_are_listed_a_name_that_resolves_to_nothing_stops_no_other() -> None:
    """Nor is the directory read for it: a project that is not listed gets nothing in any case."""
    world = World({PRIME: Org([WEB], trouble={"hidden_projects": Forbidden("403")})})

    seen = look(world, spec(without("app", listed=("Web", "App"))), facets=[queues.FACET])

    assert [target_of(change, NewQueue).place.project for change in seen.changes] == ["Web"]
    assert seen.gaps == ()


def test_a_closing_exception_that_resolves_to_nothing_keeps_its_project_closed() -> None:
    world = World({PRIME: Org([WEB], queues=queue_of(WEB))})
    named = spec(organization(PRIME, open_access=True), exceptions=[exception("Wep", allow=False)])

    assert look(world, named, facets=BOTH).changes == ()
    over = replace(
        named, access=replace(named.access, open_access=(exception("Wep", allow=False, until=date(2026, 1, 1)),))
    )
    assert [change.facet for change in look(world, over, facets=BOTH).changes] == ["open_access"]
    opening = spec(organization(PRIME, open_access=True), exceptions=[exception("Wep", allow=True)])
    assert [change.facet for change in look(world, opening, facets=BOTH).changes] == ["open_access"]


@pytest.mark.parametrize("section", ["withoutQueue", "openAccess"])
def test_a_name_that_another_project_took_over_excepts_both_until_the_spec_names_both(section: str) -> None:
    """The one that had the name is what the spec's author had excepted; a rename must not lift that."""
    moved, taker = replace(APP, name="Former"), Project("new", "App")
    world = World({PRIME: Org([moved, taker], queues=queue_of(moved) | queue_of(taker, 12))})
    world.remembered = RememberedNames(projects={f"{PRIME}/app": APP.id})
    names = ("App", "Former")

    def excepting(*which: str) -> Spec:
        if section == "withoutQueue":
            return spec(without(*[name.casefold() for name in which]))
        return spec(organization(PRIME, open_access=True), exceptions=[exception(one, allow=False) for one in which])

    seen = look(world, excepting("App"), facets=BOTH)
    kept = learned(excepting("App"), world.remembered, {}, {PRIME: [moved, taker]})
    edited = learned(excepting(*names), world.remembered, {}, {PRIME: [moved, taker]})

    assert seen.changes == ()
    (found,) = seen.gaps
    assert found.message == (
        f"{PRIME}/App: access.{section} names it, and the project that had this name (id app) is called Former now; both "
        "are excepted: write Former as well, or in its place"
    )
    assert set(kept.projects.values()) == {APP.id}, "the next run knows it as well"
    assert set(edited.projects.values()) == {APP.id, taker.id}


def test_a_queue_in_such_a_project_is_said_and_one_that_is_open_is_for_a_person() -> None:
    """ARM creates queues in all projects when it creates a pool."""
    world = World({PRIME: Org([APP], queues=queue_of(APP))})
    left = spec(without("app"))

    def observed(wanted: Spec) -> tuple[list[str], list[str]]:
        seen = queues.observe(wanted, queues.parse(wanted, NOW) or (), world)
        return [one.message for one in seen.remarks], [one.message for one in seen.gaps]

    has = f"{PRIME}/App: access.withoutQueue names it, and it has queue {POOL.name} (id 11)"
    closed = f"{has}; delete the queue in Azure DevOps, or remove the entry"
    assert observed(left) == ([closed], [])

    world.organizations[PRIME].open = {11}
    assert observed(left) == (
        [],
        [
            (
                f"{has}, open to all pipelines; delete the queue or close it in Azure DevOps, or say what is desired in "
                "access.openAccess, or remove the entry from access.withoutQueue"
            )
        ],
    )
    assert look(world, left, facets=BOTH).changes == (), "left alone"

    excepted = replace(left, access=replace(left.access, open_access=(exception("App", allow=False),)))
    assert observed(excepted) == ([closed], [])
    assert [change.narrows for change in look(world, excepted, facets=BOTH).changes] == [True]


def test_a_project_without_a_queue_that_must_be_closed_is_as_desired() -> None:
    world = World({PRIME: Org([APP])})

    assert look(world, spec(without("app"), exceptions=[exception("App", allow=False)]), facets=BOTH).gaps == ()


def test_a_project_without_a_queue_cannot_be_opened() -> None:
    world = World({PRIME: Org([APP])})

    (found,) = look(world, spec(without("app"), exceptions=[exception("App", allow=True)]), facets=BOTH).gaps

    assert found.message == (
        f"{PRIME}/App: access.openAccess opens it, and access.withoutQueue names it; remove one entry"
    )


@pytest.mark.parametrize("what", ["queues", "open_access"])
def test_what_cannot_be_read_in_a_project_that_is_left_alone_is_a_remark(what: str) -> None:
    """`import` names projects here because they could not be read."""
    world = World({PRIME: Org([APP], queues=queue_of(APP), trouble={f"{what}/app": Forbidden("403")})})
    left = spec(without("app"))

    seen = queues.observe(left, queues.parse(left, NOW) or (), world)

    assert seen.gaps == ()
    assert [one.message for one in seen.remarks] == [
        f"{PRIME}/App: access.withoutQueue names it; its queue cannot be read: 403"
    ]


def test_an_organization_with_such_a_project_is_created_closed() -> None:
    """Creation knows one flag for all projects, and ARM's queue there would be out of reach afterwards."""
    item = {"url": f"https://dev.azure.com/{PRIME}", "openAccess": True}
    body = {"location": "eastus", "properties": {"organizationProfile": {"organizations": [item]}}}

    def sent(one: Organization) -> bool:
        made = pool.parse(spec(one, body=body), NOW).creation()
        return bool(made["properties"]["organizationProfile"]["organizations"][0]["openAccess"])

    assert (sent(organization(PRIME, open_access=True)), sent(without("app"))) == (True, False)


def test_the_file_names_them_by_organization_and_project() -> None:
    text = (DEMO / "specs" / "fabrikam-managed-pool.yaml").read_text()
    section = "  withoutQueue: [{ project: Fabrikam-Prime/Fabrikam-Dev, reason: moved }]\n"
    (good,) = load({"a.yaml": (text + section).encode()}).specs
    problems = load({"a.yaml": (text + section.replace("Dev", "Dev2")).encode()}).problems

    assert {one.name: one.without_queue for one in good.organizations} == {
        "fabrikam-tailspin": frozenset(),
        "fabrikam-prime": frozenset({"fabrikam-dev"}),
    }
    assert "did you mean fabrikam-dev?" in str(problems[0])
