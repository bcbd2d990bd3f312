"""How each fault looks on the wire: dropped connections, answers in place of the handler's, and spoiled answers."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from aiohttp import web

from emulator.documents import Json
from emulator.exchange import Incoming, encode
from emulator.faults import Fault
from emulator.frame import Request, Response
from emulator.plane import Plane

HOLD = 120.0
"""Seconds for which a time-out holds a connection at most; the caller usually leaves before."""
HUGE = 40 * 1024 * 1024
"""Bytes of white space behind a body of `huge`: it stays JSON."""
BOM = b"\xef\xbb\xbf"
AGAIN = "emulator-again"
"""Begins the tokens of `repeated` and `endless`: who sends one gets the page that it came with."""
UNHEARD = "Unheard"
UNKNOWN = "unheard"
"""Name of the field that `fields` adds to each object."""
WORDS = frozenset({
    "access", "category", "kind", "poolType", "provisioningState", "queryMembership", "state", "status", "subjectKind",
    "type", "visibility",
})  # fmt: skip
"""Fields whose text is one of a few words."""
_numbers = count(1)


def afresh(incoming: Incoming) -> Incoming:
    """The request without a token of `repeated` or `endless`."""
    if AGAIN not in incoming.target:
        return incoming
    parts = urlsplit(incoming.target)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if AGAIN not in value]
    return replace(incoming, target=urlunsplit(parts._replace(query=urlencode(kept, quote_via=quote))))


def send(response: Response) -> web.Response:
    """The answer in one write."""
    body = encode(response)
    headers = dict(response.headers)
    if body or response.status not in {202, 204}:
        headers.setdefault("Content-Type", response.content_type)
    return web.Response(status=response.status, body=body, headers=headers)


def instead(fault: Fault, plane: Plane, request: Request) -> Response:
    """The answer of a fault before the handler."""
    if fault.kind == "html":
        page = "<!DOCTYPE html><html><body>This page was blocked by your network.</body></html>"
        return Response(200, page, {}, "text/html; charset=utf-8")
    status = "401" if fault.kind == "expired" else fault.kind.partition("-")[0]
    response = plane.fault(status, fault.seconds, request)
    if fault.kind == "503-bom":
        response = replace(response, body=BOM + encode(response))
    named = {name: value for name, value in response.headers.items() if name != "Retry-After"}
    if fault.kind == "429-bare":
        return replace(response, headers=named)
    if fault.value is not None and "Retry-After" in response.headers:
        return replace(response, headers={**named, "Retry-After": fault.value})
    return response


async def drop(http: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    """Close the connection without a response: at once, with a reset, or when the caller has waited long enough."""
    if fault.kind.startswith("timeout"):
        await _until_left(http)
    if http.transport is not None:
        if fault.kind == "reset" and (found := http.transport.get_extra_info("socket")) is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        http.transport.abort()
    return web.Response(status=500)


async def spoil(http: web.BaseRequest, response: Response, fault: Fault, request: Request) -> web.StreamResponse:
    """Send the handler's answer as the fault wants it."""
    if fault.kind == "timeout-after":
        return await drop(http, fault)
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        return send(response)
    if fault.kind == "truncated":
        return await _truncate(http, response)
    if fault.kind == "trickle":
        return await _trickle(http, response)
    if fault.kind in {"repeated", "endless"}:
        return send(_paged(response, AGAIN + (f"-{next(_numbers)}" if fault.kind == "endless" else ""), request))
    return send(_SPOILED[fault.kind](response, fault))


def _retry_after(response: Response, fault: Fault) -> Response:
    wait = f"{fault.seconds:g}" if fault.value is None else fault.value
    return replace(response, headers={**response.headers, "Retry-After": wait})


def _text(response: Response, _: Fault) -> Response:
    """The right body under a wrong type."""
    return _typed(replace(response, body=encode(response)), "text/plain; charset=utf-8")


def _typed(response: Response, kind: str) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "Content-Type"}
    return replace(response, headers=headers, content_type=kind)


def _more(body: Json, entry: Callable[[list[Json]], list[Json]]) -> Json:
    """The same with other entries in each list; a count beside a list agrees with it."""
    if isinstance(body, list):
        return entry([_more(one, entry) for one in body])
    if not isinstance(body, dict):
        return body
    made = {name: _more(value, entry) for name, value in body.items()}
    if isinstance(made.get("count"), int) and isinstance(made.get("value"), list):
        made["count"] = len(made["value"])
    return made


def _with_fields(body: Json) -> Json:
    """The same with an unknown field in each object."""
    if isinstance(body, list):
        return [_with_fields(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {**{name: _with_fields(value) for name, value in body.items()}, UNKNOWN: {"of": ["this"]}}


def _with_words(body: Json) -> Json:
    """The same with an unknown word wherever one of a few is expected."""
    if isinstance(body, list):
        return [_with_words(one) for one in body]
    if not isinstance(body, dict):
        return body
    return {
        name: UNHEARD if name in WORDS and isinstance(value, str) else _with_words(value)
        for name, value in body.items()
    }


def _paged(response: Response, token: str, request: Request) -> Response:
    """A list with a token for one more page, as each plane writes it; any other answer as it is."""
    if not isinstance(response.body, dict) or not isinstance(response.body.get("value"), list):
        return response
    if request.plane != "arm":
        return replace(response, headers={**response.headers, "x-ms-continuationtoken": token})
    url = f"{request.base_url}{quote(request.path)}?{urlencode({**request.query, '$skiptoken': token})}"
    return replace(response, body={**response.body, "nextLink": url})


_SPOILED: dict[str, Callable[[Response, Fault], Response]] = {
    "retry-after": _retry_after,
    "nulls": lambda response, _: replace(response, body=_more(response.body, lambda found: [*found, None])),
    "doubled": lambda response, _: replace(response, body=_more(response.body, lambda found: [*found, *found])),
    "null": lambda response, _: replace(response, body=b"null"),
    "empty": lambda response, _: replace(response, body=b""),
    "text": _text,
    "fields": lambda response, _: replace(response, body=_with_fields(response.body)),
    "enums": lambda response, _: replace(response, body=_with_words(response.body)),
    "huge": lambda response, _: replace(response, body=encode(response) + b" " * HUGE),
}


async def _until_left(http: web.BaseRequest) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + HOLD
    while loop.time() < end and http.transport is not None and not http.transport.is_closing():  # noqa: ASYNC110 a transport has no event for a peer that leaves
        await asyncio.sleep(0.02)


async def _truncate(http: web.BaseRequest, response: Response) -> web.StreamResponse:
    """Announce the whole body, send half of it, and close."""
    whole = encode(response)
    answer = await _begun(http, response, max(len(whole), 2))
    await answer.write(whole[: len(whole) // 2])
    if http.transport is not None:
        http.transport.close()
    return answer


async def _trickle(http: web.BaseRequest, response: Response) -> web.StreamResponse:
    """One byte after the other, never faster than any time-out between two of them, until the caller leaves."""
    answer = await _begun(http, response, HUGE)
    loop = asyncio.get_running_loop()
    end = loop.time() + HOLD
    with suppress(ConnectionError):
        while loop.time() < end and http.transport is not None and not http.transport.is_closing():
            await answer.write(b" ")
            await asyncio.sleep(0.02)
    if http.transport is not None:
        http.transport.abort()
    return answer


async def _begun(http: web.BaseRequest, response: Response, size: int) -> web.StreamResponse:
    answer = web.StreamResponse(status=response.status, headers={**response.headers})
    answer.content_type, answer.charset = "application/json", "utf-8"
    answer.content_length = size
    await answer.prepare(http)
    return answer
