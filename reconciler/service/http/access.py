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


def _roles(principal: str) -> set[str]:
    try:
        document = json.loads(base64.b64decode(principal, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return set()
    claims: Json = document.get("claims") if isinstance(document, dict) else None
    if not isinstance(claims, list):
        return set()
    return {
        claim["val"]
        for claim in claims
        if isinstance(claim, dict) and claim.get("typ") in _ROLE_CLAIMS and isinstance(claim.get("val"), str)
    }
