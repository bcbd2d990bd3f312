"""The azure-devops package, made to send everything through our session.

The package builds each request (route, version, body) and reads each response into its models. What it does between
the two is replaced: msrest lets a credential be a policy of its pipeline, and `SessionTransport` is one that ends the
pipeline, so that no request of the package, discovery included, can leave by another way. Measured with azure-devops
7.1.0b4, its own transport keeps one connection pool per thread, drops a connection after every error response, sleeps
through long retries in the caller, follows redirects, and hides statuses and headers.

Clients are made for the two configured endpoints, and not through the package's `Connection`: that one asks the
service where to send the token (resource areas), and where an area is missing it calls a fixed public host, token
included. What is left of discovery is one OPTIONS for each endpoint of an organization, sent once however many
threads start. Its file cache is switched off: it is written without locks, by default below HOME, and creating its
folder fails at import where HOME cannot be written.

Importing this module costs a quarter of a second; `reconciler.adapters.devops.clients` does so when needed.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import tempfile
from threading import Lock, local
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from msrest.pipeline import HTTPPolicy, Response
from msrest.universal_http.requests import ClientRetryPolicy, RequestsClientResponse

from reconciler.adapters.devops.exchange import OutgoingRequest
from reconciler.adapters.devops.responses import DevOpsResponse, clip
from reconciler.adapters.lazy_imports import LOADING
from reconciler.documents import Json
from reconciler.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from reconciler.adapters.devops.session import Session

_CACHE_VARIABLE = "AZURE_DEVOPS_CACHE_DIR"
_FORWARDED = ("Accept", "Content-Type")


def _load() -> None:
    """Import the package without letting it make a folder below HOME, and switch its file cache off."""
    before = os.environ.get(_CACHE_VARIABLE)
    os.environ[_CACHE_VARIABLE] = tempfile.gettempdir()  # exists, so nothing is made; nothing is written either
    try:
        cache = importlib.import_module("azure.devops._file_cache")
    finally:
        if before is None:
            del os.environ[_CACHE_VARIABLE]
        else:
            os.environ[_CACHE_VARIABLE] = before
    for file in (cache.OPTIONS_CACHE, cache.RESOURCE_CACHE):
        file.file_name = ""  # without a name it keeps everything in memory
    logging.getLogger("azure.devops").setLevel(logging.INFO)  # below that it writes whole bodies
    # Each client looks up a thousand codes in this list, of five hundred: 5 ms, for a policy that nothing here asks.
    ClientRetryPolicy.safe_codes = frozenset(ClientRetryPolicy.safe_codes)  # type: ignore[assignment] # only `in` is asked


_load()


class SessionTransport(HTTPPolicy):  # type: ignore[type-arg] # msrest leaves its parameters open
    """Ends the pipeline of an organization's clients: sends through the session, keeps the response."""

    def __init__(self, session: Session, organization: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # msrest has no annotations here
        self._session = session
        self._organization = organization
        self._current = local()
        self._tables: dict[str, DevOpsResponse] = {}
        self._tables_lock = Lock()

    def about(self, route: str, what: str) -> None:
        """Name the next request of this thread, for errors and metrics."""
        self._current.route, self._current.what, self._current.response = route, what, None

    @property
    def response(self) -> DevOpsResponse:
        """The last response in this thread: the package's models drop fields, statuses and headers."""
        response: DevOpsResponse = self._current.response
        return response

    @property
    def answered(self) -> bool:
        """Whether there was a response to the request that `about` named."""
        return self._current.response is not None

    def send(self, request: Any, **_options: Any) -> Any:
        """One request of the package, called by msrest."""
        sent = request.http_request
        answer = self._table(sent) if sent.method == "OPTIONS" else self._session.send(self._call(sent))
        if not isinstance(answer.document, dict):
            # The package would turn it into an empty list or an AttributeError.
            raise Unavailable(f"{self._call(sent).where}: {answer.status}: the response is not a JSON object")
        if sent.method != "OPTIONS":
            self._current.response = answer
        response = RequestsClientResponse(sent, _response(sent.url, answer))  # type: ignore[no-untyped-call] # as above
        return Response(request, response)

    def _table(self, sent: Any) -> DevOpsResponse:
        """The table of routes at one endpoint; threads that start together wait for one request.

        An empty one is an error: the package would keep it for as long as this process runs. Where this organization's
        table lacks a route the package requests a table elsewhere; the token does not go there.
        """
        if not self._session.endpoints.cover(sent.url, self._organization):
            where = f"organization {self._organization}: {self._current.what}"
            host = clip(urlsplit(sent.url).netloc)
            raise Rejected(f"{where}: the organization does not list this route, and no request for it goes to {host}")
        with self._tables_lock:
            if sent.url not in self._tables:
                call = self._call(sent)
                answer = self._session.send(call)
                routes = answer.document.get("value") if isinstance(answer.document, dict) else None
                if not (isinstance(routes, list) and routes and all(_whole(one) for one in routes)):
                    raise Unavailable(f"{call.where}: {answer.status}: the response contains no routes")
                self._tables[sent.url] = answer
            return self._tables[sent.url]

    def _call(self, sent: Any) -> OutgoingRequest:
        discovery = sent.method == "OPTIONS"
        body = sent.data.encode() if isinstance(sent.data, str) else sent.data
        return OutgoingRequest(
            self._organization,
            sent.method,
            sent.url,
            "discovery" if discovery else self._current.route,
            "routes" if discovery else self._current.what,
            {name: sent.headers[name] for name in _FORWARDED if name in sent.headers},
            body,
        )


def _whole(route: Json) -> bool:
    """Whether the package can read a route: it keeps the table as long as this process runs."""
    texts = ("id", "area", "resourceName", "routeTemplate", "minVersion", "maxVersion")
    return isinstance(route, dict) and all(isinstance(route.get(name), str) for name in texts)


def client(kind: str, url: str, wire: SessionTransport) -> Any:
    """A 7.1 client of the package for one endpoint of one organization; `kind` is its module's name."""
    with LOADING:
        module = importlib.import_module(f"azure.devops.v7_1.{kind}")
    name = "".join(part.capitalize() for part in kind.split("_")) + "Client"
    return getattr(module, name)(url, wire)


def _response(url: str, answer: DevOpsResponse) -> requests.Response:
    """The answer in the form that msrest reads."""
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.headers.pop("transfer-encoding", None)
    response.encoding = "utf-8"
    response.url = url
    response.raw = io.BytesIO(answer.body)
    return response
