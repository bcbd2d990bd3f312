"""The emulator as a process: started, read, changed as people would by hand, and ended."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.demo.process import end, first_line, load
from reconciler.documents import Json
from reconciler.errors import Unavailable

_START = 20.0
"""Seconds until the emulator has to be there."""
_ANSWER = 20.0
"""Seconds for one answer of it."""


class Emulation:
    """A running emulator. `close` ends it."""

    def __init__(self, estate: Path, log: Path, switches: Sequence[str] = ()) -> None:
        command = [sys.executable, "-m", "emulator", "--estate", str(estate)]
        for switch in switches:
            command += ["--switch", switch]
        self._log = log
        with log.open("wb") as errors:
            # A session of its own: Ctrl-C in the terminal ends the demo, which then ends the emulator.
            self.process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                command, stdout=subprocess.PIPE, stderr=errors, cwd=root(), start_new_session=True
            )
        try:
            load()  # while the emulator loads itself
            ready = self._ready()
        except BaseException:  # Ctrl-C too: the process would stay behind
            self.close()
            raise
        self.arm, self.devops, self.control = str(ready["arm"]), str(ready["devops"]), str(ready["control"])
        self.identity = str(ready.get("identity", self.devops))
        self.tokens: Mapping[str, str] = ready["tokens"]
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def close(self) -> None:
        """End the process and wait for it."""
        end(self.process, 5)

    def state(self) -> dict[str, Json]:
        """The whole estate as the emulator has it, in the form of its estate file."""
        return dict(self._call("GET", f"{self.control}/state"))

    def writes(self) -> int:
        """Writes on both planes since the last `forget`."""
        return int(self._call("GET", f"{self.control}/counters")["total"]["writes"])

    def requests(self) -> list[dict[str, Json]]:
        """Requests on both planes since the last `forget`, in order."""
        return list(self._call("GET", f"{self.control}/requests")["requests"])

    def forget(self) -> None:
        """Reset the counters."""
        self._call("DELETE", f"{self.control}/requests")

    def by_hand(self, who: str, method: str, path: str, body: Json) -> None:
        """What a person does in Azure DevOps; the path begins with the organization."""
        headers = {"Authorization": f"Bearer devops-{who}", "X-TFS-FedAuthRedirect": "Suppress"}
        self._call(method, f"{self.devops}/{path}?api-version=7.1-preview.1", body, headers)

    def in_portal(self, who: str, method: str, path: str, body: Json) -> None:
        """What a person does in ARM; the path begins with the subscription's id."""
        headers = {"Authorization": f"Bearer arm-{who}"}
        self._call(method, f"{self.arm}/subscriptions/{path}?api-version=2026-06-02", body, headers)

    def subscribe(self, source: str, url: str) -> None:
        """Let events of `arm` or `audit` go to a URL, as Event Grid delivers them."""
        self._call("POST", f"{self.control}/subscriptions", {"url": url, "sources": [source], "schema": "eventgrid"})

    def edit(self, what: str, **arguments: Json) -> None:
        """A manual edit that has no request of its own; docs/emulator.md lists them."""
        self._call("POST", f"{self.control}/edit", {"what": what, **arguments})

    def fault(self, kind: str, **filters: Json) -> None:
        """Let requests fail: `count` of them, those that match the filters."""
        self._call("POST", f"{self.control}/faults", {"kind": kind, "route": "*", **filters})

    def switch(self, name: str, value: Json) -> None:
        """Set a switch."""
        self._call("PATCH", f"{self.control}/switches", {name: value})

    def switch_value(self, name: str) -> Json:
        """The value of a switch."""
        rows = self._call("GET", f"{self.control}/switches")["switches"]
        return next(row["value"] for row in rows if row["name"] == name)

    def _ready(self) -> dict[str, Json]:
        """The JSON line that the emulator prints when it listens."""
        line = first_line(self.process, _START)
        if not line:
            self.process.wait()
            said = self._log.read_text(errors="replace").strip().splitlines()
            raise Unavailable(f"emulator: did not start: {said[-1] if said else 'without a message'}")
        return dict(json.loads(line))

    def _call(self, method: str, url: str, body: Json = None, headers: Mapping[str, str] | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, dict(headers or {}), method=method)  # noqa: S310 - loopback, our own
        if data:
            request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=_ANSWER) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Unavailable(f"emulator: {method} {error.url} returned {error.code}: {error.read()[:200]!r}") from None
        except OSError as error:
            raise Unavailable(f"emulator: {method} {url}: {error}") from None
        return json.loads(text) if text else None


def root() -> Path:
    """The folder that holds the packages `reconciler` and `emulator`."""
    return Path(__file__).resolve().parents[2]
