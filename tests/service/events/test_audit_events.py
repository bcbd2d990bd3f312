"""Audit entries become keys of the pools that they concern, whichever way they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.events.audit import audit_keys, log_keys
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
