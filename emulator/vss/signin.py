"""The caller of Azure DevOps, and the four different responses where there is none.

==============================================  =========================================================
request                                         answer
==============================================  =========================================================
`X-TFS-FedAuthRedirect: Suppress`               401, empty, `WWW-Authenticate: Basic realm=…` (recordings of
                                                azure-devops-cli-extension)
PATCH, PUT, DELETE                              401, JSON TF400813 (azure-devops-auth-samples #52)
GET, POST                                       203 with the HTML of a sign-in page (vsts-rest-api-specs #574, #97)
GET, POST on some routes (switch)               302 to `/_signin` (azure-devops-docs #13661)
==============================================  =========================================================
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from emulator.frame import ApiError, Response
from emulator.plane import ResponseReady
from emulator.vss.errors import render
from emulator.world import World

PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head><title>Azure DevOps Services | Sign In</title></head>
<body><h1>Sign in to continue</h1><p>This is a page for people, not an answer of the API.</p></body>
</html>
"""
REALM = 'Basic realm="https://tfsprodweu.visualstudio.com/"'


def caller(world: World, method: str, headers: Mapping[str, str]) -> str:
    """Name of the principal whose bearer token, or personal access token with Basic, came along."""
    principal = world.principals.by_token("devops", _token(headers.get("Authorization", "")))
    if principal is None:
        raise ResponseReady(refusal(world, method, headers))
    return principal.name


def _token(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def refusal(world: World, method: str, headers: Mapping[str, str]) -> Response:
    """What a caller without a valid token gets; depends on method and headers."""
    if headers.get("X-TFS-FedAuthRedirect", "").lower() == "suppress":
        return Response(401, None, {"WWW-Authenticate": REALM})
    if method not in {"GET", "POST", "HEAD", "OPTIONS"}:
        words = "TF400813: The user 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' is not authorized to access this resource."
        return render(ApiError(401, "UnauthorizedRequestException", words, headers={"WWW-Authenticate": REALM}))
    return page(world.switches.word("devops.sign-in"))


def page(status: str) -> Response:
    """The sign-in page (203), or the way to it (302)."""
    if status == "302":
        target = "/_signin?realm=dev.azure.com"
        moved = f'<html><head><title>Object moved</title></head><body><a href="{target}">here</a></body></html>'
        return Response(302, moved, {"Location": target}, "text/html; charset=utf-8")
    return Response(203, PAGE, {}, "text/html; charset=utf-8")
