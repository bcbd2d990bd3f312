"""Two documents of an ARM pool, the desired and the observed: their differences, and the merged document.

Only paths that the desired document names are compared. The service fills in defaults, leaves empty things out, and
spells ids, URLs and enums as it likes, and none of that is a difference (azure-rest-api-specs #40986 and #42195,
devopsinfrastructure 2026-06-02). What is merged for a PUT keeps every field that is not understood here.

Pure functions over JSON. What a difference means for people, and what may be written, is decided elsewhere
(`reconciler.facets.pool`).

How values are compared:

- ``organizations`` go by the organization in their URL, in any order; a list replaces a list, but what ARM keeps
  beside the named fields of one organization stays;
- ``images`` go by image, in order; an image that stays keeps its other fields;
- ``projects``, ``repositories``, ``aliases``, ``observedCertificates`` are sets, case aside;
- ``userAssignedIdentities`` is a set of ids, whole: an identity that is not listed gives rights to every job;
- ``tags`` are compared one by one: policies of a subscription add their own;
- other lists are compared and replaced whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.facets.support import mutability
from reconciler.facets.support.mutability import Way
from reconciler.spec.names import organization_key

_IGNORED = mutability.names(Way.DEVOPS, Way.SERVICE)
"""Effective at creation alone, or set by the service alone: never compared, never put in."""

_CASELESS = frozenset({
    "kind", "type", "location", "url", "name", "wellKnownImageName", "ephemeralType", "logonType", "caching",
    "certificateStoreLocation", "certificateStoreName", "osDiskStorageAccountType", "storageAccountType", "driveLetter",
    "predictionPreference", "windowsNvmeDrive", "projects", "repositories", "aliases", "observedCertificates",
})  # fmt: skip
"""Names and enums; ids (``…Id``) have no case either."""
_UNORDERED = frozenset({"projects", "repositories", "aliases", "observedCertificates"})
_SPANS = frozenset({"maxAgentLifetime", "gracePeriodTimeSpan"})
_DEFAULTS: Mapping[str, Json] = {
    "parallelism": 0,
    "buffer": "*",
    "ephemeralType": "automatic",
    "logonType": "service",
    "certificateStoreName": "my",
    "keyExportable": False,
    "provisioningScriptShouldRestart": False,
    "osDiskStorageAccountType": "standard",
    "caching": "readwrite",
    "storageAccountType": "standard_lrs",
    "windowsNvmeDrive": "n",
    "linuxNvmePath": "/mnt/azure_nvme_temp",
    "staticIpAddressCount": 0,
    "maxAgentLifetime": (7, 0, 0, 0),
    "gracePeriodTimeSpan": (0, 0, 0, 0),
    "timeZone": "UTC",
}
_KEPT_ACROSS_KINDS = frozenset({"resourcePredictions", "resourcePredictionsProfile"})
_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+)(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class Difference:
    """One named field that is not as desired."""

    path: tuple[str, ...]
    """From the top of the document: ``properties``, ``organizationProfile``, ``organizations[fabrikam]``, …"""
    before: Json
    after: Json


def differences(wanted: Mapping[str, Json], observed: Mapping[str, Json]) -> list[Difference]:
    """Every named field that is not as desired, in a stable order."""
    return sorted(_walk(wanted, observed, ()), key=lambda difference: difference.path)


def merged(wanted: Mapping[str, Json], observed: Mapping[str, Json], *, new: bool = False) -> dict[str, Json]:
    """The observed document with the named fields put in; neither argument is changed or shared.

    `new`: the object is not there yet, and gets all that the spec says, defaults too: some are required.
    """
    result: dict[str, Json] = deepcopy(dict(observed))
    for key, value in wanted.items():
        if key in _IGNORED:
            continue
        current = observed.get(key)
        if new or not _same(key, value, current):
            result[key] = _merged_value(key, value, current)
    return result


# --- one field ----------------------------------------------------------------------------------------


def _walk(wanted: Mapping[str, Json], observed: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    for key, value in wanted.items():
        if key not in _IGNORED:
            yield from _field(key, value, observed.get(key), path)


def _field(key: str, value: Json, current: Json, path: tuple[str, ...]) -> Iterator[Difference]:
    if value == current:  # most fields are equal to the letter
        return
    here = (*path, key)
    if key == "organizations":
        yield from _organizations(value, current or [], here)
    elif key == "images":
        yield from _images(value, current or [], here)
    elif key == "tags":
        yield from _tags(value, current or {}, here)
    elif isinstance(value, Mapping) and key != "userAssignedIdentities":
        yield from _object(value, current or {}, here)
    elif not _same(key, value, current):
        yield Difference(here, _shown(current), _shown(value))


def _merged_value(key: str, value: Json, current: Json) -> Json:
    if key == "organizations":
        return _merged_organizations(value, current or [])
    if key == "images":
        return _merged_images(value, current or [])
    if key == "tags":
        return _merged_tags(value, current or {})
    if key == "userAssignedIdentities":
        return _merged_identities(value, current or {})
    if isinstance(value, Mapping):
        return merged(value, _compatible(value, current or {}), new=current is None)
    return deepcopy(value)


def _same(key: str, value: Json, current: Json) -> bool:
    """Whether two values mean the same; for objects and keyed lists: whether nothing in them differs."""
    if value == current:
        return True
    if key in ("organizations", "images", "tags") or (isinstance(value, Mapping) and key != "userAssignedIdentities"):
        return not list(_field(key, value, current, ()))
    if _is_list_of_objects(value):
        others = current or []
        return len(value) == len(others) and all(_covers(a, b) for a, b in zip(value, others, strict=True))
    return bool(_canonical(key, value) == _canonical(key, current))


def _is_list_of_objects(value: Json) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value)


def _covers(value: Json, current: Json) -> bool:
    if not isinstance(value, Mapping) or not isinstance(current, Mapping):
        return bool(value == current)
    return all(_same(key, item, current.get(key)) for key, item in value.items())


def _canonical(key: str, value: Json) -> Json:
    if value in (None, "", [], (), {}):
        return _DEFAULTS.get(key)
    if key == "userAssignedIdentities":
        return sorted(name.casefold() for name in value)
    if isinstance(value, list | tuple):
        items = [_canonical(key, item) for item in value]
        return sorted(items, key=str) if key in _UNORDERED else items
    return _canonical_text(key, value) if isinstance(value, str) else value


def _canonical_text(key: str, value: str) -> Json:
    if key in _SPANS and (span := _SPAN.fullmatch(value)):
        return tuple(int(part or 0) for part in span.groups())
    if key in ("type", "location"):
        return value.replace(" ", "").casefold()
    return value.casefold() if key in _CASELESS or key.endswith("Id") else value


def _shown(value: Json) -> Json:
    """Short form for people."""
    return sorted(value) if isinstance(value, Mapping) else deepcopy(value)


# --- objects whose kind or type decides which fields they have ----------------------------------------


def _object(value: Mapping[str, Json], current: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    base = _compatible(value, current)
    yield from _walk(value, base, path)
    for key in current.keys() - base.keys() - value.keys():
        yield Difference((*path, key), _shown(current[key]), None)


def _compatible(value: Mapping[str, Json], current: Mapping[str, Json]) -> Mapping[str, Json]:
    """What may stay beside the desired fields: beside another kind only what all kinds have."""
    if _takes_no_list({**current, **value}) and current.get("userAssignedIdentities"):
        return {key: item for key, item in current.items() if key != "userAssignedIdentities"}
    if "kind" not in value or "kind" not in current or _same("kind", value["kind"], current["kind"]):
        return current
    return {key: item for key, item in current.items() if key in _KEPT_ACROSS_KINDS or key == "kind"}


# --- lists with keys ----------------------------------------------------------------------------------


def _by_organization(items: Sequence[Mapping[str, Json]]) -> dict[str, Mapping[str, Json]]:
    return {organization_key(str(item.get("url", ""))): item for item in items}


def _organizations(
    value: Sequence[Mapping[str, Json]], current: Sequence[Mapping[str, Json]], path: tuple[str, ...]
) -> Iterator[Difference]:
    ours, theirs = _by_organization(value), _by_organization(current)
    for name in sorted({*ours, *theirs}):
        here = (*path[:-1], f"{path[-1]}[{name}]")
        if name not in theirs:
            yield Difference(here, None, _places(ours[name]))
        elif name not in ours:
            yield Difference(here, _places(theirs[name]), None)
        else:
            named = {key: item for key, item in ours[name].items() if key != "url"}
            yield from _walk(named, theirs[name], here)


def _places(organization: Mapping[str, Json]) -> Json:
    """What an organization uses, for people."""
    named = organization.get("projects") or organization.get("repositories")
    return sorted(named, key=str.casefold) if named else "all"


def _merged_organizations(
    value: Sequence[Mapping[str, Json]], current: Sequence[Mapping[str, Json]]
) -> list[dict[str, Json]]:
    ours, theirs = _by_organization(value), _by_organization(current)
    kept = [merged({**ours[name], "url": item.get("url")}, item) for name, item in theirs.items() if name in ours]
    return kept + [merged(item, {}, new=True) for name, item in ours.items() if name not in theirs]


def _image(item: Mapping[str, Json]) -> str:
    return str(item.get("wellKnownImageName") or item.get("resourceId") or "")


def _images(
    value: Sequence[Mapping[str, Json]], current: Sequence[Mapping[str, Json]], path: tuple[str, ...]
) -> Iterator[Difference]:
    ours, theirs = [_image(item) for item in value], [_image(item) for item in current]
    if [name.casefold() for name in ours] != [name.casefold() for name in theirs]:
        yield Difference(path, theirs, ours)
        return
    for name, item, other in zip(ours, value, current, strict=True):
        yield from _walk(item, other, (*path[:-1], f"{path[-1]}[{name}]"))


def _merged_images(value: Sequence[Mapping[str, Json]], current: Sequence[Mapping[str, Json]]) -> list[dict[str, Json]]:
    known = {_image(item).casefold(): item for item in reversed(current)}
    result = []
    for index, item in enumerate(value):
        name = _image(item).casefold()
        in_place = index < len(current) and _image(current[index]).casefold() == name
        other = current[index] if in_place else known.get(name)
        result.append(merged(item, other or {}, new=other is None))
    return result


# --- maps whose keys have no case ---------------------------------------------------------------------


def _spellings(names: Mapping[str, Json]) -> dict[str, str]:
    return {name.casefold(): name for name in names}


def _tags(value: Mapping[str, Json], current: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    spelt = _spellings(current)
    for name, text in value.items():
        before = current.get(spelt.get(name.casefold(), name))
        if before != text:
            yield Difference((*path, name), before, text)


def _merged_tags(value: Mapping[str, Json], current: Mapping[str, Json]) -> dict[str, Json]:
    spelt = _spellings(current)
    return {**current, **{spelt.get(name.casefold(), name): text for name, text in value.items()}}


def _merged_identities(value: Mapping[str, Json], current: Mapping[str, Json]) -> dict[str, Json]:
    wanted, spelt = _spellings(value), _spellings(current)
    kept = {name: deepcopy(item) for name, item in current.items() if name.casefold() in wanted}
    return {**kept, **{name: {} for name in value if name.casefold() not in spelt}}


def _takes_no_list(identity: Mapping[str, Json]) -> bool:
    """Whether an identity is of a type without user-assigned ones."""
    return "userassigned" not in str(identity.get("type", "UserAssigned")).casefold()
