"""Where a token may be sent: the configured base URLs, and below them the path of one organization.

The organization's name comes from a spec, and the azure-devops package follows addresses in the service's responses;
so each URL is built here from checked parts, and compared with the configured ones. Nothing is resolved or sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from reconciler.config.endpoints import is_loopback
from reconciler.errors import Refused

_ORGANIZATION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs to which an organization's name is appended, and the only places a token is sent to."""

    devops: str = "https://dev.azure.com"
    identity: str = "https://vssps.dev.azure.com"
    """Serves identities and graph."""
    allow_loopback: bool = False
    """Without it neither http nor a loopback address is accepted; with it http stays on loopback."""

    def __post_init__(self) -> None:
        for url in (self.devops, self.identity):
            check_endpoint(url, allow_loopback=self.allow_loopback)

    def url(self, organization: str, path: str = "", *, identity: bool = False) -> str:
        """Absolute URL of `path` (below the organization, quoted already) at the endpoint that serves it."""
        if not _ORGANIZATION.fullmatch(organization):
            raise Refused(f"organization {organization[:64]!r}: not a name of an organization")
        base = (self.identity if identity else self.devops).rstrip("/")
        return f"{base}/{organization}/{path}" if path else f"{base}/{organization}"

    def cover(self, url: str, organization: str) -> bool:
        """Whether `url` lies below `organization` at one of the endpoints: same scheme, host, port and path."""
        asked = urlsplit(url)
        bases = (urlsplit(self.url(organization, identity=identity)) for identity in (False, True))
        return asked.username is None and any(
            _origin(asked) == _origin(base) and f"{asked.path.lower()}/".startswith(f"{base.path.lower()}/")
            for base in bases
        )


def check_endpoint(url: str, *, allow_loopback: bool) -> None:
    """Refuse a base URL that must not get a token: no https, no host, loopback that is not allowed, extra parts."""
    parts = _parts(url)
    if parts is None or parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        raise Refused("endpoint: a base URL has a scheme, a host, and neither a user nor a query")
    where = f"endpoint {parts.scheme}://{parts.hostname}"
    if parts.scheme not in _PORTS:
        raise Refused(f"{where}: use https, or http on loopback")
    if is_loopback(url) and not allow_loopback:
        raise Refused(f"{where}: loopback is for trials only; allow it by RECONCILER_ALLOW_LOOPBACK=1")
    if parts.scheme == "http" and not is_loopback(url):
        raise Refused(f"{where}: a token would travel unencrypted; use https")


def segment(value: str | int) -> str:
    """A value as one segment of a path; refuses what would leave it."""
    text = str(value)
    if text in {"", ".", ".."}:
        raise Refused(f"{text!r} cannot be a part of a URL")
    return quote(text, safe="")


def query(parameters: Mapping[str, str | int | None]) -> str:
    """A query string, with its question mark, of the parameters that are not None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given, quote_via=quote, safe='$,')}" if given else ""


def _parts(url: str) -> SplitResult | None:
    """The parts of a URL, or None where it has no form that could be one."""
    try:
        parts = urlsplit(url)
        usable = parts.port != 0  # reading the port is what checks it
    except ValueError:
        return None
    return parts if usable else None


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
