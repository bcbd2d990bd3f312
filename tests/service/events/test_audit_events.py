"""Audit entries become keys of the pools that they concern, whichever way they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.service.events.audit import audit_keys, log_keys
from reconciler.spec.model import Mode, Organization, Spec


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
        assert audit_keys(json.dumps(shape), SPECS).keys == keys, (reason, shape)


def test_polled_entries_belong_to_the_organization_that_was_asked() -> None:
    document = {"actionId": "Project.CreateCompleted", "data": {"ProjectName": "New"}}

    assert log_keys([document, {"actionId": "Git.CreateRepo"}, 7], SPECS, "tailspin").keys == ("both", "everywhere")


def test_what_concerns_nobody_is_counted() -> None:
    keys = audit_keys(json.dumps([entry("Git.CreateRepo"), entry("Git.RenameRepo")]), SPECS)

    assert keys.dropped == {"not about pools, their projects or their rights": 2}
    assert "not JSON" in next(iter(audit_keys("{", SPECS).dropped))


def test_nothing_of_an_entry_is_kept_but_keys() -> None:
    assert "canary" not in repr(audit_keys(json.dumps(entry("Git.CreateRepo")), SPECS))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["actionId", "data", "value", "eventType", "scopeDisplayName"]) | st.text(), x)))  # fmt: skip
def test_no_document_makes_it_fail(document: Any) -> None:
    assert set(audit_keys(json.dumps(document), SPECS).keys) <= {"everywhere", "listed", "both"}
