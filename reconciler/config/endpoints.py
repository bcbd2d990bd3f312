"""Where tokens and secrets may go: hosts of Microsoft's clouds, and what is no endpoint and no secret.

Pure text; the variables that name endpoints are read by `reconciler.config.settings` and `reconciler.config.triggers`.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

ARM_HOSTS = frozenset({"management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"})
DEVOPS_HOSTS = frozenset({"dev.azure.com"})
IDENTITY_HOSTS = frozenset({"vssps.dev.azure.com"})
INGESTION_DOMAINS = (".applicationinsights.azure.com", ".applicationinsights.azure.us", ".applicationinsights.azure.cn")
"""Where Application Insights takes telemetry, with a token of ours (azure-monitor-opentelemetry-exporter 1.0.0b58)."""
MEMBERS_HOSTS = frozenset({"vsaex.dev.azure.com"})


def endpoint_problem(url: str, hosts: frozenset[str], *, loopback: bool) -> str:
    """Why this URL is no endpoint, or an empty text."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "not a URL"
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


def is_loopback(url: str) -> bool:
    """Whether a URL's host is this machine; False where it has no form of a URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return is_loopback_host(host)


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
    Vault references as app settings"). Taken for the secret itself, it would be one that anybody can guess.
    """
    if not secret.lower().startswith("@microsoft.keyvault("):
        return ""
    return "a reference to a Key Vault that was not resolved: may the app's identity read that secret, and is it there"
