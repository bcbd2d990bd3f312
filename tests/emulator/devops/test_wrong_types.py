"""A value of the wrong type, at any place of any body, is an answer and never a crash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.devops.fabrikam import NAMESPACE, POOL_ROLE, POOLS, Caller

Json = Any
NOBODY = "00000000-0000-0000-0000-000000000001"
ROLES = f"/_apis/securityroles/scopes/{POOL_ROLE}/roleassignments/resources/7"
ENTRY = {"descriptor": "x", "allow": 1, "deny": 0}
BODIES: list[tuple[str, str, Json]] = [
    (
        "POST",
        POOLS,
        {"name": "a", "poolType": "automation", "autoProvision": False, "properties": {"k": {"$value": 1}}},
    ),
    ("PATCH", f"{POOLS}/8", {"name": "other", "autoProvision": False, "autoUpdate": True}),
    ("POST", "/dev/_apis/distributedtask/queues", {"name": "a", "pool": {"id": 9}}),
    (
        "PATCH",
        "/dev/_apis/pipelines/pipelinepermissions/queue/70",
        {"allPipelines": {"authorized": True}, "pipelines": []},
    ),
    (
        "PATCH",
        "/test/_apis/pipelines/pipelinepermissions",
        [{"resource": {"type": "queue", "id": "71"}, "pipelines": [{"id": 6, "authorized": True}]}],
    ),
    ("PATCH", "/dev/_apis/build/authorizedresources", [{"type": "queue", "id": "70", "authorized": True}]),
    ("PATCH", "/test/_apis/build/definitions/6/resources", [{"type": "queue", "id": "71", "authorized": True}]),
    ("PUT", ROLES, [{"userId": NOBODY, "uniqueName": "x", "roleName": "Reader"}]),
    ("PUT", f"{ROLES}/{NOBODY}", {"userId": NOBODY, "roleName": "Reader"}),
    ("PATCH", ROLES, [NOBODY]),
    (
        "POST",
        f"/_apis/accesscontrollists/{NAMESPACE}",
        {"value": [{"token": "AgentPools/7", "inheritPermissions": True, "acesDictionary": {"x": ENTRY}}]},
    ),
    (
        "POST",
        f"/_apis/accesscontrolentries/{NAMESPACE}",
        {"token": "AgentPools/7", "merge": False, "accessControlEntries": [ENTRY]},
    ),
    (
        "POST",
        "/_apis/security/permissionevaluationbatch",
        {"evaluations": [{"securityNamespaceId": NAMESPACE, "token": "AgentPools", "permissions": 1}]},
    ),
    ("POST", "/_apis/identitybatch", {"identityIds": [NOBODY], "descriptors": ["x"], "subjectDescriptors": ["x"]}),
    (
        "POST",
        "/_apis/IdentityPicker/Identities",
        {"query": "a", "identityTypes": ["user"], "operationScopes": ["ims"], "options": {"MinResults": 1}},
    ),
    ("POST", "/_apis/graph/users", {"originId": NOBODY, "storageKey": NOBODY}),
    ("POST", "/_apis/graph/users", {"principalName": "carl@fabrikam.com", "storageKey": NOBODY}),
    ("POST", "/_apis/graph/groups", {"displayName": "G", "description": "x"}),
    ("POST", "/_apis/graph/subjectlookup", {"lookupKeys": [{"descriptor": "aad.x"}]}),
    ("POST", "/_apis/graph/subjectquery", {"query": "a", "subjectKind": ["User"], "scopeDescriptor": ""}),
    (
        "POST",
        "/_apis/serviceprincipalentitlements",
        {"accessLevel": {"accountLicenseType": "express"}, "servicePrincipal": {"origin": "aad", "originId": NOBODY}},
    ),
    (
        "PATCH",
        "/_apis/userentitlements/{ann}",
        [{"op": "replace", "path": "/accessLevel", "value": {"accountLicenseType": "express"}}],
    ),
    (
        "POST",
        "/_apis/projects",
        {"name": "n", "visibility": "private", "capabilities": {"versioncontrol": {}, "processTemplate": {}}},
    ),
    ("PATCH", "/_apis/projects/dev", {"name": "dev", "description": "x"}),
    (
        "POST",
        "/_apis/audit/streams",
        {"consumerType": "Splunk", "consumerInputs": {"SplunkUrl": "x"}, "displayName": "x"},
    ),
    (
        "POST",
        "/_apis/hooks/subscriptions",
        {
            "publisherId": "tfs",
            "eventType": "git.push",
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "resourceVersion": "1.0",
            "publisherInputs": {"projectId": NOBODY},
            "consumerInputs": {"url": "https://example.org/x"},
        },
    ),
]


def spoiled(body: Json) -> Iterator[Json]:
    """The body with one of its values replaced by one of another type, for each value and each type."""
    yield from (5, "\u00e9", None, [], {}, True, [None], {"x": None})
    if isinstance(body, dict):
        for key, value in body.items():
            for worse in spoiled(value):
                yield {**body, key: worse}
    if isinstance(body, list):
        for index, value in enumerate(body):
            for worse in spoiled(value):
                yield [*body[:index], worse, *body[index + 1 :]]


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_type_is_never_a_crash(root: Caller, method: str, path: str, body: Json) -> None:
    where = path.format(ann=root.local("ann"))
    for worse in spoiled(body):
        answer = root.call(method, where, worse)
        assert answer.status_code < 500, (worse, answer.text)
    root.do.settle()
    root.do.replace(root.do.state())
