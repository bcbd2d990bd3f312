"""HTTP: the routes that the functions declare, on aiohttp, each call in a thread of its own.

Stands where the Functions host's front door stands: route prefix ``api``, function keys where one is set, a limit
on bodies before they are read, problem+json for what no function answers. Headers that only the platform may set
(``X-MS-CLIENT-PRINCIPAL…``) are taken away: nothing in front of this server vouches for them.
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
"""Bytes read at most; handlers have tighter limits and answer with a problem of their own."""

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
        asked = func.HttpRequest(
            request.method,
            str(request.url),
            headers={name: value for name, value in request.headers.items() if not _platforms_own(name)},
            params=dict(request.query),
            route_params=dict(request.match_info),
            body=await request.read(),
        )
        answered = await asyncio.to_thread(call, served, asked)
        if not isinstance(answered, func.HttpResponse):
            return _problem(500, "Internal Server Error", f"{served.name}: no answer")
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
    """Answer what goes wrong outside a function as problem+json."""
    try:
        return await handler(request)
    except web.HTTPException as refused:
        detail = f"{request.method} {request.path}: {refused.reason.lower()}"
        allowed = {"Allow": refused.headers["Allow"]} if "Allow" in refused.headers else {}
        return _problem(refused.status, refused.reason, detail, allowed)
    except Exception:  # noqa: BLE001 - the host's part: a bug is a 500 without details; `call` has logged it
        return _problem(
            500, "Internal Server Error", f"{request.method} {request.path}: an error of ours; it is logged"
        )


def _problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.Response(
        status=status, body=json.dumps(body).encode(), headers=headers, content_type="application/problem+json"
    )
