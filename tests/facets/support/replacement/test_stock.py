"""What hangs on a pool: each thing by name, sorted into what is made again and what is lost for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Forbidden
from reconciler.facets.support import replacement
from reconciler.facets.support.replacement import checks
from reconciler.facets.support.replacement.dependents import AGAIN, LOST
from reconciler.plan.model import Detail, Risk
from reconciler.ports.devops import Pipeline, Project, Queue, QueueCheck
from reconciler.spec.model import Access, OpenAccessException, Organization, PipelineGrant, PoolRoles, QueueRoles, Spec
from reconciler.survey.owed import OwedCheck
from reconciler.survey.queue_uses import QueueUses
from tests.facets.documents import document
from tests.facets.frame import NOW, POOL_NAME, PRIME, spec
from tests.facets.world import OPERATOR, POOL, Org, World, person

WEB, APP = Project("p-web", "Web"), Project("p-app", "App")
ANN, BOB = person("ann"), person("bob")
NIGHTLY, DAILY = Pipeline(42, "\\release\\nightly"), Pipeline(43, "\\daily")
ONE = {"url": f"https://dev.azure.com/{PRIME}", "projects": []}
FOUND = document(organizationProfile={"kind": "AzureDevOps", "organizations": [ONE]})


def world(**parts: Any) -> World:
    """Two projects with a queue each."""
    queues = {(one.id, POOL.id): Queue(n, POOL_NAME, one.id, POOL.id) for n, one in enumerate((WEB, APP), 1)}
    people = [OPERATOR, ANN, BOB]
    org = Org(projects=[WEB, APP], queues=queues, people=people, pools=[replace(POOL, auto_provision=False)], **parts)
    return World({PRIME: org})


def wanted(*projects: str, open_access: bool | None = None, **access: Any) -> Spec:
    base = spec(Organization(PRIME, POOL_NAME, projects, open_access))
    return replace(base, access=Access(**access))


def counted(here: World, of: Spec, kind: str) -> tuple[list[str], list[str]]:
    """What is made again, and what is lost."""
    lines = replacement.count(of, FOUND, here, NOW).lines
    found = [line for line in lines if line.path == f"{PRIME} {kind}"]
    again = [name for line in found if line.after == AGAIN for name in line.before]
    lost = [name for line in found if line.after is None for name in line.before]
    return again, lost


def test_a_queue_comes_again_where_the_spec_reaches_its_project() -> None:
    assert counted(world(), wanted(), "queues") == (["App", "Web"], [])
    assert counted(world(), wanted("web"), "queues") == (["Web"], ["App"])
    kept = replace(wanted(), organizations=(Organization(PRIME, POOL_NAME, (), None, None, frozenset({"app"})),))
    assert counted(world(), kept, "queues") == (["Web"], ["App"])


def test_open_access_that_the_spec_wants_closed_is_no_loss() -> None:
    here = world(open={1, 2})

    assert counted(here, wanted(open_access=True), "open access") == (["App", "Web"], [])
    assert counted(here, wanted(open_access=False), "open access") == ([], [])
    assert counted(here, wanted(), "open access") == ([], ["App", "Web"])
    assert counted(here, wanted("Web", open_access=True), "open access") == (["Web"], ["App"])
    exception = OpenAccessException(PRIME, "Web", allow=False)
    closed = replace(wanted(open_access=True), access=Access(open_access=(exception,)))
    assert counted(here, closed, "open access") == (["App"], [])


def test_single_authorizations_are_known_by_path_and_by_id() -> None:
    here = world(authorized={1: {42, 43}}, pipelines={WEB.id: [NIGHTLY, DAILY]})
    by_path = (PipelineGrant(PRIME, "web", ("\\release\\nightly",)),)
    by_id = (PipelineGrant(PRIME, "Web", (43,), exclusive=True),)

    assert counted(here, wanted(), "single authorizations") == ([], ["Web 42", "Web 43"])
    assert counted(here, wanted(pipelines=by_path), "single authorizations") == (["Web 42"], ["Web 43"])
    assert counted(here, wanted(pipelines=by_id), "single authorizations") == (["Web 43"], [])


def test_roles_of_the_agent_pool_are_those_that_were_assigned() -> None:
    """The operator gives itself what it needs; an inherited role hangs on the organization."""
    assigned = {ANN.id: "Administrator", BOB.id: "Reader", OPERATOR.id: "Administrator"}
    here = world(assigned=assigned, inherited={BOB.id: "Administrator"})
    named = PoolRoles(PRIME, (str(ANN.unique_name),))

    assert counted(here, wanted(), "roles") == ([], ["ann@fabrikam.com Administrator", "bob@fabrikam.com Reader"])
    assert counted(here, wanted(roles=(named,)), "roles") == (
        ["ann@fabrikam.com Administrator"],
        ["bob@fabrikam.com Reader"],
    )
    nobody = PoolRoles(PRIME, (), exclusive=True)
    assert counted(here, wanted(roles=(nobody,)), "roles") == ([], ["bob@fabrikam.com Reader"])


def test_roles_of_queues_are_counted_by_project_and_role() -> None:
    here = world(on_queue={1: {ANN.id: "User", BOB.id: "Reader"}}, in_project={APP.id: {ANN.id: "User"}})
    users = QueueRoles(PRIME, "Web", {"User": (str(ANN.unique_name),)})
    readers = QueueRoles(PRIME, "Web", {"Reader": ()}, exclusive=True)

    assert counted(here, wanted(queue_roles=(users,)), "queue roles") == (
        ["Web ann@fabrikam.com User"],
        ["Web bob@fabrikam.com Reader"],
    )
    assert counted(here, wanted(queue_roles=(readers,)), "queue roles") == ([], ["Web ann@fabrikam.com User"])


def test_switches_count_where_they_stand_otherwise_than_a_new_pool_has_them() -> None:
    """Inheritance that was switched off by hand would be on again: the plan has to say so."""
    here = world(inherits=False)
    managed = wanted(roles=(PoolRoles(PRIME, inherit=False),))

    assert counted(here, wanted(), "inheritance") == ([], ["off"])
    assert counted(here, managed, "inheritance") == (["off"], [])
    assert counted(world(), wanted(), "inheritance") == ([], [])
    here.organizations[PRIME].pools = [POOL]
    assert counted(here, wanted(), "auto-provision") == (["on"], [])
    assert counted(here, wanted("Web"), "auto-provision") == ([], ["on"])


def test_the_agent_pool_itself_is_another_one_afterwards() -> None:
    (line,) = [one for one in replacement.count(wanted(), FOUND, world(), NOW).lines if one.path.endswith("agent pool")]

    assert (line.before, line.risk) == (f"{POOL_NAME}, id 7", Risk.DESTROYS)


def test_tags_and_an_identity_of_the_resource_that_nobody_names_are_told() -> None:
    tagged = {**FOUND, "tags": {"Cost": "42", "Env": "x"}, "identity": {"type": "SystemAssigned", "principalId": "pp"}}
    of = replace(wanted(), body={"tags": {"env": "x"}})

    lines = replacement.count(of, tagged, world(), NOW).lines

    assert lines[0] == Detail("tags", ["Cost"], None, Risk.DESTROYS, LOST)
    assert (lines[1].path, lines[1].before, lines[1].risk) == ("identity.principalId", "pp", Risk.DESTROYS)


APPROVAL = QueueCheck(
    5,
    "Approval",
    {"approvers": [{"displayName": "Ann"}, {"uniqueName": "bob@fabrikam.com"}], "minRequired": 1},
    60,
    checks.APPROVAL,
)
FUNCTION = QueueCheck(
    6,
    "Task Check",
    {
        "displayName": "Ask the gate",
        "definitionRef": {"id": "x", "name": "AzureFunction"},
        "inputs": {"function": "https://gate.example/api?code=hunter2", "key": "hunter2"},
        "retryInterval": 5,
        "linkedVariableGroup": {"id": 1},
        "requesterCannotBeApprover": True,
        "blocked": [],
        "odd": [{"id": 1}],
    },
    type_id=checks.TASK,
)
HOURS = QueueCheck(
    7,
    "Task Check",
    {"definitionRef": {"name": "evaluateBusinessHours"}, "inputs": {"startTime": "04:00", "endTime": "11:00"}},
    type_id=checks.TASK,
)
APPROVED = "Approval (approvers Ann, bob@fabrikam.com; minRequired 1; timeout 60 minutes)"


def test_checks_and_pipelines_of_a_queue_are_lost_with_their_settings_and_names() -> None:
    here = world(uses={1: QueueUses((APPROVAL,), (NIGHTLY, DAILY)), 2: QueueUses(())})

    found = replacement.count(wanted(), FOUND, here, NOW)

    assert counted(here, wanted(), "approvals and checks") == ([], [f"Web {APPROVED}"])
    assert counted(here, wanted(), "pipelines that name the queue by id") == (
        [],
        [r"Web \daily", r"Web \release\nightly"],
    )
    assert found.guarded == (f"{PRIME}/Web {APPROVED}: the service names no ids of its approvers",)
    assert found.owed == ()
    assert [line.before for line in found.lines if line.path.endswith("classic release pipelines")] == ["not read"]


def test_no_input_of_a_task_check_is_shown_but_those_without_secrets() -> None:
    """Those are sent, too: the check is added again, and the other one keeps the pool."""
    here = world(uses={1: QueueUses((FUNCTION, HOURS))})

    (business,), (function,) = counted(here, wanted(), "approvals and checks")
    found = replacement.count(wanted(), FOUND, here, NOW)
    assert [(one.queue_id, one.check) for one in found.owed if isinstance(one, OwedCheck)] == [
        (1, replace(HOURS, id=0))
    ]
    assert [text.rpartition(": ")[2] for text in found.guarded] == ["its inputs may be secrets, which cannot be read"]

    assert function == (
        "Web Task Check Ask the gate (linkedVariableGroup not shown; odd 1 entries, not shown; "
        "requesterCannotBeApprover on; retryInterval 5; definition AzureFunction; function not shown; key not shown)"
    )
    assert business == "Web Task Check (definition evaluateBusinessHours; endTime 11:00; startTime 04:00)"


@pytest.mark.parametrize(
    "trouble",
    [
        {"agent_pool": Forbidden("403")},
        {"projects": Forbidden("403")},
        {"hidden_projects": Forbidden("403")},
        {"queues": Forbidden("403")},
        {f"queues/{WEB.id}": Forbidden("403")},
        {f"permissions/{WEB.id}": Forbidden("403")},
        {f"roles/{APP.id}": Forbidden("403")},
        {f"pipelines/{WEB.id}": Forbidden("403")},
        {"queue_uses": Forbidden("403")},
        {f"queue_uses/{APP.id}": Forbidden("403")},
        {"inheritance": Forbidden("403")},
        {"role_assignments": Forbidden("403")},
        {"identities": Forbidden("403")},
        {"me": Forbidden("403")},
    ],
    ids=str,
)
def test_whatever_cannot_be_read_is_told(trouble: dict[str, Exception]) -> None:
    here = world(authorized={1: {42}}, trouble=trouble)
    grants = (PipelineGrant(PRIME, "Web", ("\\release\\nightly",)),)

    stock = replacement.count(
        wanted(pipelines=grants, roles=(PoolRoles(PRIME, ("ann@fabrikam.com",)),)), FOUND, here, NOW
    )

    assert stock.unread == ("403",)


def test_a_hidden_project_and_an_organization_that_the_spec_does_not_name_are_told_by_name() -> None:
    two = [ONE, {"url": "https://fabrikam-other.visualstudio.com"}]
    found = document(organizationProfile={"kind": "AzureDevOps", "organizations": two})

    stock = replacement.count(wanted(), found, world(hidden=[Project("h", "Secret")]), NOW)

    assert stock.unread == (
        "fabrikam-other: the pool is used there, and the spec does not name the organization",
        f"{PRIME}: what the pool has in hidden projects cannot be counted (Secret)",
    )
