"""Exchanges with the API of a code host: bounded, retried where that is safe, and judged.

A response means the same on both hosts (`reconciler.adapters.devops.responses`), but for GitHub's 403 where its rate
limit is used up. Reads and repeatable writes are tried three times; a write that creates something is tried again only
where it did not arrive or was turned away unread (429). Between tries it waits as long as the host asks, up to a minute
in all. Sources: GitHub, "Rate limits for the REST API" and "Best practices for using the REST API".
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import tenacity

from reconciler.adapters import bounds, network
from reconciler.adapters.clock import SystemClock
from reconciler.adapters.devops.responses import DevOpsResponse, judge, pause
from reconciler.adapters.origin import Origin
from reconciler.config.agent import user_agent
from reconciler.documents import Json
from reconciler.errors import ReconcilerError, Refused, Throttled, Transient, Unavailable
from reconciler.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class HostAccess:
    """How a host is reached."""

    authorization: Callable[[], str] = field(repr=False)
    """Gives the value of the Authorization header, fresh for every request."""
    allow_loopback: bool = False
    clock: Clock = field(default_factory=SystemClock)
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What one call may cost; seconds, bytes and tries."""

    connect: float = 5.0
    read: float = 30.0
    answer: float = 60.0
    body: int = 8 * bounds.MEGABYTE
    tries: int = 3
    sleep: float = 60.0
    """All waits of one call together."""


@dataclass(frozen=True, slots=True)
class _Try:
    response: DevOpsResponse | None = None
    error: ReconcilerError | None = None
    again: bool = False


class HostSession:
    """Calls the API of one host, and no other host."""

    def __init__(self, base: str, name: str, access: HostAccess, limits: HostLimits | None = None) -> None:
        """`base`: of the API; `name`: of the repository, for messages."""
        self.name = name
        self._base = base.rstrip("/")
        self._access = access
        self._limits = limits or HostLimits()
        self._origin = Origin.of(self._base, what=name, allow_loopback=access.allow_loopback)
        self._session = network.session()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        what: str,
        body: Json = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> DevOpsResponse:
        """The response, once it can be trusted; otherwise raises one of `reconciler.errors`.

        `what`: for people; `repeatable`: whether doing it twice is as good as once (None: for all methods but POST).
        """
        url = f"{self._base}{path}" + (f"?{urlencode(query)}" if query else "")
        where = f"{self.name}: {method} {what}"
        if not self._origin.covers(url):
            raise Refused(f"{where}: not on {self._origin}, so it gets no token")
        safe = method != "POST" if repeatable is None else repeatable
        slept = 0.0

        def sleep(seconds: float) -> None:
            nonlocal slept
            slept += seconds
            self._access.sleep(seconds)

        def wait(state: tenacity.RetryCallState) -> float:
            error = _outcome(state).error
            return max(error.retry_after or 0.0 if error else 0.0, 0.5 * 2.0 ** (state.attempt_number - 1))

        def stop(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self._limits.tries or slept + state.upcoming_sleep > self._limits.sleep

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda one: one.again),
            wait=wait,
            stop=stop,
            sleep=sleep,
            retry_error_callback=_outcome,
        )
        outcome: _Try = retrying(self._try, method, url, where, body, headers or {}, safe=safe)
        if outcome.error is not None:
            raise outcome.error
        assert outcome.response is not None  # noqa: S101 - for the type checker: one of the two is there
        return outcome.response

    def pages(self, path: str, what: str, size: int, headers: Mapping[str, str]) -> Iterator[Json]:
        """The entries of a list of GitHub, page after page."""
        for number in range(1, _MOST_PAGES + 1):
            query = {"per_page": str(size), "page": str(number)}
            response = self.call("GET", path, what, query=query, headers=headers)
            found = response.document
            if not isinstance(found, list):
                raise Unavailable(f"{self.name}: GET {what}: the response is no list")
            yield from found
            link = response.headers.get("link")
            if not (len(found) == size if link is None else 'rel="next"' in link):
                return
        raise Unavailable(f"{self.name}: GET {what}: the pages did not end after {_MOST_PAGES}")

    def _try(self, method: str, url: str, where: str, body: Json, headers: Mapping[str, str], *, safe: bool) -> _Try:
        authorization = self._access.authorization()
        sent = {"Accept": "application/json", "User-Agent": user_agent(""), **headers, "Authorization": authorization}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        limits = self._limits
        try:
            with bounds.within(limits.answer, limits.body, self._access.clock.monotonic):
                answer = self._session.request(
                    method, url, headers=sent, data=data,
                    timeout=(limits.connect, limits.read), allow_redirects=False,
                )  # fmt: skip
        except bounds.Exceeded as error:
            return _Try(error=Unavailable(f"{where}: {error}"))
        except network.ERRORS as error:
            silence = network.no_response(error, url)
            again = silence.passing and (safe or not silence.sent)
            return _Try(error=Unavailable(f"{where}: {silence.why}"), again=again)
        return self._judged(DevOpsResponse.of(answer.status_code, answer.headers, answer.content), where, sent, safe)

    def _judged(self, response: DevOpsResponse, where: str, sent: Mapping[str, str], safe: bool) -> _Try:
        error = judge(response, where, _secrets(sent["Authorization"]))
        if error is None:
            return _Try(response)
        seconds = pause(response, lambda: self._access.clock.now().timestamp())
        if response.status == _FORBIDDEN and (seconds or response.headers.get("x-ratelimit-remaining") == "0"):
            error = Throttled(str(error))
        error.retry_after = seconds or None
        again = isinstance(error, Throttled) or (safe and isinstance(error, Transient))
        return _Try(error=error, again=again)


_MOST_PAGES = 100
_FORBIDDEN = 403


def _outcome(state: tenacity.RetryCallState) -> _Try:
    assert state.outcome is not None  # noqa: S101 - for the type checker: tenacity sets it before it calls
    found: _Try = state.outcome.result()
    return found


def _secrets(authorization: str) -> tuple[str, ...]:
    """What must not stand in an error: the token as it is sent, and as it was given."""
    token = authorization.partition(" ")[2]
    try:
        decoded = base64.b64decode(token, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        decoded = ""
    return tuple(one for one in (token, decoded) if one)
