"""Azure DevOps as the port `DevOpsWriter` sees it: one write a call, each safe to repeat.

Retrying is the engine's choice: the session sends a write a second time only where the first cannot have left this
machine. Writes are verified by reading, elsewhere; an error here is only what the response itself already disproves.

Routes and bodies: MicrosoftDocs/vsts-rest-api-specs at 7.2 (distributedTask, approvalsAndChecks, securityRoles,
graph). Materialising is plain REST because the package's models of these bodies lose every field (measured with
azure-devops 7.1.0b4); roles are because it has no client for them.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.adapters.boundary import port
from reconciler.adapters.devops.clients import Package
from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import (
    assignment_of,
    checks_of,
    entries,
    has_secrets,
    queue_of,
    queues_call,
    repointed,
    roles_call,
)
from reconciler.adapters.devops.graph import GUID
from reconciler.adapters.devops.identities import identity_of
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import shown
from reconciler.documents import Json
from reconciler.errors import NotEffective, NotFound, Rejected, Unavailable
from reconciler.ports.devops import DevOpsWriter, Identity, Queue, QueueCheck
from reconciler.spec.principals import folded, in_devops_alone


@port("Azure DevOps", DevOpsWriter)
class DevOpsWrites:
    """Writes to organizations; implements `reconciler.ports.devops.DevOpsWriter`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._package = Package(session)

    def create_queue(self, organization: str, project_id: str, pool_id: int, name: str) -> Queue:
        """POST queues, without open access, always with the pool's id: a name alone would create a pool.

        Where the service rejects it and the project has a queue of the pool by now, that one is returned.
        (terraform-provider-azuredevops #456: a name without an id creates a pool.)
        """
        what = f"queue of agent pool {pool_id} in project {project_id}"
        body = {"name": name, "pool": {"id": pool_id}}
        try:
            with self._package.calls(organization, "queues", what) as clients:
                clients.task_agent.add_agent_queue(body, project_id, authorize_pipelines=False)
            queue = queue_of(clients.response.document, organization, project_id)
        except Rejected as refusal:
            if existing := self._queue(organization, project_id, pool_id):
                return existing
            raise refusal from None
        if queue.pool_id != pool_id:
            raise NotEffective(f"organization {organization}: {what}: the service created one of pool {queue.pool_id}")
        return queue

    def set_open_access(self, organization: str, project_id: str, queue_id: int, allow: bool) -> None:
        """PATCH pipelinepermissions; single authorizations stay as they are."""
        what = f"pipeline permissions of queue {queue_id} in project {project_id}"
        body = {"allPipelines": {"authorized": allow}}
        with self._package.calls(organization, "pipeline-permissions", what) as clients:
            clients.pipeline_permissions.update_pipeline_permisions_for_resource(
                body, project_id, "queue", str(queue_id)
            )

    def authorize_pipeline(
        self, organization: str, project_id: str, queue_id: int, pipeline_id: int, authorized: bool
    ) -> None:
        """PATCH pipelinepermissions with one pipeline: it is merged into the list."""
        what = f"pipeline permissions of queue {queue_id} in project {project_id}"
        body = {"pipelines": [{"id": pipeline_id, "authorized": authorized}]}
        with self._package.calls(organization, "pipeline-permissions", what) as clients:
            clients.pipeline_permissions.update_pipeline_permisions_for_resource(
                body, project_id, "queue", str(queue_id)
            )

    def add_check(self, organization: str, project_id: str, queue_id: int, queue: str, check: QueueCheck) -> None:
        """POST checks/configurations; the package has no client for them.

        A published example is a check on a queue, with type, settings, timeout and resource
        (vsts-rest-api-specs approvalsAndChecks 7.2, pipelinesChecks, AddApprovalCheckConfiguration).
        """
        what = f"checks of queue {queue_id} in project {project_id}"
        path = f"{segment(project_id)}/_apis/pipelines/checks/configurations{query({'api-version': '7.1-preview.1'})}"
        url = self._session.endpoints.url(organization, path)
        body: dict[str, Json] = {
            "type": {"id": check.type_id, "name": check.kind},
            "settings": dict(check.settings),
            "resource": {"type": "queue", "id": str(queue_id), "name": queue},
        }
        if check.timeout is not None:
            body["timeout"] = check.timeout
        made = self._session.rest(OutgoingRequest(organization, "POST", url, "checks", what), body).document
        if not isinstance(made, dict) or not checks_of({"value": [made]}, organization, what, queue_id):
            raise NotEffective(f"organization {organization}: {what}: the service added a check to something else")

    def repoint_pipeline(
        self, organization: str, project_id: str, pipeline_id: int, old_queue: int, new_queue: int
    ) -> None:
        """GET and PUT build/definitions/{id}: an update takes the whole definition, with the revision that was read.

        So a change in between is rejected (vsts-rest-api-specs build 7.2, Definitions_Update).
        """
        what = f"definition {pipeline_id} of project {project_id}"
        path = f"{segment(project_id)}/_apis/build/definitions/{pipeline_id}{query({'api-version': '7.1'})}"
        url = self._session.endpoints.url(organization, path)
        found = self._session.send(OutgoingRequest(organization, "GET", url, "definitions", what)).document
        if not isinstance(found, dict) or found.get("id") != pipeline_id:
            raise Unavailable(f"organization {organization}: {what}: the response is about another definition, or none")
        if has_secrets(found):
            raise Rejected(f"organization {organization}: {what}: it has secret variables, which could be lost")
        body = repointed(found, organization, what, (old_queue, new_queue))
        if body != found:
            self._session.rest(OutgoingRequest(organization, "PUT", url, "definitions", what), body)

    def set_auto_provision(self, organization: str, pool_id: int, on: bool) -> None:
        """PATCH pools with one field; absent fields stay."""
        with self._package.calls(organization, "pools", f"agent pool {pool_id}") as clients:
            clients.task_agent.update_agent_pool({"autoProvision": on}, pool_id)

    def assign_role(self, organization: str, scope: str, resource: str, identity_id: str, role: str) -> None:
        """PUT roleassignments; other assignments stay.

        The service responds 200 with an empty list where it does not know the id (terraform-provider-azuredevops
        #1562), and at times assigns another role (#1592): both are `NotEffective`.
        """
        call = roles_call(self._session, organization, "PUT", scope, resource)
        answer = self._session.rest(call, [{"userId": identity_id, "roleName": role}])
        made = [assignment_of(entry, organization, call.what) for entry in entries(answer, organization, call.what)]
        given = sorted(one.role for one in made if one.identity.id == identity_id.lower())
        if given == [role]:
            return
        where = f"{call.where}: role {role} for {identity_id}"
        if given:
            raise NotEffective(f"{where}: response 200, but the assigned role is {', '.join(given)}")
        raise NotEffective(
            f"{where}: response 200, but no role was assigned; is it the id of this organization, not of Entra?"
        )

    def remove_role(self, organization: str, scope: str, resource: str, identity_id: str) -> None:
        """PATCH roleassignments with a list of ids: removes them."""
        self._session.rest(roles_call(self._session, organization, "PATCH", scope, resource), [identity_id])

    def set_inheritance(self, organization: str, scope: str, resource: str, inherit: bool) -> None:
        """PATCH roleassignments with a query and no body: the same route then switches inheritance."""
        call = roles_call(self._session, organization, "PATCH", scope, resource, inherit=inherit)
        self._session.send(call)

    def materialise(self, organization: str, principal: str) -> Identity:
        r"""POST to the graph until one kind of subject accepts the principal; the response must be about it.

        An address is tried as a user's sign-in name, a user's mail, a group's mail; an object id as user, group,
        service principal. Groups and build services belong to Azure DevOps and cannot be made from Entra.
        """
        if in_devops_alone(principal):
            raise Rejected(
                f"organization {organization}: {principal}: does not exist; "
                "groups and build services of Azure DevOps cannot be added from Entra"
            )
        refusals: list[str] = []
        for kind, body in _attempts(principal):
            try:
                return self._materialised(organization, principal, kind, body)
            except (NotFound, Rejected) as refusal:
                refusals.append(str(refusal))
        last = refusals[-1].removeprefix(f"organization {organization}: ")
        raise Rejected(f"organization {organization}: principal {principal}: not found in any directory; {last}")

    def _materialised(self, organization: str, principal: str, kind: str, body: Json) -> Identity:
        what = f"{kind} {principal}"
        url = self._session.endpoints.url(
            organization, f"_apis/graph/{kind}{query({'api-version': '7.1-preview.1'})}", identity=True
        )
        subject = self._session.rest(OutgoingRequest(organization, "POST", url, f"graph-{kind}", what), body).document
        if not isinstance(subject, dict) or not isinstance(subject.get("descriptor"), str):
            raise Unavailable(f"organization {organization}: {what}: the response names no subject")
        names = {folded(shown(subject, name)) for name in ("principalName", "mailAddress", "originId")}
        if folded(principal) not in names:
            raise NotEffective(f"organization {organization}: {what}: the response is about another subject")
        return identity_of(self._session, organization, subject)

    def _queue(self, organization: str, project_id: str, pool_id: int) -> Queue | None:
        call = queues_call(self._session, organization, project_id, [pool_id])
        found = entries(self._session.send(call), organization, call.what)
        queues = [queue_of(entry, organization, project_id) for entry in found]
        return next((queue for queue in queues if queue.pool_id == pool_id), None)


def _attempts(principal: str) -> Iterator[tuple[str, Json]]:
    if GUID.fullmatch(principal):
        for kind in ("users", "groups", "serviceprincipals"):
            yield kind, {"originId": principal}
        return
    yield "users", {"principalName": principal}
    yield "users", {"mailAddress": principal}
    yield "groups", {"mailAddress": principal}
