"""The route to a host: directly or through the company's proxy, and which certificate authorities are trusted.

All transports (ARM, Azure DevOps, Git, Azure Storage, sign-in, telemetry) use this module, so that the same variables
of the environment have the same effect on each of them:

- ``HTTPS_PROXY`` (or ``ALL_PROXY``) names the proxy of https, ``NO_PROXY`` the hosts that are called directly;
- ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE`` (the first that is set) names a file or folder with
  certificate authorities, in place of those of the package certifi.

A proxy only ever sees ``CONNECT host:443``: the request and its token are inside the TLS connection with the host.
Plain http never goes through a proxy; only loopback and the identity endpoints of a machine are called by it.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from reconciler.adapters import bounds
from reconciler.config.endpoints import is_loopback_host, url_parts
from reconciler.config.settings import environment
from reconciler.errors import Refused

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport

S = TypeVar("S", bound="RoutedSession")

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""In this order, as requests and OpenSSL name them."""

_PROXY_SCHEMES = ("http", "https")
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
"""OpenSSL's X509_V_ERR codes for a chain that ends in no trusted authority (x509_vfy.h)."""
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
"""What http.client raises where a proxy answers CONNECT with another status than 200."""


ERRORS = (requests.RequestException, HTTPError, OSError)
"""What requests and urllib3 raise where there is no response."""

_NOT_SENT: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((NameResolutionError, socket.gaierror), "DNS: no address for {}"),
    ((NewConnectionError,), "no connection to {}"),
    ((ConnectTimeoutError, requests.ConnectTimeout), "no connection to {} in time"),
)
"""Failures before a request was sent, the narrowest first."""


@dataclass(frozen=True, slots=True)
class HostRoute:
    """How a host is reached."""

    host: str
    authorities: str
    """File or folder with certificate authorities."""
    proxy: str = ""
    """URL of the proxy, with its user and password; empty: the host is called directly."""

    @property
    def proxies(self) -> dict[str, str]:
        """The form that requests takes."""
        return {"https": self.proxy} if self.proxy else {}

    @property
    def proxy_name(self) -> str:
        """Host and port of the proxy, for messages: without user and password."""
        return urlsplit(self.proxy).netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class NoResponse:
    """Why there is no response."""

    why: str
    """One line, without texts of servers: it names proxy, certificate or DNS where that is the cause."""
    sent: bool = True
    """Whether the request may have arrived."""
    passing: bool = True
    """Whether a retry may succeed without a change of the configuration."""


def route_to(url: str) -> HostRoute:
    """The route to the host of a URL. `Refused` where a variable names no usable proxy or certificate authorities."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    direct = parts.scheme != "https" or is_loopback_host(host)
    proxy = None if direct else requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return HostRoute(host, _authorities(), _proxy(proxy) if proxy else "")


def session() -> RoutedSession:
    """A session that takes the route to each URL; without cookies, ``.netrc`` and retries of its own."""
    return prepared(RoutedSession())


def prepared(made: S) -> S:
    """A session of this kind, as `session` returns it."""
    made.trust_env = False
    made.auth = _keep_our_header
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        made.mount(scheme, bounds.BoundedAdapter(pool_connections=2, pool_maxsize=8, max_retries=0))
    return made


def azure_transport(connect: float = 10.0, read: float = 60.0, *, error_bodies: bool = True) -> RequestsTransport:
    """The transport under a pipeline of azure-core; seconds to connect, and between two pieces of a response.

    Without `error_bodies` the SDK sees an empty body with each status of 400 or more.
    """
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - git needs no azure-core

    made = session()
    made.error_bodies = error_bodies
    return RequestsTransport(session=made, connection_timeout=connect, read_timeout=read, use_env_settings=False)


def connections(url: str) -> urllib3.PoolManager:
    """Connections of urllib3 on the route to this URL."""
    route = route_to(url)
    trust: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED"}
    trust |= {"ca_cert_dir" if Path(route.authorities).is_dir() else "ca_certs": route.authorities}
    made = urllib3.PoolManager(**trust)
    if route.proxy:
        made = urllib3.ProxyManager(route.proxy, proxy_headers=HTTPAdapter().proxy_headers(route.proxy), **trust)
    made.pool_classes_by_scheme = bounds.POOLS
    return made


def no_response(error: BaseException, url: str = "") -> NoResponse:
    """What an error of requests, urllib3 or azure-core means; `url` where the error does not know it itself."""
    chain = tuple(_chain(error))
    asked = (getattr(one, "request", None) for one in chain)
    known = url or next((str(request.url) for request in asked if request is not None), "")
    route = route_to(known) if known else HostRoute("the service", "")
    through = route.proxy and any(isinstance(one, ProxyError) for one in chain)
    who = f"proxy {route.proxy_name}" if through else route.host
    return _tls(chain, who, through=bool(through)) or _connection(chain, route, who, through=bool(through))


class RoutedSession(requests.Session):
    """Decides for each request, also where one session calls several hosts (sign-in)."""

    error_bodies = True

    def merge_environment_settings(
        self,
        url: Any,
        proxies: Any,  # noqa: ARG002 - the route decides
        stream: Any,
        verify: Any,  # noqa: ARG002 - likewise
        cert: Any,
    ) -> Any:
        """What requests sends a request with."""
        route = route_to(str(url))
        return {"proxies": route.proxies, "stream": bool(stream), "verify": route.authorities, "cert": cert}

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One exchange; the body is read here, within its bounds, however the SDK reads it afterwards."""
        response = super().send(request, **{**options, "stream": True})
        try:
            body = bounds.body_of(response)
        except BaseException:
            response.raw.close()  # half-read: this connection cannot be used again
            raise
        kept = self.error_bodies or response.ok
        response._content = body if kept else b""  # noqa: SLF001 - where requests itself keeps it
        return response


def _keep_our_header(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """With any `auth` set, the session leaves the user's ``.netrc`` alone, which would replace our token."""
    return request


def _authorities() -> str:
    """File or folder with certificate authorities."""
    given = environment()
    name = next((name for name in CA_VARIABLES if given.get(name)), "")
    return _checked(name, given[name]) if name else requests.utils.DEFAULT_CA_BUNDLE_PATH


@cache
def _checked(name: str, place: str) -> str:
    """The path, if certificates can be loaded from there; read once for each path."""
    try:
        folder = Path(place).is_dir()
        ssl.create_default_context(cafile=None if folder else place, capath=place if folder else None)
    except ssl.SSLError:
        raise Refused(f"{name}: {place}: holds no certificates in PEM form") from None
    except OSError as error:
        raise Refused(f"{name}: {place}: {error.strerror}") from None
    return place


def _proxy(given: str) -> str:
    """The proxy's URL with its scheme. The value itself is in no message: it may hold a password."""
    url = given if "://" in given else f"http://{given}"
    parts = url_parts(url)
    if parts is None or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise Refused("HTTPS_PROXY: not the URL of a proxy; write http://HOST:PORT")
    if parts.scheme not in _PROXY_SCHEMES:
        raise Refused(f"HTTPS_PROXY: a {parts.scheme} proxy is not supported; write http://HOST:PORT")
    return url


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from, outermost first: each library keeps that under another name."""
    waiting, known = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in known:
            continue
        known.add(id(one))
        yield one
        names = ("__cause__", "reason", "original_error", "inner_exception")
        held = (*(getattr(one, name, None) for name in names), *one.args)
        waiting += [inner for inner in held if isinstance(inner, BaseException)]


def _tls(chain: tuple[BaseException, ...], who: str, *, through: bool) -> NoResponse | None:
    """A failure of TLS, with the host or with the proxy; None where it is another one."""
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            remedy = f"; name your network's certificate authority in {CA_VARIABLES[0]}"
            what = f"certificate of {who}: {one.verify_message.rstrip('.')}"
            return NoResponse(what + (remedy if one.verify_code in _UNKNOWN_ISSUER else ""), sent=False, passing=False)
    for one in chain:
        if isinstance(one, ssl.SSLError):
            hint = "; for a proxy without TLS write http:// in HTTPS_PROXY" if through else ""
            return NoResponse(f"TLS with {who} failed ({one.reason or type(one).__name__}){hint}", sent=False)
    return None


def _connection(chain: tuple[BaseException, ...], route: HostRoute, who: str, *, through: bool) -> NoResponse:
    """Any other failure."""
    if through and (refused := _refused(chain, route)):
        return refused
    hint = "; if this network has a proxy, set HTTPS_PROXY"
    if through:
        hint = f"; check HTTPS_PROXY, or name {route.host} in NO_PROXY"
    elif route.proxy or is_loopback_host(route.host):
        hint = ""
    kinds = tuple(type(one) for one in chain)
    for wanted, what in _NOT_SENT:
        if any(issubclass(kind, wanted) for kind in kinds):
            return NoResponse(what.format(who) + hint, sent=False)
    if through:
        return NoResponse(f"{who}: no answer to CONNECT{hint}", sent=False)
    late = any(issubclass(kind, (requests.Timeout, ReadTimeoutError, TimeoutError)) for kind in kinds)
    return NoResponse("no response in time" if late else "the connection broke off")


def _refused(chain: tuple[BaseException, ...], route: HostRoute) -> NoResponse | None:
    """The proxy's own refusal of a tunnel; its reason phrase is a text of others, so only the number is shown."""
    status = next((int(found[1]) for one in chain if (found := _TUNNEL.search(str(one)))), 0)
    if status == 407:  # noqa: PLR2004 - HTTP's own number
        had = "rejects the user and password of" if "@" in route.proxy else "requires a user and password in"
        return NoResponse(f"proxy {route.proxy_name}: {had} HTTPS_PROXY (status 407)", sent=False, passing=False)
    if not status:
        return None
    passing = status >= 500  # noqa: PLR2004 - HTTP's own number
    return NoResponse(
        f"proxy {route.proxy_name}: no tunnel to {route.host} (status {status})", sent=False, passing=passing
    )
