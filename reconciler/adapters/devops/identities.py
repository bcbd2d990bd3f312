r"""Who a principal of a spec is in one organization: its local id, which is what roles are given to.

A principal is an address (sign-in name or mail), a group's ``[scope]\name``, or an Entra object id. Roles take none
of these: an Entra object id in place of the local id is answered with 200 and changes nothing
(terraform-provider-azuredevops #1562). So everybody is looked up, and an answer counts only where a property that
its owner cannot choose says the same: sign-in name, mail, or object id, and for groups the full name on something
that is a group. The searches of the service also match display names, which people choose for themselves.

Descriptors are opaque: the id inside one is not the local id (vsts-rest-api-specs, graph examples); storagekeys is
asked instead.

Sources: vsts-rest-api-specs ims/7.2 (search filters; example SearchIdentityByEmail for the properties), graph/7.2;
Microsoft Learn, Identities - Read Identities.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.devops.clients import Package, complete, whole
from reconciler.documents import Json
from reconciler.errors import Rejected, Unavailable
from reconciler.ports.devops import Identity

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
GROUP = re.compile(r"\[(?P<scope>[^\[\]]+)\]\\(?P<name>.+)")
_PAGES = 1000
_LISTS = (
    ("list_service_principals", "graph_service_principals", "service principals"),
    ("list_groups", "graph_groups", "groups"),
    ("list_users", "graph_users", "users"),
)
"""Shortest lists first: an organization has few service principals and many users."""

_Test = Callable[[Any], bool]


def property_of(properties: Json, name: str) -> str:
    """A text property of an identity; values are ``{"$type", "$value"}`` objects."""
    value = properties.get(name) if isinstance(properties, dict) else None
    text = value.get("$value") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


class Identities:
    """Looks principals up; remembers nothing."""

    def __init__(self, package: Package) -> None:
        self._package = package

    def resolve(self, organization: str, principals: Sequence[str]) -> Mapping[str, Identity]:
        """Principal as written → identity; a principal that nobody knows is missing.

        One search for each principal, more only where the first finds nobody; object ids which no search knows are
        looked for together in the lists of service principals, groups and users. Several matches are `Rejected`.
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
            # Somebody who left and came back under the same name leaves an inactive identity behind. One that is
            # inactive alone counts: so is everybody who was made known and has no licence or group yet.
            candidates = [model for model in matches.values() if model.is_active] or list(matches.values())
            if len(candidates) > 1:
                raise Rejected(f"organization {organization}: principal {principal}: fits {len(candidates)} identities")
            if candidates:
                return _identity(candidates[0])
        return None

    def _search(self, organization: str, principal: str, search_filter: str, value: str) -> Iterator[Any]:
        what = f"identity {principal}"
        with self._package.asking(organization, "identities", what) as clients:
            models = clients.identity.read_identities(search_filter=search_filter, filter_value=value)
        for model in complete(models, organization, what):
            if model is not None and whole(model, organization, what, "id"):
                yield model

    def _listed(self, organization: str, object_ids: Sequence[str]) -> dict[str, Identity]:
        """Object ids (lower case) → identities, from the graph's lists; stops once all are found."""
        missing = {object_id.lower() for object_id in object_ids}
        found: dict[str, Identity] = {}
        for method, attribute, what in _LISTS:
            for subject in self._subjects(organization, method, attribute, what):
                if (subject.origin_id or "").lower() in missing:
                    identity = self.of_subject(organization, subject)
                    missing.discard(identity.origin_id)
                    found[identity.origin_id] = identity
                if not missing:
                    return found
        return found

    def _subjects(self, organization: str, method: str, attribute: str, what: str) -> Iterator[Any]:
        token: str | None = None
        for _ in range(_PAGES):
            with self._package.asking(organization, f"graph-{what.replace(' ', '-')}", what) as clients:
                page = getattr(clients.graph, method)(continuation_token=token)
            yield from complete(getattr(page, attribute), organization, what)
            before, token = token, page.continuation_token or None
            if token is None:
                return
            if token == before:
                break
        raise Unavailable(f"organization {organization}: {what}: the pages do not come to an end")

    def of_subject(self, organization: str, subject: Any) -> Identity:
        """A graph subject (the package's model) with its local id, which storagekeys knows."""
        whole(subject, organization, "graph subject", "descriptor")
        return Identity(
            id=self.local_id(organization, subject.descriptor),
            display_name=subject.display_name or "",
            unique_name=subject.principal_name or subject.mail_address or "",
            descriptor=subject.descriptor,
            origin_id=(subject.origin_id or "").lower(),
        )

    def local_id(self, organization: str, descriptor: str) -> str:
        """GET storagekeys: subject descriptor → local id."""
        what = f"local id of {descriptor}"
        with self._package.asking(organization, "storage-keys", what) as clients:
            key = clients.graph.get_storage_key(descriptor).value
        if not isinstance(key, str) or not GUID.fullmatch(key):
            raise Unavailable(f"organization {organization}: {what}: the answer holds no id")
        return key.lower()


def _searches(principal: str) -> tuple[tuple[tuple[str, str], ...], _Test]:
    """Search filters with values, in order of trust, and what an answer must show to count."""
    wanted = principal.casefold()
    if GUID.fullmatch(principal):
        return (("General", principal),), lambda model: _folded(model.properties, OBJECT_ID) == wanted
    if group := GROUP.fullmatch(principal):
        names = (("LocalGroupName", principal), ("General", principal), ("LocalGroupName", group["name"]))
        return names, lambda model: bool(model.is_container) and wanted in _names(model)
    # General also matches sign-in names, which are unique in a tenant; a mail address may be somebody's second name.
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
