"""Pausing and resuming a pool, or fields of it, on its page: for the owner alone, as over HTTP."""

from __future__ import annotations

from reconciler.safety import ModeScope
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.service.http.pauses import MOST_FIELDS
from reconciler.service.page.actions import asked_of, require_same_origin
from reconciler.service.page.context import PageContext
from reconciler.service.page.pictures import Picture
from reconciler.service.page.rendering import page, url
from reconciler.spec import parts


def pause(context: PageContext, picture: Picture, request: HttpRequest) -> HttpResponse:
    """What the form says: pause until a moment, or go on."""
    require_same_origin(request)
    if context.pause is None or context.resume is None:
        raise HttpProblem(403, "Forbidden", "authorization: pausing needs the owner's role, Reconciler.Own")
    line, spec, form = asked_of(context, picture, request)
    given = form.get("field", "")
    fields = list(dict.fromkeys(parts.canonical(one) for one in given.split(",") if one.strip()))
    if given and not fields:  # the whole pool is meant by an empty box alone
        raise HttpProblem(
            400, "Bad Request", f"field: {given[:100]!r} names nothing; leave it empty for the whole pool"
        )
    for one in fields[: MOST_FIELDS + 1]:
        if wrong := parts.wrong(one):
            raise HttpProblem(400, "Bad Request", f"field: {wrong}")
    if len(fields) > MOST_FIELDS:
        raise HttpProblem(400, "Bad Request", f"field: more than {MOST_FIELDS}")
    scopes = [ModeScope(pool=spec.key, field=one) for one in fields or [""]]
    if form.get("action") == "resume":
        ended = [one for scope in scopes for one in context.resume(scope)]
        if not ended:
            raise HttpProblem(409, "Conflict", f"{line.name}: is not paused here; a spec's pause ends in its file")
        context.request(spec)
        until = None
    elif form.get("action") == "pause":
        until = context.pause(scopes, form.get("until", ""), form.get("reason", ""))
    else:
        raise HttpProblem(400, "Bad Request", "action: must be pause or resume")
    context.pictures.forget()
    if request.headers.get("hx-request") == "true":
        return page("paused.html", {"line": line, "until": until, "fields": fields})
    return HttpResponse(303, None, {"Location": url("pools", line.key)})
