"""api-versions of the ARM plane, and which properties a pool has since which of them.

Sources: azure-rest-api-specs, `specification/devopsinfrastructure` (main.tsp and the stable and preview documents).
"""

from __future__ import annotations

from emulator.frame import ApiError, Request
from emulator.router import Route
from emulator.state.arm import PROVIDER

PUBLISHED = (
    "2023-10-30-preview",
    "2023-12-13-preview",
    "2024-03-26-preview",
    "2024-04-04-preview",
    "2024-10-19",
    "2025-01-21",
    "2025-09-20",
    "2026-04-17-preview",
    "2026-06-02",
    "2026-07-03-preview",
    "2026-07-30-preview",
)
NEWEST = "2026-06-02"
"""The newest stable one."""


def check(request: Request, route: Route) -> None:
    """Refuse a call without api-version, or with one that the provider does not have."""
    if route.name.startswith("Metadata"):
        return
    version = request.query.get("api-version", "")
    if not version:
        words = "The api-version query parameter (?api-version=) is required for all requests."
        raise ApiError(400, "MissingApiVersionParameter", words)
    if (
        PROVIDER.lower() in route.template.lower()
        and not route.name.startswith(("Providers", "Tags"))
        and version not in PUBLISHED
    ):
        raise ApiError(400, "InvalidResourceType", _unsupported(version))


def _unsupported(version: str) -> str:
    return (
        f"The resource type 'pools' could not be found in the namespace '{PROVIDER}' for api version '{version}'. "
        f"The supported api-versions are '{','.join(PUBLISHED)}'."
    )
