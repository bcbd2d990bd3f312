"""ARM's error body, and the errors of Azure Resource Manager itself, which come before any resource provider."""

from __future__ import annotations

from emulator.frame import ApiError, Response


def render(error: ApiError) -> Response:
    """`{"error": {"code", "message", "target"?, "details"?}}` (common-types resource-management v6)."""
    extra = dict(error.extra)
    headers = extra.pop("headers", {})
    cause = extra.pop("cause", "gateway")
    body = {"error": {"code": error.code, "message": error.message, **extra}}
    return Response(error.status, body, {"x-ms-failure-cause": cause, **headers})


def refused(status: int, code: str, message: str, **extra: object) -> ApiError:
    """An error of the provider, not of ARM's front door: recordings show `x-ms-failure-cause: service` on these."""
    return ApiError(status, code, message, cause="service", **extra)
