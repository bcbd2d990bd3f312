"""Makes identities: local ids, descriptors and names as the service forms them.

Local ids differ between organizations, and the guid inside a descriptor is not the storage key: in the published
examples the two differ in the version digit, 7 in the descriptor and 6 in the key (vsts-rest-api-specs graph and
memberEntitlementManagement examples).
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from functools import lru_cache

from emulator.principals import Principal
from emulator.state.devops import Identity, Organization, Project

NAMES = uuid.UUID("0d0e6f2a-54f3-4f6b-8f5e-2d9a6a1c7b90")
TENANT = "7a394543-62fd-4274-a7d2-8fac775942b6"
ADMINISTRATORS = "Project Collection Administrators"
VALID_USERS = "Project Collection Valid Users"
PROJECT_ADMINISTRATORS = ("Project Administrators", "Build Administrators", "Release Administrators")
"""Groups that administer all agent queues of their project (Microsoft Learn: agent pool roles)."""
PROJECT_GROUPS = (*PROJECT_ADMINISTRATORS, "Contributors", "Readers")
_PREFIX = {"user": "aad", "servicePrincipal": "aadsp", "managedIdentity": "aadsp"}


@lru_cache(maxsize=4096)
def guid(*names: str) -> str:
    """An id that follows from names, the same in every run."""
    return str(uuid.uuid5(NAMES, "/".join(names)))


def _versioned(text: str, digit: str) -> str:
    return text[:14] + digit + text[15:]


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _sid(*names: str) -> str:
    digest = hashlib.sha256("/".join(names).encode()).digest()
    parts = [int.from_bytes(digest[i : i + 4], "big") % 2**32 for i in range(0, 28, 4)]
    return "S-1-9-1551374245-" + "-".join(str(part) for part in parts)


def descriptor_of(prefix: str, text: str) -> str:
    """A subject descriptor: prefix and unpadded base64url of a guid text or a SID text."""
    return f"{prefix}.{_encoded(text)}"


def known(principal: Principal, organization: Organization, local_id: str = "") -> Identity:
    """A principal of the tenant as the organization would know it."""
    local = local_id or _versioned(guid(organization.name.lower(), principal.name), "6")
    if principal.kind == "group":
        descriptor = descriptor_of("aadgp", _sid(organization.name.lower(), principal.oid))
        unique = f"[TEAM FOUNDATION]\\{principal.display_name}"
    else:
        descriptor = descriptor_of(_PREFIX[principal.kind], _versioned(local, "7"))
        unique = principal.oid if principal.is_application else principal.upn or principal.mail or principal.name
    return Identity(
        id=local,
        descriptor=descriptor,
        name=principal.name,
        kind=principal.kind,
        display_name=principal.display_name,
        unique_name=unique,
        mail=principal.mail,
        origin_id=principal.oid,
        application_id=principal.application_id,
    )


def group(organization: Organization, name: str, *, scope: str = "", local_id: str = "") -> Identity:
    r"""A group that lives in Azure DevOps; `name` is its own, or ``[scope]\name``."""
    title = name.partition("]\\")[2] if name.startswith("[") else name
    anchor = scope or organization.name.lower()
    key, shown = group_names(organization, organization.projects[scope] if scope else None, title)
    return Identity(
        id=local_id or guid(organization.name.lower(), anchor, title),
        descriptor=descriptor_of("vssgp", _sid(organization.name.lower(), anchor, title)),
        name=key,
        kind="group",
        display_name=title,
        unique_name=shown,
        scope=scope,
        license="",
    )


def group_names(organization: Organization, project: Project | None, title: str) -> tuple[str, str]:
    r"""How estates and edits name a group, and how the service shows it.

    The two differ in a project that is called like the organization: there the first is ``[project id]\name``.
    """
    shown = f"[{project.name if project else organization.name}]\\{title}"
    twice = project is not None and project.name.lower() == organization.name.lower()
    return (f"[{project.id}]\\{title}" if project and twice else shown), shown


def build_service(organization: Organization, project: Project | None, local_id: str = "") -> Identity:
    """The identity for jobs of a project, or of the whole organization.

    Its name keeps the project's name of the day on which it was made (Microsoft Learn: scoped build identities; the
    persisted identifier, ``host:Build:id``, is in dotnet/arcade).
    """
    served = project.id if project else organization.id
    name = f"{project.name if project else 'Project Collection'} Build Service ({organization.name})"
    host = guid("service identities", organization.name.lower())
    return Identity(
        id=local_id or guid(organization.name.lower(), "build service", served),
        descriptor=descriptor_of("svc", f"{host}:Build:{served}"),
        name=name,
        kind="service",
        display_name=name,
        unique_name=f"Build\\{served}",
        serves=served,
        license="",
    )


def domain(organization: Organization, identity: Identity) -> str:
    """Where an identity comes from: tenant, scope of a group, or the kind of a service identity."""
    if identity.serves:
        return "Build"
    if identity.scope:
        return f"vstfs:///Classification/TeamProject/{identity.scope}"
    return f"vstfs:///Framework/IdentityDomain/{organization.id}" if identity.is_group else TENANT


def is_active(organization: Organization, identity: Identity) -> bool:
    """Whether it is in a group, which every licensed member is (vsts-rest-api-specs ims 7.2, `isActive`)."""
    if identity.is_group or identity.serves or identity.license not in ("", "none"):
        return True
    return any(identity.id in one.members for one in organization.groups())


def legacy_descriptor(identity: Identity) -> str:
    """The identity descriptor that access control lists are keyed by: type and identifier."""
    if identity.serves:
        return f"Microsoft.TeamFoundation.ServiceIdentity;{_decoded(identity.descriptor)}"
    if identity.origin == "vsts":
        return f"Microsoft.TeamFoundation.Identity;{_decoded(identity.descriptor)}"
    if identity.is_group:
        return f"Microsoft.TeamFoundation.Identity;{_decoded(identity.descriptor)}"
    if identity.is_application:
        return f"Microsoft.VisualStudio.Services.Claims.AadServicePrincipal;{TENANT}\\{identity.origin_id}"
    return f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{TENANT}\\{identity.unique_name}"


def _decoded(descriptor: str) -> str:
    text = descriptor.split(".", 1)[1]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def administrators(organization: Organization) -> Identity:
    """Project Collection Administrators, who are administrators of everything."""
    return organization.by_name[f"[{organization.name}]\\{ADMINISTRATORS}".lower()]


def default_author(organization: Organization) -> Identity:
    """The author of an edit that names none: the first person of the organization, else its administrators."""
    users = (one for one in organization.identities.values() if one.kind == "user")
    return next(users, administrators(organization))


def closure(organization: Organization, identity: Identity) -> frozenset[str]:
    """Its own id and the ids of every group that it is in, directly or through groups."""
    cached = organization.closures.get(identity.id)
    if cached is not None:
        return cached
    found, todo = {identity.id}, [identity.id]
    containers: dict[str, list[str]] = {}
    for container in organization.groups():
        for member in container.members:
            containers.setdefault(member, []).append(container.id)
    while todo:
        for container_id in containers.get(todo.pop(), ()):
            if container_id not in found:
                found.add(container_id)
                todo.append(container_id)
    organization.closures[identity.id] = frozenset(found)
    return organization.closures[identity.id]
