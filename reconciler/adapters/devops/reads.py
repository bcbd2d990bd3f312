"""Azure DevOps as the port `DevOpsReader` sees it; `DevOpsWrites` beside it is the other half.

Calls go through the azure-devops package where its client returns everything that is needed, and through plain REST
on the same session where it has no client, drops something or costs too much: security roles, lists in pages (it drops
the header that names the next page), authors of pipeline permissions, queues.

Nothing is cached here: `reconciler.survey` shares reads. A list that a response lacks, or that is shorter than its
`count`, is an error and never an empty list, because absence is what writes are decided by.

Routes, bodies and versions: MicrosoftDocs/vsts-rest-api-specs at 7.2 (distributedTask, approvalsAndChecks, build,
core, security, securityRoles, ims, graph); which are preview-only: the location table of a real organization, in the
recordings of Azure/azure-devops-cli-extension.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.adapters.boundary import port
from reconciler.adapters.devops import graph
from reconciler.adapters.devops.authorized import authorized_queues
from reconciler.adapters.devops.clients import Package
from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import (
    assignment_of,
    checks_of,
    entries,
    has_secrets,
    permissions_of,
    pipeline_of,
    queue_of,
    queues_call,
    queues_of_definition,
    roles_call,
)
from reconciler.adapters.devops.group_members import groups_of, members_of
from reconciler.adapters.devops.identities import Identities, property_of
from reconciler.adapters.devops.pages import PagedList, listed
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.writes import DevOpsWrites
from reconciler.adapters.shapes import flag_of, flag_or_none, number_of, shown, text_of
from reconciler.documents import Json, moment_of
from reconciler.errors import NotFound, ReconcilerError, Rejected, Unavailable
from reconciler.ports.devops import (
    AGENT_POOLS_TOKEN,
    DISTRIBUTED_TASK,
    AgentPool,
    DevOpsReader,
    Group,
    Identity,
    Pipeline,
    PipelinePermissions,
    Project,
    Queue,
    QueueCheck,
    RawDevOpsReader,
    RawResponse,
    RoleAssignment,
)

__all__ = ["DevOps", "DevOpsWrites", "RawDevOps"]

_PROJECTS = 500
_DEFINITIONS = 1000
_FULL = 100
"""Full definitions in one page: one may have hundreds of steps."""
_IDS = 1_800
"""Characters of pool ids in one request, each with an escaped comma: servers cut URLs at about 2,000."""
_RATES = ("x-ratelimit-", "retry-after")


@port("Azure DevOps", DevOpsReader)
class DevOps:
    """Reads organizations; implements `reconciler.ports.devops.DevOpsReader`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._package = Package(session)
        self._identities = Identities(session, self._package)

    def me(self, organization: str) -> Identity:
        """GET ConnectionData: the operator's own local id, so that it never removes its own rights."""
        what = "the operator's own identity"
        with self._package.calls(organization, "connection-data", what) as clients:
            clients.location.get_connection_data()
        user = clients.response.document.get("authenticatedUser")
        if not isinstance(user, dict) or not shown(user, "id"):
            raise Unavailable(f"organization {organization}: {what}: the response names no user")
        return Identity(
            id=shown(user, "id").lower(),
            display_name=shown(user, "customDisplayName", "providerDisplayName"),
            unique_name=property_of(user.get("properties"), "Account"),
            descriptor=shown(user, "subjectDescriptor"),
        )

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """GET all pools: whether the name filter matches whole names is not documented."""
        with self._package.calls(organization, "pools", "agent pools") as clients:
            clients.task_agent.get_agent_pools(pool_type="automation")
        where = f"organization {organization}: agent pools"
        return [
            AgentPool(
                id=number_of(entry, "id", where),
                name=text_of(entry, "name", where),
                auto_provision=flag_or_none(entry, "autoProvision", where),
                facts=entry,
                hosted=flag_or_none(entry, "isHosted", where),
                created_on=moment_of(entry.get("createdOn")),
            )
            for entry in entries(clients.response, organization, "agent pools")
        ]

    def projects(self, organization: str) -> Sequence[Project]:
        """GET projects, page by page; the next page is named by a header.

        A full page without that header may not be the last one, so the next page is requested.
        """
        found = self._projects(organization, "wellFormed", "projects", "id", "name")
        return [Project(id=id_, name=entry["name"]) for id_, entry in found.items()]

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """GET projects in state `deleted`, which they have for some weeks."""
        return frozenset(self._projects(organization, "deleted", "deleted projects", "id"))

    def _projects(self, organization: str, state: str, what: str, *required: str) -> dict[str, Json]:
        parameters = {"stateFilter": state, "api-version": "7.1"}
        wanted = PagedList(
            organization, "_apis/projects", "projects", what, parameters, required, size=_PROJECTS, skips=True
        )
        return {entry["id"].lower(): entry for entry in listed(self._session, wanted)}

    def groups(self, organization: str) -> Sequence[Group]:
        """GET graph groups, page by page."""
        return graph.groups(self._session, organization)

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """GET queues of a project by pool ids, as many requests as keep each URL short.

        Plain REST because no read is more frequent: the package's models took 2.4 ms for twenty queues.
        """
        return self._queues(organization, project_id, pool_ids)

    def organization_queues(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """GET queues without a project: the specification allows it, no source confirms it."""
        try:
            return self._queues(organization, "", pool_ids)
        except NotFound as error:  # of a route, not of a thing
            raise Rejected(str(error)) from None

    def _queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> list[Queue]:
        queues: list[Queue] = []
        for some in _cut(pool_ids):
            call = queues_call(self._session, organization, project_id, some)
            found = entries(self._session.send(call), organization, call.what)
            queues += [queue_of(entry, organization, project_id) for entry in found]
        return [queue for queue in queues if queue.pool_id in pool_ids]

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """GET authorizedresources of a project, without an id: one call for all of its queues."""
        return authorized_queues(self._session, organization, project_id)

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """GET pipelinepermissions of one queue; plain REST because the package drops authors of single pipelines."""
        what = f"pipeline permissions of queue {queue_id} in project {project_id}"
        path = f"{segment(project_id)}/_apis/pipelines/pipelinepermissions/queue/{queue_id}"
        document = self._get(organization, path, "pipeline-permissions", what, "7.1-preview.1")
        return permissions_of(document, organization, what, queue_id)

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """GET build definitions, page by page; folder and name together are the path."""
        what = f"pipelines of project {project_id}"
        path = f"{segment(project_id)}/_apis/build/definitions"
        parameters = {"queryOrder": "definitionNameAscending", "api-version": "7.1"}
        wanted = PagedList(organization, path, "definitions", what, parameters, ("name", "path"), size=_DEFINITIONS)
        return [pipeline_of(entry, organization, what) for entry in listed(self._session, wanted)]

    def checks(self, organization: str, project_id: str, queue_id: int) -> Sequence[QueueCheck]:
        """GET check configurations of one queue; the package has no client for them.

        Both filters are optional in the document, so entries of other resources are left out.
        """
        what = f"checks of queue {queue_id} in project {project_id}"
        path = f"{segment(project_id)}/_apis/pipelines/checks/configurations"
        given = {"resourceType": "queue", "resourceId": str(queue_id), "$expand": "settings"}
        document = self._get(organization, path, "checks", what, "7.1-preview.1", **given)
        return checks_of(document, organization, what, queue_id)

    def pipelines_of_queues(self, organization: str, project_id: str) -> Mapping[int, Sequence[Pipeline]]:
        """GET full build definitions, page by page: queues of classic jobs are not in the short form."""
        what = f"queues of the pipelines of project {project_id}"
        path = f"{segment(project_id)}/_apis/build/definitions"
        parameters = {"queryOrder": "definitionNameAscending", "includeAllProperties": "true", "api-version": "7.1"}
        wanted = PagedList(organization, path, "definitions", what, parameters, ("name", "path"), size=_FULL)
        found: dict[int, list[Pipeline]] = {}
        for entry in listed(self._session, wanted):
            for queue_id in sorted(queues_of_definition(entry, organization, what)):
                one = pipeline_of(entry, organization, what)
                found.setdefault(queue_id, []).append(replace(one, secret=has_secrets(entry)))
        return found

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """GET roleassignments; the package has no client for security roles."""
        response = self._session.send(roles_call(self._session, organization, "GET", scope, resource))
        what = f"roles of {scope}/{resource}"
        return [assignment_of(entry, organization, what) for entry in entries(response, organization, what)]

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """GET the ACLs of all agent pools at once; tokens are ``AgentPools/{id}``, a pool without ACL inherits."""
        what = "access control lists of agent pools"
        with self._package.calls(organization, "access-control-lists", what) as clients:
            clients.security.query_access_control_lists(
                DISTRIBUTED_TASK, AGENT_POOLS_TOKEN, include_extended_info=False, recurse=True
            )
        where = f"organization {organization}: {what}"
        switches: dict[int, bool] = {}
        for entry in entries(clients.response, organization, what, "token"):
            head, _, id_ = entry["token"].strip("/").partition("/")
            if head == AGENT_POOLS_TOKEN and id_.isdecimal():
                inherits = flag_of(entry, "inheritPermissions", where)
                if switches.setdefault(int(id_), inherits) is not inherits:
                    raise Unavailable(f"{where}: two entries of the response have the same token and differ")
        return switches

    def identities(self, organization: str, principals: Mapping[str, str]) -> Mapping[str, Identity | ReconcilerError]:
        """See `reconciler.adapters.devops.identities`."""
        return self._identities.resolve(organization, principals)

    def names_of(self, organization: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """See `reconciler.adapters.devops.identities`."""
        return self._identities.names_of(organization, ids)

    def memberships(self, organization: str, identity_id: str) -> Sequence[Group]:
        """See `reconciler.adapters.devops.group_members`."""
        return groups_of(self._session, organization, identity_id)

    def members(self, organization: str, identity_ids: Sequence[str]) -> Mapping[str, tuple[str, ...] | None]:
        """See `reconciler.adapters.devops.group_members`."""
        return members_of(self._session, organization, identity_ids)

    def may(self, organization: str, token: str, bits: int) -> bool:
        """GET permissions of the caller at one token."""
        what, path = f"permissions at {token}", f"_apis/permissions/{DISTRIBUTED_TASK}/{bits}"
        document = self._get(organization, path, "permissions", what, "7.1", tokens=token)
        values = document.get("value") if isinstance(document, dict) else None
        if not isinstance(values, list) or len(values) != 1:
            got = f"{len(values)}" if isinstance(values, list) else "none"
            raise Unavailable(f"organization {organization}: {what}: expected one value, got {got}")
        if not isinstance(values[0], bool):
            raise Unavailable(f"organization {organization}: {what}: the value is neither true nor false")
        return values[0]

    def _get(self, organization: str, path: str, route: str, what: str, version: str, **parameters: str) -> Json:
        url = self._session.endpoints.url(organization, path + query({**parameters, "api-version": version}))
        return self._session.send(OutgoingRequest(organization, "GET", url, route, what)).document


def _cut(pool_ids: Sequence[int]) -> Iterator[list[int]]:
    """Parts that fit into a URL."""
    part: list[int] = []
    size = 0
    for one in pool_ids:
        width = len(f"{one}%2C")
        if part and size + width > _IDS:
            yield part
            part, size = [], 0
        part.append(one)
        size += width
    if part:
        yield part


@port("Azure DevOps", RawDevOpsReader)
class RawDevOps:
    """Sends GET requests as they are; implements `reconciler.ports.devops.RawDevOpsReader`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, organization: str, path: str, parameters: Mapping[str, str | int]) -> RawResponse:
        """GET; of the headers those of the rate limit alone."""
        url = self._session.endpoints.url(organization, path + query(parameters))
        request = OutgoingRequest(organization, "GET", url, "probe", path.rpartition("/_apis/")[2])
        response = self._session.send(request, accept_rejection=True)
        rates = {name: value for name, value in response.headers.items() if name.startswith(_RATES)}
        return RawResponse(response.status, rates, response.document)
