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
from typing import Any

from reconciler.adapters.devops import graph
from reconciler.adapters.devops.clients import Package
from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import entries
from reconciler.adapters.devops.graph import GUID
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import distinct, flag_or_none, objects_of, shown, text_of
from reconciler.documents import Json
from reconciler.errors import Rejected, Unavailable
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


def identities(session: Session, organization: str, what: str, **parameters: str) -> list[Json]:
    """GET identities by id or descriptor, raw."""
    path = "_apis/identities" + query({**parameters, "api-version": "7.1"})
    url = session.endpoints.url(organization, path, identity=True)
    response = session.send(OutgoingRequest(organization, "GET", url, "identities", what))
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
                entry["id"].lower(): entry
                for entry in self._search(organization, principal, search_filter, value)
                if test(entry)
            }
            # A user who left and came back under the same name leaves an inactive identity behind. A single inactive
            # one counts: new identities without a licence or group are inactive too.
            where = f"organization {organization}: identity {principal}"
            active = [entry for entry in matches.values() if flag_or_none(entry, "isActive", where)]
            candidates = active or list(matches.values())
            if len(candidates) > 1:
                raise Rejected(f"organization {organization}: principal {principal}: fits {len(candidates)} identities")
            if candidates:
                return _identity(candidates[0])
        return None

    def _search(self, organization: str, principal: str, search_filter: str, value: str) -> Iterator[Json]:
        """Entries of a search; null stands for one that the service does not show."""
        what = f"identity {principal}"
        with self._package.calls(organization, "identities", what) as clients:
            clients.identity.read_identities(search_filter=search_filter, filter_value=value)
        document = clients.response.document
        listed = document.get("value") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise Unavailable(f"organization {organization}: {what}: the response contains no list")
        where = f"organization {organization}: {what}"
        found = objects_of({"value": [one for one in listed if one is not None]}, "value", where)
        for entry in distinct(found, where):
            text_of(entry, "id", where)
            yield entry

    def _listed(self, organization: str, object_ids: Sequence[str]) -> dict[str, Identity]:
        """Object ids (lower case) → identities, from the graph's lists; ends once all are found."""
        missing = {object_id.lower() for object_id in object_ids}
        found: dict[str, Identity] = {}
        for kind in _KINDS:
            for subject in graph.subjects(self._session, organization, kind):
                origin_id = shown(subject, "originId").lower()
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
        display_name=shown(subject, "displayName"),
        unique_name=shown(subject, "principalName", "mailAddress"),
        descriptor=subject["descriptor"],
        origin_id=shown(subject, "originId").lower(),
    )


def _searches(principal: str) -> tuple[tuple[tuple[str, str], ...], _Test]:
    """Search filters with values, in order of trust, and the test of a match."""
    wanted = principal.casefold()
    if GUID.fullmatch(principal):
        return (("General", principal),), lambda entry: _folded(entry.get("properties"), OBJECT_ID) == wanted
    if group := GROUP.fullmatch(principal):
        names = (("LocalGroupName", principal), ("General", principal), ("LocalGroupName", group["name"]))
        return names, lambda entry: entry.get("isContainer") is True and wanted in _names(entry)
    # General also matches sign-in names, which are unique in a tenant; another user may have the mail address too.
    by = (("General", principal), ("MailAddress", principal))
    return by, lambda entry: wanted in {_folded(entry.get("properties"), name) for name in ("Account", "Mail")}


def _folded(properties: Json, name: str) -> str:
    return property_of(properties, name).casefold()


def _names(entry: Json) -> set[str]:
    return {shown(entry, name).casefold() for name in ("providerDisplayName", "customDisplayName")}


def _identity(entry: Json) -> Identity:
    name = shown(entry, "customDisplayName", "providerDisplayName")
    return Identity(
        id=entry["id"].lower(),
        display_name=name,
        unique_name=name if entry.get("isContainer") is True else property_of(entry.get("properties"), "Account"),
        descriptor=shown(entry, "subjectDescriptor"),
        origin_id=_folded(entry.get("properties"), OBJECT_ID),
    )
