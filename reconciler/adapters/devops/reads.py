"""Azure DevOps as the port `DevOpsReader` sees it; `DevOpsWrites` beside it is the other half.

Calls go through the azure-devops package where it has a client whose answer keeps what is needed, and through plain
REST on the same session where it has none, loses something or costs too much: security roles, pages of projects (the
package drops the header that names the next page), queues. Each method is one request, or the pages of one list.

Nothing is remembered here: `reconciler.survey` shares reads. Nothing is guessed either: a list that is missing in an
answer, or shorter than it says, is an error and never an empty list, because absence is what writes are decided on.

Routes, bodies and versions: MicrosoftDocs/vsts-rest-api-specs at 7.2 (distributedTask, approvalsAndChecks, build,
core, security, securityRoles, ims, graph); which are preview-only: the location table of a real organization, in the
recordings of Azure/azure-devops-cli-extension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.adapters.devops.clients import Package, complete, whole
from reconciler.adapters.devops.endpoints import segment
from reconciler.adapters.devops.forms import (
    assignment_of,
    entries,
    pipeline_of,
    project_of,
    queue_of,
    queues_call,
    roles_call,
)
from reconciler.adapters.devops.identities import Identities, property_of
from reconciler.adapters.devops.pages import Paged, pages
from reconciler.adapters.devops.session import Session
from reconciler.adapters.devops.writes import DevOpsWrites
from reconciler.documents import moment
from reconciler.errors import NotFound, Rejected, Unavailable
from reconciler.ports.devops import AgentPool, Identity, Pipeline, PipelinePermissions, Project, Queue, RoleAssignment

__all__ = ["DevOps", "DevOpsWrites"]

NAMESPACE = "101eae8c-1709-47f9-b228-0e476c35b3ba"
"""Security namespace DistributedTask, which holds the rights on pools and queues."""
_TOKEN = "AgentPools"  # noqa: S105 - a security token is the name of a thing that has an ACL
_PAGE = 500
_DEFINITIONS = 1000
_IDS = 150
"""Pool ids in one request; ten digits each and their commas stay far below 2,000 characters of URL."""


class DevOps:
    """Reads organizations; implements `reconciler.ports.devops.DevOpsReader`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._package = Package(session)
        self._identities = Identities(self._package)

    def me(self, organization: str) -> Identity:
        """GET ConnectionData. The operator's own local id, needed so that it never locks itself out."""
        what = "the operator's own identity"
        with self._package.asking(organization, "connection-data", what) as clients:
            user = clients.location.get_connection_data().authenticated_user
        if user is None or not user.id:
            raise Unavailable(f"organization {organization}: {what}: the answer names nobody")
        return Identity(
            id=user.id.lower(),
            display_name=user.custom_display_name or user.provider_display_name or "",
            unique_name=property_of(user.properties, "Account"),
            descriptor=user.subject_descriptor or "",
        )

    def agent_pools(self, organization: str) -> Sequence[AgentPool]:
        """GET pools. All of them: whether the name filter matches whole names is not documented."""
        with self._package.asking(organization, "pools", "agent pools") as clients:
            models = complete(clients.task_agent.get_agent_pools(pool_type="automation"), organization, "agent pools")
            documents = clients.document["value"]
        return [
            AgentPool(id=model.id, name=model.name, auto_provision=model.auto_provision, facts=document)
            for model, document in zip(models, documents, strict=True)
            if whole(model, organization, "agent pools", "id", "name")
        ]

    def projects(self, organization: str) -> Sequence[Project]:
        """GET projects, page by page; the next page is named by a header.

        A full page without that header is not believed to be the last: one more is asked for.
        """
        asked = {"stateFilter": "wellFormed", "api-version": "7.1"}
        required = ("id", "name")
        paged = Paged(organization, "_apis/projects", "projects", "projects", asked, required, size=_PAGE, skips=True)
        found: dict[str, Project] = {}
        for page in pages(self._session, paged):
            for entry in page:
                found[entry["id"].lower()] = Project(id=entry["id"].lower(), name=entry["name"])
        return list(found.values())

    def known_projects(self, organization: str) -> Sequence[Project]:
        """GET graph groups, page by page: a project's groups carry its name and its id."""
        asked = {"subjectTypes": "vssgp", "api-version": "7.1-preview.1"}
        what = "groups of projects"
        paged = Paged(organization, "_apis/graph/groups", "graph-groups", what, asked, identity=True)
        found: dict[str, Project] = {}
        for page in pages(self._session, paged):
            for entry in page:
                if (project := project_of(entry)) is not None:
                    found[project.id] = project
        return list(found.values())

    def deleted_projects(self, organization: str) -> frozenset[str]:
        """GET projects by the state that a project has for some weeks after it was deleted."""
        asked = {"stateFilter": "deleted", "api-version": "7.1"}
        what = "deleted projects"
        paged = Paged(organization, "_apis/projects", "projects", what, asked, ("id",), size=_PAGE, skips=True)
        return frozenset(entry["id"].lower() for page in pages(self._session, paged) for entry in page)

    def queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """GET queues of a project by pool ids, as many requests as keep each URL short.

        Plain REST because no read is more frequent: the package's models took 2.4 ms for twenty queues.
        """
        return self._queues(organization, project_id, pool_ids)

    def queues_everywhere(self, organization: str, pool_ids: Sequence[int]) -> Sequence[Queue]:
        """GET queues without a project, which the specification allows and nobody attests."""
        try:
            return self._queues(organization, "", pool_ids)
        except NotFound as error:  # of a route, not of a thing
            raise Rejected(str(error)) from None

    def _queues(self, organization: str, project_id: str, pool_ids: Sequence[int]) -> list[Queue]:
        queues: list[Queue] = []
        for begin in range(0, len(pool_ids), _IDS):
            call = queues_call(self._session, organization, project_id, pool_ids[begin : begin + _IDS])
            found = entries(self._session.send(call), organization, call.what)
            queues += [queue_of(entry, organization, project_id) for entry in found]
        return [queue for queue in queues if queue.pool_id in pool_ids]

    def authorized_queues(self, organization: str, project_id: str) -> frozenset[int]:
        """GET authorizedresources of a project, without an id: one call for all of its queues."""
        what = f"authorized resources of project {project_id}"
        with self._package.asking(organization, "authorized-resources", what) as clients:
            models = complete(clients.build.get_project_resources(project_id, type="queue"), organization, what)
        ids = [model.id for model in models if model.authorized and model.type == "queue"]
        if not all(isinstance(id_, str) and id_.isdecimal() for id_ in ids):
            raise Unavailable(f"organization {organization}: {what}: a queue has an id that is no number")
        return frozenset(map(int, ids))

    def pipeline_permissions(self, organization: str, project_id: str, queue_id: int) -> PipelinePermissions:
        """GET pipelinepermissions of one queue. `allPipelines` is absent where the queue is not open."""
        what = f"pipeline permissions of queue {queue_id} in project {project_id}"
        with self._package.asking(organization, "pipeline-permissions", what) as clients:
            model = clients.pipeline_permissions.get_pipeline_permissions_for_resource(
                project_id, "queue", str(queue_id)
            )
        if model.resource is None or model.resource.id != str(queue_id):
            raise Unavailable(f"organization {organization}: {what}: the answer is about another resource, or none")
        everyone = model.all_pipelines
        return PipelinePermissions(
            all_pipelines=bool(everyone and everyone.authorized),
            pipelines=frozenset(entry.id for entry in model.pipelines or () if entry.authorized),
            authorized_by=(everyone.authorized_by.display_name or "") if everyone and everyone.authorized_by else "",
            authorized_on=moment(everyone.authorized_on.replace(microsecond=0))
            if everyone and everyone.authorized_on
            else "",
        )

    def pipelines(self, organization: str, project_id: str) -> Sequence[Pipeline]:
        """GET build definitions, page by page; folder and name together are the path."""
        what = f"pipelines of project {project_id}"
        path = f"{segment(project_id)}/_apis/build/definitions"
        # Pages need an order, or a page and the next may overlap.
        asked = {"queryOrder": "definitionNameAscending", "api-version": "7.1"}
        paged = Paged(organization, path, "definitions", what, asked, ("name", "path"), size=_DEFINITIONS)
        return [pipeline_of(entry, organization, what) for page in pages(self._session, paged) for entry in page]

    def role_assignments(self, organization: str, scope: str, resource: str) -> Sequence[RoleAssignment]:
        """GET roleassignments; the package has no client for security roles."""
        answer = self._session.send(roles_call(self._session, organization, "GET", scope, resource))
        what = f"roles of {scope}/{resource}"
        return [assignment_of(entry, organization, what) for entry in entries(answer, organization, what)]

    def inheritance(self, organization: str) -> Mapping[int, bool]:
        """GET the ACLs of all agent pools at once; tokens are ``AgentPools/{id}``, a pool without ACL inherits."""
        what = "access control lists of agent pools"
        with self._package.asking(organization, "access-control-lists", what) as clients:
            models = complete(
                clients.security.query_access_control_lists(
                    NAMESPACE, _TOKEN, include_extended_info=False, recurse=True
                ),
                organization,
                what,
            )
        switches: dict[int, bool] = {}
        for model in models:
            head, _, id_ = (model.token or "").strip("/").partition("/")
            if head == _TOKEN and id_.isdecimal() and whole(model, organization, what, "inherit_permissions"):
                switches[int(id_)] = model.inherit_permissions
        return switches

    def identities(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        """See `reconciler.adapters.devops.identities`."""
        return self._identities.resolve(organization, principals)
