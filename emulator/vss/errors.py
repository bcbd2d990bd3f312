"""The error body of Azure DevOps. Callers decide on `typeKey`; status and words differ by area."""

from __future__ import annotations

from emulator.frame import ApiError, Response

TYPES = {
    "InvalidDefinitionQueryException": "Microsoft.TeamFoundation.Build.WebApi.InvalidDefinitionQueryException, "
    "Microsoft.TeamFoundation.Build2.WebApi",
    "AccessDeniedException": "Microsoft.TeamFoundation.Framework.Server.AccessDeniedException, "
    "Microsoft.TeamFoundation.Framework.Server",
    "UnauthorizedRequestException": "Microsoft.TeamFoundation.Framework.Server.UnauthorizedRequestException, "
    "Microsoft.TeamFoundation.Framework.Server",
}
"""Full names where they are not `Microsoft.VisualStudio.Services.WebApi.{typeKey}`."""


def render(error: ApiError) -> Response:
    """`{"$id","innerException","message","typeName","typeKey","errorCode","eventId"}`."""
    key = error.code
    default = f"Microsoft.VisualStudio.Services.WebApi.{key}, Microsoft.VisualStudio.Services.WebApi"
    extra = dict(error.extra)
    headers = extra.pop("headers", {})
    body = {
        "$id": "1",
        "innerException": None,
        "message": error.message,
        "typeName": TYPES.get(key, default),
        "typeKey": key,
        "errorCode": 0,
        "eventId": 3000,
        **extra,
    }
    return Response(error.status, body, headers)
