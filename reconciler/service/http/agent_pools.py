"""The handler of the owner's approval of an agent pool as a pool's own."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.documents import Json
from reconciler.engine.approving import ApprovedAgentPool
from reconciler.errors import NotFound, Refused
from reconciler.service.catalogue import Specs
from reconciler.service.http.api import known_spec
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse, json_body
from reconciler.spec.model import Spec
from reconciler.spec.names import organization_name

Approve = Callable[[Spec, tuple[str, int], str], ApprovedAgentPool]
"""Approves an agent pool (organization and id) for a spec's pool, in the name of a caller."""
HIGHEST_ID = 2**31 - 1
"""Ids of agent pools are 32 bits (`TaskAgentPool.id`, int32)."""
_FIELDS = {"organization", "id"}


def approve(specs: Specs, record: Approve, request: HttpRequest, by: str) -> HttpResponse:
    """Record the approval. 404 where there is no such agent pool, 409 where no approval may be given."""
    spec = known_spec(specs, request.params["name"])
    organization, number = _wanted(json_body(request))
    try:
        done = record(spec, (organization, number), by)
    except Refused as error:
        raise HttpProblem(409, "Conflict", str(error)) from error
    except NotFound as error:
        raise HttpProblem(404, "Not Found", str(error)) from error
    body = {
        "pool": spec.name,
        "organization": organization,
        "id": number,
        "approved": done.recorded,
        "missing": done.missing,
        "former": done.former or None,
    }
    return HttpResponse(200, body)


def _wanted(body: Json) -> tuple[str, int]:
    if not isinstance(body, dict) or set(body) != _FIELDS:
        raise HttpProblem(400, "Bad Request", 'body: must be an object with "organization" and "id"')
    organization, number = body["organization"], body["id"]
    if not isinstance(organization, str) or (problem := organization_name(organization)):
        text = problem if isinstance(organization, str) else "must be a text"
        raise HttpProblem(400, "Bad Request", f"organization: {text}")
    if type(number) is not int or not 1 <= number <= HIGHEST_ID:
        raise HttpProblem(400, "Bad Request", f"id: must be a whole number from 1 to {HIGHEST_ID}")
    return organization.lower(), number
