"""The handlers of the mode: shown to operators, set by the owner alone."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.safety import ModeScope, Safety, WriteMode
from reconciler.safety.modes import LONGEST_REASON, of_deployment
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse, json_body
from reconciler.spec.names import organization_name, pool_name

_FIELDS = frozenset({"mode", "reason", "organization", "pool"})


@dataclass(frozen=True, slots=True)
class ModeRequest:
    """What a caller wants to be set; None as the mode clears it."""

    scope: ModeScope
    mode: WriteMode | None
    reason: str


def show(safety: Safety) -> HttpResponse:
    """Every setting, and what counts for the deployment."""
    settings = safety.settings()
    body = {"mode": of_deployment(settings).mode.value, "settings": [one.to_json() for one in settings]}
    return HttpResponse(200, body)


def change(safety: Safety, request: HttpRequest, by: str) -> HttpResponse:
    """Set or clear a mode; the response is that of `show`."""
    wanted = _wanted(json_body(request))
    safety.set_mode(wanted.scope, wanted.mode, reason=wanted.reason, by=by)
    return show(safety)


def _wanted(body: Json) -> ModeRequest:
    if not isinstance(body, dict) or set(body) - _FIELDS:
        raise HttpProblem(400, "Bad Request", f"body: must be an object with {', '.join(sorted(_FIELDS))}")
    if "mode" not in body or body["mode"] not in (None, *WriteMode):
        raise HttpProblem(400, "Bad Request", f"mode: must be null or one of {', '.join(WriteMode)}")
    reason = body.get("reason")
    if not isinstance(reason, str) or not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise HttpProblem(400, "Bad Request", f"reason: must be a text of 1 to {LONGEST_REASON} characters")
    organization, pool = _name(body, "organization"), _name(body, "pool")
    if organization and pool:
        raise HttpProblem(400, "Bad Request", "organization, pool: name one of them, or neither for the deployment")
    mode = None if body["mode"] is None else WriteMode(body["mode"])
    return ModeRequest(ModeScope(organization, pool), mode, " ".join(reason.split()))


def _name(body: dict[str, Json], field: str) -> str:
    if field not in body:
        return ""
    name = body[field]
    problem = organization_name if field == "organization" else pool_name
    if not isinstance(name, str) or (found := problem(name)):
        raise HttpProblem(400, "Bad Request", f"{field}: {found if isinstance(name, str) else 'must be a text'}")
    return name.lower()
