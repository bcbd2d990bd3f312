"""The one place that a token may go to: scheme, host and port of an endpoint, compared exactly."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from reconciler.config.endpoints import is_loopback_host
from reconciler.errors import Refused

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """An accepted endpoint."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str, *, what: str, allow_loopback: bool) -> Origin:
        """The origin of an endpoint from the settings; `Refused` where a token must not be sent to it.

        `what` names the setting in the message. Plain http, and loopback in any scheme, need `allow_loopback`.
        """
        parts, port = _split(url, what)
        host, scheme = (parts.hostname or "").lower(), parts.scheme.lower()
        if scheme not in _PORTS or not host:
            raise Refused(f"{what}: {scheme or 'a URL without a scheme'} is not https")
        if parts.username is not None or parts.password is not None:
            raise Refused(f"{what}: credentials do not belong into a URL")
        origin = cls(scheme, host, port or _PORTS[scheme])
        if origin.loopback and not allow_loopback:
            raise Refused(f"{what}: {host} is a loopback address, and none is allowed here")
        if scheme == "http" and not origin.loopback:
            raise Refused(f"{what}: http is only for loopback addresses, and {host} is none")
        return origin

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback_host(self.host)

    def covers(self, url: str) -> bool:
        """Whether a URL is of this origin, without userinfo that could make it look so."""
        try:
            parts, port = _split(url, "")
        except Refused:
            return False
        scheme = parts.scheme.lower()
        plain = parts.username is None and parts.password is None and "\\" not in url
        place = (scheme, (parts.hostname or "").lower(), port or _PORTS.get(scheme))
        return plain and place == (self.scheme, self.host, self.port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if _PORTS[self.scheme] == self.port else f":{self.port}")


def _split(url: str, what: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(f"{what}: not a URL") from None
    return parts, port
