"""What is worth a warning and is no error: reported rules of ARM, withdrawn images, and values that are not known here.

A warning stands on weaker ground than a rule: ARM has the last word, and it may know more than this release.

Sources: Microsoft Learn, Managed DevOps Pools: configure images (predefined aliases, image deprecation schedule);
terraform-azurerm-avm-res-devopsinfrastructure-pool, pull request 96 (static addresses); azure-rest-api-specs,
devopsinfrastructure 2026-07-03-preview (`NVMeDisk`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from reconciler.documents.spelling import nearest
from reconciler.spec.findings import hint_at, homes
from reconciler.spec.forms import CheckedText
from reconciler.spec.known import DEFAULT_ZONE, vault_advice, zone_advice
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
_CONTAINERS = (dict, list)
_Places: TypeAlias = "dict[Any, _Places]"
"""Field → those of its fields that lead to an open enumeration; empty for a field that has one."""


def check(document: Json) -> Iterator[Finding]:
    """All warnings about `document`, whose pool is canonical."""
    pool = document.get("pool", _NONE)
    fabric = pool.get("properties", _NONE).get("fabricProfile", _NONE)
    if "networkProfile" in fabric:
        yield from static_addresses(fabric["networkProfile"])
    yield from images(fabric.get("images", ()))
    if "osProfile" in fabric:
        yield from vaults(fabric["osProfile"].get("secretsManagementSettings", _NONE))
    yield from time_zone(pool.get("properties", _NONE).get("agentProfile", _NONE).get("resourcePredictions", _NONE))
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


def vaults(settings: Json) -> Iterator[Finding]:
    """A certificate's URL on a host that is no vault's."""
    for index, url in enumerate(settings.get("observedCertificates", ())):
        if advice := vault_advice(url):
            yield (*_FABRIC, "osProfile", "secretsManagementSettings", "observedCertificates", index), advice


def time_zone(predictions: Json) -> Iterator[Finding]:
    """A time zone that Windows does not have."""
    if advice := zone_advice(predictions.get("timeZone", DEFAULT_ZONE)):
        yield ("pool", "properties", "agentProfile", "resourcePredictions", "timeZone"), advice


def unknown_values(value: Any, path: Path, version: str) -> Iterator[Finding]:
    """Values outside an enumeration that the service keeps open, or of a newer api-version: ARM decides."""
    # With a newer version there are fields that this release has no place for, so every text is looked at.
    for below, text in _texts(value, "") if version else _of_open_fields(value, _open_places()[path[0]]):
        where = (*path, *below)
        since = NEWER_VALUES.get((str(where[-1]), text), "")
        if since and version < since:
            yield where, f"is {show(text)}, which ARM has since {since}; write armApiVersion: {since} at the top"
            continue
        known = _known(tuple(step for step in where if isinstance(step, str)))
        if known and text not in known and not since:
            meant = nearest(text, known)
            hint = f"did you mean {meant}? Known are" if meant else "known are"
            yield where, f"is {show(text)}, which this release does not know; {hint} {listing(known)}"


def _texts(value: Any, owner: str) -> list[tuple[Path, str]]:
    """Path and text of what stands in fields that may hold an unknown value; `owner`: the field that holds `value`."""
    found: list[tuple[Path, str]] = []
    named = isinstance(value, dict)
    steps: Iterable[tuple[Any, Any]] = value.items() if named else enumerate(value)
    for step, item in steps:
        name: str = step if named else owner
        if isinstance(item, str):
            if name in _open_fields():
                found.append(((step,), item))
        elif isinstance(item, _CONTAINERS) and name not in _FREE_KEYS:
            found += [((step, *path), text) for path, text in _texts(item, name)]
    return found


def _of_open_fields(value: Any, places: _Places, above: Path = ()) -> list[tuple[Path, str]]:
    """As `_texts`, of a value whose fields are all known; `above`: the path of that value."""
    found: list[tuple[Path, str]] = []
    listed = isinstance(value, list)
    for step, known in enumerate(value) if listed else places.items():
        item, inner = (known, places) if listed else (value.get(step), known)
        if isinstance(item, str):
            if not inner:
                found.append(((*above, step), item))
        elif isinstance(item, _CONTAINERS):
            found += _of_open_fields(item, inner, (*above, step))
    return found


@cache
def _open_places() -> _Places:
    """The fields of `_open_fields` and those around them, by name and level."""
    root: _Places = {}
    for name in sorted(_open_fields()):
        for home in homes()[name]:
            node = root
            for step in (*home, name):
                node = node.setdefault(step, {})
    return root


@cache
def _open_fields() -> frozenset[str]:
    """Names of the fields with an open enumeration somewhere, or with values of a newer api-version."""
    named = {(*home, name) for name, places in homes().items() for home in places}
    known = {path[-1] for path in named if _known(tuple(step for step in path if isinstance(step, str)))}
    return frozenset(map(str, known)) | {name for name, _ in NEWER_VALUES}


@cache
def _known(path: tuple[str, ...]) -> tuple[str, ...]:
    """The known values of an open enumeration; empty for any other field."""
    hint = hint_at(path)
    return next((one.known for one in getattr(hint, "__metadata__", ()) if isinstance(one, CheckedText)), ())
