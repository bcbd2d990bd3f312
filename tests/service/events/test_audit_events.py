"""Audit entries become keys of the pools that they concern, whichever way they come."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.events.audit import Own, audit_keys, log_keys
from reconciler.service.queue.requests import Concern
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey.names import RememberedNames


def spec(name: str, *organizations: Organization) -> Spec:
    return Spec(name, "11111111-2222-3333-4444-555555555555", "rg", Mode.ENFORCE, {}, organizations)


EVERYWHERE = spec("everywhere", Organization("tailspin", "everywhere", (), open_access=True))
LISTED = spec("listed", Organization("prime", "listed", ("Web", "Api"), open_access=True))
BOTH = spec(
    "both",
    Organization("tailspin", "alias-of-both", ("Web",), open_access=None),
    Organization("prime", "alias-of-both", (), open_access=None),
)
SPECS = (EVERYWHERE, LISTED, BOTH)


def nothing(_key: str) -> RememberedNames:
    return RememberedNames()


def entry(action: str, organization: str = "prime", **data: Any) -> dict[str, Any]:
    return {
        "id": "1;2;3",
        "actionId": action,
        "scopeType": "organization",
        "scopeDisplayName": f"{organization} (Organization)",
        "actorUPN": "upn-canary@fabrikam.com",
        "data": data,
    }


CASES = [
    ("a new project concerns pools of all projects, and a rename may concern any", entry("Project.CreateCompleted", ProjectName="New"), ("both", "listed")),
    ("in the other organization", entry("Project.UpdateRenameCompleted", "Tailspin", ProjectName="Old"), ("both", "everywhere")),
    ("deleted", entry("Project.SoftDeleteCompleted"), ("both", "listed")),
    ("restored", entry("project.restorecompleted"), ("both", "listed")),
    ("open access switched in a project", {**entry("Pipelines.ResourceAuthorizedForProject", ResourceType="Queue", ResourceId="3"), "projectName": "web"}, ("both", "listed")),
    ("in a project that only the pool of all projects has", {**entry("Pipelines.ResourceUnauthorizedForProject", ResourceType="queue"), "projectName": "Other"}, ("both",)),
    ("the third spelling", entry("Pipelines.ResourceNotAuthorizedForProject", ResourceType="queue"), ("both", "listed")),
    ("a single pipeline", entry("Pipelines.ResourceAuthorizedForPipeline", ResourceType="queue"), ("both", "listed")),
    ("another kind of resource is none of ours", entry("Pipelines.ResourceAuthorizedForProject", ResourceType="endpoint"), ()),
    ("roles and inheritance show as ACL changes", entry("Security.ModifyAccessControlLists", NamespaceName="DistributedTask", Token="AgentPools/7"), ("both", "listed")),
    ("another namespace is none of ours", entry("Security.ModifyPermission", NamespaceName="Git Repositories"), ()),
    ("the pool itself, by its name there", entry("Library.AgentPoolDeleted", AgentPoolName="Alias-Of-Both"), ("both",)),
    ("machines come and go all day", entry("Library.AgentAdded", AgentPoolName="listed"), ()),
    ("anything else", entry("Git.CreateRepo"), ()),
    ("an organization that no spec names", entry("Project.CreateCompleted", "elsewhere"), ()),
    ("no organization told: any could be meant", {"actionId": "Project.CreateCompleted"}, ("both", "everywhere", "listed")),
    ("a scope that is no organization tells none", {**entry("Project.CreateCompleted"), "scopeType": "project", "scopeDisplayName": "Web"}, ("both", "everywhere", "listed")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "document", "keys"), CASES)
def test_an_entry_concerns_the_pools_that_it_could_touch(
    reason: str, document: dict[str, Any], keys: tuple[str, ...]
) -> None:
    envelope = {"id": "1", "eventType": "audit", "subject": "s", "topic": "t"}
    shapes = [
        {**envelope, "data": document},
        [{**envelope, "data": [document, document]}],
        {**envelope, "data": {"decoratedAuditLogEntries": [document]}},
        {**envelope, "data": {"value": {"decoratedAuditLogEntries": [document]}}},
        {**envelope, "data": json.dumps(document)},
        {"type": "audit", "specversion": "1.0", "source": "t", "data": document},
        document,
        [document],
    ]
    for shape in shapes:
        assert audit_keys(json.dumps(shape), SPECS, nothing).keys == keys, (reason, shape)


def test_polled_entries_belong_to_the_organization_that_was_asked() -> None:
    document = {"actionId": "Project.CreateCompleted", "data": {"ProjectName": "New"}}

    assert log_keys([document, {"actionId": "Git.CreateRepo"}, 7], SPECS, nothing, "tailspin").keys == (
        "both",
        "everywhere",
    )


def test_what_concerns_nobody_is_counted() -> None:
    keys = audit_keys(json.dumps([entry("Git.CreateRepo"), entry("Git.RenameRepo")]), SPECS, nothing)

    assert keys.dropped == {"not about pools, their projects or their rights": 2}
    assert "not JSON" in next(iter(audit_keys("{", SPECS, nothing).dropped))


def test_nothing_of_an_entry_is_kept_but_keys() -> None:
    assert "canary" not in repr(audit_keys(json.dumps(entry("Git.CreateRepo")), SPECS, nothing))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["actionId", "data", "value", "eventType", "scopeDisplayName"]) | st.text(), x)))  # fmt: skip
def test_no_document_makes_it_fail(document: Any) -> None:
    assert set(audit_keys(json.dumps(document), SPECS, nothing).keys) <= {"everywhere", "listed", "both"}


OPENED = entry("Pipelines.ResourceAuthorizedForProject", ResourceType="Queue")


@pytest.mark.parametrize(
    ("document", "keys", "reason"),
    [
        ({**OPENED, "projectName": "Site", "projectId": "ID-WEB"}, ("both", "listed"), "the id that Web had"),
        ({**OPENED, "projectName": "Site", "projectId": "id-site"}, ("both",), "another project"),
        ({**OPENED, "projectName": "Site", "projectId": "id-old"}, ("both",), "a name that the spec has no longer"),
        ({**OPENED, "projectName": "Site"}, ("both",), "no id"),
        ({**OPENED, "data": {**OPENED["data"], "ProjectName": "Site", "ProjectId": "id-web"}}, ("both", "listed"), "in its data"),
    ],
)  # fmt: skip
def test_a_renamed_project_is_known_by_its_id(document: dict[str, Any], keys: tuple[str, ...], reason: str) -> None:
    """The entry has the new name, and the spec the old one."""
    asked: list[str] = []

    def remembered(pool: str) -> RememberedNames:
        asked.append(pool)
        return RememberedNames(projects={"prime/web": "id-web", "prime/Old": "id-old", "tailspin/Web": "id-other"})

    entries = [document, document, {**document, "id": "4;5;6"}]

    assert log_keys(entries, SPECS, remembered, "prime").keys == keys, reason
    assert asked in ([], ["listed"]), "a status is read once, and only where a name is in no list"


def test_a_name_that_is_listed_needs_no_status() -> None:
    def remembered(pool: str) -> RememberedNames:
        raise AssertionError(pool)

    assert log_keys([{**OPENED, "projectName": "web", "projectId": "id-web"}], SPECS, remembered, "prime").keys == (
        "both",
        "listed",
    )


WEB = "0f5e2d7c-1111-4222-8333-9a8b7c6d5e4f"
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
ME = "5a5a5a5a-1111-4222-8333-000000000001"


def changed(action: str, project: str = "", **data: Any) -> dict[str, Any]:
    named = (
        {"projectId": project, "projectName": "Web"} if project else {"projectId": "0" * 8 + "-0000", "projectName": ""}
    )
    return {**entry(action, **data), **named, "timestamp": "2026-11-22T10:00:00Z", "actorUserId": "ANOTHER"}


ACL = {"NamespaceName": "DistributedTask"}
PLACES = [
    ("Project.CreateCompleted", {}, {"projects?organization=prime", f"project?organization=prime&project={WEB}"}),
    ("Pipelines.ResourceUnauthorizedForProject", {"ResourceType": "Queue", "ResourceId": "31"}, {f"project?organization=prime&project={WEB}&queue=31"}),
    ("Pipelines.ResourceUnauthorizedForProject", {"ResourceType": "Queue", "ResourceId": 31}, {f"project?organization=prime&project={WEB}&queue=31"}),
    ("Pipelines.ResourceAuthorizedForPipeline", {"ResourceType": "agentpool", "ResourceId": "7"}, {f"project?organization=prime&project={WEB}"}),
    ("Pipelines.ResourceAuthorizedForProject", {"ResourceType": "Queue", "ResourceId": "x"}, {f"project?organization=prime&project={WEB}"}),
    ("Pipelines.ResourceAuthorizedForProject", {"ResourceType": "Queue", "ResourceId": "9" * 40}, {f"project?organization=prime&project={WEB}"}),
    ("Security.ModifyPermission", {**ACL, "Token": "AgentPools/7"}, {"roles?organization=prime&agentPool=7"}),
    ("Security.ModifyPermission", {**ACL, "Token": "AgentPools"}, {"roles?organization=prime"}),
    ("Security.ModifyPermission", {**ACL, "Token": "Somewhere/7"}, {"roles?organization=prime"}),
    ("Security.ModifyPermission", ACL, {"roles?organization=prime"}),
    ("Security.ModifyPermission", {**ACL, "Token": f"AgentQueues/{WEB}/31"}, {f"project?organization=prime&project={WEB}&queue=31"}),
    ("Security.RemovePermission", {**ACL, "Token": f"AgentQueues/{WEB.upper()}/"}, {f"project?organization=prime&project={WEB}"}),
    ("Library.AgentPoolDeleted", {"AgentPoolName": "listed", "AgentPoolId": 7}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("action", "data", "places"), PLACES)
def test_an_entry_says_where_to_look_first_and_when_it_happened(
    action: str, data: dict[str, Any], places: set[str]
) -> None:
    project = "" if action.startswith(("Security", "Library")) else WEB
    found = log_keys([changed(action, project, **data)], [LISTED], nothing, "prime")

    assert found.concerns == (Concern("listed", "prime", frozenset(places), AT),)
    assert {one.scope for one in found.changes} == (places or {"agent-pools?organization=prime"})


def test_a_project_without_an_id_is_told_by_its_name() -> None:
    document = {**changed("Project.UpdateRenameCompleted"), "data": {"ProjectName": "Web & Söhne"}}
    (found,) = log_keys([document], [LISTED], nothing, "prime").concerns

    assert found.scopes == {
        "projects?organization=prime",
        "project?organization=prime&project=Web+%26+S%C3%B6hne",
    }


@pytest.mark.parametrize("action", ["Group.UpdateGroupMembership", "Group.UpdateGroupMembership.Add", "group.updategroupmembership.remove"])  # fmt: skip
def test_who_is_in_a_group_requests_no_pool_but_is_a_change(action: str) -> None:
    """What is judged by it is read again when it is next needed."""
    found = log_keys([changed(action)], SPECS, nothing, "prime")

    assert (found.concerns, found.dropped) == ((), {})
    assert [(one.organization, one.scope, one.at) for one in found.changes] == [
        ("prime", "members?organization=prime", AT)
    ]


def test_an_entry_that_names_no_organization_is_a_change_in_each() -> None:
    document = changed("Group.UpdateGroupMembership.Add") | {"scopeDisplayName": ""}
    found = audit_keys(
        json.dumps([document, changed("Project.CreateCompleted") | {"scopeDisplayName": ""}]), SPECS, nothing
    )

    assert {one.organization for one in found.changes} == {"prime", "tailspin"}
    assert {one.scopes for one in found.concerns} == {frozenset()}


def test_what_the_operator_did_itself_and_verified_since_concerns_no_pool() -> None:
    asked: list[str] = []

    def operator(organization: str) -> str:
        asked.append(organization)
        return ME

    opened = changed("Pipelines.ResourceAuthorizedForProject", WEB, ResourceType="Queue", ResourceId="31")
    own = {**opened, "actorUserId": ME.upper(), "timestamp": "2026-11-22T10:05:00Z"}
    verified = Own(operator, lambda _: ())
    found = log_keys([own, own], [LISTED], nothing, "prime", verified)

    assert (found.concerns, found.dropped) == ((), {"an echo of the operator's own write": 1})
    assert [one.own for one in found.changes] == [True]
    assert log_keys([own, opened], [LISTED], nothing, "prime", verified).keys == ("listed",)
    assert log_keys([own], [LISTED], nothing, "prime", Own(operator)).keys == ("listed",), "not verified"
    assert asked == ["prime"] * 3
    assert log_keys([{**own, "actorUserId": ""}], [LISTED], nothing, "prime", Own(lambda _: "", lambda _: ())).keys
    assert log_keys([own], [LISTED], nothing, "prime").keys == ("listed",), "unknown"


def test_of_several_moments_of_one_place_the_last_counts_and_none_is_the_latest() -> None:
    opened = changed("Pipelines.ResourceAuthorizedForProject", WEB, ResourceType="Queue", ResourceId="31")
    early, late = ({**opened, "timestamp": f"2026-11-22T{hour}:00:00Z"} for hour in ("08", "12"))
    none = {**opened, "timestamp": "soon"}

    assert [one.at for one in log_keys([late, early, opened], [LISTED], nothing, "prime").changes] == [
        datetime(2026, 11, 22, 12, tzinfo=UTC)
    ]
    assert [one.at for one in log_keys([late, none, early], [LISTED], nothing, "prime").changes] == [None]


def test_ten_thousand_entries_are_judged_by_place_and_not_one_by_one() -> None:
    counted: list[str] = []

    entries = [
        changed("Pipelines.ResourceAuthorizedForProject", WEB, ResourceType="Queue", ResourceId=str(number))
        for number in range(10_000)
    ]

    def remembered(pool: str) -> RememberedNames:
        counted.append(pool)
        return RememberedNames()

    other = [{**one, "projectName": "Site"} for one in entries]
    found = log_keys(other, [LISTED], remembered, "prime")
    assert counted == ["listed"]
    assert (len(found.changes), found.keys) == (10_000, ())
