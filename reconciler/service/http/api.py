"""The HTTP interface's handlers. `openapi.json` beside this file describes the requests and responses.

A caller may only name pools that a spec names. A request to reconcile becomes messages on the work queue, and the
response is 202: no pool is reconciled during the HTTP request. An error of `reconciler.errors` that leaves a handler
becomes a 503 with its text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import cast
from urllib.parse import urlsplit

from reconciler.documents import Json
from reconciler.documents.spelling import nearest
from reconciler.engine import unnamed
from reconciler.engine.packed import Statuses
from reconciler.engine.rate_needs import needs_of
from reconciler.engine.status import PoolStatus
from reconciler.errors import ReconcilerError
from reconciler.ports.budgets import MAXIMUM_AGE
from reconciler.ports.clock import Clock
from reconciler.ports.stores import StateStore
from reconciler.service.catalogue import Catalogue, Specs
from reconciler.service.http.deliveries import RememberedDeliveries
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse, json_body
from reconciler.service.http.webhooks import Push
from reconciler.spec.model import Spec

MAX_POOLS = 1000
RETRY_AFTER = "5"
"""Seconds until a caller should first read the status."""
_IDEMPOTENCY_KEY = re.compile(r"^[!-~]{1,128}$")


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What the handlers need."""

    catalogue: Catalogue
    state: StateStore
    clock: Clock
    plan: Callable[[Spec, str], Json]
    """Plans a pool at a revision, in the documented JSON form; reads both planes."""
    enqueue: Callable[[Sequence[Spec], str], None]
    """Queues requests under the trigger's name. Anything stored is stored afterwards, so no request is lost."""
    ref: str = ""
    """The branch that specs come from, ``main`` or ``refs/heads/main``; empty: the default branch, any push counts."""
    max_age: float = MAXIMUM_AGE
    """Seconds within which every fact is verified."""


def answering(handler: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a handler; a `HttpProblem` becomes its response, an error of ours 503 with its reason."""
    try:
        return handler()
    except HttpProblem as problem:
        return problem.response()
    except ReconcilerError as error:
        detail = f"{error.reason}: {error}"
        retry = {"Retry-After": str(int(error.retry_after) + 1)} if error.retry_after else {}
        return HttpProblem(503, "Service Unavailable", detail, headers=retry).response()


def reconcile(context: ApiContext, request: HttpRequest) -> HttpResponse:
    """All pools, or those that the body names."""
    specs = context.catalogue.specs()
    body = json_body(request)
    names = (
        _pool_names(body) if request.body.strip() else []
    )  # a JSON null is not an empty body, so it does not request all pools
    wanted = {spec.key: spec for spec in (known_spec(specs, name) for name in names)} if names else specs.by_key
    return _accept(context, request, tuple(wanted.values()), "/api/pools")


def reconcile_pool(context: ApiContext, request: HttpRequest) -> HttpResponse:
    """One pool."""
    spec = known_spec(context.catalogue.specs(), request.params["name"])
    return _accept(context, request, (spec,), f"/api/pools/{spec.name}")


def pools(context: ApiContext) -> HttpResponse:
    """All pools with their condition, the commit, and every problem of the specs."""
    specs, statuses = context.catalogue.specs(), Statuses(context.state)
    body = {
        "revision": specs.revision,
        "stale": specs.snapshot.stale,
        "pools": [_line(statuses, spec) for spec in specs.by_key.values()],
        "unnamed": [{"name": one.key, **_ready(one)} for one in _unnamed(context, specs)],
        "problems": [str(problem) for problem in specs.problems],
        "budgets": _budgets(context, specs.by_key.values()),
    }
    return HttpResponse(200, body)


def pool(context: ApiContext, request: HttpRequest) -> HttpResponse:
    """What the last run saw of one pool; of a pool that no spec names any more too, until it is forgotten."""
    specs, name = context.catalogue.specs(), request.params["name"]
    for one in _unnamed(context, specs) if name.lower() not in specs.by_key else ():
        if one.key == name.lower():
            gone = {"name": one.key, "revision": specs.revision, "spec": None, "status": one.public()}
            return HttpResponse(200, gone)
    spec = known_spec(specs, name)
    status = Statuses(context.state).of(spec)
    body: dict[str, Json] = {
        "name": spec.name,
        "revision": specs.revision,
        "spec": {"path": spec.path, "mode": spec.mode.value},
        "status": None if status is None else status.public(),
        "budgets": _budgets(context, [spec]),
    }
    return HttpResponse(200, body)


def _budgets(context: ApiContext, specs: Iterable[Spec]) -> list[Json]:
    """What full resyncs of these pools' organizations need, and what their rate budgets allow."""
    names = {organization.name for spec in specs for organization in spec.organizations}
    return [one.to_json() for one in needs_of(context.state, context.clock.now(), names, context.max_age)]


def _unnamed(context: ApiContext, specs: Specs) -> tuple[PoolStatus, ...]:
    return unnamed.gone(context.state, specs.by_key)


def plan(context: ApiContext, request: HttpRequest) -> HttpResponse:
    """What would be done now."""
    specs = context.catalogue.specs()
    spec = known_spec(specs, request.params["name"])
    return HttpResponse(200, context.plan(spec, specs.revision))


def openapi() -> HttpResponse:
    """The interface's document."""
    text = resources.files("reconciler.service.http").joinpath("openapi.json").read_text(encoding="utf-8")
    return HttpResponse(200, json.loads(text))


def pushed(context: ApiContext, pushes: tuple[Push, ...], read_git: Callable[[], None]) -> HttpResponse:
    """Read Git where a verified push moved our branch, once for each delivery."""
    ours = [push for push in pushes if push.ref and _is_ours(context.ref, push.ref)]
    if not ours:
        return HttpResponse(202, {"looking": False})
    memory = RememberedDeliveries(context.state, context.clock, "deliveries")
    delivery = ours[0].delivery
    if delivery and memory.find(delivery) is not None:
        return HttpResponse(202, {"looking": False})
    read_git()
    if delivery:
        memory.keep(delivery, ours[0].ref)
    return HttpResponse(202, {"looking": True})


def _is_ours(ref: str, moved: str) -> bool:
    return not ref or moved in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}")


def _pool_names(body: Json) -> list[str]:
    if not isinstance(body, dict) or set(body) - {"pools"}:
        raise HttpProblem(400, "Bad Request", 'body: must be empty or an object with "pools" alone')
    names = body.get("pools")
    if names is None and "pools" not in body:
        return []
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_POOLS:
        raise HttpProblem(400, "Bad Request", f"pools: must be a list of 1 to {MAX_POOLS} names")
    if not all(isinstance(name, str) and 1 <= len(name) <= 64 for name in names):  # noqa: PLR2004 - as the document says
        raise HttpProblem(400, "Bad Request", "pools: each must be a name of 1 to 64 characters")
    return cast("list[str]", names)


def known_spec(specs: Specs, name: str) -> Spec:
    """The spec of this name; `HttpProblem` 404 where no spec has it."""
    spec = specs.by_key.get(name.lower())
    if spec is None:
        near = nearest(name, specs.by_key)
        hint = f"; did you mean {specs.by_key[near].name}?" if near else ""
        raise HttpProblem(404, "Not Found", f"pools: no spec names {name[:64]!r}{hint}")
    return spec


def _accept(context: ApiContext, request: HttpRequest, specs: tuple[Spec, ...], where: str) -> HttpResponse:
    """202, and the same response for the same idempotency key; 422 where that key was used for another request."""
    key = request.headers.get("idempotency-key", "")
    if "idempotency-key" in request.headers and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise HttpProblem(400, "Bad Request", "Idempotency-Key: 1 to 128 visible ASCII characters")
    memory = RememberedDeliveries(context.state, context.clock, "idempotency")
    digest = hashlib.sha256(urlsplit(request.path).path.encode() + b"\0" + request.body).hexdigest()
    before = memory.find(key) if key else None
    if before is not None and before["asked"] != digest:
        raise HttpProblem(422, "Unprocessable Content", "Idempotency-Key: used before for another request")
    body: dict[str, Json] = before["body"] if before is not None else _accepted(specs, where)
    if before is None:
        context.enqueue(specs, "http")
    if key and before is None:
        memory.keep(key, {"asked": digest, "body": body})
    return HttpResponse(202, body, {"Location": body["status"], "Retry-After": RETRY_AFTER})


def _accepted(specs: tuple[Spec, ...], where: str) -> dict[str, Json]:
    return {"accepted": [spec.name for spec in specs], "status": where}


def _line(statuses: Statuses, spec: Spec) -> dict[str, Json]:
    status = statuses.of(spec) or PoolStatus(spec.key)
    return {"name": spec.name, "mode": spec.mode.value, **_ready(status)}


def _ready(known: PoolStatus) -> dict[str, Json]:
    status = known.public()
    ready: dict[str, Json] = next((one for one in status["conditions"] if one["type"] == "Ready"), {})
    return {
        "ready": ready.get("status", "Unknown"),
        "reason": ready.get("reason", "NeverLookedAt"),
        "message": ready.get("message", ""),
        "since": ready.get("since"),
        "seen": status["seen"],
        "outOfSync": status["outOfSync"],
    }
