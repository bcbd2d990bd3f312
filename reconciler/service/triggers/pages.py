"""The doors of the status page: who looks is known before anything is read; a browser is sent to sign in.

In Azure the platform signs people in (App Service authentication), and its app roles say what they may do. In `serve`
only who has its key gets here, or who is on loopback where it has none; both operate.
Source: Microsoft Learn, "Customize sign-in and sign-out in App Service authentication" (`/.auth/login/aad`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote, urlsplit

from reconciler.errors import ReconcilerError
from reconciler.safety import ModeScope
from reconciler.service.http.access import OWNER, READER, require_owner, roles_of
from reconciler.service.http.message import HttpProblem, HttpRequest, HttpResponse
from reconciler.service.http.pauses import set_pause
from reconciler.service.page.context import PageContext, Viewer
from reconciler.service.page.pictures import Picture
from reconciler.service.queue.messages import traceparent
from reconciler.service.triggers import logs
from reconciler.service.triggers.context import TriggerContext
from reconciler.spec.model import Spec

View = Callable[[PageContext, Picture, HttpRequest], HttpResponse]
SIGN_IN = "/.auth/login/aad"
_OFF = (
    "The status page needs App Service authentication, which is off in this deployment: there is no sign-in that says "
    "who you are. The command `status` shows the same."
)
_ROLE = f"Your account has none of the app roles that read this page: {READER}, an operator's, or {OWNER}."


def _page(name: str) -> Callable[[TriggerContext, HttpRequest], HttpResponse]:
    """The door to a view, imported at the first request."""

    def answer(context: TriggerContext, request: HttpRequest) -> HttpResponse:
        try:
            viewer = _viewer(context, request)
            if viewer is None:
                return _signing_in(request)
            made = _context(context, request, viewer)
            picture = made.pictures.picture(context.catalogue, context.state, context.clock)
            return _views()[name](made, picture, request)
        except HttpProblem as problem:
            return _problem(request, problem)
        except ReconcilerError as error:
            return _problem(request, HttpProblem(503, "Service Unavailable", f"{error.reason}: {error}"))

    return answer


def _viewer(context: TriggerContext, request: HttpRequest) -> Viewer | None:
    """Who looks; None where the caller is not signed in. `HttpProblem` 403 for who may not."""
    options = context.options
    if options.serves:
        return Viewer(operates=True)
    if not options.platform_authenticates:
        raise HttpProblem(403, "Forbidden", _OFF)
    roles = roles_of(request.headers)
    if roles is None:
        return None
    operates = bool(options.role) and options.role in roles
    if not operates and not roles & {READER, OWNER}:
        raise HttpProblem(403, "Forbidden", _ROLE)
    owner = ""
    if OWNER in roles:
        with suppress(HttpProblem):  # a token without an object id reads
            owner = require_owner(request.headers, platform_authenticates=True)
    return Viewer(operates=operates, signs_out=True, owner=owner)


def _signing_in(request: HttpRequest) -> HttpResponse:
    """The way to sign in for a browser that navigates; 401 for everything else."""
    if request.headers.get("hx-request") == "true":
        # The page reloads, and the browser navigates to where it can sign in.
        return HttpResponse(401, None, {"HX-Refresh": "true", "Cache-Control": "no-store"})
    if request.method != "GET" or not _is_browser(request):
        raise HttpProblem(401, "Unauthorized", "authentication: sign in with Microsoft Entra ID")
    parts = urlsplit(request.path)
    here = "/" + parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return HttpResponse(
        302,
        None,
        {"Location": f"{SIGN_IN}?post_login_redirect_uri={quote(here, safe='')}", "Cache-Control": "no-store"},
    )


def _is_browser(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("accept", "").lower()


def _problem(request: HttpRequest, problem: HttpProblem) -> HttpResponse:
    """A page for a browser, problem+json for others."""
    if not _is_browser(request) and request.headers.get("hx-request") != "true":
        raise problem
    from reconciler.service.page.rendering import page  # noqa: PLC0415 - see the package's docstring

    return page("problem.html", {"title": problem.title, "detail": problem.detail}, problem.status, problem.headers)


def _context(context: TriggerContext, request: HttpRequest, viewer: Viewer) -> PageContext:
    def ask(spec: Spec) -> None:
        context.outbox.request((spec,), "http", traceparent(request.trace))

    def pause(scopes: Sequence[ModeScope], until: str, reason: str) -> datetime:
        end = set_pause(context.safety, list(scopes), (until, reason), viewer.owner)
        logs.event("pause", by=viewer.owner, pauses=[one.to_json() for one in context.safety.pauses()])
        return end

    def resume(scope: ModeScope) -> list[str]:
        ended = context.safety.resume(scope, every=not scope.field)
        done = [{"organization": None, "pool": scope.pool, "field": field or None} for field in ended]
        logs.event("resume", by=viewer.owner, resumed=done)
        return ended

    options = context.options
    owns = bool(viewer.owner) and options.plans  # the ingress app may not write the safety store
    return PageContext(
        context.pictures, context.state, context.record, context.clock, context.safety.settings,
        context.plan if options.plans else None, ask, viewer, options.repository, options.folder, options.sweep_seconds,
        context.safety.pauses, pause if owns else None, resume if owns else None,
    )  # fmt: skip


def _views() -> Mapping[str, View]:
    from reconciler.service.page import actions, pausing, views  # noqa: PLC0415 - see the package's docstring

    return {
        "page_overview": views.overview,
        "page_organization": views.organization,
        "page_pool": views.pool,
        "page_reconcile": actions.reconcile,
        "page_plan": actions.plan,
        "page_pause": pausing.pause,
    }


def _file(_context: TriggerContext, request: HttpRequest) -> HttpResponse:
    """Style and script: the same for all callers, so they need no sign-in."""
    from reconciler.service.page.files import file  # noqa: PLC0415 - see the package's docstring

    return file(request.params["name"])


_PAGES = ("page_overview", "page_organization", "page_pool", "page_reconcile", "page_plan", "page_pause")
HANDLERS: dict[str, Callable[[TriggerContext, HttpRequest], HttpResponse]] = {
    **{name: _page(name) for name in _PAGES},
    "page_file": _file,
}
