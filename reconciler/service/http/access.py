"""Authorizes HTTP callers by the app role in the claims that App Service's authentication adds.

The platform checks the function key. Where the deployment requires a role as well, it is checked here and fails
closed: no platform authentication, no claims, claims that cannot be read, or no role mean 401 or 403.
The header is only believed where the platform says that its authentication is on, since it replaces what a caller
sent. Source: Microsoft Learn, "Work with user identities in Azure App Service authentication" (header
`X-MS-CLIENT-PRINCIPAL`, base64 JSON with `claims: [{typ, val}]`).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from reconciler.documents import Json
from reconciler.service.http.message import HttpProblem

READER = "Reconciler.Read"
"""App role of those who may read the status page and nothing else."""
OWNER = "Reconciler.Own"
"""App role of those who may set modes and approve: more than operating, and never by a function key."""
_ID_CLAIMS = frozenset({"oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"})
_ROLE_CLAIMS = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})


def require_role(headers: Mapping[str, str], role: str, *, platform_authenticates: bool) -> None:
    """Let the request pass where its caller has the app role; `HttpProblem` 401 or 403 otherwise.

    An empty `role` means that this deployment relies on function keys alone.
    """
    if not role:
        return
    if not platform_authenticates:
        raise HttpProblem(
            403, "Forbidden", "authentication: a role is required, but the platform's authentication is off"
        )
    principal = headers.get("x-ms-client-principal", "")
    if not principal:
        raise HttpProblem(401, "Unauthorized", "authentication: sign in with Microsoft Entra ID")
    if role not in _roles(principal):
        raise HttpProblem(403, "Forbidden", f"authorization: the app role {role} is required")


def require_owner(headers: Mapping[str, str], *, platform_authenticates: bool) -> str:
    """Let the request pass where its caller has the owner's app role, whatever role others need; returns the caller.

    The result is the caller's object id, which no other user can choose.
    """
    if not platform_authenticates:
        raise HttpProblem(
            403, "Forbidden", "authentication: only the owner may do this, and the platform's authentication is off; "
            "use the command line",
        )  # fmt: skip
    require_role(headers, OWNER, platform_authenticates=platform_authenticates)
    ids = _values(headers.get("x-ms-client-principal", ""), _ID_CLAIMS)
    if len(ids) != 1:
        raise HttpProblem(403, "Forbidden", "authorization: the token names no object id")
    return ids.pop()


def roles_of(headers: Mapping[str, str]) -> set[str] | None:
    """The app roles of a caller whom the platform signed in; None where the caller is not signed in.

    Only where the platform's authentication is on: elsewhere a caller can send the header.
    """
    principal = headers.get("x-ms-client-principal", "")
    return _roles(principal) if principal else None


def _roles(principal: str) -> set[str]:
    return _values(principal, _ROLE_CLAIMS)


def _values(principal: str, claims: frozenset[str]) -> set[str]:
    """The values of claims of these types; none where the header cannot be read."""
    try:
        document = json.loads(base64.b64decode(principal, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return set()
    given: Json = document.get("claims") if isinstance(document, dict) else None
    if not isinstance(given, list):
        return set()
    return {
        claim["val"]
        for claim in given
        if isinstance(claim, dict) and claim.get("typ") in claims and isinstance(claim.get("val"), str)
    }
