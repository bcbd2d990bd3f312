"""The ARM plane as the frame sees it: sign-in, api-version, limits, errors and headers of Azure Resource Manager."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from emulator.arm import limits, versions
from emulator.arm.errors import render
from emulator.arm.routes import ROUTES
from emulator.frame import ApiError, Request, Response
from emulator.router import Route, Router
from emulator.state.arm import TENANT
from emulator.world import World

CHALLENGE = (
    f'Bearer authorization_uri="https://login.microsoftonline.com/{TENANT}", error="invalid_token", '
    'error_description="{words}"'
)


class ArmPlane:
    """Sign-in, versions, limits, errors and headers of ARM."""

    name = "arm"

    def __init__(self) -> None:
        self.router = Router(ROUTES)

    def caller(self, world: World, method: str, headers: Mapping[str, str]) -> str:
        """By bearer token; discovery needs none, and the router leaves it to its handler."""
        del method
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if not token:
            raise _unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        if scheme.lower() != "bearer":
            words = f"Authentication failed. The 'Authorization' header has the unsupported scheme '{scheme}'."
            raise _unauthorized("AuthenticationFailedInvalidHeader", words)
        principal = world.principals.by_token("arm", token.strip())
        if principal is None:
            raise _unauthorized("InvalidAuthenticationToken", "The access token is invalid.")
        return principal.name

    def admit(self, world: World, request: Request, route: Route) -> Mapping[str, str]:
        """api-version first, then what is left of the subscription's budget."""
        versions.check(request, route)
        return limits.charge(world, request, writes=route.writes)

    def problem(self, kind: str, detail: str) -> ApiError:
        """Words as public clients report them."""
        table = {
            "unknown-route": (404, "InvalidResourceType", f"The resource type could not be found at '{detail}'."),
            "method": (
                405,
                "MethodNotAllowed",
                f"The requested resource does not support this http method; it has {detail}.",
            ),
            "media-type": (
                415,
                "UnsupportedMediaType",
                f"The content media type '{detail}' is not supported. Only 'application/json' is supported.",
            ),
            "malformed": (
                400,
                "InvalidRequestContent",
                f"The request content was invalid and could not be deserialized: '{detail}'.",
            ),
            "too-large": (
                413,
                "RequestContentTooLarge",
                f"The request content size exceeds the maximum size of {detail} bytes.",
            ),
            "crash": (500, "InternalServerError", f"The server encountered an internal error: {detail}."),
        }
        status, code, words = table[kind]
        return ApiError(status, code, words, headers={"Allow": detail} if kind == "method" else {})

    def render(self, error: ApiError) -> Response:
        """The body that callers read `error.code` from."""
        return render(error)

    def finish(self, world: World, request: Request, response: Response) -> Mapping[str, str]:
        """Request ids and security headers of every answer."""
        request_id = str(uuid.uuid4())
        found = {
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
            "x-ms-routing-request-id": f"EMULATOR:{world.clock.stamp()}:{request_id}",
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }
        client = request.headers.get("x-ms-client-request-id", "")
        if client and request.headers.get("x-ms-return-client-request-id", "true").lower() == "true":
            found["x-ms-client-request-id"] = client
        del response
        return found

    def fault(self, kind: str, seconds: float, request: Request) -> Response:
        """The answer of a fault whose kind is a status."""
        if kind == "401":
            words = "The access token expiry UTC time is earlier than current UTC time."
            return render(_unauthorized("ExpiredAuthenticationToken", words))
        if kind in {"203", "302"}:
            return Response(
                int(kind), "<html><body>Sign in</body></html>", {"Location": "/"}, "text/html; charset=utf-8"
            )
        after = {"Retry-After": f"{seconds:g}"}
        table = {
            "403": (
                "AuthorizationFailed",
                f"The client '{request.caller}' does not have authorization to perform the action.",
            ),
            "404": ("ResourceNotFound", f"The Resource '{request.path}' was not found."),
            "409": ("Conflict", "Another operation on this or a dependent resource is in progress."),
            "412": ("PreconditionFailed", "The condition of the request is not fulfilled."),
            "429": ("TooManyRequests", "The request was throttled."),
            "500": ("InternalServerError", "Encountered internal server error."),
            "503": ("ServiceUnavailable", "The service is temporarily unavailable."),
        }
        code, words = table[kind]
        return render(ApiError(int(kind), code, words, headers=after if kind in {"429", "503"} else {}))


def _unauthorized(code: str, words: str) -> ApiError:
    return ApiError(401, code, words, headers={"WWW-Authenticate": CHALLENGE.format(words=words)})
