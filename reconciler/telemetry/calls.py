"""Telemetry of calls to a service: one span for a call with all its tries, one count for each try.

Only the method and the route's name of a request are recorded, and the status and the service's id of a response: no
URL, query, header or body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.telemetry.port import NO_TELEMETRY, Attribute, Span, Telemetry
from reconciler.telemetry.traffic import TRAFFIC

_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


class CallSpan:
    """A call in progress."""

    def __init__(  # noqa: PLR0917 - the parts of one call
        self, telemetry: Telemetry, span: Span, target: str, method: str, organization: str = "", url: str = ""
    ) -> None:
        self._telemetry = telemetry
        self._span = span
        self._target = target
        self._method = method
        self._about = organization, url
        self._tries = 0

    def tried(self, status: int, seconds: float, correlation: str = "") -> None:
        """Record one try with its status (0: no response); `correlation` is the service's id of it."""
        self._tries += 1
        TRAFFIC.sent(*self._about)
        outcome = outcome_of(status)
        self._telemetry.count("reconciler.calls", target=self._target, method=self._method, outcome=outcome)
        self._telemetry.record("reconciler.call.seconds", seconds, target=self._target, outcome=outcome)
        self._span.set("reconciler.attempts", self._tries)
        self._span.set("http.response.status_code", status)
        if _ID.fullmatch(correlation):
            self._span.set("reconciler.correlation", correlation)


class Calls:
    """Records the calls to one service."""

    def __init__(self, target: str, telemetry: Telemetry = NO_TELEMETRY) -> None:
        self._target = target
        self._telemetry = telemetry

    @contextmanager
    def call(self, method: str, route: str, organization: str = "", url: str = "") -> Iterator[CallSpan]:
        """The span of one call; an error that leaves the block marks it as failed. `url`: counted, and not recorded."""
        about: dict[str, Attribute] = {
            "peer.service": self._target,
            "reconciler.route": route,
            "http.request.method": method,
        }
        if organization:
            about["reconciler.organization"] = organization
        with self._telemetry.span(f"{method} {route}", client=True, attributes=about) as span:
            yield CallSpan(self._telemetry, span, self._target, method, organization, url)


def outcome_of(status: int) -> str:
    """One word for a status; see `names.OUTCOMES`."""
    if status == 0:
        return "silent"
    words = {401: "denied", 403: "denied", 404: "not-found", 429: "throttled"}
    if status in words:
        return words[status]
    return "ok" if status < 400 else "rejected" if status < 500 else "failed"  # noqa: PLR2004 - classes of status codes
