"""The handlers of approvals, for the owner alone: `web` has checked the app role.

A body names one pool, the hash of its plan, and whether its changes wait for windows of the policy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reconciler.documents import Json, moment
from reconciler.engine import Planner
from reconciler.engine.approving_plans import approve_plan
from reconciler.errors import NotFound
from reconciler.ports.stores import StateStore
from reconciler.safety import Safety
from reconciler.safety.approvals import VALID
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse, json_body
from reconciler.spec.model import Spec
from reconciler.spec.names import pool_name

_HASH = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class ApprovalContext:
    """What the handlers need."""

    catalogue: Catalogue
    planner: Planner
    safety: Safety
    state: StateStore


def approve(context: ApprovalContext, request: HttpRequest, by: str) -> HttpResponse:
    """Record an approval. The plan is made again: 409 where it is another one by now."""
    body = json_body(request)
    if not isinstance(body, dict) or set(body) - {"outsideWindows"} != {"pool", "hash"}:
        raise HttpProblem(400, "Bad Request", "body: must be an object with pool and hash")
    name = body["pool"]
    if not isinstance(name, str) or (problem := pool_name(name)):
        raise HttpProblem(400, "Bad Request", f"pool: {problem if isinstance(name, str) else 'must be a text'}")
    outside = body.get("outsideWindows", False)
    if not isinstance(outside, bool):
        raise HttpProblem(400, "Bad Request", "outsideWindows: must be true or false")
    return _plan(context, name, body["hash"], by, outside_windows=outside)


def _plan(context: ApprovalContext, name: str, value: Json, by: str, *, outside_windows: bool) -> HttpResponse:
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise HttpProblem(400, "Bad Request", "hash: must be 64 hexadecimal digits, as a plan shows them")
    specs, spec = _known(context, name)
    parts = (context.planner, context.safety, context.state)
    try:
        done = approve_plan(parts, [spec], specs.snapshot, value.lower(), by=by, outside_windows=outside_windows)
    except NotFound as error:
        raise HttpProblem(409, "Conflict", str(error)) from None
    return HttpResponse(200, {"pool": spec.name, "hash": done.plan.hash, "by": by, "until": moment(done.at + VALID)})


def _known(context: ApprovalContext, name: str) -> tuple[Specs, Spec]:
    specs = context.catalogue.specs()
    spec = specs.by_key.get(name.lower())
    if spec is None:
        raise HttpProblem(404, "Not Found", f"pool: no spec names {name!r}")
    return specs, spec
