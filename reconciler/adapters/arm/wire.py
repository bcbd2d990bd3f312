"""The pipeline under the ARM package: where a request may go, how often it is tried, and what is seen of it.

The package's own list of policies is replaced as a whole. It would follow redirects, sleep for as long as
``Retry-After`` says, log, and, on a missing resource provider, register it for us and sleep ten seconds a look; none
of that is wanted from an operator that must stay within its budget and its rights. Imported only when the first
request is made: azure-core costs a tenth of a second of a cold start.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
    HeadersPolicy,
    HTTPPolicy,
    RequestIdPolicy,
    RetryPolicy,
    UserAgentPolicy,
)

from reconciler.adapters import bounds, network
from reconciler.adapters.arm.errors import ArmAnswer, ArmErrorBody, words
from reconciler.adapters.origin import Origin
from reconciler.adapters.retry_after import WAITS, retry_after
from reconciler.documents import Json
from reconciler.errors import Forbidden, Refused, Unavailable
from reconciler.ports.clock import Clock
from reconciler.telemetry import Calls

if TYPE_CHECKING:
    Policy = HTTPPolicy[Any, Any]
    Retry = RetryPolicy[Any, Any]
    Bearer = BearerTokenCredentialPolicy[Any, Any]
else:
    Policy, Retry, Bearer = HTTPPolicy, RetryPolicy, BearerTokenCredentialPolicy

CONNECT_SECONDS = 5
TRIES = 3
PATIENCE_SECONDS = 2.0
"""Longest single sleep between two tries; with three tries that is at most 4 s a call."""

READ_SECONDS = 60.0
"""For one read with all its tries and, where there is none, the token."""

CORRELATION = "x-ms-correlation-request-id"
"""ARM's id of the operation that a request belongs to, for its support and its activity log (terraform-provider-azurerm
#3253)."""

ONCE: dict[str, Any] = {"retry_read": 0, "retry_status": 0}
"""Options of a write."""


@dataclass(frozen=True, slots=True)
class ArmPipeline:
    """What every pipeline of one endpoint shares."""

    origin: Origin
    credential: TokenCredential
    scope: str
    clock: Clock
    calls: Calls
    gets_alone: bool = False
    """Whether whatever is no GET is refused before it leaves."""


class OutcomePolicy(Policy):
    """Outermost: turns every way in which a call can go into an answer that was understood, or an error of ours."""

    def __init__(self, wire: ArmPipeline) -> None:
        super().__init__()
        self._origin = wire.origin
        self._clock = wire.clock
        self._calls = wire.calls

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Pass on; afterwards the body is a JSON object, or there is an exception.

        The option `judged` is a list that gets the response: the package may still fail to read it.
        """
        where = request.context.options.pop("where")
        route = request.context.options.pop("route")
        judged = request.context.options.pop("judged", [])
        seconds = READ_SECONDS if request.http_request.method == "GET" else bounds.WRITE_SECONDS
        with (
            self._calls.call(request.http_request.method, route) as request.context["watched"],
            bounds.within(seconds, monotonic=self._clock.monotonic),
        ):
            response = self._sent(request, where)
        self._readable(response.http_response.headers)
        judged.append(response.http_response)
        return response

    def _readable(self, headers: Any) -> None:
        """`Retry-After` in whole seconds, as the package and azure-core expect it, or none."""
        seconds = retry_after(headers, self._clock.now())
        for name in [name for name in headers if name.lower() in WAITS]:
            del headers[name]
        if seconds is not None:
            headers["Retry-After"] = str(math.ceil(seconds))

    def _sent(self, request: PipelineRequest[Any], where: str) -> PipelineResponse[Any, Any]:
        try:
            response = self.next.send(request)
            response.http_response.read()
        except bounds.Exceeded as problem:
            raise Unavailable(f"{where}: ARM gave no whole answer: {problem}") from None
        except ClientAuthenticationError as problem:
            raise Forbidden(f"{where}: no token for ARM ({type(problem).__name__})") from None
        except AzureError as problem:
            raise Unavailable(f"{where}: {_silence(problem)}") from None
        reply = response.http_response
        body = _json(reply)
        if reply.status_code >= 300:  # noqa: PLR2004 - HTTP's own number
            raise ArmAnswer(self._refusal(request, reply, body)) from None
        # 204, and 202 of an operation that goes on, have no body; of any other answer an empty one is a cut-off one.
        bare = reply.status_code == 204 or (reply.status_code == 202 and not reply.content)  # noqa: PLR2004 - HTTP's own
        if not isinstance(body, dict) and not bare and not self._begun(request, reply):
            raise Unavailable(f"{where}: ARM answered {reply.status_code} with a body that is no JSON object")
        return response

    def _begun(self, request: PipelineRequest[Any], reply: Any) -> bool:
        """Whether the headers alone say that a write was accepted, and where its operation is."""
        url = str(reply.headers.get("Azure-AsyncOperation") or "")
        return request.http_request.method != "GET" and bool(url) and self._origin.covers(url)

    def _refusal(self, request: PipelineRequest[Any], reply: Any, body: Json) -> ArmErrorBody:
        token = str(request.http_request.headers.get("Authorization", "")).removeprefix("Bearer ")
        code, message = words(body, (token,))
        return ArmErrorBody(reply.status_code, code, message, retry_after(reply.headers, self._clock.now()))


def _silence(problem: AzureError) -> str:
    """Why there is no whole answer, without the library's own words: they carry addresses of objects."""
    kind = "could not be reached" if isinstance(problem, ServiceRequestError) else "gave no whole answer"
    return f"ARM {kind}: {network.no_response(problem).why}"


def _json(reply: Any) -> Json:
    try:
        return json.loads(reply.content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


class Patience(Retry):
    """A short second and third try where it is safe: reads after a fault, and requests that were never sent.

    A PUT whose answer was lost may have been carried out: it is not sent again (`ONCE`), the next run reads first. 409
    and 429 are for those who own the pool's backoff and the organization's gate, not for a sleeping thread.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(
            retry_total=TRIES - 1,
            retry_connect=TRIES - 1,
            retry_read=TRIES - 1,
            retry_status=TRIES - 1,
            retry_backoff_factor=0.2,
            retry_backoff_max=PATIENCE_SECONDS,
        )
        self._clock = clock

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to retry at once."""
        reply = response.http_response
        wait = retry_after(reply.headers, self._clock.now()) or 0.0
        return (
            response.http_request.method == "GET"
            and reply.status_code in (408, 500, 502, 503, 504)
            and wait <= PATIENCE_SECONDS
            and bool(settings["total"])
        )

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Seconds the service asks for; the library's own reader raises on a header it cannot read."""
        return retry_after(response.http_response.headers, self._clock.now())


class BoundToken(Bearer):
    """Adds the token, and only where it belongs: another host gets neither token nor request."""

    def __init__(self, wire: ArmPipeline) -> None:
        super().__init__(wire.credential, wire.scope)
        self._origin = wire.origin
        self._gets_alone = wire.gets_alone

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Refuse other hosts; allow http only where the origin itself was accepted with it."""
        if not self._origin.covers(request.http_request.url):
            host = urlsplit(request.http_request.url).netloc.rpartition("@")[2]
            raise Refused(f"ARM: {host} is not {self._origin}, and no other host is called")
        if self._gets_alone and request.http_request.method != "GET":
            raise Refused("ARM: this client sends GET requests only")
        if self._origin.scheme == "http":
            request.context.options["enforce_https"] = False
        super().on_request(request)


class Watch(Policy):
    """Innermost: records each single try."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Measure one try."""
        began = self._clock.monotonic()
        status, correlation = 0, ""
        try:
            response = self.next.send(request)
            status = response.http_response.status_code
            correlation = response.http_response.headers.get(CORRELATION, "")
        finally:
            request.context["watched"].tried(status, self._clock.monotonic() - began, correlation)
        return response


def policies(wire: ArmPipeline) -> list[Any]:
    """A fresh chain, outermost first; chains cannot be shared, their links are."""
    return [
        OutcomePolicy(wire),
        RequestIdPolicy(),
        HeadersPolicy(),
        UserAgentPolicy("mdp-reconciler"),
        Patience(wire.clock),
        BoundToken(wire),
        Watch(wire.clock),
    ]
