"""HTTP: the routes that the functions declare, on aiohttp, each call in a thread of its own.

Replaces the Functions host's HTTP side: route prefix ``api``, function keys where one is set, a limit on bodies
before they are read, problem+json for paths without a function. Headers that only the platform may set
(``X-MS-CLIENT-PRINCIPAL…``) are removed, since no platform checks them here.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable

import azure.functions as func
from aiohttp import web

from reconciler.service.host.bindings import Served

PREFIX = "/api"
MAX_BODY = 1_114_112
"""Largest body in bytes that is read; handlers have lower limits and their own problems."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(functions: Iterable[Served], call: Callable[[Served, object], object], key: str) -> web.Application:
    """An aiohttp application with one route for each HTTP function.

    `call` runs a function with its request; `key` is the function key (`x-functions-key` or `?code=`), empty for none.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_problems])
    for served in functions:
        route = f"{PREFIX}/{served.details['route']}"
        for method in served.details["methods"]:
            app.router.add_route(method, route, _handler(served, call, key))
    return app


def _handler(served: Served, call: Callable[[Served, object], object], key: str) -> Handler:
    open_to_all = served.details.get("authLevel") == "anonymous"

    async def handle(request: web.Request) -> web.StreamResponse:
        if key and not open_to_all and not _has_key(request, key):
            return _problem(401, "Unauthorized", "x-functions-key: missing or wrong")
        received = func.HttpRequest(
            request.method,
            str(request.url),
            headers={name: value for name, value in request.headers.items() if not _platforms_own(name)},
            params=dict(request.query),
            route_params=dict(request.match_info),
            body=await request.read(),
        )
        answered = await asyncio.to_thread(call, served, received)
        if not isinstance(answered, func.HttpResponse):
            return _problem(500, "Internal Server Error", f"{served.name}: no response")
        return web.Response(
            status=answered.status_code, body=answered.get_body(), headers=_headers(answered, answered.mimetype)
        )

    return handle


def _headers(answered: func.HttpResponse, kind: str) -> dict[str, str]:
    headers = {name: value for name, value in answered.headers.items() if name.lower() != "content-type"}
    return {**headers, "Content-Type": kind, "X-Content-Type-Options": "nosniff"}


def _platforms_own(name: str) -> bool:
    return name.lower().startswith(("x-ms-client-principal", "x-ms-token-"))


def _has_key(request: web.Request, key: str) -> bool:
    given = request.headers.get("x-functions-key") or request.query.get("code", "")
    return hmac.compare_digest(given.encode(), key.encode())


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors outside of a function into problem+json."""
    try:
        return await handler(request)
    except web.HTTPException as refused:
        detail = f"{request.method} {request.path}: {refused.reason.lower()}"
        allowed = {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else {}
        return _problem(refused.status, refused.reason, detail, allowed)
    except Exception:  # noqa: BLE001 - as the host does: a bug is a 500 without details; `call` has logged it
        return _problem(500, "Internal Server Error", f"{request.method} {request.path}: internal error; it is logged")


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers=headers, content_type="application/problem+json"
    )
