"""The Azure DevOps plane as the frame sees it; its routes are those of `emulator.devops.routes`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from emulator.frame import ApiError, Request, Response
from emulator.router import Route, Router
from emulator.vss import limits, signin, versions
from emulator.vss.errors import render
from emulator.world import World


class DevOpsPlane:
    """Sign-in, versions, limits, errors and headers of Azure DevOps."""

    name = "devops"

    def __init__(self, routes: Iterable[Route]) -> None:
        self.router = Router(routes)

    def caller(self, world: World, method: str, headers: Mapping[str, str]) -> str:
        """By bearer token, or by a personal access token with Basic."""
        return signin.caller(world, method, headers)

    def admit(self, world: World, request: Request, route: Route) -> Mapping[str, str]:
        """Rate limits come first, as they do in the service: a blocked call is not even looked at."""
        headers = limits.charge(world, request)
        if request.method != "OPTIONS":
            versions.check(request, route)
        return headers

    def problem(self, kind: str, detail: str) -> ApiError:
        """Words as public clients report them; where none were found, the nearest exception of the service."""
        controller = "The controller for path"
        table = {
            "unknown-route": (
                404,
                "HttpException",
                f"{controller} '{detail}' was not found or does not implement IController.",
            ),
            "method": (
                405,
                "HttpException",
                f"The requested resource does not support this http method; it has {detail}.",
            ),
            "media-type": (415, "VssRequestContentTypeNotSupportedException", _media_type(detail)),
            "malformed": (400, "JsonReaderException", f"The body is no JSON: {detail}"),
            "too-large": (413, "HttpException", f"Maximum request length exceeded: {detail} bytes."),
            "crash": (500, "InternalServerErrorException", f"TF400898: An Internal Error Occurred: {detail}."),
        }
        status, key, words = table[kind]
        return ApiError(status, key, words, headers={"Allow": detail} if kind == "method" else {})

    def render(self, error: ApiError) -> Response:
        """The body that callers read `typeKey` from."""
        return render(error)

    def finish(self, world: World, request: Request, response: Response) -> Mapping[str, str]:
        """Headers of recorded answers (azure-devops-cli-extension recordings)."""
        caller = world.principals.find(request.caller)
        found = {
            "ActivityId": str(uuid.uuid4()),
            "X-TFS-Session": request.headers.get("X-TFS-Session", str(uuid.uuid4())),
            "X-VSS-E2EID": str(uuid.uuid4()),
            "X-TFS-ProcessId": "5d3e8f6a-0b7c-4a3f-9d55-0a1b2c3d4e5f",
            "Cache-Control": "no-cache, no-store, must-revalidate",
            "X-Content-Type-Options": "nosniff",
        }
        if caller is not None:
            found["X-VSS-UserData"] = f"{caller.oid}:{caller.upn or caller.oid}"
        if response.body is not None and "json" in response.content_type:
            version = versions.requested_version(request)
            found["Content-Type"] = response.content_type + (f"; api-version={version}" if version else "")
        return found

    def fault(self, kind: str, seconds: float, request: Request) -> Response:
        """The answer of a fault whose kind is a status."""
        after = {"Retry-After": f"{seconds:g}"}
        if kind == "401":
            return Response(401, None, {"WWW-Authenticate": signin.REALM})
        if kind in {"203", "302"}:
            return signin.page(kind)
        if kind == "429":
            return render(limits.blocked(after))
        table = {
            "403": (
                "AccessDeniedException",
                f"Access denied. {request.caller} needs Manage permissions to perform the action.",
            ),
            "404": ("VssResourceNotFoundException", f"The resource {request.path} does not exist."),
            "409": ("VssConflictException", "The object was changed by another request."),
            "412": ("VssServiceResponseException", "The condition of the request is not fulfilled."),
            "500": ("InternalServerErrorException", "TF400898: An Internal Error Occurred."),
            "503": ("ServiceUnavailableException", "The service is unavailable."),
        }
        key, words = table[kind]
        return render(ApiError(int(kind), key, words, headers=after if kind == "503" else {}))


def _media_type(found: str) -> str:
    return (
        f'The request indicated a Content-Type of "{found}" for method type that is not supported. '
        "Valid content types for this method are: application/json, application/json-patch+json."
    )
