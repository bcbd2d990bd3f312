"""What is worth a warning and is no error: reported rules of ARM, withdrawn images, and values that are not known here.

A warning stands on weaker ground than a rule: ARM has the last word, and it may know more than this release.

Sources: Microsoft Learn, Managed DevOps Pools: configure images (predefined aliases, image deprecation schedule);
terraform-azurerm-avm-res-devopsinfrastructure-pool, pull request 96 (static addresses); azure-rest-api-specs,
devopsinfrastructure 2026-07-03-preview (`NVMeDisk`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from reconciler.documents.spelling import nearest
from reconciler.spec.findings import hint_at
from reconciler.spec.forms import CheckedText
from reconciler.spec.problem import Finding, Path, listing, show

Json = Mapping[str, Any]
_NONE: Json = {}
_FABRIC: Path = ("pool", "properties", "fabricProfile")

STATIC_ADDRESSES = 16
"""Most static addresses of a pool, by the published module."""

IMAGES = ("ubuntu-24.04", "ubuntu-22.04", "windows-2025", "windows-2022")
"""Predefined aliases of Azure Pipelines images."""

WITHDRAWN: Mapping[str, tuple[str, str]] = {
    "windows-2019": ("2025-12-31", "windows-2022"),
    "ubuntu-20.04": ("2025-07-01", "ubuntu-24.04"),
}
"""Image → the day on which the service stopped it, and the successor that its page names."""

_FOCAL = re.compile(r"/publishers/canonical/.*/skus/20_04-", re.IGNORECASE)
"""Ubuntu 20.04 among the selected marketplace images."""

NEWER_VALUES: Mapping[tuple[str, str], str] = {("ephemeralType", "NVMeDisk"): "2026-07-03-preview"}
"""Field and value → the api-version that has it."""

_FREE_KEYS = frozenset({"tags", "userAssignedIdentities", "daysData"})


def check(document: Json) -> Iterator[Finding]:
    """All warnings about `document`, whose pool is canonical."""
    pool = document.get("pool", _NONE)
    fabric = pool.get("properties", _NONE).get("fabricProfile", _NONE)
    yield from static_addresses(fabric.get("networkProfile", _NONE))
    yield from images(fabric.get("images", ()))
    yield from unknown_values(pool, ("pool",), str(document.get("armApiVersion", "")))


def static_addresses(network: Json) -> Iterator[Finding]:
    """Between 1 and 16, and never in a subnet of one's own."""
    count = network.get("staticIpAddressCount", 0)
    path = (*_FABRIC, "networkProfile", "staticIpAddressCount")
    if count > STATIC_ADDRESSES:
        yield path, f"is {count}; ARM is reported to take 1 to {STATIC_ADDRESSES}"
    if count and "subnetId" in network:
        yield path, "is given beside subnetId; ARM is reported to refuse the two together, so remove one of them"


def images(given: Sequence[Json]) -> Iterator[Finding]:
    """An image that the service has withdrawn, or that is not among those that it names."""
    for index, image in enumerate(given):
        path = (*_FABRIC, "images", index)
        written = str(image.get("wellKnownImageName", ""))
        name = written.partition("/")[0].casefold()
        if name in WITHDRAWN:
            day, successor = WITHDRAWN[name]
            message = f"is {show(written)}, which was withdrawn on {day}: its agents do not start; use {successor}"
            yield (*path, "wellKnownImageName"), message
        elif name and name not in IMAGES:
            meant = nearest(name, IMAGES)
            hint = f"did you mean {meant}? Known are" if meant else "known are"
            yield (
                (*path, "wellKnownImageName"),
                f"is {show(written)}, which is not known here; {hint} {listing(IMAGES)}",
            )
        if _FOCAL.search(str(image.get("resourceId", ""))):
            day, successor = WITHDRAWN["ubuntu-20.04"]
            message = f"is Ubuntu 20.04 of the marketplace, which was withdrawn on {day}; use Ubuntu 22.04 or 24.04"
            yield (*path, "resourceId"), message


def unknown_values(value: Any, path: Path, version: str) -> Iterator[Finding]:
    """Values outside an enumeration that the service keeps open, or of a newer api-version: ARM decides."""
    names = tuple(step for step in path if isinstance(step, str))
    for where, field, text in _texts(value, path, names):
        since = NEWER_VALUES.get((str(where[-1]), text), "")
        if since and version < since:
            yield where, f"is {show(text)}, which ARM has since {since}; write armApiVersion: {since} at the top"
        elif (known := _known(field)) and text not in known and not since:
            yield where, f"is {show(text)}, which this release does not know; known are {listing(known)}"


def _texts(value: Any, path: Path, names: tuple[str, ...]) -> list[tuple[Path, tuple[str, ...], str]]:
    """Where each text of a value is, the same without positions in lists, and the text."""
    if isinstance(value, str):
        return [(path, names, value)]
    found: list[tuple[Path, tuple[str, ...], str]] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _FREE_KEYS and isinstance(item, str | dict | list):
                found += _texts(item, (*path, key), (*names, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _texts(item, (*path, index), names)
    return found


@cache
def _known(path: tuple[str, ...]) -> tuple[str, ...]:
    """The known values of an open enumeration; empty for any other field."""
    hint = hint_at(path)
    return next((one.known for one in getattr(hint, "__metadata__", ()) if isinstance(one, CheckedText)), ())
