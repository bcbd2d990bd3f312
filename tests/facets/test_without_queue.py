"""`access.withoutQueue`: projects that are left as they are, whatever ARM's list says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.facets import open_access, queues
from reconciler.facets.support.observing import target_of
from reconciler.plan.targets import NewQueue
from reconciler.ports.devops import Project
from reconciler.spec.loader import load
from tests.facets.frame import PRIME, look, organization, spec
from tests.facets.world import Org, World
from tests.shell import DEMO

WEB, APP = Project("web", "Web"), Project("app", "App")


@pytest.mark.parametrize("listed", [(), ("Web", "App"), ("Web", "App", "Hidden")])
def test_a_project_that_is_left_without_a_queue_is_not_looked_at(listed: tuple[str, ...]) -> None:
    """Also one that is hidden: the spec says so itself."""
    left = replace(organization(PRIME, *listed, open_access=True), without_queue=frozenset({"app", "hidden"}))

    seen = look(World({PRIME: Org([WEB, APP])}), spec(left), facets=[queues.FACET, open_access.FACET])

    assert [target_of(change, NewQueue).place.project for change in seen.changes] == ["Web"]
    assert {gap.subject for gap in seen.gaps} == {f"{PRIME}/Web"}


def test_all_projects_left_out_are_not_all_projects_wanted() -> None:
    left = replace(organization(PRIME, "Web"), without_queue=frozenset({"web"}))

    assert look(World({PRIME: Org([WEB, APP])}), spec(left), facets=[queues.FACET]).changes == ()


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
