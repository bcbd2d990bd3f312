r"""Which identity a principal of a spec is in one organization; role assignments need its local id.

A principal is an address (sign-in name or mail), a group's ``[scope]\name``, or an Entra object id. Role assignments
take none of these: the service responds 200 to an Entra object id and changes nothing (terraform-provider-azuredevops
#1562). So each principal is searched, and a match counts only where a property that its owner cannot choose says the
same: sign-in name, mail, or object id, and for groups the full name on something that is a group. The searches of the
service also match display names, which people choose for themselves.

Sources: vsts-rest-api-specs ims/7.2 (search filters; example SearchIdentityByEmail for the properties; the property
``Domain`` is the tenant), graph/7.2; Microsoft Learn, Identities - Read Identities.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.adapters.devops import graph
from reconciler.adapters.devops.clients import Package, complete, whole
from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import entries
from reconciler.adapters.devops.graph import GUID
from reconciler.adapters.devops.session import Session
from reconciler.documents import Json
from reconciler.errors import Rejected
from reconciler.ports.devops import Identity

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
GROUP = re.compile(r"\[(?P<scope>[^\[\]]+)\]\\(?P<name>.+)")
_KINDS = ("service principals", "groups", "users")
"""Shortest lists first: an organization has few service principals and many users."""

_Test = Callable[[Any], bool]


def property_of(properties: Json, name: str) -> str:
    """A text property of an identity; values are ``{"$type", "$value"}`` objects."""
    value = properties.get(name) if isinstance(properties, dict) else None
    text = value.get("$value") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


def identities(
    session: Session, organization: str, what: str, *, absent: bool = False, **parameters: str
) -> list[Json]:
    """GET identities by id or descriptor, raw. `absent`: what is unknown may be null, and is left out."""
    path = "_apis/identities" + query({**parameters, "api-version": "7.1"})
    url = session.endpoints.url(organization, path, identity=True)
    response = session.send(OutgoingRequest(organization, "GET", url, "identities", what))
    if absent and isinstance(response.document, dict) and isinstance(response.document.get("value"), list):
        known = [one for one in response.document["value"] if one is not None]
        response = replace(response, document={**response.document, "value": known})
    return entries(response, organization, what, "id")


def tenant(session: Session, organization: str, identity_id: str) -> str:
    """The Entra tenant of an identity, lower case; empty where the organization does not say."""
    found = identities(session, organization, f"identity {identity_id}", identityIds=identity_id)
    domain = property_of(found[0].get("properties"), "Domain").lower() if found else ""
    return domain if GUID.fullmatch(domain) else ""


class Identities:
    """Searches principals; caches nothing."""

    def __init__(self, session: Session, package: Package) -> None:
        self._session = session
        self._package = package

    def resolve(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        """Principal as written → identity; an unknown principal is missing.

        One search for each principal, more only where the first finds none. Object ids that no search finds are
        searched together in the lists of service principals, groups and users. Several matches are `Rejected`.
        """
        wanted = list(dict.fromkeys(principals))
        found = {principal: self._searched(organization, principal) for principal in wanted}
        missing = [principal for principal, identity in found.items() if identity is None and GUID.fullmatch(principal)]
        listed = self._listed(organization, missing) if missing else {}
        return {
            principal: identity
            for principal in wanted
            if (identity := found[principal] or listed.get(principal.lower())) is not None
        }

    def _searched(self, organization: str, principal: str) -> Identity | None:
        searches, test = _searches(principal)
        for search_filter, value in searches:
            matches = {
                model.id.lower(): model
                for model in self._search(organization, principal, search_filter, value)
                if test(model)
            }
            # A user who left and came back under the same name leaves an inactive identity behind. A single inactive
            # one counts: new identities without a licence or group are inactive too.
            candidates = [model for model in matches.values() if model.is_active] or list(matches.values())
            if len(candidates) > 1:
                raise Rejected(f"organization {organization}: principal {principal}: fits {len(candidates)} identities")
            if candidates:
                return _identity(candidates[0])
        return None

    def _search(self, organization: str, principal: str, search_filter: str, value: str) -> Iterator[Any]:
        what = f"identity {principal}"
        with self._package.calls(organization, "identities", what) as clients:
            models = clients.identity.read_identities(search_filter=search_filter, filter_value=value)
        for model in complete(models, organization, what):
            if model is not None and whole(model, organization, what, "id"):
                yield model

    def _listed(self, organization: str, object_ids: Sequence[str]) -> dict[str, Identity]:
        """Object ids (lower case) → identities, from the graph's lists; ends once all are found."""
        missing = {object_id.lower() for object_id in object_ids}
        found: dict[str, Identity] = {}
        for kind in _KINDS:
            for subject in graph.subjects(self._session, organization, kind):
                origin_id = str(subject.get("originId") or "").lower()
                if origin_id in missing:
                    missing.discard(origin_id)
                    found[origin_id] = identity_of(self._session, organization, subject)
                if not missing:
                    return found
        return found


def identity_of(session: Session, organization: str, subject: Json) -> Identity:
    """A subject of the graph with its local id."""
    return Identity(
        id=graph.local_id(session, organization, subject["descriptor"]),
        display_name=subject.get("displayName") or "",
        unique_name=subject.get("principalName") or subject.get("mailAddress") or "",
        descriptor=subject["descriptor"],
        origin_id=(subject.get("originId") or "").lower(),
    )


def _searches(principal: str) -> tuple[tuple[tuple[str, str], ...], _Test]:
    """Search filters with values, in order of trust, and the test of a match."""
    wanted = principal.casefold()
    if GUID.fullmatch(principal):
        return (("General", principal),), lambda model: _folded(model.properties, OBJECT_ID) == wanted
    if group := GROUP.fullmatch(principal):
        names = (("LocalGroupName", principal), ("General", principal), ("LocalGroupName", group["name"]))
        return names, lambda model: bool(model.is_container) and wanted in _names(model)
    # General also matches sign-in names, which are unique in a tenant; another user may have the mail address too.
    by = (("General", principal), ("MailAddress", principal))
    return by, lambda model: wanted in {_folded(model.properties, "Account"), _folded(model.properties, "Mail")}


def _folded(properties: Json, name: str) -> str:
    return property_of(properties, name).casefold()


def _names(model: Any) -> set[str]:
    return {(name or "").casefold() for name in (model.provider_display_name, model.custom_display_name)}


def _identity(model: Any) -> Identity:
    name = model.custom_display_name or model.provider_display_name or ""
    return Identity(
        id=model.id.lower(),
        display_name=name,
        unique_name=name if model.is_container else property_of(model.properties, "Account"),
        descriptor=model.subject_descriptor or "",
        origin_id=_folded(model.properties, OBJECT_ID),
    )
