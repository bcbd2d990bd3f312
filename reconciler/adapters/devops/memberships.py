"""Access levels, memberships and the search of the web pages, for `onboard`: plain REST on the session.

Two hosts: access levels have one of their own (vsaex.dev.azure.com), so they have a session, and with it an
allow-list, of their own. The package's models lose the bodies of what is created (measured with azure-devops
7.1.0b4), so it is not used here.

Routes and bodies: MicrosoftDocs/vsts-rest-api-specs 7.2, memberEntitlementManagement (adding responds 200 whatever
the result; `licensingSource` has to be ``account`` where an access level is assigned), graph, ims (`queryMembership`).
Reading the access level of an identity that has none may be 404 or null: terraform-provider-azuredevops #1253. The
search of the web pages is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.adapters.boundary import port
from reconciler.adapters.devops import graph
from reconciler.adapters.devops.endpoints import query, segment
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.graph import VERSION
from reconciler.adapters.devops.group_members import groups_of
from reconciler.adapters.devops.responses import clip
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import distinct, objects_of, shown
from reconciler.documents import Json
from reconciler.errors import NotEffective, NotFound, Rejected, Unavailable
from reconciler.ports.devops import (
    Entitlement,
    Entry,
    Group,
    MembershipReader,
    MembershipWriter,
    ServicePrincipal,
)


@port("Azure DevOps", MembershipReader)
class Memberships:
    """Implements `reconciler.ports.devops.MembershipReader`."""

    def __init__(self, session: Session, members: Session) -> None:
        """`members` has the host of access levels as its endpoint."""
        self._session = session
        self._members = members

    def service_principals(self, organization: str) -> Sequence[ServicePrincipal]:
        """GET graph service principals, page by page."""
        subjects = graph.subjects(self._session, organization, "service principals", "originId")
        return [_principal(entry) for entry in subjects]

    def local_id(self, organization: str, descriptor: str) -> str:
        """GET storagekeys."""
        return graph.local_id(self._session, organization, descriptor)

    def entitlement(self, organization: str, identity_id: str) -> Entitlement | None:
        """GET serviceprincipalentitlements by local id."""
        call = _entitlements(self._members, organization, "GET", identity_id)
        try:
            document = self._members.send(call).document
        except NotFound:
            return None
        return None if document is None else _entitlement(document, call)

    def groups_of(self, organization: str, identity_id: str) -> Sequence[Group]:
        """GET the identity with all memberships upwards, then those groups by their descriptors."""
        return groups_of(self._session, organization, identity_id)

    def search(self, organization: str, text: str) -> Sequence[Entry]:
        """POST to the identity picker, as the web pages do; it changes nothing."""
        what = f"search for {text}"
        url = self._session.endpoints.url(
            organization, f"_apis/IdentityPicker/Identities{query({'api-version': VERSION})}"
        )
        body = {
            "query": text,
            "identityTypes": ["user", "group", "servicePrincipal"],
            "operationScopes": ["ims", "source"],
            "options": {"MinResults": 1, "MaxResults": 20},
            "properties": ["DisplayName"],
        }
        document = self._session.rest(
            OutgoingRequest(organization, "POST", url, "identity-picker", what), body
        ).document
        where = f"organization {organization}: {what}"
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise Unavailable(f"{where}: the response contains no list")
        found = [one for result in objects_of(document, "results", where) for one in _found(result, where)]
        return [_entry(one) for one in found if shown(one, "originId")]


@port("Azure DevOps", MembershipWriter)
class MembershipWrites:
    """Implements `reconciler.ports.devops.MembershipWriter`."""

    def __init__(self, session: Session, members: Session) -> None:
        """`members` has the host of access levels as its endpoint."""
        self._session = session
        self._members = members

    def add(self, organization: str, object_id: str, license_type: str) -> None:
        """POST serviceprincipalentitlements; success counts only where it is about this object id."""
        call = _entitlements(self._members, organization, "POST", "")
        member = {"origin": "aad", "originId": object_id, "subjectKind": "servicePrincipal"}
        document = self._members.rest(call, {"accessLevel": _level(license_type), "servicePrincipal": member}).document
        result = _result(document, "operationResult", call)
        made = result.get("result") or {}
        subject = made.get("servicePrincipal") if isinstance(made, dict) else None
        given = str(subject.get("originId") or "") if isinstance(subject, dict) else ""
        if given.lower() != object_id.lower():
            raise NotEffective(f"{call.where}: object id {object_id}: the response is about {given or 'no object id'}")

    def set_license(self, organization: str, identity_id: str, license_type: str) -> None:
        """PATCH serviceprincipalentitlements with a JSON patch."""
        call = _entitlements(self._members, organization, "PATCH", identity_id)
        headers = {"Content-Type": "application/json-patch+json"}
        call = OutgoingRequest(call.organization, call.method, call.url, call.route, call.what, headers)
        patch = [{"op": "replace", "path": "/accessLevel", "value": _level(license_type)}]
        document = self._members.rest(call, patch).document
        results = document.get("operationResults") if isinstance(document, dict) else None
        _result({"result": results[0] if isinstance(results, list) and results else None}, "result", call)

    def join(self, organization: str, member: str, group: str) -> None:
        """PUT graph memberships; a member of the group stays one."""
        path = f"_apis/graph/memberships/{segment(member)}/{segment(group)}{query({'api-version': VERSION})}"
        url = self._session.endpoints.url(organization, path, identity=True)
        self._session.send(
            OutgoingRequest(organization, "PUT", url, "graph-memberships", f"membership of {member} in {group}")
        )


def _entitlements(session: Session, organization: str, method: str, identity_id: str) -> OutgoingRequest:
    path = "_apis/serviceprincipalentitlements" + (f"/{segment(identity_id)}" if identity_id else "")
    url = session.endpoints.url(organization, path + query({"api-version": VERSION}))
    what = f"access level of {identity_id}" if identity_id else "access level"
    return OutgoingRequest(organization, method, url, "entitlements", what)


def _level(license_type: str) -> Json:
    return {"accountLicenseType": license_type, "licensingSource": "account"}


def _result(document: Json, name: str, call: OutgoingRequest) -> dict[str, Json]:
    """One operation's result; `Rejected` where it failed, which the status does not show."""
    result = document.get(name) if isinstance(document, dict) else None
    if not isinstance(result, dict) or not isinstance(result.get("isSuccess"), bool):
        raise Unavailable(f"{call.where}: the response contains no result")
    if result["isSuccess"]:
        return result
    given = result.get("errors")
    errors = [one for one in (given if isinstance(given, list) else ()) if isinstance(one, dict)]
    reasons = "; ".join(f"{one.get('key')}: {one.get('value')}" for one in errors) or "without a reason"
    raise Rejected(f"{call.where}: rejected: {clip(reasons)}")


def _principal(entry: Json) -> ServicePrincipal:
    return ServicePrincipal(
        object_id=entry["originId"].lower(),
        application_id=shown(entry, "applicationId").lower(),
        display_name=shown(entry, "displayName"),
        descriptor=entry["descriptor"],
    )


def _entitlement(document: Json, call: OutgoingRequest) -> Entitlement:
    level = document.get("accessLevel") if isinstance(document, dict) else None
    license_type = level.get("accountLicenseType") if isinstance(level, dict) else None
    if not isinstance(level, dict) or not isinstance(license_type, str):
        raise Unavailable(f"{call.where}: the response contains no access level")
    return Entitlement(license_type, shown(level, "licensingSource"), shown(level, "status"))


def _found(result: dict[str, Json], where: str) -> list[dict[str, Json]]:
    return distinct(objects_of(result, "identities", where), where)


def _entry(one: Json) -> Entry:
    return Entry(shown(one, "originId").lower(), shown(one, "displayName"), shown(one, "entityType").lower())
