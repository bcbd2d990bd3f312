"""HTTP: the routes that the functions declare, on aiohttp, each call in a thread of its own.

Replaces the Functions host's HTTP side: function keys where one is set (`entrance`), a limit on bodies before they are
read, problem+json for paths without a function. Headers that only the platform may set (``X-MS-CLIENT-PRINCIPAL…``) are
removed, since no platform checks them here. In Azure people sign in to the pages by the platform; here by the key, so
what no key protects there and is no part of the API is protected by it here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable

import azure.functions as func
from aiohttp import web

from reconciler.service.host.bindings import Served
from reconciler.service.host.entrance import MAX_BODY, SIGN_IN, Entrance, Handler, problem, problems

_API = "api/"
_EMPTY = re.compile(r"\{\w+:maxlength\(0\)\?\}")
"""How a function of the Functions host says that it serves the root: an empty route would be the function's name."""


def path_of(route: str) -> str:
    """The path of a route as functions declare it; host.json has an empty `routePrefix`."""
    return "/" + _EMPTY.sub("", route)


def application(
    functions: Iterable[Served], call: Callable[[Served, object], object], entrance: Entrance
) -> web.Application:
    """An aiohttp application with one route for each HTTP function. `call` runs a function with its request."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[problems, entrance.middleware])
    if entrance.key.required:
        app.router.add_get(SIGN_IN, entrance.sign_in, expect_handler=entrance.expecting(needs_key=True))
    for served in functions:
        declared = str(served.details["route"])
        needs_key = served.details.get("authLevel") != "anonymous" or not declared.startswith(_API)
        expect = entrance.expecting(needs_key=needs_key)
        for method in served.details["methods"]:
            app.router.add_route(
                method,
                path_of(declared),
                _handler(served, call, entrance if needs_key else None, entrance),
                expect_handler=expect,
            )
    return app


def _handler(
    served: Served, call: Callable[[Served, object], object], guarded: Entrance | None, entrance: Entrance
) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        if guarded is not None:
            guarded.check(request)
        body = await entrance.body(request)
        received = func.HttpRequest(
            request.method,
            str(request.url),
            headers={name: value for name, value in request.headers.items() if not _platforms_own(name)},
            params=dict(request.query),
            route_params=dict(request.match_info),
            body=body,
        )
        answered = await asyncio.to_thread(call, served, received)
        if not isinstance(answered, func.HttpResponse):
            return problem(500, "Internal Server Error", f"{served.name}: no response")
        return web.Response(
            status=answered.status_code, body=answered.get_body(), headers=_headers(answered, answered.mimetype)
        )

    return handle


def _headers(answered: func.HttpResponse, kind: str) -> dict[str, str]:
    headers = {name: value for name, value in answered.headers.items() if name.lower() != "content-type"}
    return {**headers, "Content-Type": kind, "X-Content-Type-Options": "nosniff"}


def _platforms_own(name: str) -> bool:
    return name.lower().startswith(("x-ms-client-principal", "x-ms-token-"))
