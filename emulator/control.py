"""A client of the control port: what a test or a demonstration does to the emulated world from outside.

Every call is one HTTP request; mistakes come back as ControlError with the emulator's own line.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from emulator.documents import Json


class ControlError(Exception):
    """The control port refused; the message says why."""


class Control:
    """One emulator's control port."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).netloc

    def state(self) -> dict[str, Json]:
        """The whole estate, in the form of an estate file."""
        return dict(self._call("GET", "/state"))

    def replace(self, estate: dict[str, Json]) -> None:
        """Another estate in place of this one."""
        self._call("PUT", "/state", estate)

    def reset(self) -> None:
        """Estate, switches, faults, latency, log and events as at the start; the clock keeps its time."""
        self._call("POST", "/reset")

    def edit(self, what: str, **arguments: Json) -> Json:
        """Something that people do by hand, outside the APIs: `emulator.devops.edits` names what there is."""
        return self._call("POST", "/edit", {"what": what, **arguments})["result"]

    def switch(self, name: str, value: bool | float | str) -> None:
        """Turn a switch; docs/emulator.md lists them."""
        self._call("PATCH", "/switches", {name: value})

    def switches(self) -> dict[str, Json]:
        """Every switch with its value."""
        return {row["name"]: row["value"] for row in self._call("GET", "/switches")["switches"]}

    def fault(self, kind: str, *, route: str = "*", count: int | None = 1, **filters: Json) -> int:
        """Let the next `count` requests of a route (a glob) go wrong; None: all until `clear_faults`.

        More filters: method, organization, plane, path, caller (globs), skip (requests that pass before), seconds
        (of Retry-After, or of slowness), value (of Retry-After, as it is sent). Kinds are `emulator.faults.KINDS`.
        """
        return int(self._call("POST", "/faults", {"kind": kind, "route": route, "count": count, **filters})["number"])

    def faults(self) -> list[dict[str, Json]]:
        """What is still to go wrong."""
        return list(self._call("GET", "/faults")["faults"])

    def fault_hits(self) -> int:
        """How many requests went wrong on purpose since faults were last cleared."""
        return int(self._call("GET", "/faults")["hits"])

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "/faults")

    def latency(self, seconds: float) -> None:
        """Every answer of the two planes takes so much longer."""
        self._call("PUT", "/latency", {"seconds": seconds})

    def hold(self, *, on: bool) -> None:
        """Let every request of the two planes wait, until `release` lets through those that do; or none any more."""
        self._call("PUT", "/hold", {"on": on})

    def held(self) -> int:
        """How many wait now."""
        return int(self._call("GET", "/hold")["waiting"])

    def release(self) -> int:
        """Let all through that wait now, and return how many; later ones wait."""
        return int(self._call("POST", "/hold")["released"])

    def advance(self, seconds: float) -> None:
        """Push the emulator's clock ahead; what falls due happens."""
        self._call("POST", "/advance", {"seconds": seconds})

    def now(self) -> str:
        """The emulator's time."""
        return str(self._call("GET", "/health")["now"])

    def settle(self) -> None:
        """Push the clock ahead until no operation and no lagging write is left."""
        self._call("POST", "/settle")

    def requests(self) -> list[dict[str, Json]]:
        """Requests since the last `reset_log`, in order."""
        return list(self._call("GET", "/requests")["requests"])

    def counters(self) -> dict[str, Json]:
        """Reads, writes and opened connections, of each plane and `total`."""
        return dict(self._call("GET", "/counters"))

    def count(self, *, writes: bool, plane: str = "total") -> int:
        """How many writes, or how many reads, since the last `reset_log`."""
        return int(self.counters()[plane]["writes" if writes else "reads"])

    def reset_log(self) -> None:
        """Start with an empty log."""
        self._call("DELETE", "/requests")

    def events(self, source: str = "", since: int = 0) -> list[dict[str, Json]]:
        """What was published: `arm`, `audit`, `hook`, or all."""
        return list(self._call("GET", "/events?" + urlencode({"source": source, "since": since}))["events"])

    def subscribe(self, url: str, *, sources: list[str] | None = None, schema: str = "eventgrid", **more: Json) -> int:
        """Have events posted to a loopback URL; schema `eventgrid`, `cloudevents` or `raw`; more: headers."""
        body = {"url": url, "sources": sources, "schema": schema, **more}
        return int(self._call("POST", "/subscriptions", body)["number"])

    def subscriptions(self) -> list[dict[str, Json]]:
        """Subscriptions with what was delivered to them."""
        return list(self._call("GET", "/subscriptions")["subscriptions"])

    def unsubscribe(self, number: int) -> None:
        """No more events to that subscription."""
        self._call("DELETE", f"/subscriptions/{number}")

    def _call(self, method: str, path: str, body: Json = None) -> Json:
        connection = HTTPConnection(self._host, timeout=60)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            answer = connection.getresponse()
            found = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004 the control port knows success and refusal only
            raise ControlError(found["error"]["message"])
        return found
