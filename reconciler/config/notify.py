"""Where notices are sent: an address for each kind of receiver, and which notices it gets.

Addresses are secrets: who knows one may post. They are https on the receiver's own hosts, or on loopback where
`RECONCILER_ALLOW_LOOPBACK=1` says that this is a test. No problem shows an address.

Hosts of Teams workflows: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams", and "Changes
to HTTP or Teams webhook trigger flows" (Power Automate moves them from ``logic.azure.com`` to
``api.powerplatform.com``). The classic connectors (``webhook.office.com``) are retired and take no message (Microsoft
365 Developer Blog, "Retirement of Office 365 connectors within Microsoft Teams").
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from ipaddress import ip_address

from reconciler.config.endpoints import is_host, is_loopback_host, unresolved, url_parts
from reconciler.config.variables import Environment, Secret, Variable, secret
from reconciler.ports.notices import NoticeKind

LONGEST_URL = 2048
SHORTEST, LONGEST_KEY = 24, 64
"""Bytes of a signing key (Standard Webhooks, "Symmetric")."""
WORKFLOW_DOMAINS = (
    ".logic.azure.com", ".logic.azure.us", ".logic.azure.cn", ".powerplatform.com", ".powerplatform.us",
    ".powerplatform.azure.us", ".powerplatform.cn", ".powerautomate.com", ".powerautomate.us", ".flow.microsoft.com",
)  # fmt: skip
CONNECTOR_DOMAINS = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
_NAMES = ("kinds", "organizations", "pools")


class Receiver(StrEnum):
    """Kinds of receivers; one of each can be set."""

    TEAMS = "teams"
    SLACK = "slack"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices a receiver gets; an empty field lets all pass."""

    kinds: frozenset[str] = frozenset()
    organizations: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()

    def takes(self, kind: str, organization: str, pool: str) -> bool:
        """Whether a notice passes; names compare without regard to case."""
        return (not self.kinds or kind in self.kinds) and all(
            not patterns or any(fnmatchcase(name.lower(), one) for one in patterns)
            for name, patterns in ((organization, self.organizations), (pool, self.pools))
        )


@dataclass(frozen=True, slots=True)
class NotifyTarget:
    """One receiver."""

    receiver: Receiver
    url: Secret
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Of the generic webhook: what signs a message; more than one while a key is being replaced."""
    wanted: NoticeFilter = field(default_factory=NoticeFilter)

    @property
    def name(self) -> str:
        """In messages, metrics and the state."""
        return self.receiver.value


VARIABLES = {
    "NOTIFY_TEAMS": Variable("Address of a Teams workflow that posts a card when a webhook request is received",
                             read=secret),
    "NOTIFY_SLACK": Variable("Address of an incoming webhook of Slack", read=secret),
    "NOTIFY_WEBHOOK": Variable("Address that gets notices as CloudEvents", read=secret),
    "NOTIFY_WEBHOOK_SECRET": Variable("Key that signs them, `whsec_` and base64, or 24 to 64 characters; needed with "
                                      "`RECONCILER_NOTIFY_WEBHOOK`", read=secret),
    "NOTIFY_WEBHOOK_SECRET_2": Variable("Second key that signs as well, while the first is being replaced",
                                        read=secret),
    "NOTIFY_TEAMS_FILTER": Variable("Which notices Teams gets: `kinds=stalled,refused; organizations=fabrikam-*; "
                                    "pools=prod-*`. If unset: all"),
    "NOTIFY_SLACK_FILTER": Variable("The same for Slack"),
    "NOTIFY_WEBHOOK_FILTER": Variable("The same for the generic webhook"),
    "NOTIFY_PAGE": Variable("Address of the status page, for links in notices. If unset: the function app's own, and "
                            "none with `serve`", unit="URL"),
}  # fmt: skip


def targets_of(given: Environment, value: dict[str, str]) -> tuple[NotifyTarget, ...]:
    """The receivers that are set; problems are noted. `value`: the texts of `VARIABLES`."""
    loopback = given.text("ALLOW_LOOPBACK") == "1"
    found: list[NotifyTarget] = []
    for receiver in Receiver:
        name = f"NOTIFY_{receiver.name}"
        wanted = _filter(given, f"{name}_FILTER", value[f"{name}_FILTER"])
        if not value[name] or unresolved(value[name]):  # the latter is noted where it is read
            continue
        if problem := _problem(receiver, value[name], loopback=loopback):
            given.wrong(name, problem)
            continue
        keys = _keys(given, value) if receiver is Receiver.WEBHOOK else ()
        found.append(NotifyTarget(receiver, Secret(value[name]), keys, wanted))
    for name in ("NOTIFY_WEBHOOK_SECRET", "NOTIFY_WEBHOOK_SECRET_2"):
        if value[name] and not value["NOTIFY_WEBHOOK"]:
            given.wrong(name, "set, but RECONCILER_NOTIFY_WEBHOOK is not, so it signs nothing")
    return tuple(found)


def page_of(given: Environment, host: str) -> str:
    """The status page's address without a slash at its end; `host`: of the function app."""
    url = given.text("NOTIFY_PAGE").rstrip("/") or (f"https://{host}" if is_host(host.lower()) else "")
    parts = url_parts(url)
    if url and (parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query
                or parts.fragment or "@" in parts.netloc or re.search(r"[\s\"'<>|\\()\[\]]", url)):  # fmt: skip
        given.wrong("NOTIFY_PAGE", "no address of a page; write https://HOST, without user, query and fragment")
        return ""
    return url


def _problem(receiver: Receiver, url: str, *, loopback: bool) -> str:
    """Why nothing is sent to this address; empty where it is one. It shows the host at most."""
    parts = url_parts(url)
    if parts is None or not parts.hostname or len(url) > LONGEST_URL or not url.isascii() or re.search(r"\s", url):
        return "not a URL"
    host = parts.hostname.lower().rstrip(".")
    if "@" in parts.netloc or "\\" in url or parts.fragment:
        return "the URL holds a user, a backslash or a fragment; give it as the receiver shows it"
    if is_loopback_host(host):
        fits = parts.scheme in ("http", "https") and loopback
        return "" if fits else "is on loopback; set RECONCILER_ALLOW_LOOPBACK=1 if this is a test"
    if parts.scheme != "https":
        return "is not https"
    return _host_problem(receiver, host)


def _host_problem(receiver: Receiver, host: str) -> str:
    if not is_host(host) or _is_number(host):
        return "names no host; an address in numbers is not accepted"
    if receiver is Receiver.TEAMS and not host.endswith(WORKFLOW_DOMAINS):
        if host.endswith(CONNECTOR_DOMAINS):
            return "is of a classic connector, which Microsoft retired; make a workflow in Teams and give its address"
        return f"{host} is no host of Teams workflows: {', '.join(f'*{one}' for one in WORKFLOW_DOMAINS[:4])} …"
    known = receiver is not Receiver.SLACK or host in SLACK_HOSTS
    return "" if known else f"{host} is no host of Slack's webhooks: {', '.join(SLACK_HOSTS)}"


def _is_number(host: str) -> bool:
    """An IP address in any of its forms: it would reach what no name leads to, as a cloud's metadata service."""
    try:
        ip_address(host)
    except ValueError:
        return bool(re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*", host))
    return True


def _keys(given: Environment, value: dict[str, str]) -> tuple[bytes, ...]:
    names = ("NOTIFY_WEBHOOK_SECRET", "NOTIFY_WEBHOOK_SECRET_2")
    if not value[names[0]]:
        given.wrong(names[0], "not set, but RECONCILER_NOTIFY_WEBHOOK is; without it a receiver cannot tell who sent")
    keys = {name: _key(value[name]) for name in names if value[name]}
    for name, key in keys.items():
        if not SHORTEST <= len(key) <= LONGEST_KEY:
            given.wrong(name, f"no key of {SHORTEST} to {LONGEST_KEY} bytes; `openssl rand -base64 32` makes one, "
                              "write whsec_ before it")  # fmt: skip
    return tuple(keys.values())


def _key(text: str) -> bytes:
    """Empty for what is no text, and for `whsec_` without base64 behind it."""
    try:
        encoded = text.removeprefix("whsec_")
        return base64.b64decode(encoded, validate=True) if encoded != text else text.encode()
    except ValueError:  # bytes of the environment that are no UTF-8; no base64, or not even ASCII
        return b""


def _filter(given: Environment, name: str, text: str) -> NoticeFilter:
    found: dict[str, tuple[str, ...]] = {}
    named = [one.strip() for one in text.split(";") if one.strip()]
    if text and not named:  # a slip must not let all pass
        given.wrong(name, f"{text[:60]!r} names nothing; leave it out for all notices")
    for part in named:
        field_name, equals, listed = part.partition("=")
        values = tuple(one.strip().lower() for one in listed.split(",") if one.strip())
        if field_name.strip() not in _NAMES or not equals or not values:
            given.wrong(name, f"{part[:60]!r} is none of {', '.join(f'{one}=…' for one in _NAMES)}")
            continue
        if field_name.strip() in found:
            given.wrong(name, f"{field_name.strip()}= is given twice; write its values behind one, with commas")
        found[field_name.strip()] = values
    for kind in found.get("kinds", ()):
        if kind not in list(NoticeKind):
            given.wrong(name, f"{kind[:60]!r} is no kind of notice: {', '.join(NoticeKind)}")
    return NoticeFilter(frozenset(found.get("kinds", ())), found.get("organizations", ()), found.get("pools", ()))
