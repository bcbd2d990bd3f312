"""Two documents of an ARM pool, the desired and the observed: their differences, and the merged document.

Only paths that the desired document names are compared. The service fills in defaults, leaves empty things out, and
spells ids, URLs and enums as it likes, and none of that is a difference (azure-rest-api-specs #40986 and #42195,
devopsinfrastructure 2026-06-02). What is merged for a PUT keeps every field that is not understood here.

Pure functions over JSON. What a difference means for people, and what may be written, is decided elsewhere
(`reconciler.facets.pool`).

How values are compared:

- names of fields have no case, and the spelling that is there stays: the azurerm provider writes ``TimeZone`` and
  ``DaysData`` into the untyped ``resourcePredictions``;
- maps and lists by one table, `reconciler.facets.support.ownership`: owned whole, by key, or by position;
- an absent value is the default that ARM applies, by `reconciler.facets.support.mutability`; where there is none, a
  desired value that is absent is a difference;
- beside another kind nothing of the old kind stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from reconciler.documents import Json
from reconciler.facets.support import mutability, ownership
from reconciler.facets.support.mutability import Way
from reconciler.facets.support.ownership import Collection, Owned

_IGNORED = mutability.names(Way.DEVOPS, Way.SERVICE)
"""Effective at creation alone, or set by the service alone: never compared, never put in."""

_CASELESS = frozenset({
    "kind", "type", "location", "url", "name", "wellKnownImageName", "ephemeralType", "logonType", "caching",
    "certificateStoreLocation", "certificateStoreName", "osDiskStorageAccountType", "storageAccountType", "driveLetter",
    "predictionPreference", "windowsNvmeDrive", "projects", "repositories", "aliases", "observedCertificates",
})  # fmt: skip
"""Names and enums; ids (``…Id``) have no case either."""
_UNORDERED = ownership.unordered()
_SPANS = frozenset({"maxAgentLifetime", "gracePeriodTimeSpan"})
_KEPT_ACROSS_KINDS = frozenset({"kind", "organizations", "resourcePredictions", "resourcePredictionsProfile"})
"""What every kind has. No organization of one kind is one of another kind, since their URLs have other hosts."""
_OBJECT = (dict, Mapping)  # a dictionary is known at once, any other mapping has to be asked
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
    spelt = _spelt(wanted, observed)
    for name in _repeated(wanted, observed):
        del result[name]
    for key, value in wanted.items():
        if key in _IGNORED:
            continue
        name = spelt.get(key, key)
        current = observed.get(name)
        if new or not _same(key, value, current):
            result[name] = _merged_value(key, value, current)
    return result


# --- names of fields ----------------------------------------------------------------------------------


def _spelt(wanted: Mapping[str, Json], observed: Mapping[str, Json]) -> dict[str, str]:
    """Desired name → its spelling in the observed object; its own where both spellings are there, or none."""
    if wanted.keys() <= observed.keys():
        return {}
    spellings = {name.casefold(): name for name in observed}
    return {
        name: spellings[name.casefold()] for name in wanted if name not in observed and name.casefold() in spellings
    }


def _repeated(wanted: Mapping[str, Json], observed: Mapping[str, Json]) -> list[str]:
    """Names that the observed object has besides, in another spelling, where the desired one has the field."""
    if len({name.casefold() for name in observed}) == len(observed):
        return []
    spelt = _spelt(wanted, observed)
    chosen = {name.casefold(): spelt.get(name, name) for name in wanted}
    return sorted(name for name in observed if chosen.get(name.casefold(), name) != name)


# --- one field ----------------------------------------------------------------------------------------


def _walk(wanted: Mapping[str, Json], observed: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    spelt = _spelt(wanted, observed)
    for key, value in wanted.items():
        current = observed.get(spelt.get(key, key))
        if key not in _IGNORED and value != current:  # most fields are equal to the letter
            yield from _field(key, value, current, path)
    for name in _repeated(wanted, observed):
        yield Difference((*path, name), _shown(observed[name]), None)


def _field(key: str, value: Json, current: Json, path: tuple[str, ...]) -> Iterator[Difference]:
    if isinstance(value, list | tuple):
        value, current = _days(key, value), _days(key, current)
    here, row = (*path, key), ownership.row_of(key)
    if _are_objects(value, current):
        yield from _list(key, value, current or [], here)
    elif key == "tags":
        yield from _tags(_mapping(value), _mapping(current), here)
    elif isinstance(value, _OBJECT) and row is None and (current is None or isinstance(current, _OBJECT)):
        yield from _object(value, current or {}, here)
    elif not _same(key, value, current):
        yield Difference(here, _shown(current), _shown(value))


def _merged_value(key: str, value: Json, current: Json) -> Json:
    if _are_objects(value, current):
        return _merged_list(key, value, current or [])
    if key == "tags":
        return _merged_tags(_mapping(value), _mapping(current))
    if key == "userAssignedIdentities":
        return _merged_identities(_mapping(value), _mapping(current))
    if isinstance(value, Mapping) and (current is None or isinstance(current, _OBJECT)):
        return merged(value, _compatible(value, current or {}), new=current is None)
    return deepcopy(value)


def _same(key: str, value: Json, current: Json) -> bool:
    """Whether two values mean the same; for objects and lists of objects: whether nothing in them differs."""
    if value == current:
        return True
    row = ownership.row_of(key)
    if _are_objects(value, current) or key == "tags":
        return next(_field(key, value, current, ()), None) is None
    if isinstance(value, _OBJECT) and row is None and (current is None or isinstance(current, _OBJECT)):
        return next(_object(value, current or {}, ()), None) is None
    return bool(_canonical(key, value) == _canonical(key, current))


def _days(key: str, value: Json) -> Json:
    """Of a schedule one map where seven are equal: it stands for every day."""
    whole = key.casefold() == "daysdata" and isinstance(value, list | tuple) and len(value) == 7  # noqa: PLR2004 - a week
    return value[:1] if whole and all(day == value[0] for day in value) else value


def _are_objects(value: Json, current: Json) -> bool:
    """Whether two lists hold objects alone, as far as they hold anything."""
    if isinstance(value, dict):
        return False
    lists = all(isinstance(one, list | tuple | None) for one in (value, current))
    items = [*(value or ()), *(current or ())] if lists else []
    return bool(items) and all(isinstance(item, _OBJECT) for item in items)


def _canonical(key: str, value: Json) -> Json:
    if value in (None, "", [], (), {}):
        return _DEFAULTS.get(key.casefold())
    if key == "userAssignedIdentities" and isinstance(value, Mapping):
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


_DEFAULTS: Mapping[str, Json] = {
    name.casefold(): _canonical_text(name, value) if isinstance(value, str) else value
    for name, value in mutability.defaults().items()
}


def _shown(value: Json) -> Json:
    """Short form for people."""
    return sorted(value) if isinstance(value, Mapping) else deepcopy(value)


# --- objects whose kind or type decides which fields they have ----------------------------------------


def _object(value: Mapping[str, Json], current: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    base = _compatible(value, current)
    yield from _walk(value, base, path)
    if base is current:
        return
    named = {key.casefold() for key in value}
    for key, item in current.items():
        if key not in base and key.casefold() not in named:
            yield Difference((*path, key), _shown(item), None)
        elif key in base and base[key] is not item:
            for part in sorted(item.keys() - base[key].keys()):
                yield Difference((*path, key, part), _shown(item[part]), None)


def _compatible(value: Mapping[str, Json], current: Mapping[str, Json]) -> Mapping[str, Json]:
    """What may stay beside the desired fields: beside another kind only what all kinds have."""
    kept = current
    if current.get("userAssignedIdentities") and _takes_no_list({**current, **value}):
        kept = {key: item for key, item in kept.items() if key != "userAssignedIdentities"}
    if "resourcePredictionsProfile" in value and _becomes_automatic(value, current):
        kept = _without_schedule(value, kept)
    if "kind" in value and "kind" in current and not _same("kind", value["kind"], current["kind"]):
        kept = {key: item for key, item in kept.items() if key in _KEPT_ACROSS_KINDS}
    return kept


def _takes_no_list(identity: Mapping[str, Json]) -> bool:
    """Whether an identity is of a type without user-assigned ones."""
    return "userassigned" not in str(identity.get("type", "UserAssigned")).casefold()


def _becomes_automatic(value: Mapping[str, Json], current: Mapping[str, Json]) -> bool:
    """Whether stand-by agents follow a schedule, and shall follow earlier demand."""
    kinds = [str(_mapping(one.get("resourcePredictionsProfile")).get("kind")) for one in (value, current)]
    return [kind.casefold() == "automatic" for kind in kinds] == [True, False]


def _without_schedule(value: Mapping[str, Json], current: Mapping[str, Json]) -> Mapping[str, Json]:
    """The agent profile without the schedule, which belongs to Manual; of it stays what the spec names."""
    named = value.get("resourcePredictions")
    kept = {key: item for key, item in current.items() if key != "resourcePredictions"}
    schedule = current.get("resourcePredictions")
    if isinstance(named, Mapping) and isinstance(schedule, Mapping):
        names = {key.casefold() for key in named}
        kept["resourcePredictions"] = {key: item for key, item in schedule.items() if key.casefold() in names}
    return kept


# --- lists of objects ---------------------------------------------------------------------------------

Item = Mapping[str, Json]


def _pairs(key: str, value: Sequence[Item], current: Sequence[Item]) -> list[int | None]:
    """For each desired entry the index of the live entry that it stands for; None where there is none."""
    row = ownership.row_of(key)
    left = list(range(len(current)))
    found: list[int | None] = [None] * len(value)

    def take(index: int, chosen: int | None) -> None:
        if found[index] is None and chosen is not None:
            found[index] = chosen
            left.remove(chosen)

    if row is not None and row.identity is not None:
        for index, item in enumerate(value):
            name = row.identity(item)
            alike = [one for one in left if name and row.identity(current[one]) == name]
            take(index, index if index in alike else next(iter(alike), None))
    if row is not None and row.owned is Owned.BY_KEY:
        return found
    for index, item in enumerate(value):
        if len(value) == len(current):
            take(index, index if index in left else None)
        else:
            take(index, next((one for one in left if _covers(key, item, current[one])), None))
    return found


def _covers(key: str, item: Item, other: Item) -> bool:
    """Whether an entry has all that is named."""
    return next(_entry(key, item, other, ()), None) is None


def _entry(key: str, item: Item, other: Item, path: tuple[str, ...]) -> Iterator[Difference]:
    if _is_whole(key):
        if dict(item) != dict(other):
            yield Difference(path, dict(other), dict(item))
    else:
        yield from _object(item, other, path)


def _is_whole(key: str) -> bool:
    """Whether the entries of a list are maps whose keys are data."""
    row: Collection | None = ownership.row_of(f"{key}[*]")
    return row is not None and row.owned is Owned.WHOLE


def _list(key: str, value: Sequence[Item], current: Sequence[Item], path: tuple[str, ...]) -> Iterator[Difference]:
    row, pairs = ownership.row_of(key), _pairs(key, value, current)
    in_place = len(value) == len(current) and pairs == list(range(len(value)))
    if row is not None and not row.ordered:
        added = [(item, None) for item, at in zip(value, pairs, strict=True) if at is None]
        gone = [(None, item) for index, item in enumerate(current) if index not in pairs]
        for new, old in (*added, *gone):
            here = place_of_entry(path, key, new or old or {})
            yield Difference(here, None if old is None else _places(old), None if new is None else _places(new))
    elif not in_place:
        yield _both_lists(key, value, current, path)
    if in_place or (row is not None and row.owned is Owned.BY_KEY):
        for index, (item, at) in enumerate(zip(value, pairs, strict=True)):
            if at is not None:
                yield from _entry(key, _unkeyed(key, item), current[at], place_of_entry(path, key, item, index))


def place_of_entry(path: tuple[str, ...], key: str, item: Item, index: int = 0) -> tuple[str, ...]:
    """The path of an entry: ``organizations[fabrikam]``."""
    return (*path[:-1], f"{path[-1]}[{_label(key, item, index)}]")


def _label(key: str, item: Item, index: int) -> str:
    """What a line of the plan calls an entry: its key, or its position."""
    row = ownership.row_of(key)
    if row is None or row.identity is None or row.owned is not Owned.BY_KEY:
        return str(index)
    if key == "images":
        return str(item.get("wellKnownImageName") or item.get("resourceId") or "")
    return row.identity(item)


def _unkeyed(key: str, item: Item) -> Item:
    """Without the URL of an organization, which has several forms."""
    return {name: field for name, field in item.items() if name != "url"} if key == "organizations" else item


def _both_lists(key: str, value: Sequence[Item], current: Sequence[Item], path: tuple[str, ...]) -> Difference:
    """Both lists, as they are and as they are sent; of images their names."""
    if key == "images":
        return Difference(path, *([_label(key, item, 0) for item in items] for items in (current, value)))
    return Difference(path, deepcopy(list(current)) or None, _merged_list(key, value, current))


def _places(organization: Item) -> Json:
    """What an organization uses, for people."""
    named = organization.get("projects") or organization.get("repositories")
    return sorted(named, key=str.casefold) if named else "all"


def _merged_list(key: str, value: Sequence[Item], current: Sequence[Item]) -> list[dict[str, Json]]:
    pairs = _pairs(key, value, current)
    result = [
        _merged_entry(key, item, None if at is None else current[at]) for item, at in zip(value, pairs, strict=True)
    ]
    if key != "organizations":
        return result
    # Their order means nothing, so what is there stays where it is.
    known = sorted((at, index) for index, at in enumerate(pairs) if at is not None)
    return [result[index] for _, index in known] + [result[i] for i, at in enumerate(pairs) if at is None]


def _merged_entry(key: str, item: Item, other: Item | None) -> dict[str, Json]:
    if _is_whole(key):
        return deepcopy(dict(item))
    if other is None:
        return merged(item, {}, new=True)
    return merged({**item, "url": other.get("url")} if key == "organizations" else item, _compatible(item, other))


# --- maps whose keys have no case ---------------------------------------------------------------------


def _mapping(value: Json) -> Mapping[str, Json]:
    """A map, and an empty one for whatever else a newer version of ARM may return."""
    return value if isinstance(value, Mapping) else {}


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
