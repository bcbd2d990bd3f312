"""Where tokens and secrets may go: hosts of Microsoft's clouds, and what is no endpoint and no secret.

Pure text; the variables that name endpoints are read by `reconciler.config.settings` and `reconciler.config.triggers`.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

ARM_HOSTS = frozenset({"management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"})
DEVOPS_HOSTS = frozenset({"dev.azure.com"})
IDENTITY_HOSTS = frozenset({"vssps.dev.azure.com"})
INGESTION_DOMAINS = (".applicationinsights.azure.com", ".applicationinsights.azure.us", ".applicationinsights.azure.cn")
"""Where Application Insights takes telemetry, with a token of ours (azure-monitor-opentelemetry-exporter 1.0.0b58)."""
MEMBERS_HOSTS = frozenset({"vsaex.dev.azure.com"})
STORAGE_DOMAINS = ("core.windows.net", "core.usgovcloudapi.net", "core.chinacloudapi.cn")
"""An account's services are on ``ACCOUNT.blob.DOMAIN`` and ``ACCOUNT.queue.DOMAIN``, by cloud."""

_ACCOUNT = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_DOMAINS = "|".join(map(re.escape, STORAGE_DOMAINS))
_STORAGE = {
    service: re.compile(rf"{_ACCOUNT}\.(?:{service}\.(?:{_DOMAINS})|z[0-9]+\.{service}\.storage\.azure\.net)", re.ASCII)
    for service in ("blob", "queue")
}
"""The second form: accounts with an Azure DNS zone endpoint (Microsoft Learn, "Storage account overview")."""
_HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII)


def url_parts(url: str) -> SplitResult | None:
    """The parts of a URL, or None where it has no form that could be one: reading the port is what checks it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def endpoint_problem(url: str, hosts: frozenset[str], *, loopback: bool) -> str:
    """Why this URL is no endpoint, or an empty text."""
    if (parts := url_parts(url)) is None:
        return "not a URL"
    host = parts.hostname or ""
    if "@" in parts.netloc:
        return "the URL holds credentials; leave them out, tokens come from RECONCILER_CREDENTIAL"
    if parts.path or parts.query or parts.fragment:
        return f"more than scheme, host and port; give {f'{parts.scheme}://{parts.netloc}'!r} alone"
    if is_loopback_host(host):
        wrong = parts.scheme not in ("http", "https") or not loopback
        return f"{url!r} is on loopback; set RECONCILER_ALLOW_LOOPBACK=1 if this is a test" if wrong else ""
    if parts.scheme != "https" or host not in hosts:
        return f"{url!r} is not https on one of {', '.join(sorted(hosts))}"
    return ""


def storage_problem(url: str, service: str, further: frozenset[str], *, loopback: bool) -> str:
    """Why this URL is no `service` (``blob`` or ``queue``) of a storage account, or an empty text; names the host only.

    `further`: hosts that the deployment allows beside those of Microsoft's clouds.
    """
    if (parts := url_parts(url)) is None:
        return "not a URL"
    host = parts.hostname or ""
    if "@" in parts.netloc or "\\" in url:
        return "the URL holds credentials; leave them out, tokens come from RECONCILER_CREDENTIAL"
    if parts.query or parts.fragment:
        return f"the URL of {host} has more than scheme, host and path; a signature belongs into a connection string"
    if is_loopback_host(host):
        wrong = parts.scheme not in ("http", "https") or not loopback
        return f"{host} is on loopback; set RECONCILER_ALLOW_LOOPBACK=1 if this is a test" if wrong else ""
    known = _STORAGE[service].fullmatch(host) and parts.path in ("", "/")
    if parts.scheme == "https" and (known or (host and host in further)):
        return ""
    domains = ", ".join(f"*.{service}.{domain}" for domain in STORAGE_DOMAINS)
    where = f"the {service} endpoint on {host or 'no host'}"
    return f"{where} is not https on one of {domains}; RECONCILER_STORAGE_HOSTS allows another host"


def storage_endpoints(state: str) -> dict[str, str]:
    """The endpoints that a setting for a storage account names, by service: ``blob`` and ``queue``.

    Of two URLs, of one from which the second follows, or of a connection string. Empty for anything else.
    """
    if re.match(r"https?://", state, re.IGNORECASE):
        blobs, _, queues = state.partition(" ")
        return {"blob": blobs, "queue": queues.strip() or blobs.replace(".blob.", ".queue.", 1)}
    if not re.match(r"\w+=", state):
        return {}
    pairs = (part.partition("=") for part in state.split(";"))
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if not given.get("accountname"):
        return {service: url for service in ("blob", "queue") if (url := given.get(f"{service}endpoint"))}
    begin = f"{given.get('defaultendpointsprotocol') or 'https'}://{given['accountname']}"
    end = given.get("endpointsuffix") or STORAGE_DOMAINS[0]
    return {service: given.get(f"{service}endpoint") or f"{begin}.{service}.{end}" for service in ("blob", "queue")}


def is_host(name: str) -> bool:
    """Whether a text is a DNS name or an address, in lower case."""
    return bool(_HOST.fullmatch(name))


def remote_host(url: str) -> str:
    """Host of an http or https URL, with its port unless that is the usual one; empty for anything else."""
    if (parts := url_parts(url)) is None:
        return ""
    host, port = parts.hostname or "", parts.port
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    if usual is None or not host:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (None, usual) else f"{shown}:{port}"


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine; False where it has no form of a URL."""
    parts = url_parts(url)
    return parts is not None and is_loopback_host(parts.hostname or "")


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone: nothing is resolved."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def ingestion(connection: str) -> str:
    """The IngestionEndpoint of an Application Insights connection string, or an empty text."""
    pairs = [part.partition("=") for part in connection.split(";")]
    return next((value.strip() for name, _, value in pairs if name.strip().lower() == "ingestionendpoint"), "")


def unresolved(secret: str) -> str:
    """What is wrong with a secret that is still a reference to a Key Vault; empty where it is none.

    App Service leaves a reference that it could not resolve in the setting as it was written (Microsoft Learn, "Use Key
    Vault references as app settings"). Taken for the secret itself, it would be one that is easy to guess.
    """
    if not secret.lower().startswith("@microsoft.keyvault("):
        return ""
    return "a reference to a Key Vault that was not resolved: may the app's identity read that secret, and is it there"
