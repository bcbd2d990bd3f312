"""No answer is believed in part: each wrong place ends in an error of ours, or in facts that have their types.

Doubled entries are one entry. The documents are samples of our own, with every property of the published documents
added where RECONCILER_OPENAPI names them (`tests.openapi`).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import UnionType
from typing import Any

import pytest

from reconciler.adapters.boundary import ESCAPED
from reconciler.adapters.devops.audit import DevOpsAuditLog
from reconciler.adapters.devops.memberships import Memberships, MembershipWrites
from reconciler.adapters.devops.reads import DevOps, DevOpsWrites
from reconciler.adapters.devops.session import Session
from reconciler.errors import ReconcilerError, Rejected, Unavailable
from tests.adapters.devops.scripted import Scripted, table, wrapped
from tests.adapters.mutations import doubled, enriched, mutations

PROJECT = "5d1bd2b9-0d2f-4a5e-9a6d-0f3a2c9d7e11"
OID = "55c8c7b6-7ace-43bc-918f-304dfa2b6317"
LOCAL = "81fa6389-0872-6fdd-a451-7ba7880f566a"
CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
PERSON = {
    "id": LOCAL,
    "subjectDescriptor": "aad.ann",
    "providerDisplayName": "Ann",
    "isActive": True,
    "isContainer": False,
    "memberOf": ["Microsoft.TeamFoundation.Identity;S-1-9-1"],
    "properties": {
        "Account": {"$type": "System.String", "$value": "ann@fabrikam.com"},
        "Domain": {"$type": "System.String", "$value": OID},
        CLAIM: {"$type": "System.String", "$value": OID},
    },
}
QUEUE = {"id": 12, "projectId": PROJECT, "name": "fabrikam", "pool": {"id": 7, "name": "fabrikam"}}
DEFINITION = {
    "id": 5,
    "name": "nightly",
    "path": "\\release",
    "queue": {"id": 12, "name": "fabrikam"},
    "process": {"type": 1, "phases": [{"target": {"type": 1, "queue": {"id": 13}}}]},
}
GROUP = {
    "descriptor": "vssgp.x",
    "principalName": "[web]\\Contributors",
    "domain": f"vstfs:///Classification/TeamProject/{PROJECT}",
    "displayName": "Contributors",
    "originId": OID,
    "origin": "vsts",
}
ROLE = {
    "identity": {"id": LOCAL, "displayName": "Ann", "uniqueName": "ann@fabrikam.com"},
    "role": {"name": "Administrator", "scope": "distributedtask.agentpoolrole"},
    "access": "assigned",
}
CHECK = {
    "id": 3,
    "type": {"id": OID, "name": "Approval"},
    "settings": {"approvers": [{"id": LOCAL}]},
    "timeout": 43200,
    "resource": {"type": "queue", "id": "12", "name": "fabrikam"},
}
PERMISSIONS = {
    "resource": {"type": "queue", "id": "12"},
    "allPipelines": {
        "authorized": True,
        "authorizedBy": {"displayName": "Ann"},
        "authorizedOn": "2026-11-01T10:00:00.1Z",
    },
    "pipelines": [{"id": 5, "authorized": True, "authorizedBy": {"displayName": "Ann"}}],
}
AUDIT = {
    "decoratedAuditLogEntries": [{"id": "e1", "timestamp": "2026-11-22T13:00:00+00:00", "actionId": "x"}],
    "continuationToken": None,
    "hasMore": False,
}


@dataclass(frozen=True)
class Read:
    """One read of Azure DevOps: the path of its request, a document, and the call."""

    path: str
    sample: Any
    kind: type
    name: str
    arguments: tuple[Any, ...]

    def call(self, session: Session) -> Any:
        two = self.kind in (Memberships, MembershipWrites)
        made = self.kind(session, session) if two else self.kind(session)
        return getattr(made, self.name)("prime", *self.arguments)

    @property
    def returns(self) -> Any:
        """The declared type."""
        return typing.get_type_hints(getattr(self.kind, self.name).__wrapped__)["return"]


def _read(path: str, sample: Any, kind: type, name: str, *args: Any) -> Read:
    return Read(f"/prime/{path}", sample, kind, name, args)


IDENTITIES = "_apis/identities"
READS = {
    "me": _read("_apis/ConnectionData", {"authenticatedUser": PERSON}, DevOps, "me"),
    "agent pools": _read(
        "_apis/distributedtask/pools",
        wrapped({"id": 7, "name": "fabrikam", "autoProvision": False}),
        DevOps,
        "agent_pools",
    ),
    "projects": _read(
        "_apis/projects", wrapped({"id": PROJECT, "name": "web", "state": "wellFormed"}), DevOps, "projects"
    ),
    "deleted projects": _read("_apis/projects", wrapped({"id": PROJECT, "name": "web"}), DevOps, "deleted_projects"),
    "groups": _read("_apis/graph/groups", wrapped(GROUP), DevOps, "groups"),
    "queues": _read(f"{PROJECT}/_apis/distributedtask/queues", wrapped(QUEUE), DevOps, "queues", PROJECT, [7]),
    "all queues": _read("_apis/distributedtask/queues", wrapped(QUEUE), DevOps, "organization_queues", [7]),
    "authorized queues": _read(
        f"{PROJECT}/_apis/build/authorizedresources",
        wrapped({"authorized": True, "id": "12", "name": "fabrikam", "type": "queue"}),
        DevOps,
        "authorized_queues",
        PROJECT,
    ),
    "permissions": _read(
        f"{PROJECT}/_apis/pipelines/pipelinepermissions/queue/12",
        PERMISSIONS,
        DevOps,
        "pipeline_permissions",
        PROJECT,
        12,
    ),
    "pipelines": _read(
        f"{PROJECT}/_apis/build/definitions",
        wrapped({"id": 5, "name": "n", "path": "\\"}),
        DevOps,
        "pipelines",
        PROJECT,
    ),
    "queues of pipelines": _read(
        f"{PROJECT}/_apis/build/definitions", wrapped(DEFINITION), DevOps, "pipelines_of_queues", PROJECT
    ),
    "checks": _read(f"{PROJECT}/_apis/pipelines/checks/configurations", wrapped(CHECK), DevOps, "checks", PROJECT, 12),
    "roles": _read(
        "_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/7",
        wrapped(ROLE),
        DevOps,
        "role_assignments",
        "distributedtask.agentpoolrole",
        "7",
    ),
    "inheritance": _read(
        "_apis/AccessControlLists/101eae8c-1709-47f9-b228-0e476c35b3ba",
        wrapped({"inheritPermissions": True, "token": "AgentPools/7", "acesDictionary": {}}),
        DevOps,
        "inheritance",
    ),
    "identities": _read(IDENTITIES, wrapped(PERSON), DevOps, "identities", {"ann@fabrikam.com": ""}),
    "names": _read(IDENTITIES, wrapped(PERSON), DevOps, "names_of", [LOCAL]),
    "memberships": _read(IDENTITIES, wrapped(PERSON), DevOps, "memberships", LOCAL),
    "members": _read(
        IDENTITIES, wrapped({**PERSON, "isContainer": True, "memberIds": [LOCAL]}), DevOps, "members", [LOCAL]
    ),
    "may": _read("_apis/permissions/101eae8c-1709-47f9-b228-0e476c35b3ba/8", {"value": [True]}, DevOps, "may", "t", 8),
    "service principals": _read(
        "_apis/graph/serviceprincipals",
        wrapped({"descriptor": "aadsp.x", "originId": OID, "applicationId": OID, "displayName": "op"}),
        Memberships,
        "service_principals",
    ),
    "local id": _read("_apis/graph/storagekeys/aad.x", {"value": LOCAL}, Memberships, "local_id", "aad.x"),
    "entitlement": _read(
        f"_apis/serviceprincipalentitlements/{LOCAL}",
        {
            "id": LOCAL,
            "accessLevel": {"accountLicenseType": "express", "licensingSource": "account", "status": "active"},
        },
        Memberships,
        "entitlement",
        LOCAL,
    ),
    "groups of": _read(IDENTITIES, wrapped(PERSON), Memberships, "groups_of", LOCAL),
    "audit": _read("_apis/audit/auditlog", AUDIT, DevOpsAuditLog, "entries", "2026-11-22T12:00:00Z"),
}
"""Every read of the ports; `test_every_read_is_here` compares."""
SEARCH = {"results": [{"identities": [{"originId": OID, "displayName": "Ann", "entityType": "User"}]}]}


def _conforms(value: Any, declared: Any) -> bool:  # noqa: PLR0911 - one for each kind of type
    """Whether a value has the declared type, in all of its parts."""
    origin, parts = typing.get_origin(declared), typing.get_args(declared)
    if declared is Any or origin is typing.Union or isinstance(declared, UnionType):
        return declared is Any or any(_conforms(value, one) for one in parts)
    if dataclasses.is_dataclass(declared) and isinstance(declared, type):
        hints = typing.get_type_hints(declared)
        return isinstance(value, declared) and all(_conforms(getattr(value, name), hints[name]) for name in hints)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        wanted = [parts[0]] * len(value) if parts[-1:] == (...,) else parts
        return all(_conforms(one, kind) for one, kind in zip(value, wanted, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return all(_conforms(key, parts[0]) and _conforms(one, parts[1]) for key, one in value.items())
    if origin is not None:
        return isinstance(value, origin) and all(_conforms(one, parts[0]) for one in value)
    if declared is ReconcilerError:
        return isinstance(value, Unavailable | Rejected) and ESCAPED not in str(value)
    return value is None if declared is type(None) else type(value) is declared or declared is float


def _judge(what: str, call: Callable[[], Any], returns: Any) -> None:
    """`Unavailable` or `Rejected` in words of the adapter's own, or facts of the declared types."""
    problem: ReconcilerError | None = None
    try:
        found = call()
    except ReconcilerError as raised:
        problem = raised
    if problem is None:
        assert _conforms(found, returns), (what, found)
    else:
        assert isinstance(problem, Unavailable | Rejected), (what, problem)
        assert ESCAPED not in str(problem), (what, problem)


def test_every_read_is_here() -> None:
    """The search is one of POST."""
    for kind in (DevOps, Memberships, DevOpsAuditLog):
        public = {name for name, value in vars(kind).items() if callable(value) and not name.startswith("_")}
        assert public - {one.name for one in READS.values()} <= {"search"}, kind


@pytest.mark.soaked
@pytest.mark.parametrize("name", READS)
def test_one_wrong_place_is_an_error_or_harmless(name: str, session: Session, service: Scripted) -> None:
    read = READS[name]
    sample = enriched(read.sample, "devops", read.path)
    service.reply("GET", read.path, sample)
    assert _conforms(read.call(session), read.returns), "the document itself is read"

    for what, document in mutations(sample):
        service.reply("GET", read.path, document)
        _judge(what, lambda: read.call(session), read.returns)


def _but_two_answers_to_one_question(name: str) -> AbstractContextManager[object]:
    """The list of `may` has as many values as tokens were sent: two of them answer something else."""
    return pytest.raises(Unavailable, match="expected one value, got 2") if name == "may" else nullcontext()


@pytest.mark.parametrize("name", READS)
def test_doubled_entries_are_one(name: str, session: Session, service: Scripted) -> None:
    read = READS[name]
    service.reply("GET", read.path, read.sample)
    once = read.call(session)

    for what, document in doubled(read.sample):
        if "settings" not in what:  # passed on as they came
            service.reply("GET", read.path, document)
            with _but_two_answers_to_one_question(name):
                assert read.call(session) == once, what


@pytest.mark.soaked
def test_the_search_of_the_web_pages(session: Session, service: Scripted) -> None:
    search = _read("_apis/IdentityPicker/Identities", SEARCH, Memberships, "search", "ann")
    for what, document in [("as it is", SEARCH), *mutations(SEARCH), *doubled(SEARCH)]:
        service.reply("POST", search.path, document)
        _judge(what, lambda: search.call(session), search.returns)


@pytest.mark.soaked
def test_one_wrong_place_in_the_table_of_routes(opened: Callable[..., Session], service: Scripted) -> None:
    """The package keeps that table for as long as the process runs, so a bad one must not reach it."""
    read = READS["authorized queues"]
    route = [one for one in table()["value"] if one["resourceName"] == "authorizedresources"]
    service.reply("GET", read.path, read.sample)
    for what, document in mutations(wrapped(*route)):
        service.reply("OPTIONS", "/prime/_apis", document)
        _judge(what, lambda: read.call(opened()), read.returns)


PUT_ROLES = "_apis/securityroles/scopes/distributedtask.agentpoolrole/roleassignments/resources/7"
MADE = {"isSuccess": True, "errors": [], "result": {"servicePrincipal": {"originId": OID}}}
WRITES: dict[str, tuple[str, Read]] = {
    "queue": (
        "POST",
        _read(f"{PROJECT}/_apis/distributedtask/queues", QUEUE, DevOpsWrites, "create_queue", PROJECT, 7, "x"),
    ),
    "role": (
        "PUT",
        _read(
            PUT_ROLES,
            wrapped(ROLE),
            DevOpsWrites,
            "assign_role",
            "distributedtask.agentpoolrole",
            "7",
            LOCAL,
            "Administrator",
        ),
    ),
    "materialise": (
        "POST",
        _read(
            "_apis/graph/users",
            {"descriptor": "aad.x", "originId": OID, "principalName": "ann@fabrikam.com", "displayName": "Ann"},
            DevOpsWrites,
            "materialise",
            OID,
        ),
    ),
    "open access": (
        "PATCH",
        _read(
            f"{PROJECT}/_apis/pipelines/pipelinepermissions/queue/12",
            PERMISSIONS,
            DevOpsWrites,
            "set_open_access",
            PROJECT,
            12,
            True,
        ),
    ),
    "auto-provision": (
        "PATCH",
        _read("_apis/distributedtask/pools/7", {"id": 7, "name": "x"}, DevOpsWrites, "set_auto_provision", 7, False),
    ),
    "member": (
        "POST",
        _read("_apis/serviceprincipalentitlements", {"operationResult": MADE}, MembershipWrites, "add", OID, "express"),
    ),
    "access level": (
        "PATCH",
        _read(
            f"_apis/serviceprincipalentitlements/{LOCAL}",
            {"operationResults": [MADE]},
            MembershipWrites,
            "set_license",
            LOCAL,
            "express",
        ),
    ),
}


@pytest.mark.soaked
@pytest.mark.parametrize("name", WRITES)
def test_one_wrong_place_in_the_answer_to_a_write(name: str, session: Session, service: Scripted) -> None:
    """An error of ours, or what was written; and one request for each write."""
    method, write = WRITES[name]
    service.reply("GET", write.path, wrapped())
    service.reply("GET", "/prime/_apis/graph/storagekeys/aad.x", {"value": LOCAL})
    service.reply("GET", f"/prime/{PROJECT}/_apis/distributedtask/queues", wrapped())

    for what, document in [("as it is", write.sample), *mutations(write.sample), *doubled(write.sample)]:
        service.reply(method, write.path, document)
        before = len(service.seen)
        problem: ReconcilerError | None = None
        try:
            found = write.call(session)
        except ReconcilerError as raised:
            problem = raised
        assert (
            sum(one.method == method and one.path.lower() == write.path.lower() for one in service.seen[before:]) == 1
        )
        if problem is None:
            assert _conforms(found, write.returns), (what, found)
        else:
            assert ESCAPED not in str(problem), (what, problem)
            assert what != "as it is", problem
