"""What people may do on a page: request a run of a pool, and see its plan now."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from reconciler.documents import Json, list_of
from reconciler.service.http.message import MAX_BODY, HttpProblem, HttpRequest, HttpResponse
from reconciler.service.page.context import PageContext
from reconciler.service.page.pictures import Line, Picture
from reconciler.service.page.rendering import page, url
from reconciler.service.page.views import ROWS, known_line, pool_values
from reconciler.spec.model import Spec


def require_same_origin(request: HttpRequest) -> None:
    """`HttpProblem` 403 unless the browser says that a page of this site sent the request.

    Every current browser sends `Sec-Fetch-Site`; older ones `Origin` with a POST. A header of the page's own script
    alone is sufficient too: another site cannot set it without being asked first (CORS), and nothing here agrees.
    """
    headers = request.headers
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        same = site.lower() == "same-origin"
    elif origin is not None:
        same = urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    else:
        same = headers.get("hx-request") == "true"
    if not same:
        raise HttpProblem(403, "Forbidden", "request: not sent by a page of this site")


def reconcile(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """Queue a request for a run of one pool."""
    line, spec, _ = _asked(context, picture, request)
    context.request(spec)
    context.pictures.forget()
    if request.headers.get("hx-request") == "true":
        return page("requested.html", {"line": line, "at": context.clock.now()})
    return HttpResponse(303, None, {"Location": url("pools", line.key, requested="1")})


def plan(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """What would be done now; of one organization or project where the form says so."""
    line, spec, form = _asked(context, picture, request)
    if context.plan is None:
        raise HttpProblem(404, "Not Found", "plan: this app does not read the two planes; use the command line")
    found = context.plan(spec, picture.specs.revision)
    place = {"organization": form.get("organization", ""), "project": form.get("project", "")}
    shown = {"line": line, "plan": _part(found, place), "place": place, "at": context.clock.now()}
    if request.headers.get("hx-request") == "true":
        return page("plan.html", shown)
    values = pool_values(context, picture, HttpRequest("GET", request.path, request.params, place, request.headers))
    return page(
        "pool.html",
        {**values, **shown, "viewer": context.viewer, "every": 0, "updates": values["here"]},
    )


def _asked(context: PageContext, picture: Picture, request: HttpRequest) -> tuple[Line, Spec, Mapping[str, str]]:
    """Pool, spec and form of a request that its sender may send."""
    require_same_origin(request)
    if not context.viewer.operates:
        raise HttpProblem(403, "Forbidden", "authorization: reading does not include this; an operator's role does")
    return asked_of(context, picture, request)


def asked_of(context: PageContext, picture: Picture, request: HttpRequest) -> tuple[Line, Spec, Mapping[str, str]]:
    """Pool, spec and form of a request; who sent it is for the caller to judge."""
    line = known_line(context, picture, request.params["name"])
    if line.spec is None:
        raise HttpProblem(404, "Not Found", f"pools: no spec names {line.name[:64]!r}")
    if len(request.body) > MAX_BODY:
        raise HttpProblem(413, "Content Too Large", f"body: {len(request.body)} bytes, the limit is {MAX_BODY}")
    try:
        form = dict(parse_qsl(request.body.decode(errors="replace"), max_num_fields=10))
    except ValueError:
        raise HttpProblem(400, "Bad Request", "body: more fields than the form has") from None
    return line, line.spec, form


def _part(plan: Json, place: Mapping[str, str]) -> dict[str, Json]:
    """The plan with the changes and refusals of a place alone, and as many as a page shows."""
    changes = [one for one in list_of(plan, "changes") if _is_in(one, place)]
    following = [one for one in list_of(plan, "following") if _is_in(one, place)]
    refusals = [one for one in list_of(plan, "refusals") if _is_in(one["change"], place)]
    kept: dict[str, Json] = {
        **plan, "changes": changes[:ROWS], "following": following[:ROWS], "refusals": refusals[:ROWS],
        "gaps": list_of(plan, "gaps")[:ROWS], "total": len(changes), "refused": len(refusals),
    }  # fmt: skip
    return kept


def _is_in(change: Json, place: Mapping[str, str]) -> bool:
    target = change["target"]
    return all(
        not wanted or str(target.get(name, "")).casefold() == wanted.casefold() for name, wanted in place.items()
    )
