"""The files that pages load: style and script, from this package alone."""

from __future__ import annotations

from functools import cache

from reconciler.service.http.message import HttpProblem, HttpResponse
from reconciler.service.page.rendering import FOLDER, HEADERS

_KINDS = {
    "page.css": "text/css; charset=utf-8",
    "htmx-2.0.11.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "htmx-LICENSE.txt": "text/plain; charset=utf-8",
}


def file(name: str) -> HttpResponse:
    """One file; `HttpProblem` 404 for any other name. Nothing in it is secret, and a browser may keep it."""
    if name not in _KINDS:
        raise HttpProblem(404, "Not Found", "assets: there is no such file")
    return HttpResponse(200, _read(name), {**HEADERS, "Cache-Control": "public, max-age=3600"}, _KINDS[name])


@cache
def _read(name: str) -> bytes:
    return (FOLDER / "assets" / name).read_bytes()
