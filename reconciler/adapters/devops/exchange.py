"""One HTTP exchange: checks the URL, attaches the token, reads the response to its end.

No retries, no redirects, no cookies, no `.netrc`; `reconciler.adapters.network` decides proxy and certificate
authorities. Kept apart from
`reconciler.adapters.devops.session` because this is the part that decides where a token may go.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from reconciler.adapters import bounds, network
from reconciler.adapters.devops.endpoints import Endpoints
from reconciler.adapters.devops.responses import DevOpsResponse
from reconciler.config.agent import user_agent
from reconciler.errors import Refused


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one call may cost; seconds and bytes."""

    connect: float = 5.0
    read: float = 60.0
    """Between two pieces of a response; the service itself delays heavy users by up to 30 s."""
    answer: float = 90.0
    """For one whole response, status line and headers included."""
    body: int = bounds.BYTES
    parallel: int = 4
    """The most calls in flight for one organization."""
    tries: int = 3
    sleep: float = 5.0
    """All sleeping of one call together: waits for the gate and between tries."""
    patience: float = 30.0
    """No further try once a call has taken this long."""
    call: float = 120.0
    """For one read with all its tries."""
    write: float = bounds.WRITE_SECONDS
    """For one write with everything before it: the wait for a slot, for the gate, and for a connection."""


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """One request, before headers and token are added."""

    organization: str
    method: str
    url: str
    route: str
    """Short name for metrics: ``queues``."""
    what: str
    """For people: ``queues of project {id}``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """`Accept` and `Content-Type`; everything else is set here."""
    body: bytes | None = field(default=None, repr=False)

    @property
    def reads(self) -> bool:
        """Whether repeating it is harmless."""
        return self.method in {"GET", "HEAD", "OPTIONS"}

    @property
    def where(self) -> str:
        """The beginning of each error text of this call."""
        return f"organization {self.organization}: {self.method} {self.what}"


class NoAnswerError(Exception):
    """No readable response; `sent` is False where the request cannot have arrived."""

    def __init__(self, why: str, *, sent: bool = True, passing: bool = True) -> None:
        super().__init__(why)
        self.sent = sent
        self.passing = passing
        """Whether a retry may succeed."""


class Exchange:
    """Sends one request and reads one response over connections that stay open."""

    def __init__(
        self, endpoints: Endpoints, limits: CallLimits, monotonic: Callable[[], float], agent: str = ""
    ) -> None:
        self._endpoints = endpoints
        self._agent = agent or user_agent("")
        self._limits = limits
        self._monotonic = monotonic
        self._correlation = str(uuid.uuid4())
        # The adapter and not `requests.Session`: the latter follows redirects, keeps cookies and lets .netrc
        # replace the Authorization header. It does not block: the slots of a session bound what is in flight.
        self._adapter = bounds.BoundedAdapter(pool_connections=8, pool_maxsize=64, max_retries=0)

    def close(self) -> None:
        """Close the connections."""
        self._adapter.close()

    def __call__(self, call: OutgoingRequest, authorization: str) -> DevOpsResponse:
        """The response, of any status; raises `NoAnswerError`, or `Refused` for a URL that gets no token."""
        request = self._prepared(call)
        request.headers["Authorization"] = authorization
        try:
            with bounds.within(self._limits.answer, self._limits.body, self._monotonic):
                return self._exchange(request)
        except bounds.Exceeded as error:
            raise NoAnswerError(str(error), passing=False) from None
        except network.ERRORS as error:
            silence = network.no_response(error, request.url or "")
            raise NoAnswerError(silence.why, sent=silence.sent, passing=silence.passing) from None

    def _prepared(self, call: OutgoingRequest) -> requests.PreparedRequest:
        headers = {
            "Accept": "application/json",
            **call.headers,
            "Accept-Encoding": "gzip",
            "User-Agent": self._agent,
            "X-TFS-FedAuthRedirect": "Suppress",
            "X-VSS-ForceMsaPassThrough": "true",
            "X-TFS-Session": self._correlation,
        }
        # Not `requests.Request`: cookies, of which there are none, take it longer than everything else together.
        request = requests.PreparedRequest()
        request.prepare_method(call.method)
        request.prepare_url(call.url, None)
        request.prepare_headers(headers)
        request.prepare_body(call.body, None)
        # Checked after `prepare_url`, which resolves dot segments and odd spellings: this is what is sent.
        if not self._endpoints.cover(request.url or "", call.organization):
            host = urlsplit(request.url or "").hostname
            raise Refused(
                f"{call.where}: host {host} is not a configured endpoint of this organization, so it gets no token"
            )
        return request

    def _exchange(self, request: requests.PreparedRequest) -> DevOpsResponse:
        timeout = (self._limits.connect, self._limits.read)
        route = network.route_to(request.url or "")
        response = self._adapter.send(
            request, stream=True, timeout=timeout, verify=route.authorities, proxies=route.proxies
        )
        try:
            return DevOpsResponse.of(response.status_code, response.headers, bounds.body_of(response))
        except BaseException:
            response.raw.close()  # half-read: this connection cannot be used again
            raise
