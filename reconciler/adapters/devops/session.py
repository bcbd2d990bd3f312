"""The one HTTP session to Azure DevOps: it decides where a token goes, how much is in flight, and what is retried.

Both the azure-devops package (through `reconciler.adapters.devops.clients`) and plain REST calls go through it:

- the token goes to the configured endpoints alone, below the organization's own path;
- connections stay open and are shared; how many calls are in flight for an organization adapts to its responses;
- the headers of each response count, those of a 200 too: `Retry-After` and `X-RateLimit-*` close the organization's
  gate;
- reads are retried after short faults: three tries and five seconds of sleep in all. A write is retried only where it
  cannot have left this machine: all writes are verified by reading anyway.

Not here: where a token may go (`reconciler.adapters.devops.exchange`), what a response means
(`reconciler.adapters.devops.responses`), which calls exist (`reconciler.adapters.devops.reads`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import tenacity

from reconciler.adapters import bounds
from reconciler.adapters.credentials import Credential
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.exchange import CallLimits, Exchange, NoAnswerError, OutgoingRequest
from reconciler.adapters.devops.responses import DevOpsResponse, figures, judge, pause
from reconciler.adapters.devops.throttling import ThrottlingGates, Timing
from reconciler.documents import Json
from reconciler.errors import NotFound, ReconcilerError, Refused, Rejected, Transient, Unavailable
from reconciler.ports import pacing
from reconciler.telemetry import Calls
from reconciler.telemetry import CallSpan as Watched

ACTIVITY = "activityid"
"""The service's id of a request, for its support (Microsoft Learn: CustomHttpResponseHeaders.ActivityId)."""

_PASSING = frozenset({200, 408, 429, 500, 502, 503, 504})
"""Statuses of reads that a retry may fix; an unreadable 200 is one of them."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one try."""

    result: DevOpsResponse | ReconcilerError
    response: DevOpsResponse | None = None
    """What came back, also where it means an error."""
    again: bool = False
    """Whether another try may be made."""
    silent: bool = False
    """Whether nothing came back at all."""


class _Budget:
    """The seconds that one call may still sleep."""

    def __init__(self, seconds: float, sleep: Callable[[float], None]) -> None:
        self.left = seconds
        self._sleep = sleep

    def spend(self, seconds: float) -> None:
        self.left -= seconds
        self._sleep(seconds)


class Session:
    """Sends calls. Safe to share between threads, and meant to be: it owns the connections."""

    def __init__(
        self,
        credential: Credential,
        endpoints: Endpoints,
        *,
        gates: ThrottlingGates | None = None,
        timing: Timing | None = None,
        limits: CallLimits | None = None,
        calls: Calls | None = None,
        gets_alone: bool = False,
        agent: str = "",
    ) -> None:
        """`gets_alone`: refuse every method but GET, also the OPTIONS of discovery. `agent`: the `User-Agent`."""
        self.endpoints = endpoints
        self._credential = credential
        self._timing = timing or Timing()
        self._limits = limits or CallLimits()
        self._gates = gates or ThrottlingGates(self._timing.monotonic, wall=self._timing.wall)
        self._calls = calls or Calls("devops")
        self._gets_alone = gets_alone
        self._exchange = Exchange(endpoints, self._limits, self._timing.monotonic, agent)

    def close(self) -> None:
        """Close the connections; calls may still follow and open new ones."""
        self._exchange.close()

    def send(self, call: OutgoingRequest, *, accept_rejection: bool = False) -> DevOpsResponse:
        """The response, once it can be trusted; otherwise raises one of `reconciler.errors`.

        With `accept_rejection` a rejected request (400, 404, …) is returned and not raised.
        """
        seconds = self._limits.call if call.reads else self._limits.write
        within = bounds.within(seconds, self._limits.body, self._timing.monotonic)
        with self._calls.call(call.method, call.route, call.organization, call.url) as watched, within:
            outcome = self._tried(call, watched, self._timing.monotonic() + seconds)
            if outcome.silent:
                self._gates.unanswered(call.organization, self._credential.name)
            if accept_rejection and isinstance(outcome.result, NotFound | Rejected) and outcome.response is not None:
                return outcome.response
            if isinstance(outcome.result, ReconcilerError):
                _, work = pacing.current()
                if work is not None and isinstance(outcome.result, Transient):
                    work.cut(call.organization)
                raise outcome.result
            return outcome.result

    def rest(self, call: OutgoingRequest, body: Json = None) -> DevOpsResponse:
        """Send a request with `body` as JSON where it is not None; its headers may name another type of JSON."""
        if body is None:
            return self.send(call)
        headers = {"Content-Type": "application/json; charset=utf-8", **call.headers}
        sent = OutgoingRequest(
            call.organization, call.method, call.url, call.route, call.what, headers, json.dumps(body).encode()
        )
        return self.send(sent)

    def _tried(self, call: OutgoingRequest, watched: Watched, until: float) -> _Outcome:
        """One try, or up to three where that is safe and short."""
        if self._gets_alone and call.method != "GET":
            return _Outcome(Refused(f"{call.where}: this session sends GET requests only"))
        budget = _Budget(self._limits.sleep, self._timing.sleep)
        begun = self._timing.monotonic()

        def wait(state: tenacity.RetryCallState) -> float:
            jitter = self._timing.chance() * 0.4 * 2.0**state.attempt_number
            return max(jitter, self._gates.remaining(call.organization, self._credential.name))

        def stop(state: tenacity.RetryCallState) -> bool:
            late = self._timing.monotonic() - begun > self._limits.patience
            return late or state.attempt_number >= self._limits.tries or state.upcoming_sleep > budget.left

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: outcome.again),
            wait=wait,
            stop=stop,
            sleep=budget.spend,
            retry_error_callback=_last,
        )
        return retrying(self._try, call, budget, watched, until)

    def _try(self, call: OutgoingRequest, budget: _Budget, watched: Watched, until: float) -> _Outcome:
        key = (call.organization, self._credential.name)
        while True:
            timeout = max(0.0, until - self._timing.monotonic())
            with self._gates.slot(*key, self._limits.parallel, timeout) as free:
                if not free:
                    return _Outcome(Unavailable(f"{call.where}: not sent, other calls took all of its time"))
                closed = self._gates.take(*key, writes=not call.reads)
                if closed is None:
                    return self._sent(call, watched)
            # Not within the slot: calls of a higher priority may be sent meanwhile.
            if (closed.retry_after or 0.0) > budget.left:
                return _Outcome(closed)
            budget.spend(closed.retry_after or 0.0)

    def _sent(self, call: OutgoingRequest, watched: Watched) -> _Outcome:
        authorization = self._credential.devops_header()
        begun = self._timing.monotonic()
        status, correlation = 0, ""
        try:
            answer = self._exchange(call, authorization)
            status, correlation = answer.status, answer.headers.get(ACTIVITY, "")
        except NoAnswerError as error:
            return self._unanswered(call, error)
        finally:
            watched.tried(status, self._timing.monotonic() - begun, correlation)
        return self._answered(call, answer, begun)

    def _unanswered(self, call: OutgoingRequest, error: NoAnswerError) -> _Outcome:
        again = error.passing and (call.reads or not error.sent)
        return _Outcome(Unavailable(f"{call.where}: {error}"), again=again, silent=error.passing)

    def _answered(self, call: OutgoingRequest, answer: DevOpsResponse, begun: float) -> _Outcome:
        key = (call.organization, self._credential.name)
        self._gates.answered(*key)
        seconds = pause(answer, self._timing.wall)
        self._gates.measured(*key, begun, figures(answer, seconds), upper=self._limits.parallel)
        self._gates.close(*key, seconds)
        error = judge(answer, call.where, self._credential.secrets())
        if error is None:
            return _Outcome(answer)
        error.retry_after = seconds or None
        return _Outcome(error, answer, again=call.reads and isinstance(error, Transient) and answer.status in _PASSING)


def _last(state: tenacity.RetryCallState) -> _Outcome:
    """The result of the last try."""
    assert state.outcome is not None  # noqa: S101 - for the type checker: tenacity sets it before it calls
    outcome: _Outcome = state.outcome.result()
    return outcome
