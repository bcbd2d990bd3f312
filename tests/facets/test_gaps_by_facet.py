"""What a facet of a project's queue cannot read stands under its own name, and stops nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.facet import Facet
from reconciler.errors import Forbidden, ReconcilerError
from reconciler.facets import inheritance, open_access, pipelines, queue_roles, roles
from reconciler.facets.open_access import Flags, Opening
from reconciler.facets.support.observing import target_of
from reconciler.facets.support.replacement import checks
from reconciler.plan.model import Change, GapKind
from reconciler.plan.policy import Policy
from reconciler.plan.targets import OpenAccess, PipelineAuthorization, QueuePlace
from reconciler.ports.devops import Pipeline, Project, Queue
from reconciler.spec.model import PermissionKind, PermissionProfile, PipelineGrant, QueueRoles, Spec
from reconciler.survey.owed import Debts, OwedCheck
from tests.facets.frame import NOW, PRIME, exception, look, organization, spec
from tests.facets.world import POOL, Org, World, person

WEB, APP = Project("web", "Web"), Project("app", "App")
ANN = person("ann")


def wanted(*projects: str) -> Spec:
    """Every facet wants something of every project."""
    return spec(
        organization(PRIME, *projects),
        profile=PermissionProfile(PermissionKind.INHERIT),
        exceptions=[exception(name, allow=True) for name in projects],
        pipelines=[PipelineGrant(PRIME, name, ("\\nightly", "\\lost"), exclusive=False) for name in projects],
        queue_roles=[QueueRoles(PRIME, name, {"User": (ANN.unique_name,)}) for name in projects],
    )


def estate(*queues: Project, trouble: Mapping[str, ReconcilerError] | None = None) -> World:
    held = {(project.id, POOL.id): Queue(n, POOL.name, project.id, POOL.id) for n, project in enumerate(queues, 1)}
    nightly = {project.id: [Pipeline(11, "\\nightly")] for project in queues}
    return World({PRIME: Org([WEB, APP], queues=held, people=[ANN], pipelines=nightly, trouble=dict(trouble or {}))})


FACETS: Sequence[Facet[Any, Any]] = [open_access.FACET, pipelines.FACET, queue_roles.FACET]
NO = Forbidden("403")
OWN: Mapping[str, Mapping[str, ReconcilerError]] = {
    "open_access": {"open_access/web": NO},
    "pipelines": {"permissions/web": NO, "pipelines/web": Forbidden("not these either")},
    "queue_roles": {"roles/web": NO},
}


@pytest.mark.parametrize("facet", FACETS, ids=lambda facet: facet.name)
def test_each_gap_names_its_facet_and_its_place(facet: Facet[Any, Any]) -> None:
    cases = [
        (estate(WEB, APP, trouble={"projects": NO}), wanted("Web"), PRIME),
        (estate(WEB, APP, trouble={"queues/web": NO}), wanted("Web"), f"{PRIME}/Web"),
        (estate(WEB, APP, trouble=OWN[facet.name]), wanted("Web"), f"{PRIME}/Web"),
        (estate(APP), wanted("Web"), f"{PRIME}/Web"),
    ]
    for world, asked, subject in cases:
        gaps = look(world, asked, facets=[facet]).gaps
        assert [(one.facet, one.subject) for one in gaps] == [(facet.name, subject)]

    mistyped = look(estate(WEB, APP), wanted("Webb"), facets=[facet]).gaps
    assert mistyped
    assert {one.facet for one in mistyped} == {facet.name}
    assert all(one.subject.startswith(PRIME) for one in mistyped)


@pytest.mark.parametrize("facet", FACETS, ids=lambda facet: facet.name)
def test_what_one_project_lacks_is_told_beside_what_the_others_get(facet: Facet[Any, Any]) -> None:
    """Whichever of them is read first, no gap and no change gets lost."""
    for world in (estate(WEB, APP, trouble=OWN[facet.name]), estate(APP)):
        seen = look(world, wanted("Web", "App", "Webb"), facets=[facet])

        assert {f"{PRIME}/App"} == {change.subject.split()[0] for change in seen.changes}
        assert f"{PRIME}/Web" in {one.subject for one in seen.gaps}
        assert any("Webb" in one.message for one in seen.gaps)


@pytest.mark.parametrize("facet", [*FACETS, inheritance.FACET, roles.FACET], ids=lambda facet: facet.name)
def test_nothing_is_read_of_a_pool_that_arm_deletes(facet: Facet[Any, Any]) -> None:
    accounts = PermissionProfile(PermissionKind.SPECIFIC_ACCOUNTS, users=(ANN.unique_name,))
    asked = replace(wanted("Web"), permission_profile=accounts) if facet is roles.FACET else wanted("Web")
    leaving = replace(asked, organizations=(replace(asked.organizations[0], leaving=True),))

    (gap,) = look(estate(WEB), leaving, facets=[facet]).gaps
    assert (gap.facet, gap.subject, gap.kind) == (facet.name, PRIME, GapKind.NOT_READY)
    assert gap.message.startswith(f"{leaving.name}: ARM deletes the pool")


@pytest.mark.parametrize("facet", FACETS, ids=lambda facet: facet.name)
def test_each_project_gets_what_it_lacks(facet: Facet[Any, Any]) -> None:
    changes = look(estate(WEB, APP), wanted("Web", "App"), facets=[facet]).changes

    assert {f"{PRIME}/App", f"{PRIME}/Web"} == {change.subject.split()[0] for change in changes}


def test_a_project_that_is_not_there_stands_under_open_access() -> None:
    """Whether the organization lists it, or an exception that closes names it."""
    listed = look(estate(WEB, APP), spec(organization(PRIME, "Lost", open_access=True)), facets=[open_access.FACET])
    assert {one.facet for one in listed.gaps} == {"open_access"}

    closing = spec(organization(open_access=True), exceptions=[exception("Lost", allow=False)])
    gaps = look(estate(WEB, APP), closing, facets=[open_access.FACET]).gaps
    assert {one.facet for one in gaps} == {"open_access"}
    (gap,) = [one for one in gaps if one.subject == f"{PRIME}/Lost in access.openAccess"]
    assert "; no access is opened in projects that the spec does not name until it is known" in gap.message


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("wanted_open", [True, False])
def test_a_queue_whose_checks_are_owed_is_not_opened_but_closed(opened: bool, wanted_open: bool) -> None:
    world = estate(WEB)
    world.organizations[PRIME].open = {1} if opened else set()
    world.debts = Debts([OwedCheck(PRIME, WEB.id, WEB.name, 99, "Approval", checks.APPROVAL, {})])

    seen = look(world, spec(organization(PRIME, "Web", open_access=wanted_open)), facets=[open_access.FACET])
    waits = wanted_open and not opened
    assert [one.message for one in seen.gaps] == [
        f"{PRIME}/Web: gets access after the approvals and checks that its queue had are there again"
    ] * waits
    assert [one.after for one in seen.changes] == [None] * (opened and not wanted_open)


def test_the_switch_of_inheritance_that_cannot_be_read_stands_under_its_name() -> None:
    gaps = look(estate(trouble={"inheritance": NO}), wanted(), facets=[inheritance.FACET]).gaps

    assert [(one.facet, one.subject) for one in gaps] == [("inheritance", PRIME)]


# --- open access ---------------------------------------------------------------------------------------


def opening(project: Project = WEB, *, wanted: bool = True) -> tuple[Opening, Change]:
    seen = Opening(PRIME, project, Queue(1, POOL.name, project.id, POOL.id), open=not wanted, wanted=wanted)
    (change,) = open_access.diff((Flags(organization(open_access=wanted)),), (seen,))
    return seen, change


def test_an_opening_that_was_not_read_is_refused_in_words() -> None:
    _, change = opening()

    (refusal,) = open_access.guard((), [change], Policy())
    assert refusal.change == change
    assert refusal.message == f"{PRIME}/Web: nothing that was read requires this"


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ((f"{PRIME}/*",), False),
        ((f"{PRIME}/Web",), False),
        ((f"{PRIME}/App",), True),
        (("another/*",), True),
        (None, False),
    ],
)
def test_the_policy_names_where_access_may_be_opened(allowed: tuple[str, ...] | None, refused: bool) -> None:
    seen, change = opening()

    refusals = open_access.guard((seen,), [change], Policy(open_access=allowed))
    assert [one.rule for one in refusals] == ["policy-open-access"] * refused
    words = f"{PRIME}/Web: the policy does not let open access be granted in {PRIME}/Web"
    assert all(one.message.startswith(words) for one in refusals)


def test_a_project_that_the_spec_opens_is_opened() -> None:
    opened = look(estate(WEB, APP), wanted("Web"), facets=[open_access.FACET])

    place = QueuePlace(PRIME, "web", "Web", 1, POOL.id)
    assert [change.target for change in opened.changes] == [OpenAccess(place, allow=True)]


# --- pipelines -----------------------------------------------------------------------------------------


def authorized(
    *names: str | int, held: set[int], exclusive: bool = False, seen: Sequence[Pipeline] = ()
) -> tuple[World, Spec]:
    world = estate(WEB, APP)
    world.organizations[PRIME].pipelines["web"] = [Pipeline(11, "\\nightly"), Pipeline(12, "\\weekly"), *seen]
    world.organizations[PRIME].authorized = {1: held}
    grants = [PipelineGrant(PRIME, "Web", names, exclusive)]
    return world, spec(organization(PRIME, "Web", "App", open_access=False), pipelines=grants)


def test_a_removal_names_the_path_where_it_can_be_seen_and_the_id_elsewhere() -> None:
    world, asked = authorized(held={11, 99}, exclusive=True)

    changes = look(world, asked, facets=[pipelines.FACET]).changes
    targets = [target_of(change, PipelineAuthorization) for change in changes]
    names = {target.pipeline_id: target.pipeline for target in targets}
    assert names == {11: "\\nightly", 99: 99}


def test_no_pipeline_is_authorized_while_checks_of_its_queue_are_owed() -> None:
    world, asked = authorized("\\nightly", held=set())
    world.debts = Debts([OwedCheck(PRIME, WEB.id, WEB.name, 99, "Approval", checks.APPROVAL, {})])

    seen = look(world, asked, facets=[pipelines.FACET])
    told = f"{PRIME}/Web: gets access after the approvals and checks that its queue had are there again"
    assert [(one.facet, one.subject, one.message) for one in seen.gaps] == [("pipelines", f"{PRIME}/Web", told)]
    assert seen.changes == ()


@pytest.mark.parametrize("names", [("\\nightly", 11), (11, "\\nightly")])
def test_a_pipeline_that_is_listed_by_path_and_id_is_called_by_its_path(names: tuple[str | int, ...]) -> None:
    world, asked = authorized(*names, held=set())

    (change,) = look(world, asked, facets=[pipelines.FACET]).changes
    assert target_of(change, PipelineAuthorization).pipeline == "\\nightly"


def test_a_name_that_is_like_no_other_is_told_without_a_nearest_one() -> None:
    world, asked = authorized("\\quite\\another", 77, held=set(), seen=[Pipeline(1, "\\first")])

    told = look(world, asked, facets=[pipelines.FACET]).gaps
    gaps = {gap.subject: gap.message for gap in told}
    assert {gap.facet for gap in told} == {"pipelines"}
    hidden = "it does not exist or is hidden from the operator"
    assert gaps == {
        f"{PRIME}/Web \\quite\\another": f"{PRIME}/Web: no visible pipeline is called \\quite\\another; {hidden}",
        f"{PRIME}/Web 77": f"{PRIME}/Web: no visible pipeline has the id 77; {hidden}",
    }


def test_a_removal_that_is_not_surplus_and_a_change_that_was_not_read_are_refused_in_words() -> None:
    world, asked = authorized(held={11, 12}, exclusive=True)
    (desired,) = pipelines.parse(asked, NOW) or ()
    observed = pipelines.observe(asked, (desired,), world).value
    changes = pipelines.diff((desired,), observed)
    kept = (replace(observed[0], surplus=frozenset({12})),)

    (refusal,) = pipelines.guard(kept, changes, Policy())
    assert refusal.change.subject == f"{PRIME}/Web \\nightly (#11)"
    assert refusal.message == f"{PRIME}/Web \\nightly (#11): nothing that was read requires this"


def test_an_exclusive_list_beside_open_access_that_is_not_managed_is_told() -> None:
    world, _ = authorized(held=set())
    world.organizations[PRIME].open = {1}
    asked = spec(organization(PRIME, "Web"), pipelines=[PipelineGrant(PRIME, "Web", (), exclusive=True)])

    (gap,) = look(world, asked, facets=[pipelines.FACET]).gaps
    assert (gap.facet, gap.subject) == ("pipelines", f"{PRIME}/Web exclusive")
    assert gap.message == (
        f"{PRIME}/Web: the list of pipelines is exclusive, but open access is on and the spec does not manage it, so all "
        "pipelines may use the pool; set openAccess: false for the organization, or except the project"
    )
