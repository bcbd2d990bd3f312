"""Every route of the Azure DevOps plane, by area. Names are for faults and counters."""

from __future__ import annotations

from emulator.devops import (
    auditing,
    authorized_resources,
    checks,
    discovery,
    entitlements,
    graph,
    hooks,
    identities,
    lists,
    memberships,
    namespaces,
    picker,
    pipeline_permissions,
    pipelines,
    pools,
    projects,
    queues,
    roles,
    subjects,
)
from emulator.router import Handler, Route

ROOT = "/{organization}/_apis"
PROJECT = "/{organization}/{project}/_apis"
POOLS = f"{ROOT}/distributedtask/pools"
QUEUES = f"{PROJECT}/distributedtask/queues"
PERMISSIONS = f"{PROJECT}/pipelines/pipelinepermissions"
CHECKS = f"{PROJECT}/pipelines/checks/configurations"
DEFINITIONS = f"{PROJECT}/build/definitions"
ROLES = f"{ROOT}/securityroles/scopes/{{scopeId}}"
ASSIGNMENTS = f"{ROLES}/roleassignments/resources/{{resourceId}}"
MEMBERSHIP = f"{ROOT}/graph/memberships/{{subjectDescriptor}}"


def _route(
    name: str, method: str, template: str, handler: Handler, *, preview: bool = False, reads: bool = False
) -> Route:
    return Route(name, "devops", method, template, handler, preview, reads)


def _graph() -> list[Route]:
    found = []
    for kind in (graph.USERS, graph.GROUPS, graph.SERVICES):
        template, name = f"{ROOT}/graph/{kind.path}", f"graph.{kind.path.lower()}"
        one = f"{template}/{{{kind.param}}}"
        found += [
            _route(f"{name}.list", "GET", template, graph.listing(kind), preview=True),
            _route(f"{name}.create", "POST", template, graph.creating(kind), preview=True),
            _route(f"{name}.get", "GET", one, graph.reading(kind), preview=True),
            _route(f"{name}.delete", "DELETE", one, graph.deleting(kind), preview=True),
        ]
    return found


def _entitlements() -> list[Route]:
    found = []
    for kind, name in (
        (entitlements.PEOPLE, "userentitlements"),
        (entitlements.SERVICES, "serviceprincipalentitlements"),
    ):
        template = f"{ROOT}/{name}"
        one = f"{template}/{{{kind.param}}}"
        found += [
            _route(f"{name}.add", "POST", template, entitlements.adding(kind), preview=True),
            _route(f"{name}.get", "GET", one, entitlements.reading(kind), preview=True),
            _route(f"{name}.update", "PATCH", one, entitlements.changing(kind), preview=True),
            _route(f"{name}.delete", "DELETE", one, entitlements.deleting(kind), preview=True),
        ]
    return found


ROUTES: list[Route] = [
    _route("locations.options", "OPTIONS", ROOT, discovery.options),
    _route("resourceareas.list", "GET", f"{ROOT}/ResourceAreas", discovery.areas),
    _route("resourceareas.get", "GET", f"{ROOT}/ResourceAreas/{{areaId}}", discovery.area),
    _route("connectiondata.get", "GET", f"{ROOT}/ConnectionData", discovery.connection, preview=True),
    _route("projects.list", "GET", f"{ROOT}/projects", projects.list_all),
    _route("projects.create", "POST", f"{ROOT}/projects", projects.create),
    _route("projects.get", "GET", f"{ROOT}/projects/{{projectId}}", projects.get),
    _route("projects.update", "PATCH", f"{ROOT}/projects/{{projectId}}", projects.update),
    _route("projects.delete", "DELETE", f"{ROOT}/projects/{{projectId}}", projects.delete),
    _route("operations.get", "GET", f"{ROOT}/operations/{{operationId}}", projects.operation),
    _route("processes.list", "GET", f"{ROOT}/process/processes", projects.processes),
    _route("pools.list", "GET", POOLS, pools.list_all),
    _route("pools.add", "POST", POOLS, pools.create),
    _route("pools.get", "GET", f"{POOLS}/{{poolId}}", pools.get),
    _route("pools.update", "PATCH", f"{POOLS}/{{poolId}}", pools.update),
    _route("pools.delete", "DELETE", f"{POOLS}/{{poolId}}", pools.delete),
    _route("poolpermissions.get", "GET", f"{POOLS}/{{poolId}}/permissions/{{permissions}}", pools.has_permissions),
    _route("poolmetadata.get", "GET", f"{POOLS}/{{poolId}}/poolmetadata", pools.get_metadata),
    _route("poolmetadata.set", "PUT", f"{POOLS}/{{poolId}}/poolmetadata", pools.set_metadata),
    _route("agentclouds.list", "GET", f"{ROOT}/distributedtask/agentclouds", pools.clouds),
    _route("queues.list-organization", "GET", f"{ROOT}/distributedtask/queues", queues.list_organization),
    _route("queues.list", "GET", QUEUES, queues.list_project),
    _route("queues.add", "POST", QUEUES, queues.create),
    _route("queues.get", "GET", f"{QUEUES}/{{queueId}}", queues.get),
    _route("queues.delete", "DELETE", f"{QUEUES}/{{queueId}}", queues.delete),
    _route(
        "pipelinepermissions.get",
        "GET",
        f"{PERMISSIONS}/{{resourceType}}/{{resourceId}}",
        pipeline_permissions.get,
        preview=True,
    ),
    _route(
        "pipelinepermissions.update",
        "PATCH",
        f"{PERMISSIONS}/{{resourceType}}/{{resourceId}}",
        pipeline_permissions.update_one,
        preview=True,
    ),
    _route("pipelinepermissions.batch", "PATCH", PERMISSIONS, pipeline_permissions.update_many, preview=True),
    _route("checks.list", "GET", CHECKS, checks.list_all, preview=True),
    _route("checks.add", "POST", CHECKS, checks.add, preview=True),
    _route("checks.get", "GET", f"{CHECKS}/{{checkId}}", checks.get, preview=True),
    _route("checks.update", "PATCH", f"{CHECKS}/{{checkId}}", checks.update, preview=True),
    _route("checks.delete", "DELETE", f"{CHECKS}/{{checkId}}", checks.delete, preview=True),
    _route(
        "authorizedresources.list",
        "GET",
        f"{PROJECT}/build/authorizedresources",
        authorized_resources.list_project,
        preview=True,
    ),
    _route(
        "authorizedresources.update",
        "PATCH",
        f"{PROJECT}/build/authorizedresources",
        authorized_resources.update_project,
        preview=True,
    ),
    _route("definitions.list", "GET", DEFINITIONS, pipelines.list_all),
    _route("definitions.get", "GET", f"{DEFINITIONS}/{{definitionId}}", pipelines.get),
    _route("definitions.update", "PUT", f"{DEFINITIONS}/{{definitionId}}", pipelines.update),
    _route(
        "definitionresources.list",
        "GET",
        f"{DEFINITIONS}/{{definitionId}}/resources",
        authorized_resources.list_pipeline,
        preview=True,
    ),
    _route(
        "definitionresources.update",
        "PATCH",
        f"{DEFINITIONS}/{{definitionId}}/resources",
        authorized_resources.update_pipeline,
        preview=True,
    ),
    _route("roledefinitions.list", "GET", f"{ROLES}/roledefinitions", roles.definitions, preview=True),
    _route("roleassignments.list", "GET", ASSIGNMENTS, roles.list_all, preview=True),
    _route("roleassignments.set", "PUT", ASSIGNMENTS, roles.assign_many, preview=True),
    _route("roleassignments.change", "PATCH", ASSIGNMENTS, roles.change, preview=True),
    _route("roleassignments.set-one", "PUT", f"{ASSIGNMENTS}/{{identityId}}", roles.assign_one, preview=True),
    _route("roleassignments.remove-one", "DELETE", f"{ASSIGNMENTS}/{{identityId}}", roles.remove_one, preview=True),
    _route("accesscontrollists.query", "GET", f"{ROOT}/accesscontrollists/{{securityNamespaceId}}", lists.query),
    _route("accesscontrollists.set", "POST", f"{ROOT}/accesscontrollists/{{securityNamespaceId}}", lists.set_lists),
    _route(
        "accesscontrollists.remove", "DELETE", f"{ROOT}/accesscontrollists/{{securityNamespaceId}}", lists.remove_lists
    ),
    _route(
        "accesscontrolentries.set", "POST", f"{ROOT}/accesscontrolentries/{{securityNamespaceId}}", lists.set_entries
    ),
    _route(
        "accesscontrolentries.remove",
        "DELETE",
        f"{ROOT}/accesscontrolentries/{{securityNamespaceId}}",
        lists.remove_entries,
    ),
    _route("securitynamespaces.list", "GET", f"{ROOT}/securitynamespaces", namespaces.list_all),
    _route("securitynamespaces.get", "GET", f"{ROOT}/securitynamespaces/{{securityNamespaceId}}", namespaces.list_all),
    _route(
        "permissions.has",
        "GET",
        f"{ROOT}/permissions/{{securityNamespaceId}}/{{permissions}}",
        namespaces.has_permissions,
    ),
    _route(
        "permissions.evaluate", "POST", f"{ROOT}/security/permissionevaluationbatch", namespaces.evaluate, reads=True
    ),
    _route("identities.read", "GET", f"{ROOT}/identities", identities.read),
    _route("identities.get", "GET", f"{ROOT}/identities/{{identityId}}", identities.get),
    _route("identities.me", "GET", f"{ROOT}/identities/me", identities.myself),
    _route("identities.batch", "POST", f"{ROOT}/identitybatch", identities.batch, reads=True),
    _route(
        "identitypicker.search", "POST", f"{ROOT}/IdentityPicker/Identities", picker.search, preview=True, reads=True
    ),
    *_graph(),
    _route(
        "graph.storagekey", "GET", f"{ROOT}/graph/storagekeys/{{subjectDescriptor}}", subjects.storage_key, preview=True
    ),
    _route("graph.descriptor", "GET", f"{ROOT}/graph/descriptors/{{storageKey}}", subjects.descriptor, preview=True),
    _route("graph.subjectlookup", "POST", f"{ROOT}/graph/subjectlookup", subjects.lookup, preview=True, reads=True),
    _route("graph.subjectquery", "POST", f"{ROOT}/graph/subjectquery", subjects.query, preview=True, reads=True),
    _route("graph.memberships.list", "GET", MEMBERSHIP, memberships.list_all, preview=True),
    _route("graph.memberships.get", "GET", f"{MEMBERSHIP}/{{containerDescriptor}}", memberships.get, preview=True),
    _route("graph.memberships.check", "HEAD", f"{MEMBERSHIP}/{{containerDescriptor}}", memberships.check, preview=True),
    _route("graph.memberships.add", "PUT", f"{MEMBERSHIP}/{{containerDescriptor}}", memberships.add, preview=True),
    _route(
        "graph.memberships.remove", "DELETE", f"{MEMBERSHIP}/{{containerDescriptor}}", memberships.remove, preview=True
    ),
    _route(
        "graph.membershipstates.get",
        "GET",
        f"{ROOT}/graph/membershipstates/{{subjectDescriptor}}",
        memberships.state,
        preview=True,
    ),
    *_entitlements(),
    _route("userentitlements.search", "GET", f"{ROOT}/userentitlements", entitlements.search_people, preview=True),
    _route("audit.log", "GET", f"{ROOT}/audit/auditlog", auditing.query, preview=True),
    _route("audit.actions", "GET", f"{ROOT}/audit/actions", auditing.actions, preview=True),
    _route("audit.streams.list", "GET", f"{ROOT}/audit/streams", auditing.list_streams, preview=True),
    _route("audit.streams.create", "POST", f"{ROOT}/audit/streams", auditing.create_stream, preview=True),
    _route("audit.streams.get", "GET", f"{ROOT}/audit/streams/{{streamId}}", auditing.get_stream, preview=True),
    _route(
        "audit.streams.status", "PUT", f"{ROOT}/audit/streams/{{streamId}}", auditing.set_stream_status, preview=True
    ),
    _route(
        "audit.streams.delete", "DELETE", f"{ROOT}/audit/streams/{{streamId}}", auditing.delete_stream, preview=True
    ),
    _route("hooks.list", "GET", f"{ROOT}/hooks/subscriptions", hooks.list_all),
    _route("hooks.create", "POST", f"{ROOT}/hooks/subscriptions", hooks.create),
    _route("hooks.get", "GET", f"{ROOT}/hooks/subscriptions/{{subscriptionId}}", hooks.get),
    _route("hooks.replace", "PUT", f"{ROOT}/hooks/subscriptions/{{subscriptionId}}", hooks.replace),
    _route("hooks.delete", "DELETE", f"{ROOT}/hooks/subscriptions/{{subscriptionId}}", hooks.delete),
]
"""In the order of a reader; the router puts literal segments before placeholders."""
