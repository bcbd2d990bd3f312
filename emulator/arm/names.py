"""From an organization's URL to its name, and from a pool to the names of its agent pools."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from emulator.state.arm import Body


def organization_of(url: str) -> str | None:
    """`https://dev.azure.com/{name}` or `https://{name}.visualstudio.com`, lower-cased; None for anything else.

    Both forms stand in published samples (azure-rest-api-specs examples; Microsoft Learn, configure-security).
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    segments = [unquote(part) for part in parts.path.split("/") if part]
    if host == "dev.azure.com" and len(segments) == 1:
        return segments[0].lower()
    if host.endswith(".visualstudio.com") and not segments:
        return host.removesuffix(".visualstudio.com").removesuffix(".vssps") or None
    return None


def agent_pool_of(pool_name: str, profile: Body, organization: Body, *, alias_names_pool: bool) -> str:
    """Name of the agent pool in that organization: the organization's alias, the profile's, or the pool's name."""
    alias = organization.get("alias") or profile.get("alias")
    return str(alias) if alias and alias_names_pool else pool_name
