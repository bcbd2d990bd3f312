r"""Which identity a principal of a spec is in one organization; role assignments need its local id.

Role assignments take no name and no Entra id: the service responds 200 to one and assigns no one
(terraform-provider-azuredevops #1562). So each principal is searched, and a match counts only where what others cannot
choose says the same:

================  ==================================  ==========================================================
principal         kind of the match                   what has to be equal
================  ==================================  ==========================================================
address           user, service principal             sign-in name (`Account`) or mail
address           Entra group                         mail: the `Account` of a group is its name
object id         anything in Entra                   the object id
group             group of Azure DevOps               name, and the id of the project, or no project at all
build service     service identity                    the persisted identifier, which ends in the project's id
================  ==================================  ==========================================================

The searches of the service also match display names. Kinds are the types of subject descriptors; the rest of a
descriptor is opaque.

Sources: vsts-rest-api-specs ims/7.2 (search filters; example SearchIdentityByEmail for the properties; the property
``Domain`` is the tenant), graph/7.2 (a group's `storageKey` is chosen by its creator; subject types; `domain` of
groups); a recorded team in azure-devops-cli-extension (`Domain` of a project's group ends in the project's id);
descriptors of build services in dotnet/arcade (the last part is the id of the project, or of the organization).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.adapters.devops import graph
from reconciler.adapters.devops.clients import Package
from reconciler.adapters.devops.endpoints import query
from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.forms import entries, rows
from reconciler.adapters.devops.graph import GUID
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.adapters.devops.session import Session
from reconciler.adapters.shapes import flag_or_none, shown, text_of
from reconciler.documents import Json
from reconciler.errors import ReconcilerError, Rejected, Throttled, Unavailable
from reconciler.ports.devops import Identity
from reconciler.spec.principals import Address, BuildService, LocalGroup, ObjectId, folded, principal_in

OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_KINDS = ("service principals", "groups", "users")
"""Shortest lists first: an organization has few service principals and many users."""
_PEOPLE = frozenset({"aad", "msa", "bnd", "aadsp"})
"""Users of Entra, of Microsoft accounts, users who have not signed in yet, and service principals."""
_ENTRA = frozenset({"aad", "aadsp", "aadgp"})
_PROJECT = "vstfs:///classification/teamproject/"
_ORGANIZATION = "vstfs:///framework/identitydomain/"
_SERVICE = re.compile(
    rf"Microsoft\.TeamFoundation\.ServiceIdentity;{GUID.pattern}:Build:(?P<id>{GUID.pattern})", re.IGNORECASE
)
_IDS = 15
"""Ids or descriptors in one request; some hundred characters each keep the URL below 2,000."""

Resolved: TypeAlias = Identity | ReconcilerError


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
    return _known(response, organization, what) if absent else entries(response, organization, what, "id")


def _known(response: DevOpsResponse, organization: str, what: str) -> list[Json]:
    """The entries without those that are null: the service does not show these."""
    if isinstance(response.document, dict) and isinstance(response.document.get("value"), list):
        known = [one for one in response.document["value"] if one is not None]
        response = replace(response, document={**response.document, "value": known})
    return rows(response, organization, what, "id")


def tenant(session: Session, organization: str, identity_id: str) -> str:
    """The Entra tenant of an identity, lower case; empty where the organization does not say."""
    found = identities(session, organization, f"identity {identity_id}", identityIds=identity_id)
    domain = property_of(found[0].get("properties"), "Domain").lower() if found else ""
    return domain if GUID.fullmatch(domain) else ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One identity as the service describes it."""

    id: str
    name: str
    """As the service forms it: of a group, its scope in brackets before its name."""
    custom: str
    """A display name of its own, if it has one."""
    group: bool
    active: bool
    descriptor: str
    """Subject descriptor."""
    identifier: str
    """The older form, ``type;identifier``."""
    properties: Json

    @property
    def kind(self) -> str:
        """Type of the subject descriptor; empty where group and descriptor contradict each other."""
        kind = self.descriptor.partition(".")[0]
        return kind if self.group == (kind in {"aadgp", "vssgp"}) else ""

    def text(self, name: str) -> str:
        """A property."""
        return property_of(self.properties, name)

    @property
    def scope(self) -> str | None:
        """Id of the project of a group, lower case; empty for the organization's, None where it is not said."""
        domain = self.text("Domain").lower()
        if domain.startswith(_PROJECT):
            return domain.removeprefix(_PROJECT)
        return "" if domain.startswith(_ORGANIZATION) else None

    @property
    def served(self) -> str:
        """Id of the project, or of the organization, whose jobs run as this identity; empty for all others."""
        found = _SERVICE.fullmatch(self.identifier) if self.kind == "svc" else None
        return found["id"].lower() if found else ""

    def identity(self) -> Identity:
        """As the port has it."""
        unique = self.name if self.group or self.served else self.text("Account")
        return Identity(self.id, self.custom or self.name, unique, self.descriptor, self.text(OBJECT_ID).lower())


def _of_entry(entry: Json, where: str) -> _Candidate:
    return _Candidate(
        id=text_of(entry, "id", where).lower(),
        name=shown(entry, "providerDisplayName"),
        custom=shown(entry, "customDisplayName"),
        group=flag_or_none(entry, "isContainer", where) is True,
        active=flag_or_none(entry, "isActive", where) is True,
        descriptor=shown(entry, "subjectDescriptor"),
        identifier=shown(entry, "descriptor"),
        properties=entry.get("properties"),
    )


_Test: TypeAlias = Callable[[_Candidate], bool]


class Identities:
    """Searches principals; caches nothing."""

    def __init__(self, session: Session, package: Package) -> None:
        self._session = session
        self._package = package

    def resolve(self, organization: str, principals: Mapping[str, str]) -> dict[str, Resolved]:
        """Principal as written → identity, or the error of this principal alone; an unknown principal is missing.

        One search for each principal, more only where the first finds none. Object ids that no search finds are
        searched together in the lists of service principals, groups and users. Several matches are `Rejected`.
        """
        found: dict[str, Resolved] = {}
        missing: list[str] = []
        for text, project in principals.items():
            try:
                identity = self._resolved(organization, text, project)
            except Throttled:
                raise
            except ReconcilerError as error:
                found[text] = error
                continue
            if identity is not None:
                found[text] = identity
            elif GUID.fullmatch(text):
                missing.append(text)
        return found | (self._in_lists(organization, missing) if missing else {})

    def names_of(self, organization: str, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """See `reconciler.ports.devops.DevOpsReader.names_of`."""
        found: dict[str, tuple[str, ...]] = {}
        for some in _parts(list(dict.fromkeys(ids))):
            for one in self._described(organization, "names of identities", identityIds=",".join(some)):
                found[one.id] = tuple(dict.fromkeys(filter(None, _names(one, organization))))
        return found

    def _resolved(self, organization: str, text: str, project: str) -> Identity | None:
        """`project`: id of the project in its scope; a scope without one is a project that the organization lacks."""
        match principal_in(text, organization):
            case LocalGroup(project=named) | BuildService(project=named) if named and not project:
                return None
            case Address(text=address):
                # General also matches sign-in names, which are unique in a tenant; another user may have the mail.
                searches = (("General", address), ("MailAddress", address))
                return self._first(organization, text, searches, lambda one: _has_address(one, folded(address)))
            case ObjectId(text=id_):
                by_id = (("General", id_),)
                return self._first(organization, text, by_id, lambda one: _has_object_id(one, id_))
            case LocalGroup(name=name):
                written = text.partition("]")[0].removeprefix("[")
                full = f"[{organization if not project else written}]\\{name}"
                by_name = (("LocalGroupName", full), ("General", full), ("LocalGroupName", name))
                return self._first(
                    organization, text, by_name, lambda one: _is_group(one, organization, project, folded(name))
                )
            case BuildService(project=named):
                return self._build_service(organization, text, project if named else self._own_id(organization))

    def _first(
        self, organization: str, principal: str, searches: Iterable[tuple[str, str]], test: _Test
    ) -> Identity | None:
        for search_filter, value in searches:
            found = self._search(organization, principal, search_filter, value)
            if (one := _only(organization, principal, [each for each in found if test(each)])) is not None:
                return one.identity()
        return None

    def _search(self, organization: str, principal: str, search_filter: str, value: str) -> list[_Candidate]:
        what = f"identity {principal}"
        with self._package.calls(organization, "identities", what) as clients:
            clients.identity.read_identities(search_filter=search_filter, filter_value=value)
        where = f"organization {organization}: {what}"
        return [_of_entry(one, where) for one in _known(clients.response, organization, what)]

    def _described(self, organization: str, what: str, **parameters: str) -> list[_Candidate]:
        """Identities by id or descriptor; one that is unknown is null, or missing."""
        found = identities(self._session, organization, what, absent=True, **parameters)
        return [_of_entry(one, f"organization {organization}: {what}") for one in found]

    # --- build services ----------------------------------------------------------------------------------

    def _own_id(self, organization: str) -> str:
        what = "the organization's own id"
        with self._package.calls(organization, "connection-data", what) as clients:
            clients.location.get_connection_data()
        found = clients.response.document.get("instanceId")
        if not isinstance(found, str) or not GUID.fullmatch(found):
            raise Unavailable(f"organization {organization}: {what}: the response contains no id")
        return found.lower()

    def _build_service(self, organization: str, principal: str, served: str) -> Identity | None:
        r"""By its unique name, ``Build\{id}``; where no search finds that, among all service identities."""
        searches = (("General", f"Build\\{served}"), ("AccountName", f"Build\\{served}"))
        found = self._first(organization, principal, searches, lambda one: one.served == served)
        if found is not None:
            return found
        subjects = graph.subjects(self._session, organization, "users", types="svc")
        descriptors = [subject["descriptor"] for subject in subjects if subject["descriptor"].startswith("svc.")]
        what = f"identity {principal}"
        fits: list[_Candidate] = []
        for some in _parts(descriptors):
            described = self._described(organization, what, subjectDescriptors=",".join(some))
            fits += [one for one in described if one.served == served]
        one = _only(organization, principal, fits)
        return None if one is None else one.identity()

    # --- object ids that no search finds -----------------------------------------------------------------

    def _in_lists(self, organization: str, principals: Sequence[str]) -> dict[str, Resolved]:
        try:
            listed = self._listed(organization, {one.lower() for one in principals})
        except Throttled:
            raise
        except ReconcilerError as error:
            return dict.fromkeys(principals, error)
        return {one: listed[one.lower()] for one in principals if one.lower() in listed}

    def _listed(self, organization: str, missing: set[str]) -> dict[str, Identity]:
        """Object ids (lower case) → identities, from the graph's lists; ends once all are found.

        What lives in Azure DevOps shows its local id there, and the creator of a group chooses that.
        """
        found: dict[str, Identity] = {}
        for kind in _KINDS:
            for subject in graph.subjects(self._session, organization, kind):
                origin_id = shown(subject, "originId").lower()
                if origin_id in missing and _from_entra(subject):
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
        origin_id=shown(subject, "originId").lower() if _from_entra(subject) else "",
    )


def _from_entra(subject: Json) -> bool:
    kind = subject["descriptor"].partition(".")[0]
    return kind in _ENTRA and shown(subject, "origin").lower() == "aad"


def _only(organization: str, principal: str, matches: Sequence[_Candidate]) -> _Candidate | None:
    """The one that matches.

    A user who left and came back under the same name leaves an inactive identity behind. A single inactive one
    counts: new identities without a licence or group are inactive too.
    """
    different = {one.id: one for one in matches}
    found = [one for one in different.values() if one.active] or list(different.values())
    if len(found) > 1:
        raise Rejected(f"organization {organization}: principal {principal}: fits {len(found)} identities")
    return found[0] if found else None


def _has_address(one: _Candidate, address: str) -> bool:
    mail = folded(one.text("Mail")) == address
    if one.kind in _PEOPLE:
        return mail or folded(one.text("Account")) == address
    return one.kind == "aadgp" and mail


def _has_object_id(one: _Candidate, object_id: str) -> bool:
    return one.kind in _ENTRA and one.text(OBJECT_ID).lower() == object_id


def _is_group(one: _Candidate, organization: str, project: str, name: str) -> bool:
    """Whether it is the group of this name (folded) in a project, or in the organization where none is given.

    The service puts the name of the scope before the name of the group; that tells the organization's groups from
    those of the service itself, which have no project either.
    """
    if one.kind != "vssgp" or one.scope != project or folded(one.text("Account")) != name:
        return False
    return bool(project) or folded(one.name).startswith(f"[{folded(organization)}]\\")


def _names(one: _Candidate, organization: str) -> Iterator[str]:
    account, mail, name = one.text("Account"), one.text("Mail"), one.name
    if one.kind == "vssgp":
        yield name
        if one.scope:
            yield f"[{one.scope}]\\{account}"
    elif one.served:
        yield name
        yield f"{one.served} Build Service ({organization})"
    elif one.kind in _ENTRA or one.kind in _PEOPLE:
        yield account if one.kind in _PEOPLE and "@" in account else ""
        yield mail
        yield one.text(OBJECT_ID).lower()


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(texts), _IDS):
        yield texts[begin : begin + _IDS]
