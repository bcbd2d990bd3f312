"""api-version on Azure DevOps: in the query or in the Accept header, with `-preview` where a route is no other.

Words as public clients report them: VssInvalidPreviewVersionException (many, among others for connectionData),
VssVersionNotSpecifiedException, VssVersionOutOfRangeException.
"""

from __future__ import annotations

import re

from emulator.frame import ApiError, Request
from emulator.router import Route

NEWEST = (7, 2)
OLDEST = (1, 0)
FORM = re.compile(r"(\d+)\.(\d+)(-preview(\.\d+)?)?")


def requested_version(request: Request) -> str:
    """The version that the request names; empty where it names none. The query wins."""
    found = request.query.get("api-version", "")
    if found:
        return found
    accept = request.headers.get("Accept", "")
    match = re.search(r"api-version\s*=\s*\"?([^;,\s\"]+)", accept, re.IGNORECASE)
    return match[1] if match else ""


def check(request: Request, route: Route) -> None:
    """Refuse a version that the route does not have."""
    version = requested_version(request)
    if not version:
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            raise ApiError(400, "VssVersionNotSpecifiedException", _not_specified(request.method))
        return
    match = FORM.fullmatch(version.lower())
    if match is None:
        raise ApiError(400, "VssInvalidApiResourceVersionException", f"Invalid api version string: {version}")
    number = (int(match[1]), int(match[2]))
    if not OLDEST <= number <= NEWEST:
        raise ApiError(400, "VssVersionOutOfRangeException", _out_of_range(version))
    if route.preview_only and not match[3]:
        raise ApiError(400, "VssInvalidPreviewVersionException", _preview(version))


def _preview(version: str) -> str:
    return (
        f'The requested version "{version}" of the resource is under preview. The -preview flag must be supplied in '
        f'the api-version for such requests. For example: "{version}-preview"'
    )


def _not_specified(method: str) -> str:
    return (
        f'No api-version was supplied for the "{method}" request. The version must be supplied either as part of the '
        'Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").'
    )


def _out_of_range(version: str) -> str:
    return (
        f"The requested REST API version of {version} is out of range for this server. "
        f"The latest REST API version this server supports is {NEWEST[0]}.{NEWEST[1]}."
    )
